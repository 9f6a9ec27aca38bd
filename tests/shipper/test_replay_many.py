from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper import deadletter
from shipper.bulk import BulkReply
from shipper.model import Batch, DeadLetter, Document, Ledger, Reason
from shipper.repair import NO_REPAIR, BadRepair, Repair
from shipper.replay_many import Settled, handed_over, prepared, replay_many
from shipper.ship import Denied
from tests.shipper.fakes import (
    INDEX,
    NOW_MS,
    REFUSED,
    SETTINGS,
    SOURCE,
    FakeClock,
    FakeLetters,
    FakeSink,
    Step,
    accept,
    doc,
    documents_of,
    lambda_event,
    patient,
    payload_of,
    refusing,
    reply,
)

AT = "2026-11-20T00:00:00Z"


def letter(*numbers: int, reason: Reason = REFUSED) -> DeadLetter:
    return deadletter.of_documents([doc(n) for n in numbers], reason, SOURCE, failed_at=AT, attempts=1)


def payload(*messages: str) -> DeadLetter:
    return deadletter.of_payload(lambda_event(payload_of(*messages)), Reason("timeout", "m"), failed_at=AT)


def replayed(
    letters: list[DeadLetter], sink: FakeSink, queues: FakeLetters | None = None, repair: Repair = NO_REPAIR
) -> Settled:
    settled = replay_many(letters, sink, queues or FakeLetters(), FakeClock(), replace(SETTINGS, max_tries=1), repair)
    settled.ledger.assert_balanced()
    return settled


def test_letters_share_a_request() -> None:
    sink = FakeSink()
    settled = replayed([letter(1, 2), letter(3), payload("one")], sink)
    assert (settled.done, settled.errors) == ([0, 1, 2], {})
    assert sink.requests == [["id-1", "id-2", "id-3", "event-0"]]
    assert settled.ledger == Ledger(received=4, indexed=4)


def test_a_document_that_is_in_two_letters_is_there_once() -> None:
    sink = FakeSink()
    settled = replayed([letter(1), letter(1)], sink)
    assert (settled.done, sink.stored) == ([0, 1], {"id-1"})


def test_a_letter_with_a_document_that_waits_stays_and_the_others_are_done() -> None:
    queues = FakeLetters()
    settled = replayed(
        [letter(1, 2), letter(3, 4), letter(5)], FakeSink(reply(201, 201, 400, 429, 201), reply(400)), queues
    )
    assert settled.done == [0, 2]
    assert settled.ledger == Ledger(received=5, indexed=3, requeued=2)
    assert queues.buried == []


def test_what_is_refused_again_has_its_new_reason_and_its_history() -> None:
    queues = FakeLetters()
    old = letter(1, 2, reason=Reason("old", "m"))
    settled = replayed([old, letter(3)], FakeSink(then=refusing("id-2")), queues)
    assert (settled.done, settled.ledger) == ([0, 1], Ledger(received=3, indexed=2, dead_lettered=1))
    (again,) = queues.buried
    assert [document.id for document in documents_of([again])] == ["id-2"]
    assert (again.reason.type, again.attempts, again.first_failed_at) == (REFUSED.type, 2, AT)
    assert [(failure.reason.type, failure.at) for failure in again.history] == [("old", AT)]


CLASHING = Document(INDEX, "9", b'{"a":1,"b":2}', "", ())
BAD = [
    pytest.param(replace(letter(9), count=2), "the body holds 1 documents", id="no letter"),
    pytest.param(
        deadletter.of_documents([CLASHING], REFUSED, SOURCE, failed_at=AT, attempts=1),
        "b is there already",
        id="a repair that it cannot take",
    ),
]


@pytest.mark.parametrize(("bad", "said"), BAD)
def test_a_letter_that_cannot_be_sent_says_why_and_the_others_go_on(bad: DeadLetter, said: str) -> None:
    sink = FakeSink()
    settled = replayed([letter(1), bad, letter(2)], sink, repair=Repair(rename=(("a", "b"),)))
    assert (settled.done, sink.stored) == ([0, 2], {"id-1", "id-2"})
    assert said in settled.errors[1]


def test_an_event_that_is_no_payload_is_buried_as_that() -> None:
    queues = FakeLetters()
    bad = deadletter.of_payload({"awslogs": {"data": "%"}}, Reason("timeout", "m"), failed_at=AT)
    settled = replayed([bad, letter(1)], FakeSink(), queues)
    assert (settled.done, settled.ledger) == ([0, 1], Ledger(received=2, indexed=1, dead_lettered=1))
    assert [(again.reason.type, again.attempts, again.body) for again in queues.buried] == [("bad_input", 2, bad.body)]


