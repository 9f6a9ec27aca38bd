from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper import deadletter
from shipper.bulk import BulkReply
from shipper.model import DeadLetter, Ledger, Reason, Rejected
from shipper.ship import Unreachable, bury_event, deliver, iso, ship
from tests.shipper.fakes import (
    NOW_MS,
    SETTINGS,
    SOURCE,
    FakeClock,
    FakeLetters,
    FakeSink,
    Step,
    accept,
    accept_then_reset,
    answering,
    batch_of,
    doc,
    docs,
    patient,
    reply,
)

DOWN = BulkReply(503, None)
SMALL = SETTINGS.with_values(max_body_bytes=300)
"""Two documents a request."""


def ids_of(letters: Sequence[DeadLetter]) -> list[str]:
    return [document.id for letter in letters for document in deadletter.documents_in(letter)]


def refuse_whole_if(bad: set[str], status: int) -> Step:
    """Refuse a request that holds one of these documents, as a whole."""

    def answer(sink: FakeSink, ids: list[str]) -> BulkReply:
        if bad & set(ids):
            return BulkReply(status, {"error": {"type": "parse_exception", "reason": "no"}, "status": status})
        return accept(sink, ids)

    return answer


def test_what_is_taken_at_once_is_sent_once() -> None:
    sink, letters, clock = FakeSink(), FakeLetters(), FakeClock()
    ledger, delivery = ship(batch_of(docs(3), joined=2), sink, letters, clock, SETTINGS)
    assert sink.requests == [["id-0", "id-1", "id-2"]]
    assert ledger == Ledger(received=5, indexed=3, joined=2)
    assert (letters.buried, letters.retried, clock.slept, delivery.retried) == ([], [], [], Counter())


def test_nothing_to_send_makes_no_request() -> None:
    sink = FakeSink()
    ledger, _ = ship(batch_of([]), sink, FakeLetters(), FakeClock(), SETTINGS)
    assert sink.requests == []
    assert ledger == Ledger()


def test_requests_stay_within_the_configured_size() -> None:
    sink = FakeSink()
    ship(batch_of(docs(5)), sink, FakeLetters(), FakeClock(), SMALL)
    assert [len(ids) for ids in sink.requests] == [2, 2, 1]
    assert max(map(len, sink.bodies)) <= SMALL.max_body_bytes


def test_only_what_failed_is_sent_again() -> None:
    sink, letters = FakeSink(answering(201, 429, 400, 409), reply(503), accept), FakeLetters()
    ledger, delivery = ship(batch_of(docs(4)), sink, letters, FakeClock(), SETTINGS)
    assert sink.requests == [["id-0", "id-1", "id-2", "id-3"], ["id-1"], ["id-1"]]
    assert ledger == Ledger(received=4, indexed=2, duplicate=1, dead_lettered=1)
    assert ids_of(letters.buried) == ["id-2"]
    assert delivery.retried == {"rejected_execution_exception": 1, "unavailable_shards_exception": 1}


def test_a_lost_reply_is_answered_by_409_the_next_time() -> None:
    """Row 38: the batch was written and the connection broke."""
    sink, letters = FakeSink(accept_then_reset), FakeLetters()
    ledger, _ = ship(batch_of(docs(2)), sink, letters, FakeClock(), SETTINGS)
    assert ledger == Ledger(received=2, duplicate=2)
    assert letters.retried == []


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(BulkReply(429, None), id="429"),
        pytest.param(BulkReply(502, "<html>"), id="502 of a proxy"),
        pytest.param(BulkReply(503, None), id="503"),
        pytest.param(BulkReply(403, {"error": {"type": "cluster_block_exception"}}), id="disk full"),
        pytest.param(BulkReply(401, "Unauthorized"), id="no rights yet"),
        pytest.param(BulkReply(302, None), id="redirect"),
        pytest.param(BulkReply(200, None), id="200 that is not JSON"),
        pytest.param(reply(201), id="an item too few"),
        pytest.param(Unreachable("refused"), id="unreachable"),
    ],
)
def test_what_stays_away_goes_to_the_retry_queue_once(step: Step) -> None:
    sink, letters = FakeSink(then=step), FakeLetters()
    ledger, _ = ship(batch_of(docs(2)), sink, letters, FakeClock(), SETTINGS)
    assert len(sink.requests) == SETTINGS.max_tries
    assert ledger == Ledger(received=2, requeued=2)
    assert ids_of(letters.retried) == ["id-0", "id-1"]
    assert letters.buried == []


def test_letters_say_where_from_when_and_why() -> None:
    letters = FakeLetters()
    ship(batch_of(docs(1)), FakeSink(then=reply(400)), letters, FakeClock(), SETTINGS)
    (letter,) = letters.buried
    assert (letter.source, letter.attempts, letter.first_failed_at) == (SOURCE, 1, "2026-11-24T12:00:00Z")
    assert (letter.reason.type, letter.reason.status) == ("mapper_parsing_exception", 400)


