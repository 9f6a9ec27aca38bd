"""Many letters in one go: their documents share requests, and each letter is settled for itself.

The rule is that of `replay`: a letter is done with only when each of its documents is in the index, or lies safely in
the dead-letter queue under its new reason.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from shipper import deadletter
from shipper.deadletter import BadEnvelope
from shipper.model import Batch, DeadLetter, Ledger, Outcome, Rejected, Verdict
from shipper.repair import NO_REPAIR, BadRepair, Repair, repaired
from shipper.replay import failed_again, opened
from shipper.settings import Settings
from shipper.ship import Clock, Delivery, Letters, Sink, deliver, ledger_of
from shipper.times import iso

_NOT_MOVED = "some of it may be in its own index already: replay it without --index"


@dataclass(slots=True)
class Settled:
    """What became of the letters: positions of those that are done, errors by position of those that cannot be sent.

    `ledger` counts the events of all letters but those with an error.
    """

    done: list[int] = field(default_factory=list)
    errors: dict[int, str] = field(default_factory=dict)
    ledger: Ledger = field(default_factory=Ledger)
    delivery: Delivery = field(default_factory=Delivery)


def prepared(letter: DeadLetter, settings: Settings, now_ms: int, repair: Repair = NO_REPAIR) -> Batch | Rejected:
    """The batch of a letter, repaired. Raises `BadEnvelope` and `BadRepair`."""
    batch = opened(letter, settings, now_ms)
    if isinstance(batch, Rejected):
        return batch
    if repair.index and not _was_refused(letter):
        raise BadRepair(_NOT_MOVED)
    return replace(batch, documents=tuple(repaired(batch.documents, repair)))


def replay_many(
    letters: Sequence[DeadLetter], sink: Sink, queues: Letters, clock: Clock, settings: Settings, repair: Repair
) -> Settled:
    """Deliver letters once more. Raises `Denied`, and what the queues raise: then none of them is done."""
    settled = Settled()
    batches: dict[int, Batch] = {}
    again: list[DeadLetter] = []
    for position, letter in enumerate(letters):
        try:
            batch = prepared(letter, settings, clock.now_ms(), repair)
        except (BadEnvelope, BadRepair) as error:
            settled.errors[position] = str(error)
            continue
        if isinstance(batch, Rejected):
            again.append(failed_again(letter, batch.reason, clock))
            settled.ledger += Ledger(received=1, dead_lettered=1)
            settled.done.append(position)
        else:
            batches[position] = batch
    settled.delivery = deliver(
        [document for batch in batches.values() for document in batch.documents], sink, clock, settings
    )
    again += _settle(letters, batches, settled, iso(clock.now_ms()))
    if again:
        queues.bury(again)
    return settled


def handed_over(letter: DeadLetter, settings: Settings, now_ms: int, repair: Repair) -> list[DeadLetter]:
    """Letters for the retry queue: the repaired documents of a letter, with its reason and its history.

    Raises `BadEnvelope` and `BadRepair`.
    """
    batch = prepared(letter, settings, now_ms, repair)
    if isinstance(batch, Rejected):
        return [letter]
    outcomes = [Outcome(document, Verdict.DEAD, letter.reason) for document in batch.documents]
    made = deadletter.of_outcomes(outcomes, batch.source, failed_at=letter.failed_at, attempts=letter.attempts)
    return [replace(one, first_failed_at=letter.first_failed_at, history=letter.history) for one in made]


def _settle(
    letters: Sequence[DeadLetter], batches: dict[int, Batch], settled: Settled, failed_at: str
) -> list[DeadLetter]:
    """Note which letters are done; returns the letters for what was refused of those."""
    delivery = settled.delivery
    owner = {id(document): position for position, batch in batches.items() for document in batch.documents}
    staying = {owner[id(outcome.document)] for outcome in delivery.waiting}
    dead: dict[int, list[Outcome]] = defaultdict(list)
    for outcome in delivery.dead:
        dead[owner[id(outcome.document)]].append(outcome)
    again: list[DeadLetter] = []
    kept = 0
    for position, batch in batches.items():
        if position in staying:
            kept += len(dead[position])
            continue
        settled.done.append(position)
        refused = deadletter.of_outcomes(dead[position], batch.source, failed_at=failed_at)
        again += deadletter.again(refused, letters[position])
    settled.ledger += ledger_of(list(batches.values()), delivery, kept)
    return again


def _was_refused(letter: DeadLetter) -> bool:
    """Whether the domain has said of each document that it is not written."""
    return letter.kind == "documents" and 400 <= letter.reason.status < 500 and letter.reason.status != 429
