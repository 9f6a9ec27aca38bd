"""Fluentd's configuration: every step leads on, nothing is dropped, state is on the node's disk, three log groups."""

from __future__ import annotations

import fnmatch
import json
import re

import pytest

from shipper.k8s.fluentd_conf import Section
from stacks.stages import LOG_GROUPS
from tests.k8s.conf import files, read
from tests.k8s.manifests import BASE, kustomization

ROOT = read(files())
SOURCES = {source.parameters["@id"]: source for source in ROOT.all("source")}
LABELS = {label.argument: label for label in ROOT.all("label")}
OUTPUTS = {label: LABELS[f"@{label}"].only("match") for label in LOG_GROUPS}
STATE = "/var/lib/fluentd/"
EVENT_LIMIT_BYTES = 1_048_576


def _targets(section: Section) -> list[str]:
    return [
        each.parameters[key] for each in section.walk() for key in ("@label", "timeout_label") if key in each.parameters
    ]


def _matches(pattern: str, tag: str) -> bool:
    """Whether a tag fits one of the patterns: `*` is within a part of the tag, a last `**` any number of parts."""
    globs = [
        re.escape(glob).replace(r"\.\*\*", r"(?:\..*)?").replace(r"\*\*", ".*").replace(r"\*", r"[^.]*")
        for glob in pattern.split()
    ]
    return any(re.fullmatch(glob, tag) for glob in globs)


