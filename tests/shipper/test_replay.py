from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper import bulk, deadletter
from shipper.bulk import BulkReply
from shipper.deadletter import BadEnvelope
from shipper.decode import decode
from shipper.model import Batch, DeadLetter, Document, Failure, Ledger, Payload, Reason, Rejected
from shipper.pipeline import transform
from shipper.repair import BadRepair, Repair
from shipper.replay import Replayed, opened, park, replay
from shipper.settings import Settings
from shipper.ship import Denied, Unreachable, ship
from tests.shipper.fakes import (
    NOW_MS,
    REFUSED,
    SETTINGS,
    SOURCE,
    FakeClock,
    FakeLetters,
    FakeSink,
    accept,
    accept_then_reset,
    answering,
    docs,
    item,
    lambda_event,
    patient,
    payload_of,
    refusing,
    reply,
    sources_in,
)

FIRST = "2026-11-20T00:00:00Z"
UNREADABLE = {"awslogs": {"data": "%%%"}}


def letter_of(count: int) -> DeadLetter:
    return deadletter.of_documents(docs(count), REFUSED, SOURCE, failed_at=FIRST, attempts=3)


def payload_letter(event: Any) -> DeadLetter:
    return replace(deadletter.of_payload(event, Reason("timeout", "m"), failed_at=FIRST), attempts=3)


def replayed(
    letter: DeadLetter, sink: FakeSink, *, repair: Repair | None = None, settings: Settings = SETTINGS
) -> tuple[Replayed, FakeLetters]:
    letters = FakeLetters()
    found = replay(letter, sink, letters, FakeClock(), settings, repair or Repair())
    found.ledger.assert_balanced()
    return found, letters


def test_a_letter_is_done_with_when_all_of_it_is_indexed() -> None:
    sink = FakeSink()
    found, letters = replayed(letter_of(3), sink)
    assert found.done
    assert found.ledger == Ledger(received=3, indexed=3)
    assert sink.requests == [["id-0", "id-1", "id-2"]]
    assert (letters.buried, letters.retried) == ([], [])


def test_a_letter_replayed_twice_is_indexed_once() -> None:
    """Row 53: two operators at the same time, or one twice."""
    sink = FakeSink()
    replayed(letter_of(3), sink)
    found, _ = replayed(letter_of(3), sink)
    assert found.done
    assert found.ledger == Ledger(received=3, duplicate=3)


@pytest.mark.parametrize("then", [BulkReply(503, None), Unreachable("refused"), BulkReply(200, None), reply(201)])
def test_a_letter_stays_while_the_domain_is_away(then: Any) -> None:
    found, letters = replayed(letter_of(2), FakeSink(then=then))
    assert not found.done
    assert found.ledger == Ledger(received=2, requeued=2)
    assert (letters.buried, letters.retried) == ([], [])


def test_while_anything_waits_nothing_is_buried() -> None:
    """What was refused comes again with what is waiting; buried now, it would be buried twice."""
    found, letters = replayed(letter_of(3), FakeSink(answering(201, 400, 503), reply(400), then=BulkReply(503)))
    assert not found.done
    assert [outcome.document.id for outcome in found.delivery.dead] == ["id-1"]
    assert found.ledger == Ledger(received=3, indexed=1, requeued=2)
    assert (letters.buried, letters.retried) == ([], [])


def test_what_is_refused_again_is_buried_once_with_its_history() -> None:
    found, letters = replayed(letter_of(3), FakeSink(then=refusing("id-1", "id-2")))
    assert found.done
    assert found.ledger == Ledger(received=3, indexed=1, dead_lettered=2)
    (letter,) = letters.buried
    assert (letter.attempts, letter.first_failed_at, letter.source, letter.count) == (4, FIRST, SOURCE, 2)
    assert letter.reason.type == "mapper_parsing_exception"
    assert deadletter.documents_in(letter) == docs(3)[1:]


