"""The DaemonSet: where it runs, what it may do on a node, what it survives."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.k8s.conf import files, read
from tests.k8s.manifests import VIEWS, Document, only

POD_PROPERTIES: list[tuple[str, Any]] = [
    ("nodeSelector", {"kubernetes.io/os": "linux"}),
    ("tolerations", [{"operator": "Exists"}]),
    ("priorityClassName", "system-node-critical"),
    ("terminationGracePeriodSeconds", 60),
    ("automountServiceAccountToken", True),
    ("securityContext", {"runAsUser": 0, "runAsGroup": 0, "seccompProfile": {"type": "RuntimeDefault"}}),
]
CONTAINER_PROPERTIES: list[tuple[str, Any]] = [
    ("resources", {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "512Mi"}}),
    (
        "securityContext",
        {
            "privileged": False,
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    ),
    ("ports", [{"name": "metrics", "containerPort": 24231}]),
]
MOUNTS = {
    "/fluentd/etc": ("configMap", "fluentd-config", True),
    "/var/log": ("hostPath", "/var/log", True),
    "/var/lib/fluentd": ("hostPath", "/var/lib/fluentd", False),
    "/tmp": ("emptyDir", "16Mi", False),
}


def _pod(name: str) -> Document:
    pod: Document = only(name, "DaemonSet")["spec"]["template"]["spec"]
    return pod


def _container(name: str) -> Document:
    container: Document
    (container,) = _pod(name)["containers"]
    return container


def _env(name: str) -> dict[str, Document]:
    return {each["name"]: each for each in _container(name)["env"]}


@pytest.mark.parametrize(("key", "value"), POD_PROPERTIES, ids=[key for key, _ in POD_PROPERTIES])
@pytest.mark.parametrize("name", VIEWS)
def test_the_pod_is_so(name: str, key: str, value: object) -> None:
    assert _pod(name)[key] == value


@pytest.mark.parametrize(("key", "value"), CONTAINER_PROPERTIES, ids=[key for key, _ in CONTAINER_PROPERTIES])
@pytest.mark.parametrize("name", VIEWS)
def test_the_container_is_so(name: str, key: str, value: object) -> None:
    assert _container(name)[key] == value


@pytest.mark.parametrize("name", VIEWS)
def test_there_is_no_other_container(name: str) -> None:
    assert {key for key in _pod(name) if key.lower().endswith("containers")} == {"containers"}
    assert len(_pod(name)["containers"]) == 1


@pytest.mark.parametrize("name", VIEWS)
def test_it_runs_on_every_node_but_fargates(name: str) -> None:
    (affinity,) = _pod(name)["affinity"].values()
    (term,) = affinity["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert term["matchExpressions"] == [
        {"key": "eks.amazonaws.com/compute-type", "operator": "NotIn", "values": ["fargate"]}
    ]


@pytest.mark.parametrize("name", VIEWS)
def test_an_update_leaves_most_nodes_alone(name: str) -> None:
    strategy = only(name, "DaemonSet")["spec"]["updateStrategy"]
    assert strategy == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "10%"}}


@pytest.mark.parametrize("name", VIEWS)
def test_the_image_is_one_release(name: str) -> None:
    assert re.fullmatch(
        r"fluent/fluentd-kubernetes-daemonset:v\d+\.\d+\.\d+-debian-cloudwatch-\d+\.\d+", _container(name)["image"]
    )


@pytest.mark.parametrize("name", VIEWS)
def test_it_writes_to_its_state_and_to_nothing_else(name: str) -> None:
    pod = _pod(name)
    sources = {volume["name"]: {k: v for k, v in volume.items() if k != "name"} for volume in pod["volumes"]}
    mounts = {}
    for mount in _container(name)["volumeMounts"]:
        ((kind, source),) = sources.pop(mount["name"]).items()
        value = source.get("path") or source.get("sizeLimit") or re.sub(r"-[a-z0-9]{10}$", "", source["name"])
        mounts[mount["mountPath"]] = (kind, value, mount.get("readOnly", False))
    assert mounts == MOUNTS
    assert sources == {}


@pytest.mark.parametrize("name", VIEWS)
def test_host_paths_are_checked_or_made(name: str) -> None:
    host_paths = [volume["hostPath"] for volume in _pod(name)["volumes"] if "hostPath" in volume]
    assert {path["path"]: path["type"] for path in host_paths} == {
        "/var/log": "Directory",
        "/var/lib/fluentd": "DirectoryOrCreate",
    }


@pytest.mark.parametrize("name", VIEWS)
def test_its_temporary_directory_is_one_that_ruby_takes(name: str) -> None:
    """An emptyDir is world-writable without a sticky bit: Ruby refuses it, and Fluentd does not start."""
    directory = _env(name)["TMPDIR"]["value"]
    (mount,) = [mount for mount in _container(name)["volumeMounts"] if mount["mountPath"] == directory]
    (volume,) = [volume for volume in _pod(name)["volumes"] if volume["name"] == mount["name"]]
    assert "hostPath" in volume
    assert not mount.get("readOnly")


@pytest.mark.parametrize("probe", ["startupProbe", "readinessProbe", "livenessProbe"])
@pytest.mark.parametrize("name", VIEWS)
def test_the_probes_ask_for_the_metrics(name: str, probe: str) -> None:
    assert _container(name)[probe]["httpGet"] == {"path": "/metrics", "port": "metrics"}


@pytest.mark.parametrize("name", VIEWS)
def test_the_metrics_are_where_fluentd_serves_them(name: str) -> None:
    (source,) = [each for each in read(files()).all("source") if each.parameters["@type"] == "prometheus"]
    annotations = only(name, "DaemonSet")["spec"]["template"]["metadata"]["annotations"]
    assert annotations == {"prometheus.io/scrape": "true", "prometheus.io/port": source.parameters["port"]}
    assert [str(port["containerPort"]) for port in _container(name)["ports"]] == [source.parameters["port"]]


@pytest.mark.parametrize("name", VIEWS)
def test_it_sets_what_the_configuration_asks_the_environment_for(name: str) -> None:
    asked = set(re.findall(r"ENV\b\W+(?:fetch\W+)?(\w+)", json.dumps(files())))
    assert asked == {"CLUSTER_NAME", "LOGS_REGION", "POD_IP"}
    assert asked <= set(_env(name))


@pytest.mark.parametrize("name", VIEWS)
def test_cluster_and_region_come_from_cluster_info(name: str) -> None:
    keys = {
        variable: each["valueFrom"]["configMapKeyRef"]["key"]
        for variable, each in _env(name).items()
        if variable in {"CLUSTER_NAME", "LOGS_REGION"}
    }
    assert keys == {"CLUSTER_NAME": "cluster.name", "LOGS_REGION": "logs.region"}
