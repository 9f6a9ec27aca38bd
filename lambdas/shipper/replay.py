"""What becomes of a queued letter when it is delivered again; the replay function and the command line share it.

One rule keeps this safe to repeat and to kill: while anything in a letter is still to be sent, the letter stays in its
queue as it is, and what is in the index already answers 409 next time. Only when every document is settled is it done
with, and what was refused has by then gone to the dead-letter queue under its new reason.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from shipper import deadletter, jsontext
from shipper.deadletter import BadEnvelope
from shipper.decode import decode
from shipper.model import Batch, Control, DeadLetter, Ledger, Reason, Rejected
from shipper.pipeline import transform
from shipper.repair import NO_REPAIR, Repair, repaired
from shipper.settings import Settings
from shipper.ship import Clock, Delivery, Letters, Sink, deliver, ledger_of
from shipper.times import iso, milliseconds


@dataclass(frozen=True, slots=True)
class Replayed:
    """The result for one letter: `done` says that it may be deleted from its queue."""

    done: bool
    ledger: Ledger
    delivery: Delivery


def opened(letter: DeadLetter, settings: Settings, now_ms: int) -> Batch | Rejected:
    """A letter of either kind as a batch once more. Raises `BadEnvelope` where its body is not what the kind says."""
    if letter.kind == "documents":
        documents = tuple(deadletter.documents_in(letter))
        return Batch(letter.source, len(documents), documents)
    try:
        event = jsontext.loads(letter.body)
    except ValueError as error:
        raise BadEnvelope(f"the payload is not JSON: {error}") from None
    match decode(event, max_decoded_bytes=settings.max_decoded_bytes):
        case Rejected() as rejected:
            return rejected
        case Control():
            return Batch(letter.source, 0, ())
        case payload:
            return transform(payload, settings, letter.ingested_at_ms or _first_came_ms(letter, now_ms))


def _first_came_ms(letter: DeadLetter, now_ms: int) -> int:
    """About when a payload first came, for a letter that does not say: a time that was usable then still is later."""
    return milliseconds(letter.first_failed_at) or now_ms


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
        case batch:
            delivery = deliver(repaired(batch.documents, repair), sink, clock, settings)
            if delivery.dead and not delivery.waiting:
                refused = deadletter.of_outcomes(delivery.dead, batch.source, failed_at=iso(clock.now_ms()))
                letters.bury(deadletter.again(refused, letter))
            # Of a letter that stays nothing is handed on: what was refused comes again with what is waiting.
            kept = len(delivery.dead) if delivery.waiting else 0
            return Replayed(not delivery.waiting, ledger_of([batch], delivery, kept), delivery)


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
