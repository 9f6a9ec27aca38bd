"""What glues, cuts or mixes records on the way."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shipper.k8s.agents import Agent
from shipper.k8s.findings import Rule, Severity, Spot
from shipper.k8s.fluentd_conf import Section
from shipper.k8s.parts import concats, container_tails, filters, joins_lines, joins_parts, where

_CONCAT = "https://github.com/fluent-plugins-nursery/fluent-plugin-concat"
_DETECT = "https://github.com/GoogleCloudPlatform/fluent-plugin-detect-exceptions"
_TRANSFORM = "https://docs.fluentd.org/filter/record_transformer"

# Of a tag var.log.containers.FILE the file's name begins at part 3, with a prefix later.
_CUT_NAME = re.compile(r"tag_parts\[(?:[3-9]|\d\d+)\]|\$\{tag\[(?:[3-9]|\d\d+)\]\}")


def _detectors(root: Section) -> list[Section]:
    return filters(root, "detect_exceptions")


def _mixed_streams(agent: Agent) -> Iterator[Spot]:
    for concat in concats(agent.root):
        if "stream_identity_key" not in concat.parameters:
            yield agent.spot(concat)
    for detect in _detectors(agent.root):
        if "stream" not in detect.parameters:
            yield agent.spot(detect)


def _skipped_filters(agent: Agent) -> Iterator[Spot]:
    for parent in agent.root.walk():
        found = parent.all("filter")
        for concat in found[:-1]:
            if concat.type == "concat" and "timeout_label" in concat.parameters:
                yield agent.spot(concat)


def _cut_names(agent: Agent) -> Iterator[Spot]:
    if not container_tails(agent.root):
        return
    for section in agent.root.walk():
        for key, value in section.parameters.items():
            if _CUT_NAME.search(value):
                yield agent.spot(section, key)


JOINING_RULES: tuple[Rule[Agent], ...] = (
    Rule(
        "glued-lines",
        Severity.BROKEN,
        where(
            concats,
            lambda concat: joins_lines(concat) and "separator" in concat.parameters and not concat.text("separator"),
            "separator",
        ),
        'CRI lines end in no newline: with separator "" the frames of a stack trace run into each other',
        'separator "\\n" (the empty one is right only where parts of one line are joined)',
        _CONCAT,
    ),
    Rule(
        "broken-parts",
        Severity.BROKEN,
        where(concats, lambda concat: joins_parts(concat) and concat.text("separator", "\\n")),
        "the parts of one long line get a newline between them: JSON in it is broken",
        'separator ""',
        _CONCAT,
    ),
    Rule(
        "mixed-streams",
        Severity.BROKEN,
        _mixed_streams,
        "stdout and stderr of a container are one here: their lines are joined with each other",
        "stream_identity_key stream (detect_exceptions: stream stream)",
        _CONCAT,
    ),
    Rule(
        "lost-stream",
        Severity.BROKEN,
        where(
            concats,
            lambda concat: (
                concat.is_true("use_partial_cri_logtag") and concat.text("partial_cri_stream_key", "stream") == "stream"
            ),
        ),
        "this mode deletes the field stream, so that later steps cannot tell stdout from stderr",
        "partial_cri_stream_key with a name that no field has, and stream_identity_key stream",
        _CONCAT,
    ),
    Rule(
        "late-time",
        Severity.BROKEN,
        where(concats, lambda concat: not concat.is_true("use_first_timestamp")),
        "a joined event has the time of the next line, or of the timeout",
        "use_first_timestamp true",
        _CONCAT,
    ),
    Rule(
        "no-timeout-label",
        Severity.LOSS,
        where(concats, lambda concat: "timeout_label" not in concat.parameters),
        "what waits for its next line too long becomes an error event and is not shipped",
        "timeout_label with the label that comes next",
        _CONCAT,
    ),
    Rule(
        "skipped-filters",
        Severity.BROKEN,
        _skipped_filters,
        "what leaves by timeout skips the filters that follow in this label",
        "a label of its own for each concat, whose timeout_label is the next one",
        _CONCAT,
    ),
    Rule(
        "glued-exceptions",
        Severity.BROKEN,
        where(_detectors, lambda detect: not detect.is_true("force_line_breaks")),
        "CRI lines end in no newline: the frames of a stack trace run into each other",
        "force_line_breaks true",
        _DETECT,
    ),
    Rule(
        "cut-stream-names",
        Severity.BROKEN,
        _cut_names,
        "a part of a tag ends at a dot, and pods' names may have dots: logs of several pods share a stream",
        "${tag_suffix[3]}, which is all of the file's name",
        _TRANSFORM,
    ),
)
