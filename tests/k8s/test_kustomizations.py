"""The kustomizations: every file is named, what is named exists, an overlay holds only what differs."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from stacks.stages import STAGES
from tests.k8s import manifests
from tests.k8s.manifests import BASE, K8S, OVERLAYS, config_map, flat, key_values, kustomization, needs_kubectl, view

DIRECTORIES = [BASE, *(K8S / "overlays" / overlay for overlay in OVERLAYS)]


def _named(directory: Path) -> list[Path]:
    says = kustomization(directory)
    generators = says.get("configMapGenerator", [])
    names = [*says["resources"], *(patch["path"] for patch in says.get("patches", []))]
    names += [name for generator in generators for key in ("files", "envs") for name in generator.get(key, [])]
    return [(directory / name).resolve() for name in names]


@pytest.mark.parametrize("directory", DIRECTORIES, ids=lambda path: path.name)
def test_what_is_named_is_there_and_named_once(directory: Path) -> None:
    named = _named(directory)
    assert [path for path in named if not path.exists()] == []
    assert len(named) == len(set(named))


def test_every_file_is_named() -> None:
    named = {path for directory in DIRECTORIES for path in _named(directory)}
    files = {path for path in K8S.rglob("*") if path.is_file()}
    others = {K8S / "README.md", K8S / "fluent-bit" / "values.yaml"}  # the values are Helm's
    assert files - named == {*others, *(directory / "kustomization.yaml" for directory in DIRECTORIES)}


def test_the_overlays_are_these() -> None:
    assert OVERLAYS == ["eks-irsa", "eks-pod-identity", "local", "node-role"]


@pytest.mark.parametrize(
    ("directory", "stage"), [(BASE, "dev"), (K8S / "overlays" / "local", "local")], ids=["base", "local"]
)
def test_cluster_info_names_the_stages_cluster(directory: Path, stage: str) -> None:
    assert key_values(directory / "cluster-info.env")["cluster.name"] == STAGES[stage].cluster


def test_cluster_and_region_are_set_in_one_place() -> None:
    settings = {path.relative_to(K8S).as_posix() for path in K8S.rglob("*") if path.suffix == ".env"}
    assert settings == {"base/cluster-info.env", "overlays/local/cluster-info.env"}
    assert set(key_values(BASE / "cluster-info.env")) == {"cluster.name", "logs.region"}


SKIP = "DaemonSet/metadata/annotations/checkov.io/skip8"
HOST_NETWORK = {
    "DaemonSet/spec/template/spec/dnsPolicy": "ClusterFirstWithHostNet",
    "DaemonSet/spec/template/spec/hostNetwork": True,
}
ENV = "DaemonSet/spec/template/spec/containers/fluentd/env"
DIFFERENCES: dict[str, dict[str, Any]] = {
    "eks-pod-identity": {},
    "eks-irsa": {
        "ServiceAccount/metadata/annotations/eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/fluentd"
    },
    "node-role": HOST_NETWORK | {SKIP: "CKV_K8S_19=Instance metadata reaches the host's network only"},
    "local": HOST_NETWORK
    | {
        SKIP: "CKV_K8S_19=The local AWS listens on the machine's loopback only",
        "cluster-info/cluster.name": "demo",
        "cluster-info/logs.endpoint": "http://127.0.0.1:4566",
        f"{ENV}/AWS_ENDPOINT_URL_CLOUDWATCH_LOGS/name": "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS",
        f"{ENV}/AWS_ENDPOINT_URL_CLOUDWATCH_LOGS/valueFrom/configMapKeyRef/key": "logs.endpoint",
        f"{ENV}/AWS_ENDPOINT_URL_CLOUDWATCH_LOGS/valueFrom/configMapKeyRef/name": "cluster-info",
        f"{ENV}/AWS_ACCESS_KEY_ID/name": "AWS_ACCESS_KEY_ID",
        f"{ENV}/AWS_ACCESS_KEY_ID/value": "test",
        f"{ENV}/AWS_SECRET_ACCESS_KEY/name": "AWS_SECRET_ACCESS_KEY",
        f"{ENV}/AWS_SECRET_ACCESS_KEY/value": "test",
    },
}


def _leaves(overlay: str) -> dict[str, Any]:
    """What an overlay says, without the hash of its cluster-info."""
    info = config_map(overlay, "cluster-info")
    leaves = flat(info["data"], "cluster-info")
    for document in view(overlay):
        if document["kind"] != "ConfigMap":
            leaves |= flat(document, document["kind"])
    return {path: "cluster-info" if leaf == info["metadata"]["name"] else leaf for path, leaf in leaves.items()}


@needs_kubectl
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_holds_only_what_differs(overlay: str) -> None:
    base, leaves = _leaves("eks-pod-identity"), _leaves(overlay)
    assert {path: leaf for path, leaf in leaves.items() if base.get(path) != leaf} == DIFFERENCES[overlay]
    assert set(base) <= set(leaves)


@needs_kubectl
@pytest.mark.parametrize("changed", ["fluentd/buffer.conf", "cluster-info.env"])
def test_a_change_of_a_setting_rolls_the_pods(changed: str, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(BASE, tmp_path / "base"))
    assert manifests.render(copy) == list(view("eks-pod-identity"))
    text = (copy / changed).read_text("utf-8")
    (copy / changed).write_text(text.replace("512m", "256m").replace("=eks", "=shop"), "utf-8")
    (after,) = [each for each in manifests.render(copy) if each["kind"] == "DaemonSet"]
    assert after["spec"]["template"] != manifests.only("eks-pod-identity", "DaemonSet")["spec"]["template"]


def test_the_readme_names_every_overlay() -> None:
    readme = (K8S / "README.md").read_text("utf-8")
    assert [overlay for overlay in OVERLAYS if f"(overlays/{overlay})" not in readme] == []
