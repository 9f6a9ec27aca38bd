from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper import deadletter
from shipper.bulk import BulkReply
from shipper.model import Batch, DeadLetter, Document, Ledger, Reason, Rejected
from shipper.ship import Delivery, Denied, Unreachable, bury_event, deliver, ship
from shipper.times import iso
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
    documents_of,
    item,
    lambda_event,
    patient,
    payload_of,
    refusing,
    reply,
    sources_in,
)

DOWN = BulkReply(503, None)
SMALL = SETTINGS.with_values(max_body_bytes=300)
"""Two documents a request."""


def event_of(batch: Batch) -> dict[str, Any]:
    """An invocation's event with the ids of a batch."""
    events = [{"id": document.id, "timestamp": NOW_MS, "message": "x"} for document in batch.documents]
    return lambda_event({**payload_of(), "logEvents": events})


def shipped(batch: Batch, *services: Any) -> tuple[Ledger, Delivery]:
    return ship(batch, event_of(batch), *services)


def ids_of(letters: Sequence[DeadLetter]) -> list[str]:
    return [document.id for document in documents_of(letters)]


def refuse_whole_if(bad: set[str], status: int) -> Step:
    """Refuse a request that holds one of these documents, as a whole."""

    def answer(sink: FakeSink, ids: list[str]) -> BulkReply:
        if bad & set(ids):
            return BulkReply(status, {"error": {"type": "parse_exception", "reason": "no"}, "status": status})
        return accept(sink, ids)

    return answer


def test_what_is_taken_at_once_is_sent_once() -> None:
    sink, letters, clock = FakeSink(), FakeLetters(), FakeClock()
    ledger, delivery = shipped(batch_of(docs(3), joined=2), sink, letters, clock, SETTINGS)
    assert sink.requests == [["id-0", "id-1", "id-2"]]
    assert ledger == Ledger(received=5, indexed=3, joined=2)
    assert (letters.buried, letters.retried, clock.slept, delivery.retried) == ([], [], [], Counter())


def test_nothing_to_send_makes_no_request() -> None:
    sink = FakeSink()
    ledger, _ = shipped(batch_of([]), sink, FakeLetters(), FakeClock(), SETTINGS)
    assert sink.requests == []
    assert ledger == Ledger()


def test_requests_stay_within_the_configured_size() -> None:
    sink = FakeSink()
    shipped(batch_of(docs(5)), sink, FakeLetters(), FakeClock(), SMALL)
    assert [len(ids) for ids in sink.requests] == [2, 2, 1]
    assert max(map(len, sink.bodies)) <= SMALL.max_body_bytes


def test_only_what_failed_is_sent_again() -> None:
    sink, letters = FakeSink(answering(201, 429, 400, 409), reply(400), reply(503), accept), FakeLetters()
    ledger, delivery = shipped(batch_of(docs(4)), sink, letters, FakeClock(), SETTINGS)
    assert sink.requests == [["id-0", "id-1", "id-2", "id-3"], ["id-2"], ["id-1"], ["id-1"]]
    assert ledger == Ledger(received=4, indexed=2, duplicate=1, dead_lettered=1)
    assert ids_of(letters.buried) == ["id-2"]
    assert delivery.retried == {"rejected_execution_exception": 1, "unavailable_shards_exception": 1}


def test_a_lost_reply_is_answered_by_409_the_next_time() -> None:
    """Row 38: the batch was written and the connection broke."""
    sink, letters = FakeSink(accept_then_reset), FakeLetters()
    ledger, _ = shipped(batch_of(docs(2)), sink, letters, FakeClock(), SETTINGS)
    assert ledger == Ledger(received=2, duplicate=2)
    assert letters.retried == []


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(BulkReply(429, None), id="429"),
        pytest.param(BulkReply(502, "<html>"), id="502 of a proxy"),
        pytest.param(BulkReply(503, None), id="503"),
        pytest.param(BulkReply(403, {"error": {"type": "cluster_block_exception"}}), id="disk full"),
        pytest.param(BulkReply(403, {"message": "403 Request throttled due to too many requests"}), id="throttled"),
        pytest.param(BulkReply(500, {"error": {"type": "null_pointer_exception"}}), id="500 of the whole request"),
        pytest.param(BulkReply(200, None), id="200 that is not JSON"),
        pytest.param(reply(201), id="an item too few"),
        pytest.param(Unreachable("refused"), id="unreachable"),
    ],
)
def test_what_stays_away_goes_to_the_retry_queue_once(step: Step) -> None:
    sink, letters = FakeSink(then=step), FakeLetters()
    ledger, _ = shipped(batch_of(docs(2)), sink, letters, FakeClock(), SETTINGS)
    assert len(sink.requests) == SETTINGS.max_tries
    assert ledger == Ledger(received=2, requeued=2)
    assert ids_of(letters.retried) == ["id-0", "id-1"]
    assert (letters.buried, sink.renewed) == ([], 0)


