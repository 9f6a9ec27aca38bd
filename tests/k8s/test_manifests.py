"""The manifests: valid for Kubernetes, least rights, one namespace, references that lead somewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import kubernetes_validate
import pytest

from tests.k8s.manifests import OVERLAYS, VIEWS, Document, flat, needs_kubectl, of_kind, only, view

NAMESPACE = "amazon-cloudwatch"
VERSIONS = ("1.31", kubernetes_validate.latest_version())


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", VIEWS)
def test_valid_for_kubernetes(name: str, version: str) -> None:
    for document in view(name):
        kubernetes_validate.validate(document, version, strict=True)


@pytest.mark.parametrize("name", VIEWS)
def test_the_objects_are_these(name: str) -> None:
    assert [(document["kind"], _stem(document)) for document in view(name)] == [
        ("Namespace", NAMESPACE),
        ("ServiceAccount", "fluentd"),
        ("ClusterRole", "cwl-shipper-fluentd"),
        ("ClusterRoleBinding", "cwl-shipper-fluentd"),
        *((("DaemonSet", "fluentd"),) if name not in OVERLAYS else ()),
        ("ConfigMap", "cluster-info"),
        ("ConfigMap", "fluentd-config"),
        *((("DaemonSet", "fluentd"),) if name in OVERLAYS else ()),
    ]


def _stem(document: Document) -> str:
    name: str = document["metadata"]["name"]
    return re.sub(r"-[a-z0-9]{10}$", "", name) if document["kind"] == "ConfigMap" else name


@needs_kubectl
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_all_is_in_one_namespace_and_bears_our_label(overlay: str) -> None:
    namespaces = {document["kind"]: document["metadata"].get("namespace") for document in view(overlay)}
    cluster_wide = dict.fromkeys(("Namespace", "ClusterRole", "ClusterRoleBinding"))
    assert namespaces == cluster_wide | dict.fromkeys(("ServiceAccount", "ConfigMap", "DaemonSet"), NAMESPACE)
    labels = [document["metadata"]["labels"]["app.kubernetes.io/part-of"] for document in view(overlay)]
    assert set(labels) == {"cwl-shipper"}


@needs_kubectl
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_config_maps_are_named_by_their_content(overlay: str) -> None:
    names = [document["metadata"]["name"] for document in of_kind(overlay, "ConfigMap")]
    assert all(re.fullmatch(r"(cluster-info|fluentd-config)-[a-z0-9]{10}", name) for name in names)


@pytest.mark.parametrize("name", VIEWS)
def test_pod_security_lets_in_what_it_must_and_reports_the_rest(name: str) -> None:
    labels = only(name, "Namespace")["metadata"]["labels"]
    prefix = "pod-security.kubernetes.io/"
    assert {key: value for key, value in labels.items() if key.startswith(prefix)} == {
        f"{prefix}enforce": "privileged",
        f"{prefix}audit": "restricted",
        f"{prefix}warn": "restricted",
    }


@pytest.mark.parametrize("name", VIEWS)
def test_fluentd_may_get_a_pod_and_nothing_else(name: str) -> None:
    assert only(name, "ClusterRole")["rules"] == [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]


@pytest.mark.parametrize("name", VIEWS)
def test_the_role_is_bound_to_the_pods_service_account(name: str) -> None:
    binding, daemon_set = only(name, "ClusterRoleBinding"), only(name, "DaemonSet")
    account = only(name, "ServiceAccount")["metadata"]["name"]
    assert binding["roleRef"]["name"] == only(name, "ClusterRole")["metadata"]["name"]
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": account, "namespace": NAMESPACE}]
    assert daemon_set["spec"]["template"]["spec"]["serviceAccountName"] == account


def _config_map_references(value: Any) -> Iterator[tuple[str, str | None]]:
    """The name and the key, if one is named, of each ConfigMap that a pod takes something from."""
    if isinstance(value, list):
        value = dict(enumerate(value))
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in {"configMap", "configMapKeyRef"}:
                yield inner["name"], inner.get("key")
            yield from _config_map_references(inner)


@pytest.mark.parametrize("name", VIEWS)
def test_the_pod_finds_its_config_maps(name: str) -> None:
    data = {document["metadata"]["name"]: document["data"] for document in of_kind(name, "ConfigMap")}
    references = list(_config_map_references(only(name, "DaemonSet")))
    assert {reference for reference, _ in references} == set(data)
    assert [key for reference, key in references if key is not None and key not in data[reference]] == []


@pytest.mark.parametrize("name", VIEWS)
def test_the_selector_finds_the_pods(name: str) -> None:
    spec = only(name, "DaemonSet")["spec"]
    assert spec["selector"]["matchLabels"].items() <= spec["template"]["metadata"]["labels"].items()


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"spec": {"replicas": 2}}, kubernetes_validate.ValidationError),
        ({"apiVersion": "apps/v1beta1"}, kubernetes_validate.SchemaNotFoundError),
    ],
    ids=["unknown field", "unknown version"],
)
def test_the_schemas_see_a_fault(change: dict[str, Any], error: type[Exception]) -> None:
    daemon_set = only("base as written", "DaemonSet")
    broken = daemon_set | change | {"spec": daemon_set["spec"] | change.get("spec", {})}
    with pytest.raises(error):
        kubernetes_validate.validate(broken, VERSIONS[0], strict=True)


def test_no_value_is_left_empty() -> None:
    assert [path for document in view("base as written") for path, leaf in flat(document).items() if leaf is None] == []
