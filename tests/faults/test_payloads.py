"""Rows 1 to 6 and 57 to 64: payloads and letters that are not what they should be, and what happens before us."""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from dataclasses import replace
from typing import Any

import pytest

from shipper import deadletter
from shipper.deadletter import BadEnvelope
from shipper.handlers.subscriber import run
from shipper.model import DeadLetter, Ledger, Reason
from shipper.replay import replay
from shipper.sample import Rule
from shipper.settings import Settings
from tests.faults.chain import deliver, event_at, event_of, lines
from tests.growth import assert_costs_as_much
from tests.shipper.fakes import (
    AWS_ENV,
    SETTINGS,
    SOURCE,
    FakeClock,
    FakeContext,
    FakeLetters,
    FakeSink,
    lambda_event,
    payload_of,
    sources_in,
    wired_with,
)


def data(packed: bytes) -> dict[str, Any]:
    return {"awslogs": {"data": b64encode(packed).decode()}}


WHOLE = gzip.compress(json.dumps(payload_of("x")).encode())
BAD: dict[str, tuple[Any, str]] = {
    "01 not base64": ({"awslogs": {"data": "a%b="}}, "bad_input"),
    "01 base64 with junk between": ({"awslogs": {"data": b64encode(WHOLE).decode()[:8] + "\n%" + "AAAA"}}, "bad_input"),
    "02 gzip cut short": (data(WHOLE[:-9]), "bad_gzip"),
    "02 a wrong checksum": (data(WHOLE[:-8] + b"\0\0\0\0" + WHOLE[-4:]), "bad_gzip"),
    "02 junk behind it": (data(WHOLE + b"junk"), "bad_gzip"),
    "03 a gzip bomb": (data(gzip.compress(bytes(SETTINGS.max_decoded_bytes + 1))), "bomb"),
    "04 not an object": (lambda_event([1]), "bad_shape"),
    "04 keys missing": (lambda_event({"messageType": "DATA_MESSAGE", "logEvents": []}), "bad_shape"),
    "06 an unknown type": (lambda_event({**payload_of("x"), "messageType": "NEW_MESSAGE"}), "unknown_type"),
}


@pytest.mark.parametrize(("event", "type_"), BAD.values(), ids=BAD)
def test_what_is_no_payload_is_dead_lettered_as_it_came(event: Any, type_: str) -> None:
    sink, letters = FakeSink(), FakeLetters()
    assert deliver(event, sink, letters).ledger == Ledger(received=1, dead_lettered=1)
    (letter,) = letters.buried
    assert (letter.kind, letter.reason.type, json.loads(letter.body)) == ("payload", type_, event)
    assert (sink.requests, letters.retried) == ([], [])


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param({"messageType": "CONTROL_MESSAGE", "logEvents": []}, id="05 control message"),
        pytest.param(payload_of(), id="05 no events"),
    ],
)
def test_what_holds_no_events_is_a_success(payload: Any) -> None:
    sink, letters = FakeSink(), FakeLetters()
    assert deliver(lambda_event(payload), sink, letters).ledger == Ledger()
    assert (sink.requests, letters.retried, letters.buried) == ([], [], [])


ENVELOPE = {
    "version": 1,
    "kind": "documents",
    "reason": {"type": "mapper_parsing_exception", "status": 400, "field": "n", "message": "m"},
    "source": {
        "owner": "123456789012",
        "log_group": "g",
        "log_stream": "s",
        "first_event_at": "2026-11-24T12:00:00.000Z",
        "last_event_at": "2026-11-24T12:00:00.000Z",
    },
    "count": 1,
    "attempts": 1,
    "first_failed_at": "2026-11-24T12:00:00Z",
    "body": "",
}
"""An envelope as the first release writes it: what lies in a queue for two weeks must stay readable."""


def packed(action: Any, source: Any) -> dict[str, Any]:
    body = f"{json.dumps(action)}\n{json.dumps(source)}\n".encode()
    return {**ENVELOPE, "body": b64encode(gzip.compress(body)).decode()}


GOOD = packed({"create": {"_index": "cwl-2026.11.24", "_id": "e-1"}}, {"@message": "x", "kept": "as it is"})


def replayed(letter: DeadLetter, sink: FakeSink, settings: Settings = SETTINGS) -> Ledger:
    ledger = replay(letter, sink, FakeLetters(), FakeClock(), settings).ledger
    ledger.assert_balanced()
    return ledger


@pytest.mark.parametrize("settings", [SETTINGS, SETTINGS.with_values(strip=("kept",), message="raw", max_fields=1)])
def test_a_letter_of_the_first_release_is_sent_as_it_was_whatever_is_configured_today(settings: Settings) -> None:
    """Row 57."""
    sink = FakeSink()
    assert replayed(deadletter.unpack(json.dumps(GOOD)), sink, settings) == Ledger(received=1, indexed=1)
    assert [sources_in(body) for body in sink.bodies] == [[{"@message": "x", "kept": "as it is"}]]