@pytest.mark.parametrize(
    ("step", "took_nothing"),
    [
        pytest.param(accept, False, id="indexed"),
        pytest.param(reply(409, 409), False, id="there already"),
        pytest.param(answering(400, 503), False, id="one refused for good"),
        pytest.param(answering(201, 503), False, id="one indexed"),
        pytest.param(DOWN, True, id="away"),
        pytest.param(reply(429, 429), True, id="busy"),
    ],
)
def test_a_domain_that_settled_no_document_took_nothing(step: Step, took_nothing: bool) -> None:
    once = SETTINGS.with_values(max_tries=1)
    sink = FakeSink(step, then=reply(400))
    assert deliver(docs(2), sink, FakeClock(), once).took_nothing is took_nothing


def test_a_domain_that_was_sent_nothing_did_not_take_nothing() -> None:
    assert not deliver([], FakeSink(then=DOWN), FakeClock(), SETTINGS).took_nothing


def test_the_bytes_of_all_requests_and_the_time_for_them_are_measured() -> None:
    clock = FakeClock()
    sink = FakeSink(reply(201, 503), reply(201), clock=clock, cost_s=0.25)
    _, delivery = shipped(batch_of(docs(2)), sink, FakeLetters(), clock, SETTINGS)
    assert delivery.bodies_bytes == [len(body) for body in sink.bodies]
    # The pause before the second try is none of it.
    assert (len(sink.bodies), delivery.bulk_ms) == (2, 500)


def test_a_clock_that_is_set_back_takes_no_time_away() -> None:
    clock = FakeClock()
    sink = FakeSink(clock=clock, cost_s=-5)
    _, delivery = shipped(batch_of(docs(1)), sink, FakeLetters(), clock, SETTINGS)
    assert delivery.bulk_ms == 0


def test_letters_say_where_from_when_and_why() -> None:
    letters = FakeLetters()
    shipped(batch_of(docs(1)), FakeSink(then=reply(400)), letters, FakeClock(), SETTINGS)
    (letter,) = letters.buried
    assert deadletter.documents_in(letter) == docs(1)
    assert (letter.source, letter.attempts, letter.first_failed_at) == (SOURCE, 1, "2026-11-24T12:00:00Z")
    assert (letter.reason.type, letter.reason.status) == ("mapper_parsing_exception", 400)


@pytest.mark.parametrize("count", [1, 2, 3, 7, 16])
def test_413_halves_down_to_the_document_that_is_too_large(count: int) -> None:
    """Row 26."""
    for big in range(count):
        sink, letters = FakeSink(then=refuse_whole_if({f"id-{big}"}, 413)), FakeLetters()
        ledger, _ = shipped(batch_of(docs(count)), sink, letters, FakeClock(), SETTINGS)
        assert ledger == Ledger(received=count, indexed=count - 1, dead_lettered=1)
        assert ids_of(letters.buried) == [f"id-{big}"]
        assert sink.requests[0] == [f"id-{number}" for number in range(count)]


def test_413_only_halves_what_is_too_much_together() -> None:
    def at_most_two(sink: FakeSink, ids: list[str]) -> BulkReply:
        return BulkReply(413, "") if len(ids) > 2 else accept(sink, ids)

    sink, letters = FakeSink(then=at_most_two), FakeLetters()
    ledger, _ = shipped(batch_of(docs(8)), sink, letters, FakeClock(), SETTINGS)
    assert ledger == Ledger(received=8, indexed=8)
    assert [len(ids) for ids in sink.requests] == [8, 4, 2, 2, 4, 2, 2]