def test_what_was_refused_for_its_fields_is_found_by_text_now() -> None:
    sink = FakeSink(then=refusing("id-1", rescue=201))
    found, letters = replayed(letter_of(2), sink)
    assert found.done
    assert (found.ledger, found.delivery.rescued) == (Ledger(received=2, indexed=2), 1)
    assert letters.buried == []
    assert sources_in(sink.bodies[-1])[0]["@shipper"]["error"]["field"] == ""


DENIED = [BulkReply(401), BulkReply(302), BulkReply(200, {"items": [item(201), item(403, "security_exception")]})]


@pytest.mark.parametrize("then", DENIED, ids=["401", "redirect", "an item"])
def test_a_letter_that_is_denied_is_raised_and_stays_as_it_is(then: BulkReply) -> None:
    sink, letters = FakeSink(then, BulkReply(401)), FakeLetters()
    with pytest.raises(Denied):
        replay(letter_of(2), sink, letters, FakeClock(), SETTINGS)
    assert (sink.renewed, letters.buried, letters.retried) == (1, [], [])


def test_a_queue_that_is_down_is_raised_so_that_the_letter_stays() -> None:
    letters = FakeLetters(down=RuntimeError("queue down"))
    for letter in (letter_of(1), payload_letter(UNREADABLE)):
        with pytest.raises(RuntimeError, match="queue down"):
            replay(letter, FakeSink(then=reply(400)), letters, FakeClock(), SETTINGS)


def test_a_payload_letter_is_transformed_and_indexed() -> None:
    sink = FakeSink()
    letter = payload_letter(lambda_event(payload_of("one", "Traceback (most recent call last):", "  File x", "two")))
    found, letters = replayed(letter, sink)
    assert found.done
    assert found.ledger.indexed + found.ledger.joined == 4
    assert sink.requests[0][0] == "event-0"
    assert letters.buried == []


def shipped_to_nobody(event: Any, now_ms: int) -> tuple[DeadLetter, tuple[Document, ...]]:
    """The letter of a payload of which the domain took nothing, and its documents."""
    payload, letters, clock = decode(event, max_decoded_bytes=10_000_000), FakeLetters(), FakeClock()
    assert isinstance(payload, Payload)
    batch = transform(payload, SETTINGS, now_ms)
    ledger, _ = ship(batch, event, FakeSink(then=BulkReply(503)), letters, clock, SETTINGS)
    ledger.assert_balanced()
    assert ledger.requeued == len(batch.documents)
    (letter,) = letters.retried
    return deadletter.unpack(deadletter.pack(letter)), batch.documents


ROUND_TRIPS: list[Any] = [
    pytest.param(payload_of("one", "two"), id="two records"),
    pytest.param(payload_of("java.lang.IllegalStateException: no", "\tat a.B.c(B.java:1)", "next"), id="joined"),
    pytest.param(payload_of('{"log":"x","n":1}', "\x00\x1b", "\ud800"), id="hostile text"),
    pytest.param({**payload_of(), "logEvents": [{"id": "e", "timestamp": -5, "message": "m"}]}, id="a broken clock"),
]


BROKEN_CLOCK = {**payload_of(), "logEvents": [{"id": "e", "timestamp": -5, "message": "m"}]}
MIDNIGHT_MS = NOW_MS + 43_200_000


@pytest.mark.parametrize("now_ms", [NOW_MS + 123, MIDNIGHT_MS - 1, MIDNIGHT_MS - 60_000])
def test_a_time_that_stood_in_for_a_broken_one_stays_and_so_does_the_day(now_ms: int) -> None:
    """The letter is written after the transform, and that may be another day."""
    letter, documents = shipped_to_nobody(lambda_event(BROKEN_CLOCK), now_ms)
    later = opened(replace(letter, first_failed_at="2026-11-25T00:00:01Z"), SETTINGS, MIDNIGHT_MS + 1)
    assert isinstance(later, Batch)
    assert bulk.encode(later.documents) == bulk.encode(documents)


