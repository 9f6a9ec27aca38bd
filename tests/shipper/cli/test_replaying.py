from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from shipper import deadletter
from shipper.aws.queue import QueueFailed
from shipper.bulk import BulkReply
from shipper.cli import replaying
from shipper.cli.filters import EVERYTHING, Filter
from shipper.cli.reading import reading
from shipper.cli.replaying import Totals, Work, run
from shipper.model import Ledger, Reason
from shipper.repair import NO_REPAIR, Repair
from tests.shipper.cli.conftest import ids_waiting, put, visible
from tests.shipper.fakes import (
    SETTINGS,
    FakeSink,
    LocalAws,
    accept,
    accept_then_reset,
    deployment_on,
    lambda_event,
    payload_of,
    refusing,
    reply,
    sources_in,
)


@pytest.fixture(autouse=True)
def no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shipper.aws.clock.time.sleep", lambda _: None)


def replayed(
    aws: LocalAws,
    sink: FakeSink,
    chosen: Filter = EVERYTHING,
    *,
    limit: int = 0,
    directly: bool = True,
    repair: Repair = NO_REPAIR,
) -> Totals:
    found = deployment_on(aws, sink)
    with reading(found.inbox, hide_s=60) as one:
        return run(Work(found, repair, directly, 60), chosen, one, limit=limit, rate=0)


def test_many_letters_take_few_requests(aws: LocalAws) -> None:
    for number in range(30):
        put(aws, number)
    sink = FakeSink()
    total = replayed(aws, sink)
    assert (total.letters, total.documents, total.ledger) == (30, 30, Ledger(received=30, indexed=30))
    assert len(sink.requests) == 3
    assert aws.bodies_in(aws.dead_url) == []


def test_a_large_queue_is_replayed_by_several_workers_each_document_once(aws: LocalAws) -> None:
    for number in range(90):
        put(aws, number)
    sent: Counter[str] = Counter()
    together, arrivals = threading.Barrier(2), count()

    def accept_two_at_a_time(sink: FakeSink, ids: list[str]) -> BulkReply:
        if next(arrivals) < 2:
            together.wait(timeout=30)
        sent.update(ids)
        return accept(sink, ids)

    total = replayed(aws, FakeSink(then=accept_two_at_a_time))
    assert (total.letters, total.left, len(sent), max(sent.values())) == (90, 0, 90, 1)
    assert aws.bodies_in(aws.dead_url) == []


@pytest.mark.parametrize(("limit", "sent"), [(0, 25), (1, 1), (10, 10), (12, 12), (99, 25)])
def test_no_more_than_the_limit_is_sent_and_the_rest_is_visible(aws: LocalAws, limit: int, sent: int) -> None:
    for number in range(25):
        put(aws, number)
    sink = FakeSink()
    assert replayed(aws, sink, limit=limit).letters == sent
    assert (len(sink.stored), visible(aws)) == (sent, 25 - sent)


def test_what_is_refused_again_is_not_taken_again_in_the_same_run(aws: LocalAws) -> None:
    ids = [f"id-{number}" for number in range(25)]
    for number in range(25):
        put(aws, number)
    sink = FakeSink(then=refusing(*ids))
    total = replayed(aws, sink)
    assert (total.letters, total.ledger.dead_lettered) == (25, 25)
    assert len(sink.requests) == 6  # three runs, each once more without its fields
    assert ids_waiting(aws) == sorted(ids)


def test_two_operators_whose_letters_are_refused_do_not_play_them_to_each_other(aws: LocalAws) -> None:
    """Neither run takes what the other puts back, or both would go on for ever."""
    for number in range(20):
        put(aws, number)
    found = deployment_on(aws, FakeSink(then=refusing(*(f"id-{number}" for number in range(20)))))
    work = Work(found, NO_REPAIR, True, 60)
    with reading(found.inbox, hide_s=60) as first, reading(found.inbox, hide_s=60) as second:
        one = run(work, EVERYTHING, first, limit=10, rate=0)
        other = run(work, EVERYTHING, second, limit=0, rate=0)
    assert one.letters + other.letters == 20
    assert len(ids_waiting(aws)) == 20


def test_a_domain_that_took_nothing_is_not_asked_for_the_others(aws: LocalAws) -> None:
    for number in range(30):
        put(aws, number)
    sink = FakeSink(then=BulkReply(503))
    total = replayed(aws, sink)
    assert (total.is_away, total.letters, total.left) == (True, 10, 10)
    assert len(sink.requests) == 2
    assert visible(aws) == 30