@patient
@given(st.sets(st.integers(0, 19)), st.sampled_from([400, 413]))
def test_a_request_refused_whole_is_bisected_to_the_bad_documents(bad: set[int], status: int) -> None:
    """Row 30: one document must not take its neighbours with it."""
    sink = FakeSink(then=refuse_whole_if({f"id-{number}" for number in bad}, status))
    letters = FakeLetters()
    ledger, _ = shipped(batch_of(docs(20)), sink, letters, FakeClock(), SETTINGS)
    assert ledger == Ledger(received=20, indexed=20 - len(bad), dead_lettered=len(bad))
    assert ids_of(letters.buried) == [f"id-{number}" for number in sorted(bad)]
    assert len(sink.requests) <= 1 + 2 * 5 * len(bad)


def test_halves_that_cannot_be_taken_now_are_tried_again_alone() -> None:
    sink, letters = FakeSink(BulkReply(413, ""), accept, DOWN, accept), FakeLetters()
    ledger, _ = shipped(batch_of(docs(2)), sink, letters, FakeClock(), SETTINGS)
    assert sink.requests == [["id-0", "id-1"], ["id-0"], ["id-1"], ["id-1"]]
    assert ledger == Ledger(received=2, indexed=2)


def test_waits_grow_between_tries() -> None:
    clock = FakeClock(jitter=0.5)
    deliver(docs(1), FakeSink(then=DOWN), clock, SETTINGS)
    assert clock.slept == pytest.approx([0.1, 0.2, 0.4])


@pytest.mark.parametrize("remaining_s", [0, 1, 5])
def test_without_time_nothing_is_sent_and_nothing_lost(remaining_s: float) -> None:
    sink, letters = FakeSink(), FakeLetters()
    ledger, _ = shipped(batch_of(docs(2)), sink, letters, FakeClock(remaining_s), SETTINGS)
    assert sink.requests == []
    assert ledger == Ledger(received=2, requeued=2)
    assert ids_of(letters.retried) == ["id-0", "id-1"]


def test_the_reserve_is_kept_for_the_queues() -> None:
    """Row 39: a slow domain must not eat the time in which the letters are written."""
    clock = FakeClock(60)
    sink, letters = FakeSink(then=DOWN, clock=clock, cost_s=20), FakeLetters()
    ledger, _ = shipped(batch_of(docs(6)), sink, letters, clock, SMALL)
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
        shipped(batch_of(docs(1)), FakeSink(then=step), letters, FakeClock(), SETTINGS)


def test_a_fault_of_our_own_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        shipped(batch_of(docs(1)), FakeSink(ZeroDivisionError()), FakeLetters(), FakeClock(), SETTINGS)


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


def test_what_is_refused_for_its_fields_is_indexed_without_them_at_once() -> None:
    """Promise 4: those of a request together, and nothing waits for the next try."""
    sink, letters, clock = FakeSink(then=refusing("id-1", "id-3", rescue=201)), FakeLetters(), FakeClock()
    ledger, delivery = shipped(batch_of(docs(4)), sink, letters, clock, SETTINGS)
    assert sink.requests == [["id-0", "id-1", "id-2", "id-3"], ["id-1", "id-3"]]
    assert ledger == Ledger(received=4, indexed=4)
    assert (delivery.rescued, delivery.retried, clock.slept) == (2, Counter(), [])
    assert (letters.buried, letters.retried) == ([], [])
    for source in sources_in(sink.bodies[1]):
        assert source["@unmapped"] == "{}"
        assert source["@shipper"]["error"]["type"] == "mapper_parsing_exception"


REFUSED_AGAIN = [
    pytest.param(reply(400), id="for its fields again"),
    pytest.param(BulkReply(200, {"items": [item(400, "some_exception")]}), id="for another reason"),
    pytest.param(BulkReply(400, {"error": {"type": "illegal_argument_exception"}}), id="whole"),
    pytest.param(BulkReply(413, None), id="as too large"),
]


@pytest.mark.parametrize("step", REFUSED_AGAIN)
def test_what_is_refused_without_its_fields_is_dead_as_it_was(step: Step) -> None:
    sink, letters = FakeSink(reply(201, 400), step, then=AssertionError("sent again")), FakeLetters()
    ledger, delivery = shipped(batch_of(docs(2)), sink, letters, FakeClock(), SETTINGS)
    assert ledger == Ledger(received=2, indexed=1, dead_lettered=1)
    (letter,) = letters.buried
    assert deadletter.documents_in(letter) == [doc(1)]
    assert (letter.reason.type, letter.reason.status) == ("mapper_parsing_exception", 400)
    assert (delivery.rescued, letters.retried) == (0, [])