def test_every_file_is_in_the_config_map_and_included() -> None:
    (generator,) = [each for each in kustomization(BASE)["configMapGenerator"] if each["name"] == "fluentd-config"]
    included = set(re.findall(r"^\s*@include (\S+)$", "\n".join(files().values()), re.MULTILINE))
    assert sorted(generator["files"]) == [f"fluentd/{name}" for name in files()]
    assert included == set(files()) - {"fluent.conf"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("@include other.conf", "no such file"),
        ("<label @a>\n  <match **>\n  </match>", "is not closed"),
        ("<label @a>\n</match>", "closes <label>"),
        ("<match **>\n  @type null\n  @type stdout\n</match>", "has @type twice"),
    ],
    ids=["missing file", "open section", "crossed sections", "parameter twice"],
)
def test_a_fault_that_fluentd_could_pass_over_is_found(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read({"fluent.conf": text})


def test_every_label_that_is_named_is_there() -> None:
    assert set(_targets(ROOT)) == set(LABELS) - {"@FLUENT_LOG"}


def test_every_source_of_logs_has_a_label() -> None:
    assert {name: source.parameters.get("@label") for name, source in SOURCES.items()} == {
        "in_containers": "@containers",
        **dict.fromkeys(("in_kubelet", "in_containerd", "in_kernel", "in_secure", "in_messages"), "@journal"),
        **dict.fromkeys(("in_metrics", "in_output_metrics")),
    }


@pytest.mark.parametrize("label", LABELS)
def test_a_label_ends_in_a_match_of_all(label: str) -> None:
    matches = LABELS[label].all("match")
    assert LABELS[label].sections[-len(matches) :] == matches
    assert matches[-1].argument == ("fluent.**" if label == "@FLUENT_LOG" else "**")


def test_every_plugin_has_an_id_of_its_own() -> None:
    plugins = [each for each in ROOT.walk() if each.name in {"source", "filter", "match"}]
    passing = {"relabel", "null"}
    ids = [each.parameters.get("@id") for each in plugins if each.parameters["@type"] not in passing]
    assert None not in ids
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("label", LABELS)
def test_a_concat_is_alone_in_its_label_and_its_timeout_leads_on(label: str) -> None:
    filters = LABELS[label].all("filter")
    concats = [each.parameters for each in filters if each.parameters["@type"] == "concat"]
    if concats:
        assert len(filters) == 1
        assert concats[0]["timeout_label"] == LABELS[label].only("match").parameters["@label"]
        assert concats[0]["stream_identity_key"] == "stream"
        assert concats[0]["use_first_timestamp"] == "true"
        assert int(concats[0]["flush_interval"]) > 0


def test_what_the_runtime_split_is_joined_first_with_a_bound() -> None:
    concat = LABELS["@containers"].only("filter").parameters
    assert {key: concat[key] for key in concat if "partial" in key or "buffer" in key or key == "separator"} == {
        "partial_key": "logtag",
        "partial_value": "P",
        "keep_partial_key": "true",
        "buffer_limit_size": "500k",
        "buffer_overflow_method": "new",
        "separator": '""',
    }


def test_containers_are_read_as_cri_from_their_first_line() -> None:
    source = SOURCES["in_containers"]
    assert source.only("parse").parameters == {"@type": "cri", "time_format": "%iso8601", "keep_time_key": "false"}
    wanted = {"tag": "*", "read_from_head": "true", "refresh_interval": "10", "emit_unmatched_lines": "true"}
    assert wanted.items() <= source.parameters.items()


@pytest.mark.parametrize(
    ("file", "read_by_fluentd"),
    [
        ("checkout-6d9f8b7c54-x2kqv_shop_checkout-e56a.log", True),
        ("aws-node-qq8rd_kube-system_aws-node-de08.log", True),
        ("fluentd-7xk2p_amazon-cloudwatch_fluentd-9f1c.log", False),
        ("cloudwatch-agent-tt8wn_amazon-cloudwatch_otc-container-55ab.log", False),
        ("fluentd-aggregator-0_shop_fluentd-77cd.log", True),
        ("cloudwatch-agent-report-1_shop_main-12ef.log", True),
    ],
    ids=["application", "data plane", "own", "agent", "another fluentd", "another agent"],
)
def test_only_fluentds_and_the_agents_own_logs_are_left_out(file: str, read_by_fluentd: bool) -> None:
    source = SOURCES["in_containers"].parameters
    path = f"/var/log/containers/{file}"
    assert fnmatch.fnmatchcase(path, source["path"])
    excluded = [glob for glob in json.loads(source["exclude_path"]) if fnmatch.fnmatchcase(path, glob)]
    assert bool(excluded) is not read_by_fluentd


@pytest.mark.parametrize(
    ("source", "tag", "matches"),
    [
        ("in_kubelet", "dataplane.kubelet", [{"_SYSTEMD_UNIT": "kubelet.service"}]),
        ("in_containerd", "dataplane.containerd", [{"_SYSTEMD_UNIT": "containerd.service"}]),
        ("in_kernel", "host.dmesg", [{"_TRANSPORT": "kernel"}]),
        ("in_secure", "host.secure", [{"SYSLOG_FACILITY": ["4", "10"]}]),
        ("in_messages", "host.messages", None),
    ],
)
def test_the_journal_is_read_in_parts(source: str, tag: str, matches: list[object] | None) -> None:
    parameters = SOURCES[source].parameters
    assert (parameters["@type"], parameters["tag"], parameters["path"]) == ("systemd", tag, "/var/log/journal")
    assert json.loads(parameters.get("matches", "null")) == matches
    assert parameters["read_from_head"] == "true"
    assert '"MESSAGE": "message"' in SOURCES[source].only("entry").parameters["field_map"]


@pytest.mark.parametrize(
    ("entry", "shipped"),
    [
        ({"systemd_unit": "sshd.service"}, True),
        ({"systemd_unit": "kubelet.service"}, False),
        ({"systemd_unit": "containerd.service"}, False),
        ({"transport": "kernel", "facility": "0"}, False),
        ({"systemd_unit": "systemd-logind.service", "facility": "4"}, False),
        ({"facility": "10"}, False),
        ({"facility": "3"}, True),
    ],
    ids=str,
)
def test_what_another_source_reads_is_not_shipped_twice(entry: dict[str, str], shipped: bool) -> None:
    (grep,) = [each for each in LABELS["@journal"].all("filter") if each.parameters["@type"] == "grep"]
    rules = [(each.parameters["key"], each.parameters["pattern"].strip("/")) for each in grep.all("exclude")]
    assert grep.argument == "host.messages"
    assert any(re.search(pattern, entry.get(key, "")) for key, pattern in rules) is not shipped


@pytest.mark.parametrize(
    ("tag", "group"),
    [
        ("var.log.containers.checkout-6d9f8b7c54-x2kqv_shop_checkout-e56a.log", "application"),
        ("var.log.containers.pricing.v2-66bd5f4c8d-q7vks_shop_pricing-3f5a.log", "application"),
        ("var.log.containers.coredns-6b9575c64c-5hvzt_kube-system_coredns-2314.log", "application"),
        ("var.log.containers.kube-proxy-b7x2m_kube-system_kube-proxy-87f6.log", "dataplane"),
        ("var.log.containers.aws-node-qq8rd_kube-system_aws-node-de08.log", "dataplane"),
        ("var.log.containers.aws-node-watcher-1_shop_main-de08.log", "application"),
        ("dataplane.kubelet", "dataplane"),
        ("dataplane.containerd", "dataplane"),
        ("host.dmesg", "host"),
        ("host.secure", "host"),
        ("host.messages", "host"),
    ],
)
def test_a_tag_goes_to_its_log_group(tag: str, group: str) -> None:
    label = next(each for each in LABELS["@bound"].all("match") if _matches(each.argument, tag)).parameters["@label"]
    name = LABELS[label].only("match").parameters["log_group_name"]
    assert name == f"\"/aws/containerinsights/#{{ENV.fetch('CLUSTER_NAME')}}/{group}\""


def test_the_log_groups_are_the_three_that_the_stack_makes() -> None:
    outputs = [each for each in ROOT.walk() if each.parameters.get("@type") == "cloudwatch_logs"]
    assert len(outputs) == len(LOG_GROUPS)
    assert [output in outputs for output in OUTPUTS.values()] == [True] * len(LOG_GROUPS)
    keys = {key for output in outputs for key in output.parameters if "group" in key}
    assert keys == {"log_group_name"}


@pytest.mark.parametrize("group", LOG_GROUPS)
def test_an_output_discards_nothing(group: str) -> None:
    parameters = OUTPUTS[group].parameters
    assert {key: value for key, value in parameters.items() if key not in {"@id", "log_group_name"}} == {
        "@type": "cloudwatch_logs",
        "region": "\"#{ENV.fetch('LOGS_REGION')}\"",
        "log_stream_name_key": "stream_name",
        "remove_log_stream_name_key": "true",
        "auto_create_stream": "true",
        "log_rejected_request": "true",
        "put_log_events_disable_retry_limit": "true",
    }


@pytest.mark.parametrize("group", LOG_GROUPS)
def test_a_buffer_is_a_bounded_file_that_blocks_when_it_is_full(group: str) -> None:
    assert OUTPUTS[group].only("buffer").parameters == {
        "@type": "file",
        "path": f"{STATE}buffer/{group}",
        "flush_interval": "5s",
        "flush_at_shutdown": "true",
        "chunk_limit_size": "2m",
        "total_limit_size": "512m",
        "overflow_action": "block",
        "retry_forever": "true",
        "retry_max_interval": "30s",
    }


def test_state_is_on_the_nodes_disk_each_in_a_place_of_its_own() -> None:
    assert ROOT.only("system").parameters["root_dir"] + "/" == STATE
    places = [each.parameters["path"] for each in ROOT.walk() if each.name in {"buffer", "storage"}]
    places += [SOURCES["in_containers"].parameters["pos_file"]]
    assert len(places) == len(set(places)) == len(LOG_GROUPS) + 6
    assert all(place.startswith(STATE) for place in places)
    assert {each.parameters["persistent"] for each in ROOT.walk() if each.name == "storage"} == {"true"}


def test_positions_of_deleted_files_are_forgotten() -> None:
    assert SOURCES["in_containers"].parameters["pos_file_compaction_interval"] == "24h"


def test_the_stream_is_named_after_the_whole_file() -> None:
    (shape,) = [each for each in LABELS["@meta"].all("filter") if each.parameters["@id"] == "shape"]
    assert shape.only("record").parameters["stream_name"] == "${tag_suffix[3]}"


def test_metadata_asks_for_no_more_than_the_role_allows() -> None:
    (metadata,) = [each for each in LABELS["@meta"].all("filter") if each.parameters["@id"] == "kube_metadata"]
    assert metadata.parameters["watch"] == "false"
    assert metadata.parameters["skip_namespace_metadata"] == "true"
    assert metadata.parameters["skip_labels"] == "true"


def test_an_event_is_cut_with_a_mark_before_it_is_too_large() -> None:
    cap = LABELS["@bound"].only("filter")
    message = cap.only("record").parameters["message"]
    kept_bytes, checked_bytes = (
        [int(number.replace("_", "")) for number in re.findall(pattern, message)]
        for pattern in (r"byteslice\(0, ([\d_]+)\)", r"bytesize < ([\d_]{7,})")
    )
    assert message.endswith('+ " [truncated]"}')
    assert 2 * max(kept_bytes) < EVENT_LIMIT_BYTES  # at worst each character is escaped by a backslash
    assert checked_bytes == [160_000, 1_000_000, 1_000_000]
    assert 6 * min(checked_bytes) < max(checked_bytes) < EVENT_LIMIT_BYTES  # a control character is six bytes of JSON
    assert cap.parameters["remove_keys"] == "unmatched_line"
    assert '(record["message"] || record["unmatched_line"])' in message


def test_fluentds_own_log_is_printed_and_not_shipped() -> None:
    own = LABELS["@FLUENT_LOG"].only("match")
    assert (own.argument, own.parameters) == ("fluent.**", {"@type": "null"})
    assert ROOT.only("system").parameters["log_level"] == "info"
    assert "@ERROR" not in LABELS
    assert ROOT.all("match") == ROOT.all("filter") == []


def test_the_probes_are_answered_before_a_backlog_is_read() -> None:
    """Sources start from the last to the first (Fluentd's RootAgent#start)."""
    assert list(SOURCES)[-2:] == ["in_metrics", "in_output_metrics"]
