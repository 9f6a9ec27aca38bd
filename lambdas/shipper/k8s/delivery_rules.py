"""What is lost or delayed between Fluentd and the log group."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from shipper.k8s.agents import Agent
from shipper.k8s.findings import Rule, Severity, Spot
from shipper.k8s.fluentd_conf import Section
from shipper.k8s.parts import OLD_BUFFER_KEYS, buffer, cloudwatch, outputs, where

_BUFFER = "https://docs.fluentd.org/configuration/buffer-section"
_PLUGIN = "https://github.com/fluent-plugins-nursery/fluent-plugin-cloudwatch-logs"
_LIMITS = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html"

_STATE = {"system": "root_dir", "source": "pos_file", "storage": "path", "buffer": "path"}
"""Where Fluentd writes: the parameter, by the section."""

_ON_DISK = frozenset({"file", "file_single"})
_BOUNDS = re.compile(r"byteslice|bytesize|truncate|slice\(|\[0\s*(?:,|\.\.)")


def _buffers(wrong: Callable[[Section], bool]) -> Callable[[Agent], Iterator[Spot]]:
    """Finds the buffers that are wrong, or the outputs that name none."""

    def find(agent: Agent) -> Iterator[Spot]:
        for output in outputs(agent.root):
            if wrong(buffer(output)):
                yield agent.spot(next(iter(output.all("buffer")), output))

    return find


def _old_keys(agent: Agent) -> Iterator[Spot]:
    for output in outputs(agent.root):
        old = [key for key in OLD_BUFFER_KEYS if key in output.parameters]
        if old:
            yield agent.spot(output, old[0])


def _off_the_node(agent: Agent) -> Iterator[Spot]:
    """Positions, buffers and the root of all state below no hostPath that can be written."""
    if agent.workload is None:
        return
    for section in agent.root.walk():
        key = _STATE.get(section.name, "")
        place = section.text(key)
        if section.name == "buffer" and section.type not in _ON_DISK:
            continue
        mount = agent.workload.mount_of(place)
        if place.startswith("/") and not (mount and mount.survives):
            yield agent.spot(section, key)


def _without_bound(agent: Agent) -> Iterator[Spot]:
    filtering = (each for section in agent.root.walk() if section.name == "filter" for each in section.walk())
    if not any(_BOUNDS.search(value) for section in filtering for value in section.parameters.values()):
        yield from map(agent.spot, cloudwatch(agent.root)[:1])


def _names_no_group(output: Section) -> bool:
    named = output.text("log_group_name") or output.text("log_group_name_key")
    return not (named or output.is_true("use_tag_as_group"))


DELIVERY_RULES: tuple[Rule[Agent], ...] = (
    Rule(
        "memory-buffer",
        Severity.LOSS,
        _buffers(lambda kept: (kept.type or "memory") == "memory"),
        "what is not sent yet is in memory: a crash loses it, and the position file has passed it",
        "@type file, with a path on a hostPath",
        _BUFFER,
    ),
    Rule(
        "state-off-node",
        Severity.LOSS,
        _off_the_node,
        "no hostPath that can be written holds this path: it goes with the pod",
        "a hostPath of its own, for example /var/lib/fluentd (DirectoryOrCreate)",
        "https://kubernetes.io/docs/concepts/storage/volumes/#hostpath",
    ),
    Rule(
        "full-buffer",
        Severity.LOSS,
        _buffers(lambda kept: kept.text("overflow_action") != "block"),
        "when the buffer is full, what a concat holds is lost, or comes twice; with drop_oldest_chunk what waited"
        " longest is lost",
        "overflow_action block",
        _BUFFER,
    ),
    Rule(
        "gives-up",
        Severity.LOSS,
        _buffers(lambda kept: not kept.is_true("retry_forever")),
        "after 72 hours of failures (or its own limit) a chunk is thrown away",
        "retry_forever true, with retry_max_interval 30s",
        _BUFFER,
    ),
    Rule(
        "throttled",
        Severity.LOSS,
        where(cloudwatch, lambda output: not output.is_true("put_log_events_disable_retry_limit")),
        "a batch that is throttled too often is thrown away, whatever the buffer's retries say",
        "put_log_events_disable_retry_limit true",
        _PLUGIN,
    ),
    Rule(
        "event-size",
        Severity.LOSS,
        _without_bound,
        "one event over 1 MiB makes the output give up the whole chunk, and nothing bounds an event",
        "a record_transformer that cuts long messages with a mark",
        _LIMITS,
    ),
    Rule(
        "no-log-group",
        Severity.LOSS,
        where(cloudwatch, _names_no_group),
        "no log group is named: the output cannot send",
        "log_group_name, of a group that is made before, with its retention and subscription",
        _PLUGIN,
    ),
    Rule(
        "no-streams",
        Severity.LOSS,
        where(cloudwatch, lambda output: not output.is_true("auto_create_stream")),
        "events of a log stream that is not there yet are dropped",
        "auto_create_stream true",
        _PLUGIN,
    ),
    Rule(
        "node-shutdown",
        Severity.LOSS,
        _buffers(lambda kept: kept.type in _ON_DISK and not kept.is_true("flush_at_shutdown")),
        "a file buffer is not sent at shutdown: it goes with a node that goes for good",
        "flush_at_shutdown true",
        _BUFFER,
    ),
    Rule(
        "cut-json",
        Severity.BROKEN,
        where(cloudwatch, lambda output: "max_message_length" in output.parameters, "max_message_length"),
        "it cuts the finished JSON, which no reader can parse then",
        "cut the message in a record_transformer instead",
        _PLUGIN,
    ),
    Rule(
        "unbounded-buffer",
        Severity.OPERATIONS,
        _buffers(lambda kept: not (kept.text("total_limit_size") or kept.text("queue_limit_length"))),
        "a file buffer grows to 64 GB by default, on the node's disk",
        "total_limit_size, for example 512m",
        _BUFFER,
    ),
    Rule(
        "silent-rejects",
        Severity.OPERATIONS,
        where(cloudwatch, lambda output: not output.is_true("log_rejected_request")),
        "events that CloudWatch Logs refuses as too old or too new vanish without a word",
        "log_rejected_request true",
        _PLUGIN,
    ),
    Rule(
        "old-buffer-keys",
        Severity.OPERATIONS,
        _old_keys,
        "a name from before v0.14, which Fluentd only translates",
        "a <buffer> section with today's names",
        _BUFFER,
    ),
)