NOT_NOW = [
    pytest.param(reply(429), "rejected_execution_exception", id="429"),
    pytest.param(BulkReply(503, None), "http_503", id="503"),
    pytest.param(BulkReply(401, None), "http_401", id="denied"),
    pytest.param(BulkReply(200, None), "unreadable_reply", id="200 that is not JSON"),
    pytest.param(Unreachable("reset"), "unreachable", id="unreachable"),
]


@pytest.mark.parametrize(("step", "reason_type"), NOT_NOW)
def test_what_cannot_be_rescued_now_waits_as_it_was(step: Step, reason_type: str) -> None:
    sink, letters = FakeSink(reply(201, 400), step), FakeLetters()
    once = SETTINGS.with_values(max_tries=1)
    ledger, delivery = shipped(batch_of(docs(2)), sink, letters, FakeClock(), once)
    assert ledger == Ledger(received=2, indexed=1, requeued=1)
    (letter,) = letters.retried
    assert deadletter.documents_in(letter) == [doc(1)]
    assert letter.reason.type == reason_type
    assert (delivery.rescued, letters.buried) == (0, [])


def test_what_waits_for_its_rescue_is_tried_again_with_its_fields() -> None:
    """They may fit by then."""
    sink = FakeSink(reply(400), DOWN, accept)
    ledger, delivery = shipped(batch_of(docs(1)), sink, FakeLetters(), FakeClock(), SETTINGS)
    assert ["@unmapped" in sources_in(body)[0] for body in sink.bodies] == [False, True, False]
    assert ledger == Ledger(received=1, indexed=1)
    assert delivery.rescued == 0


@pytest.mark.parametrize(
    ("then", "requests", "rescued"), [(reply(409), 3, 0), (refusing("id-0", rescue=409), 4, 1)], ids=["409", "400, 409"]
)
def test_a_rescue_whose_reply_was_lost_is_safe(then: Step, requests: int, rescued: int) -> None:
    sink, letters = FakeSink(reply(400), accept_then_reset, then=then), FakeLetters()
    ledger, delivery = shipped(batch_of(docs(1)), sink, letters, FakeClock(), SETTINGS)
    assert ledger == Ledger(received=1, duplicate=1)
    assert (len(sink.requests), delivery.rescued) == (requests, rescued)
    assert (letters.buried, letters.retried) == ([], [])


def test_no_rescue_reaches_into_the_reserve() -> None:
    clock = FakeClock(60)
    sink, letters = FakeSink(then=reply(201, 400), clock=clock, cost_s=55), FakeLetters()
    ledger, _ = shipped(batch_of(docs(2)), sink, letters, clock, SETTINGS)
    assert len(sink.requests) == 1
    assert ledger == Ledger(received=2, indexed=1, requeued=1)
    assert documents_of(letters.retried) == [doc(1)]


DENIED: list[Any] = [
    pytest.param(BulkReply(401, {"message": "Unauthorized"}), "http_401: Unauthorized", id="401"),
    pytest.param(BulkReply(403, None), "http_403", id="403"),
    pytest.param(BulkReply(403, {"error": {"type": "security_exception"}}), "security_exception", id="403 of the node"),
    pytest.param(BulkReply(302, None), "http_302", id="redirect"),
    pytest.param(BulkReply(200, {"items": [item(403, "security_exception")] * 2}), "security_exception", id="items"),
]


@pytest.mark.parametrize(("step", "said"), DENIED)
def test_who_is_denied_takes_new_credentials_and_is_let_in(step: Step, said: str) -> None:
    """Row 25."""
    sink, letters, clock = FakeSink(step), FakeLetters(), FakeClock()
    ledger, delivery = shipped(batch_of(docs(2)), sink, letters, clock, SETTINGS)
    assert sink.requests == [["id-0", "id-1"]] * 2
    assert sink.renewed == 1
    assert ledger == Ledger(received=2, indexed=2)
    assert (clock.slept, delivery.retried) == ([], Counter())