@pytest.mark.parametrize("count", [1, 2, 3, 7, 16])
def test_413_halves_down_to_the_document_that_is_too_large(count: int) -> None:
    """Row 26."""
    for big in range(count):
        sink, letters = FakeSink(then=refuse_whole_if({f"id-{big}"}, 413)), FakeLetters()
        ledger, _ = ship(batch_of(docs(count)), sink, letters, FakeClock(), SETTINGS)
        assert ledger == Ledger(received=count, indexed=count - 1, dead_lettered=1)
        assert ids_of(letters.buried) == [f"id-{big}"]
        assert sink.requests[0] == [f"id-{number}" for number in range(count)]


def test_413_only_halves_what_is_too_much_together() -> None:
    def at_most_two(sink: FakeSink, ids: list[str]) -> BulkReply:
        return BulkReply(413, "") if len(ids) > 2 else accept(sink, ids)

    sink, letters = FakeSink(then=at_most_two), FakeLetters()
    ledger, _ = ship(batch_of(docs(8)), sink, letters, FakeClock(), SETTINGS)
    assert ledger == Ledger(received=8, indexed=8)
    assert [len(ids) for ids in sink.requests] == [8, 4, 2, 2, 4, 2, 2]


@patient
@given(st.sets(st.integers(0, 19)), st.sampled_from([400, 413]))
def test_a_request_refused_whole_is_bisected_to_the_bad_documents(bad: set[int], status: int) -> None:
    """Row 30: one document must not take its neighbours with it."""
    sink = FakeSink(then=refuse_whole_if({f"id-{number}" for number in bad}, status))
    letters = FakeLetters()
    ledger, _ = ship(batch_of(docs(20)), sink, letters, FakeClock(), SETTINGS)
    assert ledger == Ledger(received=20, indexed=20 - len(bad), dead_lettered=len(bad))
    assert ids_of(letters.buried) == [f"id-{number}" for number in sorted(bad)]
    assert len(sink.requests) <= 1 + 2 * 5 * len(bad)


def test_halves_that_cannot_be_taken_now_are_tried_again_alone() -> None:
    sink, letters = FakeSink(BulkReply(413, ""), accept, DOWN, accept), FakeLetters()
    ledger, _ = ship(batch_of(docs(2)), sink, letters, FakeClock(), SETTINGS)
    assert sink.requests == [["id-0", "id-1"], ["id-0"], ["id-1"], ["id-1"]]
    assert ledger == Ledger(received=2, indexed=2)


def test_waits_grow_between_tries() -> None:
    clock = FakeClock(jitter=0.5)
    deliver(docs(1), FakeSink(then=DOWN), clock, SETTINGS)
    assert clock.slept == pytest.approx([0.1, 0.2, 0.4])


@pytest.mark.parametrize("remaining_s", [0, 1, 5])
def test_without_time_nothing_is_sent_and_nothing_lost(remaining_s: float) -> None:
    sink, letters = FakeSink(), FakeLetters()
    ledger, _ = ship(batch_of(docs(2)), sink, letters, FakeClock(remaining_s), SETTINGS)
    assert sink.requests == []
    assert ledger == Ledger(received=2, requeued=2)
    assert ids_of(letters.retried) == ["id-0", "id-1"]


def test_the_reserve_is_kept_for_the_queues() -> None:
    """Row 39: a slow domain must not eat the time in which the letters are written."""
    clock = FakeClock(60)
    sink, letters = FakeSink(then=DOWN, clock=clock, cost_s=20), FakeLetters()
    ledger, _ = ship(batch_of(docs(6)), sink, letters, clock, SMALL)
    assert sink.timeouts == pytest.approx([55, 35, 15])
    assert ledger == Ledger(received=6, requeued=6)
    assert clock.slept == [20, 20, 15]


def test_no_wait_reaches_into_the_reserve() -> None:
    clock = FakeClock(5.3, jitter=0.99)
    deliver(docs(1), FakeSink(then=DOWN), clock, SETTINGS)
    assert clock.slept == pytest.approx([0.198])
    assert clock.remaining_s() > SETTINGS.reserve_s


@pytest.mark.parametrize("step", [reply(400), DOWN], ids=["refused", "waiting"])
def test_a_queue_that_is_down_is_raised(step: Step) -> None:
    """Row 47, and the defect of the peers that swallow it: then the event is gone."""
    letters = FakeLetters(down=RuntimeError("queue down"))
    with pytest.raises(RuntimeError, match="queue down"):
        ship(batch_of(docs(1)), FakeSink(then=step), letters, FakeClock(), SETTINGS)