def test_a_letter_from_before_there_was_a_time_in_it_is_read_by_when_it_first_failed() -> None:
    letter, _ = shipped_to_nobody(lambda_event(BROKEN_CLOCK), NOW_MS)
    old = json.loads(deadletter.pack(letter))
    del old["ingested_at_ms"]
    later = opened(deadletter.unpack(json.dumps(old)), SETTINGS, MIDNIGHT_MS)
    assert isinstance(later, Batch)
    assert [document.timestamp for document in later.documents] == ["2026-11-24T12:00:00.000Z"]


def test_a_letter_whose_time_cannot_be_read_is_read_by_the_time_now() -> None:
    """Anybody may write a letter."""
    letter, _ = shipped_to_nobody(lambda_event(BROKEN_CLOCK), NOW_MS)
    later = opened(replace(letter, ingested_at_ms=0, first_failed_at="yesterday"), SETTINGS, MIDNIGHT_MS)
    assert isinstance(later, Batch)
    assert [document.timestamp for document in later.documents] == ["2026-11-25T00:00:00.000Z"]


def test_a_letter_that_fails_again_and_again_says_of_what() -> None:
    letter = letter_of(1)
    for type_ in ("b", "c"):
        _, letters = replayed(letter, FakeSink(then=BulkReply(404, {"error": {"type": type_, "reason": type_}})))
        (letter,) = [deadletter.unpack(deadletter.pack(buried)) for buried in letters.buried]
    assert (letter.reason.type, letter.attempts, letter.first_failed_at) == ("c", 5, FIRST)
    assert [(failure.reason.type, failure.at) for failure in letter.history] == [
        (REFUSED.type, FIRST),
        ("b", "2026-11-24T12:00:00Z"),
    ]


def test_a_parked_letter_holds_all_that_it_held() -> None:
    letters, letter = FakeLetters(), replace(payload_letter(lambda_event(payload_of("one"))), ingested_at_ms=NOW_MS)
    ledger = park(letter, None, 100, letters, FakeClock())
    ledger.assert_balanced()
    assert letters.buried == [
        replace(
            letter, attempts=103, failed_at="2026-11-24T12:00:00Z", history=(Failure(letter.reason, letter.failed_at),)
        )
    ]


@pytest.mark.parametrize("payload", ROUND_TRIPS)
def test_a_payload_of_which_nothing_was_taken_comes_back_as_the_same_documents(payload: Any) -> None:
    letter, documents = shipped_to_nobody(lambda_event(payload), NOW_MS)
    assert letter.kind == "payload"
    # Days later: what was no broken time then is none now.
    later = opened(letter, SETTINGS, NOW_MS + 13 * 86_400_000)
    assert isinstance(later, Batch)
    assert later.documents == documents
    sink = FakeSink()
    found, _ = replayed(letter, sink)
    assert found.done
    assert sink.requests == [[document.id for document in documents]]
    assert found.ledger.received == len(payload["logEvents"])


def test_documents_of_a_payload_that_are_refused_become_a_letter_of_documents() -> None:
    found, letters = replayed(payload_letter(lambda_event(payload_of("one"))), FakeSink(then=reply(400)))
    assert found.done
    (letter,) = letters.buried
    assert (letter.kind, letter.attempts, letter.first_failed_at, letter.source) == ("documents", 4, FIRST, SOURCE)


@pytest.mark.parametrize("event", [UNREADABLE, None, "text", lambda_event({"messageType": "NEWS"})])
def test_a_payload_that_is_still_unreadable_is_buried_again_as_it_was(event: Any) -> None:
    sink = FakeSink()
    found, letters = replayed(payload_letter(event), sink)
    assert found.done
    assert found.ledger == Ledger(received=1, dead_lettered=1)
    assert sink.requests == []
    (letter,) = letters.buried
    assert (letter.kind, letter.attempts, letter.first_failed_at) == ("payload", 4, FIRST)
    assert json.loads(letter.body) == event


def test_a_control_message_in_a_letter_is_simply_done_with() -> None:
    found, letters = replayed(payload_letter(lambda_event({"messageType": "CONTROL_MESSAGE"})), FakeSink())
    assert found.done
    assert found.ledger == Ledger()
    assert letters.buried == []