@pytest.mark.parametrize(("step", "said"), DENIED)
def test_who_is_denied_twice_raises_and_queues_nothing(step: Step, said: str) -> None:
    """Row 36, too: one event in Lambda's hands is better than thousands of letters."""
    sink, letters = FakeSink(then=step), FakeLetters()
    with pytest.raises(Denied, match=f"^{said}"):
        shipped(batch_of(docs(2)), sink, letters, FakeClock(), SETTINGS)
    assert (len(sink.requests), sink.renewed) == (2, 1)
    assert (letters.buried, letters.retried) == ([], [])


SOME_DENIED = BulkReply(200, {"items": [item(201), item(400, "t"), item(403, "security_exception"), item(503, "t")]})


def test_of_a_request_denied_in_part_only_that_is_sent_again() -> None:
    sink, letters = FakeSink(SOME_DENIED, accept, accept), FakeLetters()
    ledger, _ = shipped(batch_of(docs(4)), sink, letters, FakeClock(), SETTINGS)
    assert sink.requests[1:] == [["id-2"], ["id-3"]]
    assert ledger == Ledger(received=4, indexed=3, dead_lettered=1)
    assert sink.renewed == 1


def test_a_request_denied_in_part_twice_raises_and_queues_nothing() -> None:
    """What was refused and what waits comes again with the whole event."""
    sink, letters = FakeSink(SOME_DENIED, BulkReply(401, None)), FakeLetters()
    with pytest.raises(Denied, match="http_401"):
        shipped(batch_of(docs(4)), sink, letters, FakeClock(), SETTINGS)
    assert sink.requests[1:] == [["id-2"]]
    assert (letters.buried, letters.retried) == ([], [])


def test_what_is_refused_for_its_fields_after_a_denial_is_rescued() -> None:
    sink = FakeSink(BulkReply(401, None), then=refusing("id-0", rescue=201))
    ledger, delivery = shipped(batch_of(docs(2)), sink, FakeLetters(), FakeClock(), SETTINGS)
    assert sink.requests[1:] == [["id-0", "id-1"], ["id-0"]]
    assert (ledger, delivery.rescued) == (Ledger(received=2, indexed=2), 1)


def asks_for(*seconds: float) -> list[BulkReply]:
    return [BulkReply(429, None, pause_s) for pause_s in seconds]


@pytest.mark.parametrize(
    ("script", "slept"),
    [
        pytest.param(asks_for(7), [7], id="longer than the back-off"),
        pytest.param(asks_for(0.01), [0.1], id="shorter than the back-off"),
        pytest.param(asks_for(7, 0), [7, 0.2], id="not asked for the next time"),
        pytest.param([BulkReply(413, None), *asks_for(3, 9)], [9], id="the longest of a try"),
        pytest.param([reply(400, 400), *asks_for(3)], [3], id="of a rescue"),
        pytest.param(asks_for(54), [54], id="just in time"),
    ],
)
def test_the_wait_that_a_reply_asks_for_is_kept(script: list[Step], slept: list[float]) -> None:
    """Row 23."""
    clock = FakeClock(60, jitter=0.5)
    delivery = deliver(docs(2), FakeSink(*script), clock, SETTINGS)
    assert clock.slept == pytest.approx(slept)
    assert delivery.indexed == 2


@pytest.mark.parametrize("pause_s", [55, 61, 900])
def test_who_is_to_wait_longer_than_there_is_time_hands_on_at_once(pause_s: float) -> None:
    sink, letters, clock = FakeSink(*asks_for(pause_s)), FakeLetters(), FakeClock(60)
    ledger, _ = shipped(batch_of(docs(2)), sink, letters, clock, SETTINGS)
    assert (len(sink.requests), clock.slept) == (1, [])
    assert ledger == Ledger(received=2, requeued=2)


def test_a_batch_of_which_nothing_was_taken_is_one_letter_with_the_event() -> None:
    """Rows 24, 31 and 37."""
    letters, batch = FakeLetters(), batch_of(docs(5), joined=2)
    ledger, _ = shipped(batch, FakeSink(then=DOWN), letters, FakeClock(), SMALL)
    assert ledger == Ledger(received=7, joined=2, requeued=5)
    (letter,) = letters.retried
    assert (letter.kind, letter.count, letter.source) == ("payload", 5, SOURCE)
    assert (letter.first_event_at, letter.last_event_at) == (doc(0).timestamp, doc(4).timestamp)
    assert (letter.reason.type, letter.first_failed_at, letter.attempts) == ("http_503", "2026-11-24T12:00:00Z", 1)
    assert json.loads(letter.body) == event_of(batch)


