"""What is said of each event is what was done to it."""

from __future__ import annotations

import json
from typing import Any

from shipper.decode import decode_payload
from shipper.explain import Explanation, explain
from shipper.model import LogEvent, Payload
from shipper.sample import Rule
from shipper.settings import Settings
from tests.shipper.fakes import INDEX, NOW_MS, SOURCE, payload_of

TRACE_ID = "5759e988bd862e3fe1be46a994272793"


def explained(*messages: Any, settings: Settings = Settings()) -> list[Explanation]:  # noqa: B008 - frozen
    texts = [message if isinstance(message, str) else json.dumps(message) for message in messages]
    payload = decode_payload(payload_of(*texts))
    assert isinstance(payload, Payload)
    return explain(payload, settings, NOW_MS)


def test_of_a_plain_line_there_is_little_to_say() -> None:
    assert explained("hello") == [Explanation("event-0", "event-0", INDEX, 1, (), (), 0, "", "")]


def test_what_was_stripped_fixed_and_found_is_said() -> None:
    record = {"log": "x", "docker": {"id": "d"}, "level": "warn", "trace_id": TRACE_ID, "a": {"b": {"c": 1}}}
    assert explained(record, settings=Settings(max_depth=2)) == [
        Explanation("event-0", "event-0", INDEX, 1, ("docker",), ("deep",), 0, TRACE_ID, "WARN")
    ]


def test_what_was_stripped_is_said_for_each_event_in_one_order() -> None:
    record = {"log": "x", "logtag": "F", "docker": {"id": "d"}, "kubernetes": {"pod_id": "1", "host": "h"}}
    assert [one.stripped for one in explained(record, record, "x")] == [
        ("kubernetes.pod_id", "docker", "logtag"),
        ("kubernetes.pod_id", "docker", "logtag"),
        (),
    ]


def test_what_a_rule_left_out_is_in_no_document() -> None:
    rules = (Rule("health", "drop", pattern="healthz"), Rule("none", "sample", pattern="^java", rates=(("*", 0.0),)))
    record = {"log": "GET /healthz", "docker": {"id": "d"}, "level": "warn"}
    lines = ["java.lang.Error: x", "\tat a.B.c(B.java:1)"]
    found = explained(record, "a", *lines, settings=Settings(filters=rules))
    assert found == [
        Explanation("event-0", "", "", 0, ("docker",), (), 0, "", ""),
        Explanation("event-1", "event-1", INDEX, 1, (), (), 0, "", ""),
        Explanation("event-2", "", "", 0, (), (), 0, "", ""),
        Explanation("event-3", "", "", 0, (), (), 0, "", ""),
    ]


def test_the_kinds_of_repair_are_said() -> None:
    record = {"log": "x", "a..b": 1, "_id": 2, "n": 2**70, "list": [1, "x"], "kubernetes": {"labels": "a"}}
    (one,) = explained(record)
    assert one.fixed == ("key", "kubernetes", "metadata", "number", "types")


def test_events_that_were_joined_point_at_their_document() -> None:
    found = explained("before", "java.lang.Error: x", "\tat a.B.c(B.java:1)", "after")
    assert [(one.event_id, one.document_id, one.events_in_document) for one in found] == [
        ("event-0", "event-0", 1),
        ("event-1", "event-1", 2),
        ("event-2", "event-1", 2),
        ("event-3", "event-3", 1),
    ]


def test_a_record_that_a_bound_split_is_told_by_its_parts() -> None:
    lines = ["java.lang.Error: x", *(f"\tat a.B.c(B.java:{number})" for number in range(3))]
    found = explained(*lines, settings=Settings(max_join_lines=2))
    assert [(one.document_id, one.part) for one in found] == [
        ("event-0", 1),
        ("event-0", 1),
        ("event-2", 2),
        ("event-2", 2),
    ]


def test_a_broken_clock_is_said_with_the_index_that_it_went_to() -> None:
    (one,) = explain(Payload(SOURCE, (LogEvent("1", "soon", "x"),)), Settings(), NOW_MS)
    assert (one.fixed, one.index) == (("clock",), INDEX)


def test_no_events_are_no_explanations() -> None:
    assert explain(Payload(SOURCE, ()), Settings(), NOW_MS) == []
