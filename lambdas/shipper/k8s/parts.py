"""The parts of a Fluentd's configuration that the rules ask for, and a way to find those that are wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from shipper.k8s.agents import Agent
from shipper.k8s.findings import Spot
from shipper.k8s.fluentd_conf import Section

CONTAINER_LOGS = re.compile(r"/var/log/(?:containers|pods)/|/var/lib/docker/containers/")
_UNITS_S = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}
_REMOTE = re.compile(
    r"cloudwatch_logs|elasticsearch|opensearch|forward|s3|kinesis|firehose|kafka|http|splunk|loki|gelf|syslog"
    r"|datadog|newrelic|google_cloud|azure|sumologic|logzio|webhdfs|mongo|aws"
)
_LINES = ("multiline_start_regexp", "multiline_end_regexp", "continuous_line_regexp", "n_lines")

OLD_BUFFER_KEYS = {
    "buffer_type": "@type",
    "buffer_path": "path",
    "buffer_chunk_limit": "chunk_limit_size",
    "buffer_queue_limit": "queue_limit_length",
    "buffer_queue_full_action": "overflow_action",
    "num_threads": "flush_thread_count",
    "flush_interval": "flush_interval",
    "retry_limit": "retry_max_times",
    "max_retry_wait": "retry_max_interval",
    "disable_retry_limit": "retry_forever",
}
"""Fluentd's names before v0.14, flat in the output, and what they are in `<buffer>` now."""


def where(
    part: Callable[[Section], Iterable[Section]], is_wrong: Callable[[Section], object], key: str = ""
) -> Callable[[Agent], Iterator[Spot]]:
    """Finds the parts that are wrong: a part of the configuration, or its parameter `key`."""

    def find(agent: Agent) -> Iterator[Spot]:
        return (agent.spot(section, key) for section in part(agent.root) if is_wrong(section))

    return find


def sources(root: Section, plugin: str) -> list[Section]:
    """The sources of a plugin."""
    return [each for each in root.all("source") if each.type == plugin]


def container_tails(root: Section) -> list[Section]:
    """The sources that read the containers' files."""
    return [each for each in sources(root, "tail") if CONTAINER_LOGS.search(each.text("path"))]


def parsers(tail: Section) -> Iterator[Section]:
    """Each way in which a line is parsed: `<parse>`, the patterns of multi_format, or the source with its `format`."""
    parse = next(iter(tail.all("parse")), tail)
    yield from parse.all("pattern") or [parse]


def format_of(parser: Section) -> str:
    """`json`, `cri` …, or a regexp."""
    return parser.text("format") or (parser.type if parser.name == "parse" else "")


def filters(root: Section, plugin: str) -> list[Section]:
    """The filters of a plugin, and outputs that act as one."""
    return [each for each in root.walk() if each.name in {"filter", "match", "store"} and each.type == plugin]


def concats(root: Section) -> list[Section]:
    """The filters that join events."""
    return filters(root, "concat")


def joins_parts(concat: Section) -> bool:
    """Whether it joins what containerd split, by logtag."""
    return concat.is_true("use_partial_cri_logtag") or concat.text("partial_key") == "logtag"


def joins_lines(concat: Section) -> bool:
    """Whether it joins lines by their text."""
    return any(key in concat.parameters for key in _LINES)


def outputs(root: Section) -> list[Section]:
    """What sends logs away: a plugin known for it, or one with a buffer."""
    ends = [each for each in root.walk() if each.name in {"match", "store"} and each.type != "detect_exceptions"]
    return [each for each in ends if _REMOTE.search(each.type) or each.all("buffer")]


def cloudwatch(root: Section) -> list[Section]:
    """The outputs to CloudWatch Logs."""
    return [each for each in outputs(root) if each.type == "cloudwatch_logs"]


def buffer(output: Section) -> Section:
    """How an output keeps what is not sent yet, in today's names."""
    written = next(iter(output.all("buffer")), Section("buffer", place=output.place))
    old = {new: output.parameters[key] for key, new in OLD_BUFFER_KEYS.items() if key in output.parameters}
    return Section(written.name, written.argument, written.place, old | written.parameters, written.places)


def seconds(value: str) -> float | None:
    """`10`, `10s`, `1m` in seconds; None where it is no duration."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd]?)", value.strip())
    return float(found[1]) * _UNITS_S[found[2]] if found else None


def reached(root: Section, starts: list[Section]) -> list[Section]:
    """The places that the events of these sources come by: `ROOT` for a source without a label, and labels."""
    waiting = [source.text("@label") for source in starts]
    seen: dict[str, list[Section]] = {}
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen[name] = [each for each in root.all("label") if each.argument == name] if name else [root]
        begun = seen[name] if name else [*root.all("filter"), *root.all("match")]
        inside = (each for start in begun for each in start.walk())
        waiting += [each.text(key) for each in inside for key in ("@label", "timeout_label") if each.text(key)]
    return [place for places in seen.values() for place in places]
