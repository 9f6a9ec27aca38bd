"""What is read wrongly, or not at all, on a node with containerd."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shipper.k8s.agents import Agent
from shipper.k8s.findings import Rule, Severity, Spot
from shipper.k8s.fluentd_conf import Section
from shipper.k8s.parts import (
    concats,
    container_tails,
    filters,
    format_of,
    joins_parts,
    parsers,
    reached,
    seconds,
    sources,
    where,
)

_TAIL = "https://docs.fluentd.org/input/tail"
_CRI = "https://github.com/fluent/fluent-plugin-parser-cri"
_CONCAT = "https://github.com/fluent-plugins-nursery/fluent-plugin-concat"
_SYSTEMD = "https://github.com/fluent-plugin-systemd/fluent-plugin-systemd"
_METADATA = "https://github.com/fabric8io/fluent-plugin-kubernetes_metadata_filter"
_CONFIG = "https://docs.fluentd.org/configuration/config-file"

_MAX_REFRESH_S = 10
_GONE_UNITS = re.compile(r"\b(?:docker|kube-?proxy)\.service\b")
_HOST_FILES = re.compile(r"/var/log/(?:messages|secure|dmesg|syslog|auth\.log)\b")


def _journals(root: Section) -> list[Section]:
    return sources(root, "systemd")


def _metadata(root: Section) -> list[Section]:
    return filters(root, "kubernetes_metadata")


def _parsers_of_tails(root: Section) -> list[Section]:
    return [parser for tail in container_tails(root) for parser in parsers(tail)]


def _json_parsers(agent: Agent) -> Iterator[Spot]:
    for tail in container_tails(agent.root):
        found = list(parsers(tail))
        if all(format_of(parser) == "json" for parser in found):
            yield agent.spot(found[0])


def _slow_refresh(agent: Agent) -> Iterator[Spot]:
    for tail in container_tails(agent.root):
        found_s = seconds(tail.text("refresh_interval", "60"))
        if found_s is not None and found_s > _MAX_REFRESH_S:
            yield agent.spot(tail, "refresh_interval" if "refresh_interval" in tail.parameters else "")


def _split_lines(agent: Agent) -> Iterator[Spot]:
    if not any(map(joins_parts, concats(agent.root))):
        yield from map(agent.spot, container_tails(agent.root))


def _without_position(agent: Agent) -> Iterator[Spot]:
    for tail in sources(agent.root, "tail"):
        if not tail.text("pos_file"):
            yield agent.spot(tail)
    has_root = any(system.text("root_dir") for system in agent.root.all("system"))
    for journal in _journals(agent.root):
        if not (journal.text("pos_file") or any(each.text("path") or has_root for each in journal.all("storage"))):
            yield agent.spot(journal)


def _gone_units(agent: Agent) -> Iterator[Spot]:
    for journal in _journals(agent.root):
        for key in ("matches", "filters"):
            if _GONE_UNITS.search(journal.text(key)):
                yield agent.spot(journal, key)


def _host_files(agent: Agent) -> Iterator[Spot]:
    """An AL2023 node has the journal only; who reads all of it, in whatever worker, reads both kinds of node."""
    journals = (each for each in agent.conf.root.walk() if each.name == "source" and each.type == "systemd")
    if any(not (each.text("matches") or each.text("filters")) for each in journals):
        return
    for tail in sources(agent.root, "tail"):
        if _HOST_FILES.search(tail.text("path")):
            yield agent.spot(tail, "path")


def _metadata_of_the_host(agent: Agent) -> Iterator[Spot]:
    tails = container_tails(agent.root)
    ways = reached(agent.root, tails)
    for label in agent.root.all("label"):
        if tails and label not in ways:
            yield from map(agent.spot, filters(label, "kubernetes_metadata"))


def _fetches_too_much(metadata: Section) -> bool:
    wanted = ("skip_master_url", "skip_container_metadata", "skip_namespace_metadata")
    return not all(map(metadata.is_true, wanted))


def _watches(agent: Agent) -> Iterator[Spot]:
    named = agent.workload and "K8S_NODE_NAME" in agent.workload.variables()
    for metadata in _metadata(agent.root):
        if not named and (metadata.is_true("watch") or "watch" not in metadata.parameters):
            yield agent.spot(metadata)


def _de_dot(agent: Agent) -> Iterator[Spot]:
    for metadata in _metadata(agent.root):
        for key in ("de_dot", "de_dot_separator"):
            if key in metadata.parameters:
                yield agent.spot(metadata, key)


INPUT_RULES: tuple[Rule[Agent], ...] = (
    Rule(
        "json-parser",
        Severity.LOSS,
        _json_parsers,
        'containerd writes CRI text, no JSON: each line is dropped as "pattern not matched"',
        "@type cri, with time_format %iso8601 and keep_time_key false",
        _CRI,
    ),
    Rule(
        "cri-time-format",
        Severity.LOSS,
        where(
            _parsers_of_tails,
            lambda parser: format_of(parser) == "cri" and parser.text("time_format") != "%iso8601",
        ),
        "the parser's own time format drops a line whose time has no fraction of a second",
        "time_format %iso8601",
        _CRI,
    ),
    Rule(
        "unmatched-lines",
        Severity.LOSS,
        where(container_tails, lambda tail: not tail.is_true("emit_unmatched_lines")),
        "a line that does not parse, torn by a crash for example, is dropped",
        "emit_unmatched_lines true ships it as unmatched_line",
        _TAIL,
    ),
    Rule(
        "refresh-interval",
        Severity.LOSS,
        _slow_refresh,
        "files are looked for so rarely (60 s by default) that a pod can come and go unseen",
        "refresh_interval 10",
        _TAIL,
    ),
    Rule(
        "read-from-head",
        Severity.LOSS,
        where(container_tails, lambda tail: not tail.is_true("read_from_head")),
        "a file that has no position yet when Fluentd starts is read from its end: what it held is skipped",
        "read_from_head true",
        _TAIL,
    ),
    Rule(
        "no-position",
        Severity.LOSS,
        _without_position,
        "without a position a restart skips logs or sends them again",
        "pos_file (journal: <storage> with a path), on a hostPath",
        _TAIL,
    ),
    Rule(
        "split-lines",
        Severity.BROKEN,
        _split_lines,
        "containerd splits lines at 16 KiB, and nothing joins the parts",
        'a concat with partial_key logtag, partial_value P (or use_partial_cri_logtag) and separator ""',
        _CONCAT,
    ),
    Rule(
        "gone-units",
        Severity.LOSS,
        _gone_units,
        "no such unit on a node with containerd: nothing comes",
        "kubelet.service and containerd.service; kube-proxy is a container",
        _SYSTEMD,
    ),
    Rule(
        "host-files",
        Severity.LOSS,
        _host_files,
        "AL2023 writes no such file: its logs are in the journal only",
        "a systemd source without matches, or one for each kind of log",
        "https://docs.aws.amazon.com/linux/al2023/ug/journald.html",
    ),
    Rule(
        "systemd-filters",
        Severity.OPERATIONS,
        where(_journals, lambda journal: "filters" in journal.parameters, "filters"),
        "`filters` was renamed; it works with a warning",
        "matches",
        _SYSTEMD,
    ),
    Rule(
        "host-metadata",
        Severity.OPERATIONS,
        _metadata_of_the_host,
        "no container's log comes here: the filter adds nothing and still asks the API",
        "take it out",
        _METADATA,
    ),
    Rule(
        "costly-metadata",
        Severity.OPERATIONS,
        where(_metadata, _fetches_too_much),
        "it fetches what is taken out again later, or makes each event larger",
        "skip_master_url, skip_container_metadata and skip_namespace_metadata true",
        _METADATA,
    ),
    Rule(
        "metadata-watch",
        Severity.OPERATIONS,
        _watches,
        "each node watches the pods of the whole cluster",
        "watch false, or the variable K8S_NODE_NAME",
        _METADATA,
    ),
    Rule(
        "de-dot",
        Severity.OPERATIONS,
        _de_dot,
        "version 3 of the filter has no de_dot any more: labels keep their dots",
        "skip_labels true, or take the dots out where documents are made",
        _METADATA,
    ),
    Rule(
        "own-log",
        Severity.OPERATIONS,
        where(lambda root: root.all("match"), lambda match: match.argument in {"fluent.**", "@FLUENT_LOG"}),
        "a match of Fluentd's own log at the top level is deprecated",
        "put it into <label @FLUENT_LOG>",
        _CONFIG,
    ),
    Rule(
        "conf-fault",
        Severity.OPERATIONS,
        lambda agent: (agent.spot_of(fault.place, fault.what) for fault in agent.conf.faults),
        "Fluentd does not start with this, or reads it otherwise than it looks",
        "mend the file",
        _CONFIG,
    ),
    Rule(
        "include-not-seen",
        Severity.NOTE,
        lambda agent: (agent.spot_of(fault.place, fault.what) for fault in agent.conf.missing),
        "it is in no ConfigMap here, so that nothing in it was checked",
        "give the ConfigMap, too, if it is not in the image",
        _CONFIG,
    ),
)