@pytest.mark.parametrize("status", [201, 409, 400], ids=["indexed", "there already", "refused"])
def test_a_batch_of_which_anything_is_settled_waits_as_documents(status: int) -> None:
    letters = FakeLetters()
    sink = FakeSink(reply(status, 503), *([reply(400)] if status == 400 else []), then=DOWN)
    ledger, _ = shipped(batch_of(docs(2)), sink, letters, FakeClock(), SETTINGS)
    (letter,) = letters.retried
    assert (letter.kind, deadletter.documents_in(letter)) == ("documents", [doc(1)])
    assert (ledger.requeued, ledger.received) == (1, 2)


IN_FLIGHT = SMALL.with_values(max_in_flight=3)


class Together(FakeSink):
    """Answers only when `parties` requests are under way, and notes the most that ever were."""

    def __init__(self, parties: int, then: Step = accept) -> None:
        super().__init__(then=then)
        self.most = 0
        self._under_way = 0
        self._lock = threading.Lock()
        self._barrier = threading.Barrier(parties)

    def bulk(self, body: bytes, timeout_s: float) -> BulkReply:
        with self._lock:
            self._under_way += 1
            self.most = max(self.most, self._under_way)
        self._barrier.wait(timeout=10)
        time.sleep(0.02)  # for those to come that should not
        with self._lock:
            self._under_way -= 1
            return super().bulk(body, timeout_s)


def test_so_many_requests_are_under_way_at_once_and_no_more() -> None:
    sink = Together(3)
    ledger, _ = shipped(batch_of(docs(12)), sink, FakeLetters(), FakeClock(), IN_FLIGHT)
    assert ledger == Ledger(received=12, indexed=12)
    assert (len(sink.requests), sink.most) == (6, 3)


def test_outcomes_stay_in_order_however_the_replies_come() -> None:
    class Backwards(FakeSink):
        """Answers the last request first."""

        def bulk(self, body: bytes, timeout_s: float) -> BulkReply:
            number = int(sources_in(body)[0]["@id"].removeprefix("id-")) // 2
            assert answered[number + 1].wait(timeout=10)
            reply_ = super().bulk(body, timeout_s)
            answered[number].set()
            return reply_

    answered = [threading.Event() for _ in range(4)]
    answered[3].set()
    sink = Backwards(then=DOWN)
    delivery = deliver(docs(6), sink, FakeClock(), IN_FLIGHT.with_values(max_tries=1))
    assert [ids[0] for ids in sink.requests] == ["id-4", "id-2", "id-0"]
    assert [outcome.document.id for outcome in delivery.waiting] == [document.id for document in docs(6)]


def test_of_requests_that_fail_together_each_ends_as_it_must() -> None:
    def answer(sink: FakeSink, ids: list[str]) -> BulkReply:
        if "id-0" in ids:
            raise Unreachable("reset")
        return BulkReply(429, None, 7) if "id-2" in ids else accept(sink, ids)

    sink, clock, letters = Together(3, then=answer), FakeClock(), FakeLetters()
    ledger, delivery = shipped(batch_of(docs(6)), sink, letters, clock, IN_FLIGHT.with_values(max_tries=1))
    assert ledger == Ledger(received=6, indexed=2, requeued=4)
    assert [outcome.reason.type for outcome in delivery.waiting if outcome.reason] == ["unreachable"] * 2 + [
        "http_429"
    ] * 2
    assert delivery.pauses_s == [7]


@pytest.mark.parametrize(
    ("step", "raised"),
    [(ZeroDivisionError(), ZeroDivisionError), (BulkReply(403, None), Denied)],
    ids=["own", "denied"],
)
def test_a_fault_of_one_of_many_requests_is_raised(step: Step, raised: type[Exception]) -> None:
    letters = FakeLetters()
    with pytest.raises(raised):
        shipped(batch_of(docs(6)), FakeSink(then=step), letters, FakeClock(), IN_FLIGHT)
    assert (letters.buried, letters.retried) == ([], [])


