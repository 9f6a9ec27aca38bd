"""Delivery: send, try again, hand on what failed, balance the books. What it talks to is passed in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

from shipper import bulk, deadletter
from shipper.bulk import BulkReply
from shipper.model import Batch, DeadLetter, Document, Ledger, Outcome, Reason, Rejected, Verdict
from shipper.rescue import rescued
from shipper.retry import delay_s
from shipper.settings import Settings
from shipper.times import iso


class Unreachable(Exception):
    """No reply came from the domain: refused, reset, timed out. What was written by then is unknown."""


class Denied(Exception):
    """The domain does not let this identity write, or is not where the endpoint says: an operator has to look."""


class Sink(Protocol):
    """The domain's `_bulk`; several requests may be under way at once."""

    def bulk(self, body: bytes, timeout_s: float) -> BulkReply:
        """Send one bulk request. Raises `Unreachable` where no reply came."""

    def renew(self) -> None:
        """Take new credentials and a new connection for the next request."""


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
    """What became of documents: safe in the index, refused for good, or not taken now.

    `rescued` are those in the index whose fields were moved aside; `retried` counts tries by the error's type;
    `pauses_s` are the waits that the replies of this try ask for. `bodies_bytes` has the size of each request's body
    before compression, `bulk_ms` is the time in which requests were under way.
    """

    indexed: int = 0
    duplicate: int = 0
    rescued: int = 0
    dead: list[Outcome] = field(default_factory=list)
    waiting: list[Outcome] = field(default_factory=list)
    retried: Counter[str] = field(default_factory=Counter)
    pauses_s: list[float] = field(default_factory=list)
    bodies_bytes: list[int] = field(default_factory=list)
    bulk_ms: int = 0

    @property
    def took_nothing(self) -> bool:
        """Whether there were documents, and the domain settled none of them."""
        return bool(self.waiting) and not (self.indexed or self.duplicate or self.dead)

    def settle(self, outcomes: Iterable[Outcome]) -> list[Outcome]:
        """Note the outcomes that are final; returns the others."""
        others = []
        for outcome in outcomes:
            match outcome.verdict:
                case Verdict.DONE:
                    self.indexed += 1
                case Verdict.DUPLICATE:
                    self.duplicate += 1
                case Verdict.DEAD:
                    self.dead.append(outcome)
                case _:
                    others.append(outcome)
        return others


def deliver(documents: Sequence[Document], sink: Sink, clock: Clock, settings: Settings) -> Delivery:
    """Send documents until each is settled, or tries or time run out; only what failed is sent again.

    Raises `Denied`.
    """
    delivery = Delivery()
    sender = _Sender(sink, clock, settings, delivery)
    delivery.waiting = sender.send(documents)
    for tries in range(1, settings.max_tries):
        if not delivery.waiting:
            break
        pause_s = max([delay_s(tries, clock.jitter()), *delivery.pauses_s])
        if clock.remaining_s() - pause_s <= settings.reserve_s:
            break
        delivery.retried.update(outcome.reason.type for outcome in delivery.waiting if outcome.reason)
        clock.sleep(pause_s)
        delivery.pauses_s.clear()
        delivery.waiting = sender.send([outcome.document for outcome in delivery.waiting])
    return delivery


def ship(
    batch: Batch, event: Any, sink: Sink, letters: Letters, clock: Clock, settings: Settings
) -> tuple[Ledger, Delivery]:
    """Deliver a batch; queue what failed. `event` is the invocation's, as received.

    Raises `Denied`, and what the queues raise: then Lambda has to try again.
    """
    delivery = deliver(batch.documents, sink, clock, settings)
    hand_on(delivery, batch, event, letters, clock)
    return ledger_of([batch], delivery), delivery


def ledger_of(batches: Sequence[Batch], delivery: Delivery, kept: int = 0) -> Ledger:
    """What became of batches that were delivered together; `kept` documents were refused, but are to be sent again."""
    return Ledger(
        received=sum(batch.received for batch in batches),
        indexed=delivery.indexed,
        duplicate=delivery.duplicate,
        joined=sum(batch.joined for batch in batches),
        filtered=sum(batch.filtered for batch in batches),
        sampled=sum(batch.sampled for batch in batches),
        requeued=len(delivery.waiting) + kept,
        dead_lettered=len(delivery.dead) - kept,
    )


