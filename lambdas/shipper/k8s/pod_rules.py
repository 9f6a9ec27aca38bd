"""What is wrong with the pod around an agent, and with the objects beside it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from shipper.k8s.agents import (
    Agent,
    Document,
    Mount,
    Workload,
    is_false,
    is_true,
    items,
    kind,
    mapping,
    path,
    text,
    title,
)
from shipper.k8s.findings import Rule, Severity, Spot
from shipper.k8s.parts import cloudwatch

_IMAGES = "https://kubernetes.io/docs/concepts/containers/images/#updating-images"
_DAEMONSET = "https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/#taints-and-tolerations"
_SECURITY = "https://kubernetes.io/docs/concepts/security/pod-security-standards/"
_RBAC = "https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-resources"
_POD_IDENTITY = "https://docs.aws.amazon.com/eks/latest/userguide/pod-identities.html"

_DAEMONSET_IMAGE = re.compile(r"fluentd-kubernetes-daemonset:v?(\d+)\.(\d+)")
_FIRST_GOOD_IMAGE = (1, 19)
_MOVING_TAG = re.compile(r"latest|stable|edge|main|master|v?\d+(?:-.*)?")
_HASHED_NAME = re.compile(r".+-[a-z0-9]{10}")
_ROLLS_BY_ANNOTATION = re.compile(r"checksum/|reloader\.stakater\.com/")
_CREDENTIALS = frozenset({"AWS_ACCESS_KEY_ID", "AWS_ROLE_ARN", "AWS_CONTAINER_CREDENTIALS_FULL_URI"})
_REMOVED_APIS = {
    "rbac.authorization.k8s.io/v1alpha1",
    "rbac.authorization.k8s.io/v1beta1",
    "extensions/v1beta1",
    "apps/v1beta1",
    "apps/v1beta2",
    "policy/v1beta1",
}


def _workload(agent: Agent) -> Iterator[Workload]:
    if agent.workload:
        yield agent.workload


def _daemon_set(agent: Agent) -> Iterator[Workload]:
    return (each for each in _workload(agent) if kind(each.document) == "DaemonSet")


def _host_mounts(is_wrong: Callable[[Mount], bool]) -> Callable[[Agent], Iterator[Spot]]:
    """Finds the folders of the node that are mounted wrongly."""

    def find(agent: Agent) -> Iterator[Spot]:
        for workload in _workload(agent):
            for mount in workload.mounts():
                if mount.kind == "hostPath" and is_wrong(mount):
                    yield workload.spot(f"mount {mount.path}")

    return find


def _named(container: Document) -> str:
    return f"container {text(container.get('name'))}"


def _moving_images(agent: Agent) -> Iterator[Spot]:
    for workload in _workload(agent):
        for container in workload.containers():
            image = text(container.get("image"))
            _, _, tag = image.rpartition("/")[2].partition(":")
            if image and "@" not in image and (not tag or _MOVING_TAG.fullmatch(tag)):
                yield workload.spot(f"{_named(container)}: {image}")


def _old_images(agent: Agent) -> Iterator[Spot]:
    for workload in _workload(agent):
        image = text(workload.container.get("image"))
        found = _DAEMONSET_IMAGE.search(image)
        if found and (int(found[1]), int(found[2])) < _FIRST_GOOD_IMAGE:
            yield workload.spot(f"{_named(workload.container)}: {image}")


def _tainted_nodes(agent: Agent) -> Iterator[Spot]:
    for workload in _daemon_set(agent):
        wanted = [each for each in items(workload.pod.get("tolerations")) if each.get("operator") == "Exists"]
        if not any("key" not in each and each.get("effect") in (None, "NoSchedule") for each in wanted):
            yield workload.spot("tolerations")


def _unimportant(agent: Agent) -> Iterator[Spot]:
    return (each.spot("priorityClassName") for each in _daemon_set(agent) if not each.pod.get("priorityClassName"))


def _unwatched(agent: Agent) -> Iterator[Spot]:
    for workload in _workload(agent):
        if not workload.container.get("livenessProbe"):
            yield workload.spot(_named(workload.container))


def _unconfined(agent: Agent) -> Iterator[Spot]:
    for workload in _workload(agent):
        said = mapping(workload.container.get("securityContext"))
        dropped = path(said, "capabilities", "drop")
        confined = is_false(said.get("allowPrivilegeEscalation")) and is_true(said.get("readOnlyRootFilesystem"))
        if not (confined and isinstance(dropped, list) and "ALL" in dropped) or is_true(said.get("privileged")):
            yield workload.spot(f"{_named(workload.container)}: securityContext")


def _by_hand(agent: Agent) -> Iterator[Spot]:
    """An update that waits for somebody to delete the pods."""
    for workload in _daemon_set(agent):
        if path(workload.document, "spec", "updateStrategy", "type") == "OnDelete":
            yield workload.spot("updateStrategy")


def _rolls_nothing(agent: Agent) -> Iterator[Spot]:
    for workload in _workload(agent):
        annotations = {
            **mapping(path(workload.document, "metadata", "annotations")),
            **mapping(path(workload.template, "metadata", "annotations")),
        }
        if any(_ROLLS_BY_ANNOTATION.search(str(key)) for key in annotations):
            continue
        for mount in workload.mounts():
            if mount.kind == "configMap" and not _HASHED_NAME.fullmatch(mount.source):
                yield workload.spot(f"ConfigMap {mount.source}")


def _elsewhere(agent: Agent) -> Iterator[Spot]:
    for workload in _workload(agent):
        known = {text(path(each, "metadata", "name")) for each in agent.documents if kind(each) == "ConfigMap"}
        named = [mount.source for mount in workload.mounts() if mount.kind == "configMap"]
        for variable in workload.variables().values():
            named.append(text(path(variable, "valueFrom", "configMapKeyRef", "name")))
        for name in dict.fromkeys(named):
            if name and name not in known:
                yield workload.spot(f"ConfigMap {name}")


def _unseen(agent: Agent) -> Iterator[Spot]:
    for workload in _workload(agent):
        if not agent.owners:
            yield workload.spot(_named(workload.container))


def _has_role(agent: Agent, workload: Workload) -> bool:
    """IRSA, or credentials that the container is given."""
    account = text(workload.pod.get("serviceAccountName"))
    annotated = any(
        kind(each) == "ServiceAccount"
        and path(each, "metadata", "name") == account
        and path(each, "metadata", "annotations", "eks.amazonaws.com/role-arn")
        for each in agent.documents
    )
    return annotated or not _CREDENTIALS.isdisjoint(workload.variables())


def _without_role(agent: Agent, *, on_the_host: bool) -> Iterator[Spot]:
    sends = cloudwatch(agent.root) or any("cloudwatch" in each.text("name") for each in agent.root.all("[output]"))
    for workload in _workload(agent):
        if sends and is_true(workload.pod.get("hostNetwork")) is on_the_host and not _has_role(agent, workload):
            yield workload.spot(f"service account {text(workload.pod.get('serviceAccountName')) or 'default'}")


def _removed_apis(documents: Sequence[Document]) -> Iterator[Spot]:
    for document in documents:
        if (version := text(document.get("apiVersion"))) in _REMOVED_APIS:
            yield Spot(title(document), at=version)


def _no_such_resource(documents: Sequence[Document]) -> Iterator[Spot]:
    for document in documents:
        for rule in items(document.get("rules")) if kind(document) in {"ClusterRole", "Role"} else ():
            resources = rule.get("resources")
            if isinstance(resources, list) and "pods/logs" in resources:
                yield Spot(title(document), at="pods/logs")


POD_RULES: tuple[Rule[Agent], ...] = (
    Rule(
        "tainted-nodes",
        Severity.LOSS,
        _tainted_nodes,
        "no pod runs on a node with a taint: none of its logs are shipped",
        "tolerations: [{operator: Exists}]",
        _DAEMONSET,
    ),
    Rule(
        "moving-image",
        Severity.OPERATIONS,
        _moving_images,
        "what runs depends on the day when a node first pulled it",
        "an exact version, or a digest",
        _IMAGES,
    ),
    Rule(
        "old-image",
        Severity.OPERATIONS,
        _old_images,
        "before 1.19 its output takes no event over 256 KiB and gives up the chunk with it; before 1.12 it has no CRI"
        " parser, and a metadata filter that goes blind when its token expires",
        "v1.19 or later",
        "https://github.com/fluent/fluentd-kubernetes-daemonset",
    ),
    Rule(
        "writable-logs",
        Severity.OPERATIONS,
        _host_mounts(lambda mount: mount.source == "/var/log" and not mount.read_only),
        "what reads the node's logs may change and delete them",
        "readOnly: true, with state on a hostPath of its own",
        "https://kubernetes.io/docs/concepts/storage/volumes/#hostpath",
    ),
    Rule(
        "docker-paths",
        Severity.OPERATIONS,
        _host_mounts(lambda mount: mount.source.startswith("/var/lib/docker")),
        "a node with containerd has no such folder; the links lead to /var/log/pods",
        "take volume and mount out",
        "https://kubernetes.io/docs/concepts/cluster-administration/logging/",
    ),
    Rule(
        "no-roll",
        Severity.OPERATIONS,
        _rolls_nothing,
        "it reads its files when it starts: a change of this ConfigMap changes no pod",
        "configMapGenerator, whose names end in a hash (Helm: a checksum/config annotation)",
        "https://kubernetes.io/docs/tasks/manage-kubernetes-objects/kustomization/#configmapgenerator",
    ),
    Rule(
        "no-priority",
        Severity.OPERATIONS,
        _unimportant,
        "on a full node the pod is evicted, or finds no place",
        "priorityClassName: system-node-critical",
        "https://kubernetes.io/docs/tasks/administer-cluster/guaranteed-scheduling-critical-addon-pods/",
    ),
    Rule(
        "no-liveness",
        Severity.OPERATIONS,
        _unwatched,
        "a process that hangs is not started again",
        "a livenessProbe on its metrics port",
        "https://docs.fluentd.org/monitoring-fluentd/monitoring-prometheus",
    ),
    Rule(
        "unconfined",
        Severity.OPERATIONS,
        _unconfined,
        "root with more rights than reading logs takes",
        "allowPrivilegeEscalation false, readOnlyRootFilesystem true, capabilities drop ALL, not privileged",
        _SECURITY,
    ),
    Rule(
        "update-by-hand",
        Severity.OPERATIONS,
        _by_hand,
        "OnDelete: a change waits until somebody deletes each pod",
        "RollingUpdate, with maxUnavailable",
        "https://kubernetes.io/docs/tasks/manage-daemon/update-daemon-set/",
    ),
    Rule(
        "conf-not-seen",
        Severity.NOTE,
        _unseen,
        "no ConfigMap here has its configuration in a form that is read (it is in the image, or Fluent Bit's YAML):"
        " only the pod was checked",
        "give the ConfigMap, too, if it is missing",
        "https://kubernetes.io/docs/concepts/configuration/configmap/",
    ),
    Rule(
        "config-map-elsewhere",
        Severity.NOTE,
        _elsewhere,
        "it is not in what was read: if somebody makes it by hand, pods of a new cluster wait for it",
        "keep it with the manifest",
        "https://kubernetes.io/docs/tasks/manage-kubernetes-objects/kustomization/#configmapgenerator",
    ),
    Rule(
        "node-role",
        Severity.NOTE,
        lambda agent: _without_role(agent, on_the_host=True),
        "it uses the role of the node, which every pod on the host's network may use, too",
        "EKS Pod Identity, or IAM roles for service accounts",
        _POD_IDENTITY,
    ),
    Rule(
        "role-not-seen",
        Severity.NOTE,
        lambda agent: _without_role(agent, on_the_host=False),
        "it names no role. Without an EKS Pod Identity association it asks the node's metadata service, which AL2023"
        " node groups keep from pods: no credentials",
        "check that the association is there: aws eks list-pod-identity-associations --cluster-name NAME",
        _POD_IDENTITY,
    ),
)

DOCUMENT_RULES: tuple[Rule[Sequence[Document]], ...] = (
    Rule(
        "removed-api",
        Severity.OPERATIONS,
        _removed_apis,
        "Kubernetes no longer serves this version: the object cannot be applied",
        "apps/v1, rbac.authorization.k8s.io/v1",
        "https://kubernetes.io/docs/reference/using-api/deprecation-guide/",
    ),
    Rule(
        "no-such-resource",
        Severity.OPERATIONS,
        _no_such_resource,
        "there is no pods/logs (reading logs by the API would be pods/log, which no agent on a node needs)",
        "pods, and namespaces if namespace metadata is wanted",
        _RBAC,
    ),
)
