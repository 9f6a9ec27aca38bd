"""What becomes of a queued letter when it is delivered again; the replay function and the command line share it.

One rule keeps this safe to repeat and to kill: while anything in a letter is still to be sent, the letter stays in its
queue as it is, and what is in the index already answers 409 next time. Only when every document is settled is it done
with, and what was refused has by then gone to the dead-letter queue under its new reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from shipper import deadletter, jsontext
from shipper.deadletter import BadEnvelope
from shipper.decode import decode
from shipper.model import Control, DeadLetter, Document, Ledger, Reason, Rejected, Source
from shipper.pipeline import transform
from shipper.repair import NO_REPAIR, Repair, repaired
from shipper.settings import Settings
from shipper.ship import Clock, Delivery, Letters, Sink, deliver, iso


@dataclass(frozen=True, slots=True)
class Replayed:
    """The result for one letter: `done` says that it may be deleted from its queue."""

    done: bool
    ledger: Ledger
    delivery: Delivery


@dataclass(frozen=True, slots=True)
class Opened:
    """A letter's documents and what they were made of."""

    source: Source
    documents: tuple[Document, ...]
    received: int
    joined: int = 0
    filtered: int = 0
    sampled: int = 0


def opened(letter: DeadLetter, settings: Settings, now_ms: int) -> Opened | Rejected:
    """The documents of a letter of either kind. Raises `BadEnvelope` where its body is not what the kind says."""
    if letter.kind == "documents":
        documents = tuple(deadletter.documents_in(letter))
        return Opened(letter.source, documents, received=len(documents))
    try:
        event = jsontext.loads(letter.body)
    except ValueError as error:
        raise BadEnvelope(f"the payload is not JSON: {error}") from None
    match decode(event, max_decoded_bytes=settings.max_decoded_bytes):
        case Rejected() as rejected:
            return rejected
        case Control():
            return Opened(letter.source, (), received=0)
        case payload:
            batch = transform(payload, settings, letter.ingested_at_ms or _first_came_ms(letter, now_ms))
            return Opened(batch.source, batch.documents, batch.received, batch.joined, batch.filtered, batch.sampled)


def _first_came_ms(letter: DeadLetter, now_ms: int) -> int:
    """About when a payload first came of which nobody noted it: what was no broken time then is none in two weeks."""
    try:
        return int(datetime.fromisoformat(letter.first_failed_at).timestamp() * 1000)
    except ValueError:
        return now_ms


def replay(
    letter: DeadLetter,
    sink: Sink,
    letters: Letters,
    clock: Clock,
    settings: Settings,
    repair: Repair = NO_REPAIR,
) -> Replayed:
    """Deliver a letter once more. Raises `BadEnvelope`, `BadRepair`, and what the queues raise."""
    match opened(letter, settings, clock.now_ms()):
        case Rejected(reason):
            letters.bury([failed_again(letter, reason, clock)])
            return Replayed(True, Ledger(received=1, dead_lettered=1), Delivery())
        case Opened() as content:
            delivery = deliver(repaired(content.documents, repair), sink, clock, settings)
            if delivery.dead and not delivery.waiting:
                refused = deadletter.of_outcomes(delivery.dead, content.source, failed_at=iso(clock.now_ms()))
                letters.bury(deadletter.again(refused, letter))
            kept = len(delivery.dead) if delivery.waiting else 0
            return Replayed(not delivery.waiting, ledger_of([content], delivery, kept), delivery)


def park(letter: DeadLetter, replayed: Replayed | None, receives: int, letters: Letters, clock: Clock) -> Ledger:
    """Bury a letter that its queue handed out `receives` times in vain, with that number and its last reason.

    Raises what the queues raise.
    """
    waiting = replayed.delivery.waiting if replayed else []
    reason = next((outcome.reason for outcome in waiting if outcome.reason), letter.reason)
    letters.bury([replace(failed_again(letter, reason, clock), attempts=letter.attempts + receives)])
    return Ledger(received=letter.count, dead_lettered=letter.count)


def failed_again(letter: DeadLetter, reason: Reason, clock: Clock) -> DeadLetter:
    """The same letter, body, source and all, with a new reason and the old one in its history."""
    (failed,) = deadletter.again([replace(letter, reason=reason, failed_at=iso(clock.now_ms()))], letter)
    return failed


def ledger_of(contents: Sequence[Opened], delivery: Delivery, kept: int) -> Ledger:
    """The ledger of letters that were delivered together; `kept` documents were refused, but wait for others of theirs.

    Of a letter that stays in its queue nothing is handed on: what was refused comes again with what is waiting.
    """
    return Ledger(
        received=sum(content.received for content in contents),
        indexed=delivery.indexed,
        duplicate=delivery.duplicate,
        joined=sum(content.joined for content in contents),
        filtered=sum(content.filtered for content in contents),
        sampled=sum(content.sampled for content in contents),
        requeued=len(delivery.waiting) + kept,
        dead_lettered=len(delivery.dead) - kept,
    )
