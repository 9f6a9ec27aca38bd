from __future__ import annotations

import pytest

from shipper.k8s.agents import Mount, Workload, agents
from tests.shipper.k8s.manifest import GOOD, changed, documents


def workload(text: str = GOOD) -> Workload:
    (agent,) = agents(documents(text))
    assert agent.workload
    return agent.workload


def test_a_pod_and_its_configuration_are_one_agent() -> None:
    (agent,) = agents(documents(GOOD))
    assert agent.titles == ["DaemonSet logging/fluentd", "ConfigMap logging/conf-0123456789"]
    assert len(agent.root.all("source")) == 2


def test_a_config_map_of_another_namespace_is_not_the_pods() -> None:
    other = changed(("metadata: {name: conf-0123456789, namespace: logging}", "metadata: {name: conf-0123456789}"))
    assert [agent.titles for agent in agents(documents(other))] == [
        ["DaemonSet logging/fluentd"],
        ["ConfigMap conf-0123456789"],
    ]


@pytest.mark.parametrize("content", ["<html>", "[Unit]\nAfter=a\n[Service]\nType=simple"], ids=["a page", "a unit"])
def test_a_config_map_without_a_configuration_is_no_agent(content: str) -> None:
    assert agents([{"kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"b": "c", "d": content}}]) == []


def test_a_pod_that_ships_no_logs_is_no_agent() -> None:
    assert agents(documents(GOOD.rpartition("---")[2].replace("fluentd", "nginx"))) == []


def test_the_container_that_mounts_the_configuration_is_the_one() -> None:
    pod = changed(
        ("      containers:\n", "      containers:\n        - {name: first, image: fluent/fluentd:v1.19.3}\n")
    )
    assert workload(pod).container["name"] == "fluentd"
    assert [container["name"] for container in workload(pod).containers()] == ["first", "fluentd"]


def test_of_two_that_mount_it_the_one_named_after_it_is_the_shipper() -> None:
    reload = "{name: reload, image: configmap-reload:v0.14.0, volumeMounts: [{name: conf, mountPath: /conf}]}"
    pod = changed(("      containers:\n", f"      containers:\n        - {reload}\n"))
    assert workload(pod).container["name"] == "fluentd"


@pytest.mark.parametrize(
    ("file", "mount"),
    [
        ("/var/log/containers/a.log", Mount("/var/log", "hostPath", "/var/log", True)),
        ("/var/lib/fluentd", Mount("/var/lib/fluentd", "hostPath", "/var/lib/fluentd", False)),
        ("/fluentd/etc/fluent.conf", Mount("/fluentd/etc", "configMap", "conf-0123456789", False)),
        ("/var/logs/a", None),
        ("/tmp/a", None),
    ],
)
def test_a_file_is_on_the_mount_around_it(file: str, mount: Mount | None) -> None:
    assert workload().mount_of(file) == mount


def test_the_nearest_mount_counts() -> None:
    inner = changed(
        (
            "            - {name: state,",
            "            - {name: conf, mountPath: /var/log/x}\n            - {name: state,",
        )
    )
    found = workload(inner).mount_of("/var/log/x/y")
    assert found
    assert found.kind == "configMap"


def test_a_variable_from_a_config_map_is_known() -> None:
    text = changed(
        ("{name: CLUSTER, value: shop}", "{name: CLUSTER, valueFrom: {configMapKeyRef: {name: info, key: a}}}"),
        (
            "---\n",
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: info, namespace: logging}\ndata: {a: shop}\n---\n",
        ),
    )
    (agent,) = agents(documents(text))
    (output,) = [each for each in agent.root.walk() if each.type == "cloudwatch_logs"]
    assert output.text("log_group_name") == "/app/shop"


def test_files_of_two_config_maps_are_one_configuration() -> None:
    more = {"kind": "ConfigMap", "metadata": {"name": "more", "namespace": "logging"}, "data": {"b.conf": "<source>"}}
    text = changed(
        ("            - {name: logs,", "            - {name: more, mountPath: /more}\n            - {name: logs,"),
        ("      volumes:\n", "      volumes:\n        - {name: more, configMap: {name: more}}\n"),
    )
    (agent,) = agents([*documents(text), more])
    assert "ConfigMap logging/more" in agent.titles
    assert len(agent.root.all("source")) == 3
