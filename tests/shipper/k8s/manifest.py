"""A small manifest without a mistake, to be changed by one; and old forms of such manifests, written anew."""

from __future__ import annotations

from typing import Any

import yaml

from shipper.k8s.check import check
from shipper.k8s.findings import Finding

GOOD = r"""
apiVersion: v1
kind: ServiceAccount
metadata: {name: shipper, namespace: logging, annotations: {eks.amazonaws.com/role-arn: "arn:aws:iam::1:role/x"}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: shipper}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: conf-0123456789, namespace: logging}
data:
  fluent.conf: |
    <system>
      root_dir /var/lib/fluentd
    </system>
    @include in.conf
    <label @meta>
      <filter **>
        @type kubernetes_metadata
        watch false
        skip_master_url true
        skip_container_metadata true
        skip_namespace_metadata true
      </filter>
      <filter **>
        @type record_transformer
        enable_ruby true
        <record>
          stream_name ${tag_suffix[3]}
          message ${record["message"].byteslice(0, 450_000)}
        </record>
      </filter>
      <match **>
        @type relabel
        @label @out
      </match>
    </label>
    <label @out>
      <match **>
        @type cloudwatch_logs
        log_group_name "/app/#{ENV.fetch('CLUSTER')}"
        log_stream_name_key stream_name
        auto_create_stream true
        log_rejected_request true
        put_log_events_disable_retry_limit true
        <buffer>
          @type file
          path /var/lib/fluentd/buffer
          flush_at_shutdown true
          total_limit_size 512m
          overflow_action block
          retry_forever true
        </buffer>
      </match>
    </label>
  in.conf: |
    <source>
      @type tail
      @label @parts
      path /var/log/containers/*.log
      pos_file /var/lib/fluentd/pos
      tag *
      read_from_head true
      refresh_interval 10
      emit_unmatched_lines true
      <parse>
        @type cri
        time_format %iso8601
      </parse>
    </source>
    <source>
      @type systemd
      @label @out
      tag node.kubelet
      matches [{"_SYSTEMD_UNIT": "kubelet.service"}]
      <storage>
        @type local
        path /var/lib/fluentd/journal.json
      </storage>
    </source>
    <label @parts>
      <filter **>
        @type concat
        key message
        partial_key logtag
        partial_value P
        separator ""
        stream_identity_key stream
        use_first_timestamp true
        timeout_label @lines
      </filter>
      <match **>
        @type relabel
        @label @lines
      </match>
    </label>
    <label @lines>
      <filter **>
        @type concat
        key message
        multiline_start_regexp /^\S/
        separator "\n"
        stream_identity_key stream
        use_first_timestamp true
        timeout_label @meta
      </filter>
      <match **>
        @type relabel
        @label @meta
      </match>
    </label>
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: fluentd, namespace: logging}
spec:
  selector: {matchLabels: {app: fluentd}}
  template:
    metadata: {labels: {app: fluentd}}
    spec:
      serviceAccountName: shipper
      tolerations: [{operator: Exists}]
      priorityClassName: system-node-critical
      containers:
        - name: fluentd
          image: fluent/fluentd-kubernetes-daemonset:v1.19.3-debian-cloudwatch-1.1
          env:
            - {name: CLUSTER, value: shop}
          livenessProbe: {httpGet: {path: /metrics, port: 24231}}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {drop: [ALL]}
          volumeMounts:
            - {name: conf, mountPath: /fluentd/etc}
            - {name: logs, mountPath: /var/log, readOnly: true}
            - {name: state, mountPath: /var/lib/fluentd}
      volumes:
        - {name: conf, configMap: {name: conf-0123456789}}
        - {name: logs, hostPath: {path: /var/log}}
        - {name: state, hostPath: {path: /var/lib/fluentd}}
"""


def documents(text: str) -> list[Any]:
    """The documents as the command reads them."""
    return list(yaml.load_all(text, Loader=yaml.BaseLoader))


def changed(*changes: tuple[str, str], text: str = GOOD) -> str:
    """The manifest with these texts replaced, each of which must be there; the place is kept by the first one."""
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def found(text: str) -> list[Finding]:
    """What the check says of a manifest."""
    return check(documents(text))[1]


def names(text: str) -> set[str]:
    """The rules that find something."""
    return {finding.rule for finding in found(text)}


def good_but(*changes: tuple[str, str]) -> set[str]:
    """The rules that find something in the manifest with these changes."""
    return names(changed(*changes))
