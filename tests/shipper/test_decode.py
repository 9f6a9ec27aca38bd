"""From an invocation's event to a payload: whatever comes in, a value comes out."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Sequence
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper.decode import decode, decode_payload
from shipper.model import Control, LogEvent, Payload, Rejected, Source
from tests.shipper.fakes import NOW_MS, SOURCE, lambda_event, patient, payload_of
from tests.shipper.test_jsontext import json_values

ROOM = 1_048_576
GOOD = payload_of("one", "two")
RAW = json.dumps(GOOD).encode()
PACKED = gzip.compress(RAW, mtime=0)
SHIELD = {"messageType": "DATA_MESSAGE", "owner": "o", "logGroup": "g", "logStream": "s"}

Decoded = Payload | Control | Rejected


def event_of(packed: bytes) -> dict[str, Any]:
    return {"awslogs": {"data": base64.b64encode(packed).decode()}}


def read(event: Any) -> Decoded:
    return decode(event, max_decoded_bytes=ROOM)


def read_events(*events: Any) -> tuple[LogEvent, ...]:
    payload = decode_payload({**SHIELD, "logEvents": events and list(events)})
    assert isinstance(payload, Payload)
    return payload.events


def test_a_payload_is_read() -> None:
    events = (LogEvent("event-0", NOW_MS, "one"), LogEvent("event-1", NOW_MS + 1, "two"))
    assert read(lambda_event(GOOD)) == Payload(SOURCE, events)
    assert decode_payload(GOOD) == Payload(SOURCE, events)


REFUSED: dict[str, tuple[Any, str]] = {
    "nothing": (None, "bad_input"),
    "a text": ("awslogs", "bad_input"),
    "an empty object": ({}, "bad_input"),
    "a list": ([{"awslogs": {}}], "bad_input"),
    "awslogs is a text": ({"awslogs": "data"}, "bad_input"),
    "data is missing": ({"awslogs": {}}, "bad_input"),
    "data is a number": ({"awslogs": {"data": 7}}, "bad_input"),
    "data is not base64": ({"awslogs": {"data": "H4sI*AAA"}}, "bad_input"),
    "base64 with junk that a lenient reader skips": ({"awslogs": {"data": "H4sI\nAAA="}}, "bad_input"),
    "base64 with a digit too few": ({"awslogs": {"data": "H4sIA"}}, "bad_input"),
    "data is not ASCII": ({"awslogs": {"data": "\u00e9"}}, "bad_input"),
    "data is empty": (event_of(b""), "bad_gzip"),
    "not gzip": (event_of(RAW), "bad_gzip"),
    "gzip cut in its header": (event_of(PACKED[:2]), "bad_gzip"),
    "gzip cut in its data": (event_of(PACKED[:-20]), "bad_gzip"),
    "gzip cut in its checksum": (event_of(PACKED[:-1]), "bad_gzip"),
    "gzip with a wrong checksum": (event_of(PACKED[:-8] + bytes(4) + PACKED[-4:]), "bad_gzip"),
    "gzip with a wrong length": (event_of(PACKED[:-1] + b"\x07"), "bad_gzip"),
    "junk behind the gzip data": (event_of(PACKED + b"junk"), "bad_gzip"),
    "a bomb": (event_of(gzip.compress(bytes(ROOM + 1))), "bomb"),
    "a bomb of many members": (event_of(gzip.compress(bytes(ROOM // 2)) * 3), "bomb"),
    "not JSON": (event_of(gzip.compress(b"hello")), "bad_json"),
    "JSON too deep": (event_of(gzip.compress(b"[" * 2_000 + b"]" * 2_000)), "bad_json"),
    "a JSON array": (lambda_event([GOOD]), "bad_shape"),
    "null": (lambda_event(None), "bad_shape"),
    "no messageType": (lambda_event({**GOOD, "messageType": None}), "unknown_type"),
    "a messageType of another kind": (lambda_event({**GOOD, "messageType": ["DATA_MESSAGE"]}), "unknown_type"),
    "a messageType that nobody knows": (lambda_event({**GOOD, "messageType": "OTHER_MESSAGE"}), "unknown_type"),
    "no owner": (lambda_event({**GOOD, "owner": None}), "bad_shape"),
    "a log group of another type": (lambda_event({**GOOD, "logGroup": 7}), "bad_shape"),
    "no events": (lambda_event({**GOOD, "logEvents": None}), "bad_shape"),
    "events are an object": (lambda_event({**GOOD, "logEvents": {}}), "bad_shape"),
}


@pytest.mark.parametrize(("event", "reason_type"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_read_is_a_value_with_its_reason(event: Any, reason_type: str) -> None:
    rejected = read(event)
    assert isinstance(rejected, Rejected)
    assert rejected.reason.type == reason_type
    assert rejected.reason.message


def test_every_fault_of_the_shape_is_named() -> None:
    rejected = decode_payload({"messageType": "DATA_MESSAGE", "logGroup": "g"})
    assert isinstance(rejected, Rejected)
    assert rejected.reason.message == "missing or of the wrong type: owner, logStream, logEvents"


def test_an_unknown_type_is_quoted_in_bounds() -> None:
    rejected = decode_payload({"messageType": "x" * 100_000})
    assert isinstance(rejected, Rejected)
    assert len(rejected.reason.message) < 200


@pytest.mark.parametrize(
    "payload",
    [
        {"messageType": "CONTROL_MESSAGE"},
        {**payload_of("CWL CONTROL MESSAGE"), "messageType": "CONTROL_MESSAGE"},
        {**GOOD, "logEvents": []},
    ],
    ids=["bare", "as CloudWatch sends it", "data without events"],
)
def test_a_message_without_log_events_is_a_control_message(payload: Any) -> None:
    assert read(lambda_event(payload)) == Control()
    assert decode_payload(payload) == Control()


def test_the_bound_is_exact() -> None:
    assert isinstance(decode(event_of(PACKED), max_decoded_bytes=len(RAW)), Payload)
    rejected = decode(event_of(PACKED), max_decoded_bytes=len(RAW) - 1)
    assert isinstance(rejected, Rejected)
    assert rejected.reason.type == "bomb"


def test_every_member_of_a_gzip_file_is_read() -> None:
    packed = b"".join(gzip.compress(part) for part in (RAW[:40], b"", RAW[40:]))
    assert decode(event_of(packed), max_decoded_bytes=len(RAW)) == decode_payload(GOOD)


def test_one_broken_byte_costs_no_neighbour() -> None:
    packed = gzip.compress(RAW.replace(b"two", b"tw\xff"))
    payload = read(event_of(packed))
    assert isinstance(payload, Payload)
    assert [event.message for event in payload.events] == ["one", "tw\ufffd"]


def test_a_lone_surrogate_costs_no_neighbour() -> None:
    payload = read(event_of(gzip.compress(RAW.replace(b"two", rb"tw\ud800"))))
    assert isinstance(payload, Payload)
    assert [event.message for event in payload.events] == ["one", "tw\ufffd"]


MESSAGES: dict[str, tuple[Any, str]] = {
    "empty": ({"message": ""}, ""),
    "null": ({"message": None}, ""),
    "missing": ({}, ""),
    "a number": ({"message": 12.5}, "12.5"),
    "true": ({"message": True}, "true"),
    "an object": ({"message": {"a": [1]}}, '{"a":[1]}'),
    "the event is a text": ("just text", "just text"),
    "the event is a list": ([1, "a"], '[1,"a"]'),
    "the event is null": (None, ""),
}


@pytest.mark.parametrize(("event", "message"), MESSAGES.values(), ids=MESSAGES)
def test_an_odd_message_becomes_text(event: Any, message: str) -> None:
    (read_one,) = read_events(event)
    assert read_one.message == message
    assert read_one.id


DEEP = json.loads("[" * 300 + "]" * 300)


@pytest.mark.parametrize("where", ["message", "event"])
def test_a_message_too_deep_to_be_written_again_is_still_a_value(where: str) -> None:
    event = {"id": "1", "timestamp": NOW_MS, "message": DEEP} if where == "message" else DEEP
    assert isinstance(read(lambda_event({**SHIELD, "logEvents": [event]})), Payload | Rejected)


@pytest.mark.parametrize(
    "event",
    [DEEP, {"message": DEEP}, {"timestamp": DEEP}, {"extractedFields": {"a": DEEP}}],
    ids=["event", "message", "timestamp", "extracted fields"],
)
def test_what_no_document_could_hold_is_refused(event: Any) -> None:
    rejected = decode_payload({**SHIELD, "logEvents": [event]})
    assert isinstance(rejected, Rejected)
    assert rejected.reason.type == "bad_shape"
    assert rejected.reason.message.startswith("an event holds what cannot be written")


def test_extracted_fields_of_another_type_are_none() -> None:
    events = read_events({"id": "1", "extractedFields": {}}, {"id": "2", "extractedFields": ["a"]}, {"id": "3"})
    assert [event.extracted_fields for event in events] == [{}, None, None]


KEPT_OR_MADE: dict[str, tuple[Sequence[tuple[Any, str]], Sequence[bool]]] = {
    "missing": ([(None, "a")], [False]),
    "empty": ([("", "a")], [False]),
    "a number": ([(7, "a")], [False]),
    "513 bytes": ([("x" * 513, "a")], [False]),
    "257 characters in 514 bytes": ([("\u00e9" * 257, "a")], [False]),
    "512 bytes": ([("x" * 512, "a")], [True]),
    "twice with different lines": ([("1", "a"), ("1", "b")], [True, False]),
    "twice with the same line": ([("1", "a"), ("1", "a")], [True, True]),
    "the first line comes back": ([("1", "a"), ("1", "b"), ("1", "a")], [True, False, True]),
}


@pytest.mark.parametrize(("events", "kept"), KEPT_OR_MADE.values(), ids=KEPT_OR_MADE)
def test_ids_are_kept_where_they_are_usable_and_tell_events_apart(
    events: Sequence[tuple[Any, str]], kept: Sequence[bool]
) -> None:
    decoded = read_events(*({"id": id_, "timestamp": 1, "message": message} for id_, message in events))
    assert [event.id == id_ for event, (id_, _) in zip(decoded, events, strict=True)] == list(kept)
    assert [event.message for event in decoded] == [message for _, message in events]
    assert len({event.id for event in decoded}) == len(set(events))


def test_made_ids_are_the_same_at_each_delivery_and_differ_within_it() -> None:
    same_lines = [{"message": "a"}] * 3
    ids = [event.id for event in read_events(*same_lines)]
    assert ids == [event.id for event in read_events(*same_lines)]
    assert len(set(ids)) == 3


def test_made_ids_differ_between_streams() -> None:
    def made(**changes: str) -> str:
        payload = decode_payload({**SHIELD, **changes, "logEvents": [{"message": "a"}]})
        assert isinstance(payload, Payload)
        return payload.events[0].id

    assert len({made(), made(owner="p"), made(logGroup="h"), made(logStream="t")}) == 4


odd_events = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("id", "timestamp", "message", "extractedFields"), json_values)
)


@hypothesis.settings(patient, max_examples=100)
@given(json_values | st.fixed_dictionaries({"awslogs": json_values | st.fixed_dictionaries({"data": json_values})}))
def test_any_event_gives_a_value(event: Any) -> None:
    assert isinstance(read(event), Rejected)


@hypothesis.settings(patient, max_examples=100)
@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_give_a_value(data: bytes, behind_a_header: bool) -> None:
    assert isinstance(read(event_of(PACKED[:10] + data if behind_a_header else data)), Rejected)


@hypothesis.settings(patient, max_examples=100)
@given(st.integers(0, len(PACKED) - 1), st.integers(0, 255))
def test_one_changed_byte_never_goes_unnoticed(position: int, byte: int) -> None:
    broken = PACKED[:position] + bytes([byte]) + PACKED[position + 1 :]
    answer = read(event_of(broken))
    # Time, level and system in the header say nothing of the content.
    assert isinstance(answer, Rejected) or answer == decode_payload(GOOD)


@hypothesis.settings(patient, max_examples=50)
@given(st.binary(max_size=200))
def test_any_inflated_bytes_give_a_value(raw: bytes) -> None:
    assert isinstance(read(event_of(gzip.compress(raw))), Rejected)


@hypothesis.settings(patient, max_examples=150)
@given(st.lists(json_values | odd_events, min_size=1, max_size=5))
def test_any_events_are_kept_in_order_with_usable_ids(events: list[Any]) -> None:
    payload = read(lambda_event({**SHIELD, "logEvents": events}))
    assert isinstance(payload, Payload)
    assert payload.source == Source("o", "g", "s")
    assert len(payload.events) == len(events)
    assert all(0 < len(event.id.encode()) <= 512 for event in payload.events)
    by_id = [(event.id, event) for event in payload.events]
    assert all(one == other for id_, one in by_id for other_id, other in by_id if id_ == other_id)