def deny_the_first(sink: FakeSink, ids: list[str]) -> BulkReply:
    """Refuse the first document for want of rights, and take the others."""
    taken = accept(sink, ids[1:]).body["items"]
    return BulkReply(200, {"items": [item(403, "security_exception"), *taken]})


statuses = st.lists(st.sampled_from([201, 400, 404, 409, 429, 503]), min_size=1, max_size=5)
WHOLE = [400, 401, 403, 404, 413, 429, 500, 502, 503, 504, 302]
steps = st.one_of(
    st.just(accept),
    st.just(accept_then_reset),
    statuses.map(lambda chosen: answering(*chosen)),
    st.sets(st.integers(0, 7).map("id-{}".format)).map(lambda bad: refusing(*bad, rescue=201)),
    st.builds(BulkReply, st.sampled_from(WHOLE), st.none(), st.sampled_from([0.0, 0.0, 2.5])),
    st.sampled_from([None, "<html>", [], {}, {"items": []}, {"items": [{}]}]).map(lambda b: BulkReply(200, b)),
    st.just(deny_the_first),
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
            for id_, source, entry in zip(ids, sources_in(body), items, strict=True):
                status = entry.get("create", {}).get("status")
                if status in (201, 409) or (status == 400 and "@unmapped" in source):
                    self.settled.add(id_)
        return answer


@hypothesis.settings(patient, max_examples=400)
@given(st.integers(0, 8), st.lists(steps, max_size=12), steps, st.integers(100, 1_000), st.floats(0, 30))
def test_every_document_ends_in_exactly_one_place(
    count: int, script: list[Step], then: Step, max_body_bytes: int, remaining_s: float
) -> None:
    sink, letters, clock = Watched(*script, then=then), FakeLetters(), FakeClock(remaining_s)
    changed = SETTINGS.with_values(max_body_bytes=max_body_bytes)
    joined = 3 if count else 0
    batch = batch_of(docs(count), joined=joined)
    try:
        ledger, delivery = shipped(batch, sink, letters, clock, changed)
    except Denied:
        assert sink.renewed
        assert (letters.buried, letters.retried) == ([], [])
        return

    ledger.assert_balanced()
    assert ledger.received == count + joined
    dead, waiting = ids_of(letters.buried), ids_of(letters.retried)
    assert (ledger.dead_lettered, ledger.requeued) == (len(dead), len(waiting))
    assert len({*dead, *waiting}) == len(dead) + len(waiting)
    everything = {f"id-{number}" for number in range(count)}
    indexed = everything - {*dead, *waiting}
    assert len(indexed) == delivery.indexed + delivery.duplicate == count - len(dead) - len(waiting)
    assert indexed <= sink.stored
    assert delivery.rescued <= len(indexed)
    assert sink.sent_again == set()
    assert all(timeout > 0 for timeout in sink.timeouts)
    assert clock.passed_s <= max(0, remaining_s - SETTINGS.reserve_s)
    as_made = {document.id: document.source for document in batch.documents}
    as_documents = [letter for letter in letters.buried + letters.retried if letter.kind == "documents"]
    assert all(document.source == as_made[document.id] for document in documents_of(as_documents))


@patient
@given(st.lists(steps, max_size=6), statuses)
def test_an_outage_that_ends_loses_and_doubles_nothing(script: list[Step], after: list[int]) -> None:
    """Promise 5, with Lambda and the retry queue played by hand: all is tried until nothing waits."""
    sink, letters, clock = FakeSink(*script, answering(*after)), FakeLetters(), FakeClock(10_000)
    waiting: list[Document] | None = None
    while waiting is None or waiting:
        try:
            if waiting is None:
                shipped(batch_of(docs(6)), sink, letters, clock, SMALL)
                waiting = documents_of(letters.retried)
                continue
            delivery = deliver(waiting, sink, clock, SMALL)
        except Denied:
            continue
        letters.bury(deadletter.of_outcomes(delivery.dead, SOURCE, failed_at=""))
        waiting = [outcome.document for outcome in delivery.waiting]
    assert {*sink.stored, *ids_of(letters.buried)} == {doc(number).id for number in range(6)}
    assert len(ids_of(letters.buried)) == len(set(ids_of(letters.buried)))