def test_a_fault_of_our_own_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        ship(batch_of(docs(1)), FakeSink(ZeroDivisionError()), FakeLetters(), FakeClock(), SETTINGS)


@pytest.mark.parametrize("event", [None, {"awslogs": {"data": "%"}}, "text"])
def test_an_event_that_is_no_payload_is_buried_whole_as_one(event: Any) -> None:
    letters = FakeLetters()
    ledger = bury_event(event, Rejected(Reason("bad_input", "m")), letters, FakeClock())
    ledger.assert_balanced()
    assert ledger == Ledger(received=1, dead_lettered=1)
    assert [(letter.kind, letter.reason.type) for letter in letters.buried] == [("payload", "bad_input")]


@pytest.mark.parametrize(("moment_ms", "text"), [(0, "1970-01-01T00:00:00Z"), (NOW_MS + 999, "2026-11-24T12:00:00Z")])
def test_stamps_are_iso_8601_in_utc(moment_ms: int, text: str) -> None:
    assert iso(moment_ms) == text


statuses = st.lists(st.sampled_from([201, 400, 404, 409, 429, 503]), min_size=1, max_size=5)
steps = st.one_of(
    st.just(accept),
    st.just(accept_then_reset),
    statuses.map(lambda chosen: answering(*chosen)),
    st.sampled_from([400, 401, 403, 404, 413, 429, 500, 502, 503, 504, 302]).map(lambda s: BulkReply(s, None)),
    st.sampled_from([None, "<html>", [], {}, {"items": []}, {"items": [{}]}]).map(lambda b: BulkReply(200, b)),
    st.just(Unreachable("timed out")),
)


class Watched(FakeSink):
    """Notes a document that is sent although its own item has settled it."""

    def __init__(self, *script: Step, then: Step) -> None:
        super().__init__(*script, then=then)
        self.settled: set[str] = set()
        self.sent_again: set[str] = set()

    def bulk(self, body: bytes, timeout_s: float) -> BulkReply:
        answer = super().bulk(body, timeout_s)
        ids = self.requests[-1]
        self.sent_again |= self.settled & set(ids)
        items = answer.body.get("items", []) if answer.status == 200 and isinstance(answer.body, dict) else []
        if len(items) == len(ids):
            found = [entry.get("create", {}).get("status") for entry in items]
            self.settled |= {id_ for id_, status in zip(ids, found, strict=True) if status in (201, 400, 409)}
        return answer


@hypothesis.settings(patient, max_examples=300)
@given(st.integers(0, 8), st.lists(steps, max_size=12), steps, st.integers(100, 1_000), st.floats(0, 30))
def test_every_document_ends_in_exactly_one_place(
    count: int, script: list[Step], then: Step, max_body_bytes: int, remaining_s: float
) -> None:
    sink, letters, clock = Watched(*script, then=then), FakeLetters(), FakeClock(remaining_s)
    changed = SETTINGS.with_values(max_body_bytes=max_body_bytes)
    joined = 3 if count else 0
    ledger, delivery = ship(batch_of(docs(count), joined=joined), sink, letters, clock, changed)

    ledger.assert_balanced()
    assert ledger.received == count + joined
    dead, waiting = ids_of(letters.buried), ids_of(letters.retried)
    assert (ledger.dead_lettered, ledger.requeued) == (len(dead), len(waiting))
    assert len({*dead, *waiting}) == len(dead) + len(waiting)
    everything = {f"id-{number}" for number in range(count)}
    indexed = everything - {*dead, *waiting}
    assert len(indexed) == delivery.indexed + delivery.duplicate == count - len(dead) - len(waiting)
    assert indexed <= sink.stored
    assert sink.sent_again == set()
    assert all(timeout > 0 for timeout in sink.timeouts)
    assert clock.passed_s <= max(0, remaining_s - SETTINGS.reserve_s)


@patient
@given(st.lists(steps, max_size=6), statuses)
def test_an_outage_that_ends_loses_and_doubles_nothing(script: list[Step], after: list[int]) -> None:
    """Promise 5, with the retry queue played by hand: waiting letters are delivered until none is left."""
    sink, letters, clock = FakeSink(*script, answering(*after)), FakeLetters(), FakeClock(10_000)
    ship(batch_of(docs(6)), sink, letters, clock, SMALL)
    waiting = [document for letter in letters.retried for document in deadletter.documents_in(letter)]
    while waiting:
        delivery = deliver(waiting, sink, clock, SMALL)
        letters.bury(deadletter.of_outcomes(delivery.dead, SOURCE, failed_at=""))
        waiting = [outcome.document for outcome in delivery.waiting]
    assert sorted({*sink.stored, *ids_of(letters.buried)}) == [doc(number).id for number in range(6)]
    assert len(ids_of(letters.buried)) == len(set(ids_of(letters.buried)))
