"""Delivery: send, try again, hand on what failed, balance the books. What it talks to is passed in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from shipper import bulk, deadletter
from shipper.bulk import BulkReply
from shipper.model import Batch, DeadLetter, Document, Ledger, Outcome, Rejected, Verdict
from shipper.retry import delay_s
from shipper.settings import Settings


class Unreachable(Exception):
    """No reply came from the domain: refused, reset, timed out. What was written by then is unknown."""


class Sink(Protocol):
    """The domain's `_bulk`."""

    def bulk(self, body: bytes, timeout_s: float) -> BulkReply:
        """Send one bulk request. Raises `Unreachable` where no reply came."""


class Letters(Protocol):
    """The two queues. Both calls raise if not every letter is safe there."""

    def retry(self, letters: Sequence[DeadLetter]) -> None:
        """Queue what could not be taken now."""

    def bury(self, letters: Sequence[DeadLetter]) -> None:
        """Queue what a person has to look at."""


class Clock(Protocol):
    """Time, and the chance in it."""

    def now_ms(self) -> int:
        """Milliseconds since the epoch."""

    def remaining_s(self) -> float:
        """Seconds until the invocation is ended."""

    def sleep(self, seconds: float) -> None:
        """Wait."""

    def jitter(self) -> float:
        """A random number in [0, 1)."""


@dataclass(slots=True)
class Delivery:
    """What became of documents: safe in the index, refused for good, or not taken now."""

    indexed: int = 0
    duplicate: int = 0
    dead: list[Outcome] = field(default_factory=list)
    waiting: list[Outcome] = field(default_factory=list)
    retried: Counter[str] = field(default_factory=Counter)

    def settle(self, outcome: Outcome) -> bool:
        """Note an outcome; False where the document is to be tried again."""
        match outcome.verdict:
            case Verdict.DONE:
                self.indexed += 1
            case Verdict.DUPLICATE:
                self.duplicate += 1
            case Verdict.DEAD:
                self.dead.append(outcome)
            case Verdict.RETRY:
                return False
        return True


def deliver(documents: Sequence[Document], sink: Sink, clock: Clock, settings: Settings) -> Delivery:
    """Send documents until each is settled, or tries or time run out; only what failed is sent again."""
    delivery = Delivery()
    pending = list(documents)
    for tries in range(1, settings.max_tries + 1):
        delivery.waiting = _send(pending, sink, clock, settings, delivery)
        if not delivery.waiting or tries == settings.max_tries:
            break
        pause_s = delay_s(tries, clock.jitter())
        if clock.remaining_s() - pause_s <= settings.reserve_s:
            break
        delivery.retried.update(outcome.reason.type for outcome in delivery.waiting if outcome.reason)
        clock.sleep(pause_s)
        pending = [outcome.document for outcome in delivery.waiting]
    return delivery


def ship(batch: Batch, sink: Sink, letters: Letters, clock: Clock, settings: Settings) -> tuple[Ledger, Delivery]:
    """Deliver a batch; queue what failed. Raises what the queues raise: then Lambda has to try again."""
    delivery = deliver(batch.documents, sink, clock, settings)
    hand_on(delivery, batch, letters, clock)
    ledger = Ledger(
        received=batch.received,
        indexed=delivery.indexed,
        duplicate=delivery.duplicate,
        joined=batch.joined,
        filtered=batch.filtered,
        sampled=batch.sampled,
        requeued=len(delivery.waiting),
        dead_lettered=len(delivery.dead),
    )
    return ledger, delivery


def hand_on(delivery: Delivery, batch: Batch, letters: Letters, clock: Clock) -> None:
    """Queue what failed, refused or waiting, each in its own queue."""
    failed_at = iso(clock.now_ms())
    if delivery.dead:
        letters.bury(deadletter.of_outcomes(delivery.dead, batch.source, failed_at=failed_at))
    if delivery.waiting:
        letters.retry(deadletter.of_outcomes(delivery.waiting, batch.source, failed_at=failed_at))


def bury_event(event: Any, rejected: Rejected, letters: Letters, clock: Clock) -> Ledger:
    """Dead-letter an event that is no payload, whole: how many log events it held nobody can tell, so it is one."""
    letters.bury([deadletter.of_payload(event, rejected.reason, failed_at=iso(clock.now_ms()))])
    return Ledger(received=1, dead_lettered=1)


def iso(moment_ms: int) -> str:
    """ISO 8601 UTC with seconds."""
    return f"{datetime.fromtimestamp(moment_ms // 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _send(
    documents: Sequence[Document], sink: Sink, clock: Clock, settings: Settings, delivery: Delivery
) -> list[Outcome]:
    """Send every document once; returns those to be tried again."""
    again: list[Outcome] = []
    for chunk in bulk.chunks(documents, settings.max_body_bytes):
        again += [outcome for outcome in _request(chunk, sink, clock, settings) if not delivery.settle(outcome)]
    return again


def _request(documents: Sequence[Document], sink: Sink, clock: Clock, settings: Settings) -> list[Outcome]:
    timeout_s = clock.remaining_s() - settings.reserve_s
    if timeout_s <= 0:
        return bulk.unreachable(documents, "the invocation's time ran out before the request was sent")
    try:
        reply = sink.bulk(bulk.encode(documents), timeout_s)
    except Unreachable as error:
        return bulk.unreachable(documents, str(error))
    if not bulk.must_shrink(reply, documents):
        return bulk.outcomes(documents, reply)
    half = len(documents) // 2
    return _request(documents[:half], sink, clock, settings) + _request(documents[half:], sink, clock, settings)
