"""A replay of a whole queue in bounded memory: a few runs of letters are under way at a time."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace

from botocore.exceptions import BotoCoreError, ClientError

from shipper.aws.clock import SystemClock
from shipper.aws.inbox import Message
from shipper.aws.queue import QueueFailed
from shipper.cli import letters
from shipper.cli.deployment import Deployment
from shipper.cli.filters import Filter
from shipper.cli.letters import Entry
from shipper.cli.reading import Reading
from shipper.deadletter import BadEnvelope
from shipper.model import DeadLetter, Ledger
from shipper.repair import NO_REPAIR, BadRepair, Repair
from shipper.replay_many import handed_over, replay_many
from shipper.ship import Clock, Denied

_WORKERS = 3
_MAX_BODIES_BYTES = 8_000_000
"""Of letters whose documents are in memory together, for each worker."""

_PATIENCE = 0.75
"""Of the time for which letters are hidden: past it, another run may have them."""

_MAX_ERRORS = 20


@dataclass(slots=True)
class Totals:
    """What came of a run. `left` counts letters that stay, `moved` those that went to the retry queue.

    `errors` are (message id, why) of letters that cannot be sent, the first twenty; `failure` is what ended the run
    early; `waiting` what the domain said when it did not take a document, `is_away` that it took none of a request's.
    """

    letters: int = 0
    left: int = 0
    moved: int = 0
    documents: int = 0
    rescued: int = 0
    undeleted: int = 0
    ledger: Ledger = field(default_factory=Ledger)
    errors: list[tuple[str, str]] = field(default_factory=list)
    failure: str = ""
    waiting: str = ""
    is_away: bool = False
    interrupted: bool = False

    def add(self, other: Totals) -> None:
        self.letters += other.letters
        self.left += other.left
        self.moved += other.moved
        self.documents += other.documents
        self.rescued += other.rescued
        self.undeleted += other.undeleted
        self.ledger += other.ledger
        self.errors = (self.errors + other.errors)[:_MAX_ERRORS]
        self.failure = self.failure or other.failure
        self.waiting = self.waiting or other.waiting
        self.is_away = self.is_away or other.is_away

    @property
    def is_over(self) -> bool:
        """Whether it makes no sense to go on."""
        return bool(self.failure) or self.is_away


@dataclass(frozen=True, slots=True)
class Work:
    """What a worker does with letters: `directly`, or by way of the replay function. Any thread may do it.

    `clock` makes one whose time is up in so many seconds.
    """

    found: Deployment
    repair: Repair
    directly: bool
    hold_s: int
    clock: Callable[[float], Clock] = SystemClock.until

    def __call__(self, messages: Sequence[Message]) -> tuple[list[Message], Totals]:
        """(messages that are deleted, what came of all). Raises nothing that only concerns this work."""
        gone: list[Message] = []
        total = Totals()
        clock = self.clock(_PATIENCE * self.hold_s + self.found.settings.reserve_s)
        for entries in _bounded(letters.in_full(message, self.found) for message in messages):
            try:
                done, came = (self._deliver if self.directly else self._hand_over)(entries, clock)
                came.undeleted = self.found.inbox.delete(done)
            except (Denied, QueueFailed, ClientError, BotoCoreError) as error:
                done, came = [], Totals(letters=len(entries), left=len(entries), failure=str(error))
            gone += done
            total.add(came)
            if total.is_over:
                break
        return gone, total

    def _deliver(self, entries: Sequence[Entry], clock: Clock) -> tuple[list[Message], Totals]:
        total = _unreadable(entries)
        good = [entry for entry in entries if entry.readable]
        chosen = [entry.letter for entry in good]
        # The workers are requests enough at a time, and a person can run it again: better an answer than a long wait.
        settings = replace(self.found.settings_for(chosen), max_tries=2, max_in_flight=1)
        settled = replay_many(chosen, self.found.sink, self.found.letters, clock, settings, self.repair)
        ledger, delivery = settled.ledger, settled.delivery
        total.errors += [(good[position].message.id, error) for position, error in settled.errors.items()]
        total.left = len(entries) - len(settled.done)
        total.ledger, total.rescued = ledger, delivery.rescued
        total.documents = ledger.indexed + ledger.duplicate + ledger.dead_lettered + ledger.requeued
        total.waiting = next((outcome.reason.message for outcome in delivery.waiting if outcome.reason), "")
        total.is_away = delivery.took_nothing
        return [good[position].message for position in settled.done], total

    def _hand_over(self, entries: Sequence[Entry], clock: Clock) -> tuple[list[Message], Totals]:
        total, done = _unreadable(entries), []
        made: list[DeadLetter] = []
        for entry in entries:
            if not entry.readable:
                continue
            try:
                made += self._handed_over(entry.letter, clock.now_ms())
            except (BadEnvelope, BadRepair) as error:
                total.errors.append((entry.message.id, str(error)))
                total.left += 1
            else:
                done.append(entry.message)
        self.found.letters.retry(made)
        total.moved, total.documents = len(done), sum(letter.count for letter in made)
        return done, total

    def _handed_over(self, letter: DeadLetter, now_ms: int) -> list[DeadLetter]:
        if self.repair == NO_REPAIR:
            return [letter]
        return handed_over(letter, self.found.settings_for([letter]), now_ms, self.repair)


def run(work: Work, chosen: Filter, one: Reading, *, limit: int, rate: int) -> Totals:
    """Replay what is chosen, at most `limit` letters and, on average, `rate` documents a second (0: no limits).

    Ctrl-C lets what is under way end.
    """
    total = Totals()
    pace = _Pace(rate)
    workers = 1 if one.lanes == 1 else _WORKERS
    pending: deque[Future[tuple[list[Message], Totals]]] = deque()

    def settle() -> None:
        wait(list(pending)[:1])  # Ctrl-C comes here: what is under way then has still to be counted
        gone, came = pending.popleft().result()
        one.gone(gone)
        total.add(came)

    with ThreadPoolExecutor(workers) as pool:
        try:
            for messages in picked(work.found, chosen, one, limit):
                pending.append(pool.submit(work, messages))
                while len(pending) >= workers:
                    settle()
                if total.is_over:
                    break
                pace.wait(total.documents)
        except KeyboardInterrupt:
            total.interrupted = True
        while pending:
            settle()
    return total


def picked(found: Deployment, chosen: Filter, one: Reading, limit: int) -> Iterator[list[Message]]:
    """The chosen messages in runs, at most `limit` of them (0: all)."""
    count = 0
    for messages in one.runs():
        mine = [message for message in messages if chosen.matches(letters.headline(message, found))]
        mine = mine[: limit - count] if limit else mine
        count += len(mine)
        if mine:
            yield mine
        if limit and count >= limit:
            return


class _Pace:
    """Keeps an average: after so many documents, so much time has to have passed."""

    def __init__(self, per_s: int, sleep: Callable[[float], None] = time.sleep) -> None:
        self._per_s = per_s
        self._began_s = time.monotonic()
        self._sleep = sleep

    def wait(self, documents: int) -> None:
        if self._per_s:
            self._sleep(max(0.0, self._began_s + documents / self._per_s - time.monotonic()))


def _unreadable(entries: Sequence[Entry]) -> Totals:
    """The totals to begin with: letters that cannot be read stay."""
    errors = [(entry.message.id, entry.letter.reason.message) for entry in entries if not entry.readable]
    return Totals(letters=len(entries), left=len(errors), errors=errors)


def _bounded(entries: Iterator[Entry]) -> Iterator[list[Entry]]:
    """Entries in order, in runs whose bodies are at most so large together."""
    batch: list[Entry] = []
    size = 0
    for entry in entries:
        batch.append(entry)
        size += len(entry.letter.body)
        if size >= _MAX_BODIES_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
