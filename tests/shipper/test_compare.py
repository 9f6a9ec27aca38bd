from __future__ import annotations

import json
from typing import Any

import pytest

from shipper.audit import Event
from shipper.compare import (
    ABSENT,
    CLASH,
    DIGITS,
    INDEX_FIELD,
    MAX_NAMED,
    Comparison,
    Difference,
    Stored,
    Verdict,
    documents,
)
from shipper.decode import decode_payload
from shipper.model import Document, LogEvent, Payload
from shipper.pipeline import transform
from shipper.settings import Settings
from tests.shipper.fakes import INDEX, NOW_MS, SOURCE
from tests.shipper.test_golden import CLASHES, EXPECTED, INCUMBENT

INCUMBENT_SETTINGS = Settings.for_profile("incumbent")


def document(id_: str = "a", **fields: Any) -> Document:
    return Document(INDEX, id_, json.dumps({"@id": id_, **fields}).encode(), "2026-11-24T12:00:00.000Z", (id_,))


def stored(id_: str = "a", *, index: str = INDEX, **fields: Any) -> Stored:
    return Stored(index, {"@id": id_, **fields})


def compared(ours: dict[str, Any], theirs: dict[str, Any]) -> Comparison:
    found = Comparison()
    found.add([document(**ours)], {"a": stored(**theirs)})
    return found


@pytest.mark.parametrize("name", EXPECTED)
def test_the_incumbents_documents_are_alike(name: str) -> None:
    payload = decode_payload(INCUMBENT[name]["payload"])
    assert isinstance(payload, Payload)
    theirs = {action["index"]["_id"]: Stored(action["index"]["_index"], source) for action, source in EXPECTED[name]}
    found = Comparison()
    found.add(transform(payload, INCUMBENT_SETTINGS, NOW_MS).documents, theirs)
    assert found.is_alike
    assert found.counts == {Verdict.MEANT if name in CLASHES else Verdict.EQUAL: len(theirs)}


DIFFERENT: dict[str, tuple[dict[str, Any], dict[str, Any], list[tuple[str, Any, Any]]]] = {
    "another value": ({"n": 1}, {"n": 2}, [("n", 1, 2)]),
    "another type": ({"n": 1}, {"n": "1"}, [("n", 1, "1")]),
    "a number and true": ({"n": 1}, {"n": True}, [("n", 1, True)]),
    "a field that is not there": ({"n": 1}, {}, [("n", 1, ABSENT)]),
    "a field more": ({}, {"n": None}, [("n", ABSENT, None)]),
    "a field inside": ({"o": {"p": {"q": 1}}}, {"o": {"p": {"q": 2}}}, [("o.p.q", 1, 2)]),
    "an object and a text": ({"o": {"p": 1}}, {"o": "x"}, [("o", {"p": 1}, "x")]),
    "a list that is longer": ({"l": [1]}, {"l": [1, 2]}, [("l", [1], [1, 2])]),
    "an item of a list": ({"l": [{"x": 1}]}, {"l": [{"x": 2}]}, [("l.x", 1, 2)]),
    "another index": ({}, {"index": "cwl-2026.11.23"}, [(INDEX_FIELD, INDEX, "cwl-2026.11.23")]),
    "@fields of theirs": ({}, {"@fields": {"x": 1}}, [("@fields", ABSENT, {"x": 1})]),
    "@fields with another value": ({"@fields": {"x": 1}}, {"@fields": {"x": 2}}, [("@fields.x", 1, 2)]),
}


@pytest.mark.parametrize(("ours", "theirs", "expected"), DIFFERENT.values(), ids=DIFFERENT)
def test_a_difference_is_named(
    ours: dict[str, Any], theirs: dict[str, Any], expected: list[tuple[str, Any, Any]]
) -> None:
    found = compared(ours, theirs)
    assert found.differences == [Difference("a", *one) for one in expected]
    assert found.fields == {path: 1 for path, _, _ in expected}
    assert (found.counts, found.is_alike) == ({Verdict.DIFFERENT: 1}, False)


EQUAL: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "the order of keys": ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    "1 and 1.0": ({"n": 1.0}, {"n": 1}),
    "lists": ({"l": [1, {"x": [True]}]}, {"l": [1, {"x": [True]}]}),
}


@pytest.mark.parametrize(("ours", "theirs"), EQUAL.values(), ids=EQUAL)
def test_what_is_one_value_in_json_is_equal(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    assert compared(ours, theirs).counts == {Verdict.EQUAL: 1}


MEANT: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "a key clash": ({"@fields": {"@id": "x"}}, {}, CLASH),
    "more digits than a double has": ({"n": 9007199254740993}, {"n": 9007199254740992}, DIGITS),
}


@pytest.mark.parametrize(("ours", "theirs", "why"), MEANT.values(), ids=MEANT)
def test_what_is_meant_is_counted_apart(ours: dict[str, Any], theirs: dict[str, Any], why: str) -> None:
    found = compared(ours, theirs)
    assert found.is_alike
    assert found.differences == []
    assert found.meant == {why: 1}


def test_a_number_beyond_any_double_is_compared() -> None:
    assert compared({"n": 1}, {"n": 10**400}).fields == {"n": 1}


def test_a_real_difference_counts_more_than_one_that_is_meant() -> None:
    found = compared({"@fields": {}, "n": 1}, {"n": 2})
    assert found.counts == {Verdict.DIFFERENT: 1}
    assert (found.meant, found.fields) == ({CLASH: 1}, {"n": 1})


def test_the_missing_and_the_extra_are_named() -> None:
    found = Comparison()
    found.add([document("a"), document("b")], {"b": stored("b"), "c": stored("c")})
    assert found.counts == {Verdict.EQUAL: 1, Verdict.MISSING: 1, Verdict.EXTRA: 1}
    assert (found.missing, found.extra, found.ids_differ) == (["a"], ["c"], False)


def test_ids_that_never_meet_are_told() -> None:
    found = Comparison()
    found.add([document("a")], {"c": stored("c")})
    assert found.ids_differ


def test_what_is_named_is_bounded() -> None:
    found = Comparison()
    for start in (0, 600):
        ids = [str(number) for number in range(start, start + 600)]
        found.add([document(id_, n=1) for id_ in ids], {id_: stored(id_, n=2) for id_ in ids})
        found.add([document("m" + id_) for id_ in ids], {"x" + id_: stored() for id_ in ids})
    assert [len(names) for names in (found.differences, found.missing, found.extra)] == [MAX_NAMED] * 3
    assert found.counts == {Verdict.DIFFERENT: 1_200, Verdict.MISSING: 1_200, Verdict.EXTRA: 1_200}


def test_each_stream_is_a_payload_of_its_own() -> None:
    """As a subscription delivers them; no line is joined with another."""
    frame = "\tat com.shop.A.b(A.java:1)"
    events = [
        Event(LogEvent("1", NOW_MS, "java.lang.IllegalStateException: x"), "pod-1", NOW_MS),
        Event(LogEvent("2", NOW_MS, "other"), "pod-2", NOW_MS),
        Event(LogEvent("3", NOW_MS, frame), "pod-1", NOW_MS),
    ]
    made = {one.id: json.loads(one.source) for one in documents(events, SOURCE, NOW_MS)}
    assert {id_: source["@log_stream"] for id_, source in made.items()} == {"1": "pod-1", "2": "pod-2", "3": "pod-1"}
    assert made["3"]["@message"] == frame
    assert {source["@owner"] for source in made.values()} == {SOURCE.owner}