def test_an_event_that_is_no_payload_keeps_where_it_came_from() -> None:
    queues = FakeLetters()
    unreadable = deadletter.of_payload({"awslogs": {"data": "%"}}, Reason("timeout", "m"), failed_at=AT)
    before = replace(unreadable, source=SOURCE, count=7, ingested_at_ms=NOW_MS)
    replayed([before], FakeSink(), queues)
    (after,) = queues.buried
    assert (after.source, after.count, after.ingested_at_ms, after.body) == (SOURCE, 7, NOW_MS, before.body)
    assert (after.attempts, after.history[-1].reason.type) == (before.attempts + 1, "timeout")


@pytest.mark.parametrize(
    ("sink", "queues", "raised"),
    [
        (FakeSink(*[BulkReply(403, {"message": "no"})] * 2), FakeLetters(), Denied),
        (FakeSink(then=refusing("id-1")), FakeLetters(RuntimeError("down")), RuntimeError),
    ],
    ids=["no right", "no queue"],
)
def test_what_concerns_all_is_raised(sink: FakeSink, queues: FakeLetters, raised: type[Exception]) -> None:
    with pytest.raises(raised):
        replayed([letter(1)], sink, queues)


@given(st.lists(st.lists(st.integers(0, 30), min_size=1, max_size=4), max_size=6), st.data())
@patient
def test_whatever_the_domain_answers_each_document_is_in_the_index_or_in_a_letter(
    numbers: list[list[int]], data: st.DataObject
) -> None:
    def answer(sink: FakeSink, ids: list[str]) -> BulkReply:
        statuses = [409 if id_ in sink.stored else data.draw(st.sampled_from([201, 400, 429])) for id_ in ids]
        sink.stored |= {id_ for id_, status in zip(ids, statuses, strict=True) if status == 201}
        return reply(*statuses)

    letters, queues, sink = [letter(*some) for some in numbers], FakeLetters(), FakeSink(then=answer)
    settled = replayed(letters, sink, queues)
    staying = [one for position, one in enumerate(letters) if position not in settled.done]
    somewhere = sink.stored | {document.id for document in documents_of(staying + queues.buried)}
    assert somewhere == {f"id-{number}" for some in numbers for number in some}


@pytest.mark.parametrize("step", [accept, reply(429)], ids=["taken", "not taken"])
def test_no_letters_are_no_request(step: Step) -> None:
    sink = FakeSink(then=step)
    assert replayed([], sink) == Settled()
    assert sink.requests == []


MOVED = Repair(index="cwl-late")
UNKNOWN: list[Any] = [
    pytest.param(payload("one"), id="a payload"),
    pytest.param(letter(1, reason=Reason("unreachable", "m")), id="no reply came"),
    pytest.param(letter(1, reason=Reason("rejected_execution_exception", "m", 429)), id="too busy"),
    pytest.param(letter(1, reason=Reason("http_503", "m", 503)), id="not well"),
]


def test_refused_documents_go_to_another_index_under_the_same_id() -> None:
    content = prepared(letter(1), SETTINGS, NOW_MS, MOVED)
    assert isinstance(content, Batch)
    assert [(document.index, document.id) for document in content.documents] == [("cwl-late", "id-1")]


@pytest.mark.parametrize("unknown", UNKNOWN)
def test_what_may_be_in_its_own_index_is_not_sent_to_another(unknown: DeadLetter) -> None:
    with pytest.raises(BadRepair, match="may be in its own index already"):
        prepared(unknown, SETTINGS, NOW_MS, MOVED)


def test_repaired_documents_are_handed_over_with_their_reason_and_history() -> None:
    (old,) = deadletter.again([letter(1, 2)], letter(1, reason=Reason("older", "m")))
    (handed,) = handed_over(old, SETTINGS, NOW_MS, Repair(drop=("@fields",)))
    assert handed == replace(old, body=handed.body)
    assert [document.id for document in documents_of([handed])] == ["id-1", "id-2"]


def test_the_documents_of_a_payload_are_handed_over_repaired() -> None:
    (handed,) = handed_over(payload("one", "two"), SETTINGS, NOW_MS, Repair(drop=("@lines",)))
    assert (handed.kind, handed.source, handed.first_failed_at) == ("documents", SOURCE, AT)
    assert [document.id for document in documents_of([handed])] == ["event-0", "event-1"]


def test_what_is_no_payload_is_handed_over_as_it_is() -> None:
    bad = deadletter.of_payload("text", REFUSED, failed_at=AT)
    assert handed_over(bad, SETTINGS, NOW_MS, Repair(drop=("a",))) == [bad]
