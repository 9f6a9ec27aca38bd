from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper.model import Document, LogEvent, Payload, Reason
from shipper.pipeline import transform
from shipper.rescue import rescued
from tests.shipper.fakes import NOW_MS, REFUSED, SETTINGS, SOURCE, doc, patient

ERROR = {"type": REFUSED.type, "field": REFUSED.field, "reason": REFUSED.message}
SYSTEM = {
    "@id": "id-1",
    "@timestamp": "2026-11-24T12:00:00.000Z",
    "@message": "what a person wants to read",
    "@owner": "123456789012",
    "@log_group": "/aws/containerinsights/demo/application",
    "@log_stream": "pod-1",
    "@trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    "@span_id": "00f067aa0ba902b7",
    "@level": "error",
    "@lines": 3,
}


def holding(source: dict[str, Any]) -> Document:
    return replace(doc(1), source=json.dumps(source).encode())


def made_of(source: dict[str, Any], reason: Reason = REFUSED) -> dict[str, Any]:
    """The source of the rescued document, `@unmapped` parsed."""
    found: dict[str, Any] = json.loads(rescued(holding(source), reason).source)
    return {**found, "@unmapped": json.loads(found["@unmapped"])}


CASES: list[Any] = [
    pytest.param({}, {"@unmapped": {}}, id="nothing of its own"),
    pytest.param(SYSTEM, {**SYSTEM, "@unmapped": {}}, id="system fields stay"),
    pytest.param({"n": "x", "o": {"a": [1]}}, {"@unmapped": {"n": "x", "o": {"a": [1]}}}, id="own fields go aside"),
    pytest.param(
        {"kubernetes": {"labels": {"app": "a"}}, "log_processed": {"n": 1}, "stream": "stdout"},
        {"@unmapped": {"kubernetes": {"labels": {"app": "a"}}, "log_processed": {"n": 1}, "stream": "stdout"}},
        id="metadata and expanded fields go aside",
    ),
    pytest.param({"@fields": {"@id": "own"}}, {"@unmapped": {"@fields": {"@id": "own"}}}, id="what had lost its name"),
    pytest.param({"@unmapped": '{"k":1}'}, {"@unmapped": {"@unmapped": '{"k":1}'}}, id="what was aside already"),
    pytest.param({"@new": 1, "id": 2}, {"@unmapped": {"@new": 1, "id": 2}}, id="names that are none of ours"),
    pytest.param(
        {"@message": {"a": 1}, "@lines": None},
        {"@unmapped": {"@message": {"a": 1}, "@lines": None}},
        id="system fields of a type that ours never have",
    ),
]


@pytest.mark.parametrize(("source", "expected"), CASES)
def test_system_fields_stay_and_all_others_go_aside(source: dict[str, Any], expected: dict[str, Any]) -> None:
    assert made_of(source) == {**expected, "@shipper": {"error": ERROR}}


NOTES: list[Any] = [
    pytest.param({"fixed": ["depth"], "part": 2}, {"fixed": ["depth"], "part": 2, "error": ERROR}, id="kept"),
    pytest.param({"error": {"type": "old"}}, {"error": ERROR}, id="the newer error counts"),
]


@pytest.mark.parametrize(("notes", "expected"), NOTES)
def test_notes_of_what_was_done_to_the_record_stay(notes: dict[str, Any], expected: dict[str, Any]) -> None:
    assert made_of({"@shipper": notes, "n": 1}) == {"@shipper": expected, "@unmapped": {"n": 1}}


@pytest.mark.parametrize("notes", ["text", 1, None, ["a"]])
def test_notes_that_are_none_go_aside(notes: Any) -> None:
    assert made_of({"@shipper": notes}) == {"@shipper": {"error": ERROR}, "@unmapped": {"@shipper": notes}}


def test_a_reason_without_a_field_says_so() -> None:
    error = made_of({}, Reason("mapper_exception", "timed out", 500))["@shipper"]["error"]
    assert error == {"type": "mapper_exception", "field": "", "reason": "timed out"}


@pytest.mark.parametrize("line", ['{"msg": "no such order", "n": "x"}', "no such order"], ids=["JSON", "text"])
def test_the_text_of_a_record_is_found_as_before(line: str) -> None:
    (document,) = transform(Payload(SOURCE, (LogEvent("id-1", NOW_MS, line),)), SETTINGS, NOW_MS).documents
    found = rescued(document, REFUSED)
    assert json.loads(found.source)["@message"] == json.loads(document.source)["@message"]
    assert "no such order" in json.loads(found.source)["@message"]


@pytest.mark.parametrize("source", ['{"n": %s, "@message": "m"}', '{"@shipper": %s, "n": 1, "@message": "m"}'])
def test_what_nests_deeper_than_the_writer_goes_is_kept_whole_as_text(source: str) -> None:
    """Only a letter that somebody else wrote holds it."""
    deep = source % ('{"a":' * 500 + "1" + "}" * 500)
    found = json.loads(rescued(replace(doc(1), source=deep.encode()), REFUSED).source)
    assert found == {"@message": "m", "@shipper": {"error": ERROR}, "@unmapped": deep}


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab.@", max_size=4), inner, max_size=3),
    max_leaves=8,
)
notes_of = st.fixed_dictionaries({}, optional={"fixed": st.lists(st.text("ab")), "part": st.integers(1, 9)})
fields_of = st.dictionaries(st.sampled_from([*SYSTEM, "@fields", "@unmapped"]) | st.text("abc@", max_size=3), values)


@patient
@given(fields_of, st.none() | notes_of)
def test_nothing_is_lost_and_the_document_stays_the_same_one(
    source: dict[str, Any], notes: dict[str, Any] | None
) -> None:
    document = holding(source if notes is None else {**source, "@shipper": notes})
    found = rescued(document, REFUSED)
    assert replace(found, source=document.source) == document
    kept = json.loads(found.source)
    assert len(kept) <= 12
    assert set(kept) <= {*SYSTEM, "@shipper", "@unmapped"}
    assert not any(isinstance(kept[key], dict | list) for key in kept if key != "@shipper")
    aside, said = json.loads(kept.pop("@unmapped")), kept.pop("@shipper")
    assert said == {**(notes or {}), "error": ERROR}
    assert not aside.keys() & kept.keys()
    assert aside | kept == source