def test_a_letter_that_is_taken_in_part_stays_and_the_run_goes_on(aws: LocalAws) -> None:
    put(aws, 0, 1)
    for number in range(2, 15):
        put(aws, number)

    def busy_with_the_first(sink: FakeSink, ids: list[str]) -> BulkReply:
        sink.stored |= set(ids) - {"id-1"}
        return reply(*(429 if id_ == "id-1" else 201 for id_ in ids))

    sink = FakeSink(then=busy_with_the_first)
    total = replayed(aws, sink)
    assert (total.letters, total.left, total.waiting) == (14, 1, "rejected_execution_exception")
    assert len(sink.stored) == 14
    assert ids_waiting(aws) == ["id-0", "id-1"]


def test_a_reply_that_is_lost_makes_no_double(aws: LocalAws) -> None:
    put(aws, 1)
    sink = FakeSink(accept_then_reset)
    assert replayed(aws, sink).ledger == Ledger(received=1, duplicate=1)


@pytest.mark.parametrize("repair", [NO_REPAIR, Repair(drop=("@fields",))], ids=["as they are", "repaired"])
def test_by_the_function_letters_go_to_the_retry_queue_and_then_from_here(aws: LocalAws, repair: Repair) -> None:
    for number in range(12):
        put(aws, number)
    total = replayed(aws, FakeSink(AssertionError("nothing may be sent")), directly=False, repair=repair)
    assert (total.moved, total.documents, total.left) == (12, 12, 0)
    assert aws.bodies_in(aws.dead_url) == []
    letters = [deadletter.unpack(body) for body in aws.bodies_in(aws.retry_url)]
    assert {document.id for letter in letters for document in deadletter.documents_in(letter)} == {
        f"id-{number}" for number in range(12)
    }


def test_by_the_function_a_letter_is_deleted_only_when_it_is_safe_in_the_retry_queue(
    aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(aws, 1)

    def down(*_: Any) -> None:
        raise QueueFailed("no retry queue")

    monkeypatch.setattr("shipper.aws.queue.SqsLetters.retry", down)
    total = replayed(aws, FakeSink(), directly=False)
    assert (total.failure, total.moved, total.left) == ("no retry queue", 0, 1)
    assert ids_waiting(aws) == ["id-1"]


def test_by_the_function_what_cannot_be_read_stays(aws: LocalAws) -> None:
    aws.sqs.send_message(QueueUrl=aws.dead_url, MessageBody="rubbish")
    put(aws, 1, reason=Reason("unreachable", "m"))
    total = replayed(aws, FakeSink(), directly=False, repair=Repair(index="cwl-late"))
    assert (total.moved, total.left, len(total.errors)) == (0, 2, 2)
    assert visible(aws) == 2


def test_errors_are_kept_in_a_bounded_number(aws: LocalAws) -> None:
    for _ in range(30):
        aws.sqs.send_message(QueueUrl=aws.dead_url, MessageBody="rubbish")
    total = replayed(aws, FakeSink())
    assert (total.left, len(total.errors)) == (30, 20)


def test_letters_with_large_bodies_are_sent_a_few_at_a_time(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaying, "_MAX_BODIES_BYTES", 1_000)
    for number in range(10):
        put(aws, number, text="x" * 400)
    sink = FakeSink()
    replayed(aws, sink)
    assert [len(ids) for ids in sink.requests] == [2] * 5


def test_an_average_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s, slept = [100.0], []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now_s[0] += seconds

    monkeypatch.setattr(time, "monotonic", lambda: now_s[0])
    pace = replaying._Pace(10, sleep)
    pace.wait(50)
    now_s[0] += 1
    pace.wait(60)
    now_s[0] += 60
    pace.wait(70)
    assert slept == [5, 0, 0]


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Ctrl-C comes while the run waits for its pace."""
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        raise KeyboardInterrupt

    monkeypatch.setattr(replaying._Pace.__init__, "__defaults__", (sleep,))
    return slept


def test_a_slow_replay_can_be_stopped(aws: LocalAws, interrupted: list[float]) -> None:
    for number in range(30):
        put(aws, number)
    found = deployment_on(aws, FakeSink())
    with reading(found.inbox, hide_s=60, lanes=1) as one:
        total = run(Work(found, NO_REPAIR, True, 60), EVERYTHING, one, limit=0, rate=1)
    assert (total.interrupted, total.letters) == (True, 10)
    assert interrupted[0] > 9
    assert visible(aws) == 20


def test_a_payload_becomes_what_the_function_makes_of_it(aws: LocalAws) -> None:
    event = deadletter.of_payload(lambda_event(payload_of('{"log":"one"}')), Reason("timeout", "m"), failed_at="2026")
    aws.sqs.send_message(QueueUrl=aws.dead_url, MessageBody=deadletter.pack(event))
    sink = FakeSink()
    found = replace(deployment_on(aws, sink), deployed=lambda: replace(SETTINGS, message="raw"))
    with reading(found.inbox, hide_s=60) as one:
        run(Work(found, NO_REPAIR, True, 60), EVERYTHING, one, limit=0, rate=0)
    assert [source["@message"] for source in sources_in(sink.bodies[0])] == ['{"log":"one"}']