def test_a_repair_is_done_before_sending_and_ids_stay() -> None:
    sink = FakeSink()
    letter = deadletter.of_documents(
        [replace(docs(1)[0], source=b'{"@id":"id-0","n":{"a":1}}')], REFUSED, SOURCE, failed_at=FIRST, attempts=1
    )
    replayed(letter, sink, repair=Repair(to_string=("n",)))
    assert sink.requests == [["id-0"]]
    assert json.loads(sink.bodies[0].split(b"\n")[1])["n"] == '{"a":1}'


def test_a_repair_that_cannot_be_done_sends_nothing() -> None:
    sink = FakeSink()
    letter = deadletter.of_documents(
        [replace(docs(1)[0], source=b'{"a":1,"b":2}')], REFUSED, SOURCE, failed_at=FIRST, attempts=1
    )
    with pytest.raises(BadRepair):
        replayed(letter, sink, repair=Repair(rename=(("a", "b"),)))
    assert sink.requests == []


@pytest.mark.parametrize(
    "letter",
    [
        pytest.param(replace(letter_of(2), count=3), id="documents that were counted wrong"),
        pytest.param(replace(letter_of(1), body=b"rubbish"), id="documents that are none"),
        pytest.param(replace(letter_of(1), kind="payload"), id="documents that say they are a payload"),
        pytest.param(replace(payload_letter({}), body=b"{"), id="payload that is not JSON"),
    ],
)
def test_a_letter_that_is_not_what_it_says_is_raised_before_anything_is_sent(letter: DeadLetter) -> None:
    sink, letters = FakeSink(), FakeLetters()
    with pytest.raises(BadEnvelope):
        replay(letter, sink, letters, FakeClock(), SETTINGS)
    assert (sink.requests, letters.buried, letters.retried) == ([], [], [])


def test_documents_do_not_depend_on_todays_settings() -> None:
    """Promise 6, and a defect of a peer: a replay that reads the current configuration loses old letters."""
    other = Settings.for_profile("incumbent", endpoint="https://else.where", max_body_bytes=65_536)
    sink = FakeSink()
    replayed(letter_of(2), sink, settings=other)
    assert sink.bodies[0] == letter_of(2).body


def test_what_a_letter_holds_can_be_seen_without_sending() -> None:
    assert opened(letter_of(2), SETTINGS, NOW_MS) == Batch(SOURCE, 2, tuple(reread(2)))
    assert isinstance(opened(payload_letter(UNREADABLE), SETTINGS, NOW_MS), Rejected)
    assert opened(payload_letter(lambda_event({"messageType": "CONTROL_MESSAGE"})), SETTINGS, NOW_MS) == Batch(
        payload_letter({}).source, 0, ()
    )


def reread(count: int) -> list[Any]:
    return deadletter.documents_in(letter_of(count))


@patient
@given(
    st.integers(1, 6),
    st.lists(
        st.sampled_from(
            [
                *(accept, accept_then_reset, answering(201, 400, 503), refusing("id-0", "id-3", rescue=201)),
                *(refusing("id-1"), BulkReply(503), BulkReply(413), Unreachable("reset"), BulkReply(401)),
            ]
        ),
        max_size=8,
    ),
)
def test_a_letter_killed_and_replayed_to_its_end_loses_and_doubles_nothing(count: int, script: list[Any]) -> None:
    """Rows 52 and 53: the letter stays until it is done with, then each document is indexed or buried, once."""
    sink = FakeSink(*script)
    buried: list[str] = []
    done = False
    while not done:
        try:
            found, letters = replayed(letter_of(count), sink)
        except Denied:
            continue
        done = found.done
        assert done or not letters.buried
        buried += [document.id for letter in letters.buried for document in deadletter.documents_in(letter)]
    assert {*sink.stored, *buried} == {f"id-{number}" for number in range(count)}
    assert len(buried) == len(set(buried))