def hand_on(delivery: Delivery, batch: Batch, event: Any, letters: Letters, clock: Clock) -> None:
    """Queue what failed, refused or waiting, each in its own queue."""
    failed_at = iso(clock.now_ms())
    if delivery.dead:
        letters.bury(deadletter.of_outcomes(delivery.dead, batch.source, failed_at=failed_at))
    if not delivery.waiting:
        return
    if len(delivery.waiting) == len(batch.documents):
        # Nothing at all was written: the event itself is smaller than all its documents, and one letter.
        letters.retry([deadletter.of_batch(event, batch, _reason_of(delivery.waiting[0]), failed_at=failed_at)])
    else:
        letters.retry(deadletter.of_outcomes(delivery.waiting, batch.source, failed_at=failed_at))


def _reason_of(outcome: Outcome) -> Reason:
    return outcome.reason or Reason("unknown", "no reason was given")


def bury_event(event: Any, rejected: Rejected, letters: Letters, clock: Clock) -> Ledger:
    """Dead-letter an event that is no payload, whole: how many log events it held nobody can tell, so it is one."""
    letters.bury([deadletter.of_payload(event, rejected.reason, failed_at=iso(clock.now_ms()))])
    return Ledger(received=1, dead_lettered=1)


@dataclass(frozen=True, slots=True)
class _Sender:
    """Sends documents, and notes in `delivery` what became of them."""

    sink: Sink
    clock: Clock
    settings: Settings
    delivery: Delivery

    def send(self, documents: Sequence[Document]) -> list[Outcome]:
        """Send every document once, what was refused for its fields a second time without them.

        Returns the outcomes of those to be tried again. Raises `Denied`.
        """
        open_ = self.delivery.settle(self._requests(documents))
        if denied := [outcome for outcome in open_ if outcome.verdict is Verdict.RAISE]:
            self.sink.renew()
            open_ = [outcome for outcome in open_ if outcome.verdict is not Verdict.RAISE]
            open_ += self.delivery.settle(self._requests([outcome.document for outcome in denied]))
        for outcome in open_:
            if outcome.verdict is Verdict.RAISE:
                reason = _reason_of(outcome)
                raise Denied(f"{reason.type}: {reason.message}")
        refused = [outcome for outcome in open_ if outcome.verdict is Verdict.RESCUE]
        waiting = [outcome for outcome in open_ if outcome.verdict is Verdict.RETRY]
        return waiting + self._rescue(refused)

    def _rescue(self, refused: Sequence[Outcome]) -> list[Outcome]:
        """Send refused documents without their fields; returns those to be tried again, as they were."""
        outcomes = self._requests([rescued(outcome.document, _reason_of(outcome)) for outcome in refused])
        waiting = []
        for before, after in zip(refused, outcomes, strict=True):
            match after.verdict:
                case Verdict.DONE | Verdict.DUPLICATE:
                    self.delivery.settle([after])
                    self.delivery.rescued += 1
                case Verdict.RETRY | Verdict.RAISE:
                    waiting.append(Outcome(before.document, Verdict.RETRY, after.reason))
                case _:
                    self.delivery.dead.append(Outcome(before.document, Verdict.DEAD, before.reason))
        return waiting

    def _requests(self, documents: Sequence[Document]) -> list[Outcome]:
        """One outcome for each document, in order; up to `max_in_flight` requests are under way at once."""
        chunks = list(bulk.chunks(documents, self.settings.max_body_bytes))
        began_ms = self.clock.now_ms()
        if len(chunks) < 2 or self.settings.max_in_flight < 2:
            outcomes = [outcome for chunk in chunks for outcome in self._request(chunk)]
        else:
            with ThreadPoolExecutor(self.settings.max_in_flight) as pool:
                outcomes = [outcome for of_chunk in pool.map(self._request, chunks) for outcome in of_chunk]
        self.delivery.bulk_ms += max(0, self.clock.now_ms() - began_ms)
        return outcomes

    def _request(self, documents: Sequence[Document]) -> list[Outcome]:
        timeout_s = self.clock.remaining_s() - self.settings.reserve_s
        if timeout_s <= 0:
            return bulk.unreachable(documents, "the invocation's time ran out before the request was sent")
        body = bulk.encode(documents)
        self.delivery.bodies_bytes.append(len(body))
        try:
            reply = self.sink.bulk(body, timeout_s)
        except Unreachable as error:
            return bulk.unreachable(documents, str(error))
        if reply.retry_after_s:
            self.delivery.pauses_s.append(reply.retry_after_s)
        if not bulk.must_shrink(reply, documents):
            return bulk.outcomes(documents, reply)
        half = len(documents) // 2
        return self._request(documents[:half]) + self._request(documents[half:])