def test_a_letter_of_a_release_to_come_is_said_to_be_one() -> None:
    """Row 57."""
    with pytest.raises(BadEnvelope, match="version 2 is not 1"):
        deadletter.unpack(json.dumps({**GOOD, "version": 2}))


@pytest.mark.parametrize(
    "envelope",
    [
        pytest.param(packed({"create": {"_index": ".opendistro_security", "_id": "1"}}, {}), id="another index"),
        pytest.param(packed({"delete": {"_index": "cwl-2026.11.24", "_id": "1"}}, {}), id="another action"),
        pytest.param(packed({"create": {"_index": "cwl-1", "_id": "1", "pipeline": "p"}}, {}), id="a pipeline"),
        pytest.param({**GOOD, "count": 2}, id="another count"),
    ],
)
def test_a_forged_letter_sends_nothing(envelope: Any) -> None:
    """Row 58."""
    sink = FakeSink()
    with pytest.raises(BadEnvelope):
        replayed(deadletter.unpack(json.dumps(envelope)), sink)
    assert sink.requests == []


def piece(number: int, text: str, tag: str) -> dict[str, Any]:
    return event_at(number, json.dumps({"log": text, "stream": "stdout", "logtag": tag}))


def test_pieces_of_a_line_in_two_invocations_are_all_there() -> None:
    """Rows 59 and 60: what the one payload ends with and the next begins with."""
    sink, letters = FakeSink(), FakeLetters()
    first = deliver(event_of([piece(0, "head ", "P"), piece(1, "middle ", "P")]), sink, letters)
    second = deliver(event_of([piece(2, "tail", "F"), piece(3, "next", "F")]), sink, letters)
    assert (first.ledger, second.ledger) == (
        Ledger(received=2, indexed=1, joined=1),
        Ledger(received=2, indexed=2),
    )
    found = [source["@message"] for body in sink.bodies for source in sources_in(body)]
    assert found == ["head middle ", "tail", "next"]


def test_no_record_is_joined_across_streams() -> None:
    """Row 59: a pod's file that was rotated goes on in a stream of its own."""
    sink = FakeSink()
    frame = lambda_event({**payload_of(), "logStream": "pod-2", "logEvents": [event_at(1, "\tat a.B.c(B.java:1)")]})
    deliver(lambda_event(payload_of("java.lang.IllegalStateException: no")), sink, FakeLetters())
    assert deliver(frame, sink, FakeLetters()).ledger == Ledger(received=1, indexed=1)
    (found,) = sources_in(sink.bodies[1])
    assert found["@shipper"] == {"headless": True}


def test_a_line_that_was_sent_twice_by_the_agent_is_there_twice() -> None:
    """Row 61: other event ids are other events, and none of them may be taken for the other."""
    sink, letters = FakeSink(), FakeLetters()
    event = event_of([event_at(0, "same"), event_at(0, "same", id="other")])
    assert deliver(event, sink, letters).ledger == Ledger(received=2, indexed=2)
    assert sink.requests == [["event-0", "other"]]


def test_the_functions_own_log_group_is_not_shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Row 62."""
    for name, value in AWS_ENV.items():
        monkeypatch.setenv(name, value)
    sink, letters = FakeSink(), FakeLetters()
    wired = replace(wired_with(sink, letters), own_log_group=SOURCE.log_group)
    terms = run(lines(2), FakeContext(), wired)
    assert Ledger(**terms) == Ledger(received=2, filtered=2)
    assert (sink.requests, letters.retried, letters.buried) == ([], [], [])


@pytest.mark.parametrize("pattern", ["^(a+)+$", "(a|aa)+$", r"(.*)*x$"])
def test_no_pattern_runs_away_on_a_line_of_a_megabyte(pattern: str) -> None:
    """Row 64: a back-tracking engine would not end."""
    settings = SETTINGS.with_values(filters=(Rule(name="slow", action="drop", pattern=pattern),))

    def ship(text: str) -> None:
        shipped = deliver(lambda_event(payload_of(text + "!")), FakeSink(), FakeLetters(), settings=settings)
        assert shipped.ledger == Ledger(received=1, indexed=1)

    assert_costs_as_much(ship, "a" * 1_000_000, "b " * 500_000)


def test_a_payload_that_waited_is_transformed_when_it_comes_back() -> None:
    """Row 57: the letter holds the event as it was received."""
    letter = deadletter.of_payload(lines(2), Reason("timeout", "m"), failed_at="2026-11-24T12:00:00Z")
    sink = FakeSink()
    assert replayed(deadletter.unpack(deadletter.pack(letter)), sink) == Ledger(received=2, indexed=2)
    assert sink.requests == [["event-0", "event-1"]]
