"""Two forms of manifest that clusters still run, cut down to their mistakes and written anew.

`CLASSIC` is made for Docker's JSON files, as manifests of 2020 were. `PATCHED` is the same after a parser for CRI text
was put into a variable, which is how such manifests came to containerd.
"""

from __future__ import annotations

CLASSIC = """
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: old-fluentd}
rules: [{apiGroups: [""], resources: [namespaces, pods, pods/logs], verbs: [get, list, watch]}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: old-config, namespace: amazon-cloudwatch}
data:
  fluent.conf: |
    @include pods.conf
    @include units.conf
    @include files.conf
    <match fluent.**>
      @type null
    </match>
  pods.conf: |
    <source>
      @type tail
      @label @pods
      path /var/log/containers/*.log
      pos_file /var/log/old-pods.pos
      tag *
      read_from_head true
      <parse>
        @type json
        time_format %Y-%m-%dT%H:%M:%S.%NZ
      </parse>
    </source>
    <label @pods>
      <filter **>
        @type kubernetes_metadata
      </filter>
      <filter **>
        @type record_transformer
        remove_keys $.kubernetes.pod_id, $.kubernetes.master_url
        <record>
          stream_name ${tag_parts[3]}
        </record>
      </filter>
      <filter **>
        @type concat
        key log
        multiline_start_regexp /^\\S/
        separator ""
        flush_interval 5
        timeout_label @ship
      </filter>
      <match **>
        @type relabel
        @label @ship
      </match>
    </label>
    <label @ship>
      <match **>
        @type cloudwatch_logs
        region "#{ENV.fetch('REGION')}"
        log_group_name "/old/#{ENV.fetch('CLUSTER')}/pods"
        log_stream_name_key stream_name
        auto_create_stream true
        <buffer>
          flush_interval 5
          chunk_limit_size 2m
          queued_chunks_limit_size 32
        </buffer>
      </match>
    </label>
  units.conf: |
    <source>
      @type systemd
      @label @units
      tag node.docker
      filters [{"_SYSTEMD_UNIT": "docker.service"}]
      <storage>
        @type local
        path /var/log/old-docker.json
      </storage>
    </source>
    <label @units>
      <filter **>
        @type kubernetes_metadata
      </filter>
      <match **>
        @type cloudwatch_logs
        log_group_name units
        auto_create_stream true
        num_threads 2
      </match>
    </label>
  files.conf: |
    <source>
      @type tail
      @label @units
      path /var/log/messages
      pos_file /var/log/old-messages.pos
      tag host.messages
      format none
    </source>
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: old-fluentd, namespace: amazon-cloudwatch}
spec:
  selector: {matchLabels: {app: old}}
  template:
    metadata:
      labels: {app: old}
      annotations: {configHash: 8915de4cf9c3551a8dc74c0137a3e83569d28c71044b0359c2578d2e0461825}
    spec:
      serviceAccountName: old-fluentd
      initContainers:
        - {name: copy, image: busybox, command: [sh, -c, "true"]}
      containers:
        - name: old-fluentd
          image: fluent/fluentd-kubernetes-daemonset:v1.7.3-debian-cloudwatch-1.0
          env:
            - name: CLUSTER
              valueFrom: {configMapKeyRef: {name: cluster-info, key: cluster.name}}
          volumeMounts:
            - {name: config, mountPath: /fluentd/etc}
            - {name: logs, mountPath: /var/log}
            - {name: docker, mountPath: /var/lib/docker/containers, readOnly: true}
      volumes:
        - {name: config, configMap: {name: old-config}}
        - {name: logs, hostPath: {path: /var/log}}
        - {name: docker, hostPath: {path: /var/lib/docker/containers}}
"""

PATCHED = (
    CLASSIC.replace("@type json", "@type \"#{ENV['CONTAINER_PARSER'] || 'json'}\"")
    .replace("@type kubernetes_metadata", "@type kubernetes_metadata\n        watch false")
    .replace("v1.7.3-debian", "v1.10.3-debian")
    .replace(
        "          env:\n",
        "          env:\n"
        "            - name: CONTAINER_PARSER\n"
        "              value: /^(?<time>\\S+) (?<stream>\\w+) [PF] (?<log>.*)$/\n",
    )
)
