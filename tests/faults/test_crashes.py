"""Rows 41 to 44 and 52: a process that ends at any step, what comes twice, and what is delivered after it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from shipper.bulk import BulkReply
from shipper.model import DeadLetter, Ledger
from shipper.replay import replay
from tests.faults.chain import dead, deliver, lines, waiting
from tests.shipper.fakes import SETTINGS, FakeClock, FakeLetters, FakeSink, refusing, reply

ONE_BY_ONE = SETTINGS.with_values(max_body_bytes=1)
IDS = [f"event-{number}" for number in range(4)]
AWAY = reply(503)


class Killed(BaseException):
    """The process ends here."""


class Life:
    """How many steps a process still has; a step is each time before or after something outside of it changed."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def step(self) -> None:
        if self.left == 0:
            raise Killed
        self.left -= 1


class MortalSink(FakeSink):
    """Refuses one line for good, has one wait, takes the others."""

    def __init__(self, life: Life, stored: set[str]) -> None:
        super().__init__(then=self._answer)
        self._life = life
        self.stored = stored

    def _answer(self, sink: FakeSink, ids: list[str]) -> BulkReply:
        return AWAY if ids == ["event-2"] else refusing("event-1")(sink, ids)

    def bulk(self, body: bytes, timeout_s: float) -> BulkReply:
        self._life.step()
        answer = super().bulk(body, timeout_s)
        self._life.step()
        return answer


class MortalLetters(FakeLetters):
    """Keeps letters over the lives of several processes."""

    def __init__(self, life: Life, before: FakeLetters) -> None:
        super().__init__()
        self.retried, self.buried = before.retried, before.buried
        self._life = life

    def _take(self, letters: Sequence[DeadLetter], into: list[DeadLetter]) -> None:
        self._life.step()
        super()._take(letters, into)
        self._life.step()


def lived(steps: int, stored: set[str], letters: FakeLetters) -> bool:
    """Whether a delivery got to its end within so many steps."""
    life = Life(steps)
    try:
        deliver(lines(4), MortalSink(life, stored), MortalLetters(life, letters), settings=ONE_BY_ONE)
    except Killed:
        return False
    return True


STEPS = 2 * (4 + SETTINGS.max_tries - 1 + 1 + 2)
"""Four requests, the further tries of what waits, a rescue, two queues: each before and after."""


def test_a_delivery_takes_so_many_steps() -> None:
    assert lived(STEPS, set(), FakeLetters())
    assert not lived(STEPS - 1, set(), FakeLetters())


@pytest.mark.parametrize("steps", range(STEPS))
def test_killed_at_any_step_the_next_try_completes(steps: int) -> None:
    """Rows 41 to 43: every event is in the index or in a queue, and only the letters may be there twice."""
    stored: set[str] = set()
    letters = FakeLetters()
    assert not lived(steps, stored, letters)
    assert lived(STEPS, stored, letters)
    assert stored == {"event-0", "event-3"}
    assert set(dead(letters)) == {"event-1"}
    assert set(waiting(letters)) == {"event-2"}


@pytest.mark.parametrize("steps", range(STEPS))
def test_what_was_queued_twice_is_there_once_after_its_replay(steps: int) -> None:
    """Row 43."""
    sink, letters = FakeSink(), FakeLetters()
    lived(steps, sink.stored, letters)
    lived(STEPS, sink.stored, letters)
    total = Ledger()
    for letter in (*letters.retried, *letters.buried):
        total += replay(letter, sink, FakeLetters(), FakeClock(), SETTINGS).ledger
    total.assert_balanced()
    assert sorted(sink.stored) == IDS
    assert total.indexed == 2


def test_an_event_delivered_again_changes_nothing() -> None:
    """Row 44."""
    sink = FakeSink()
    assert deliver(lines(4), sink, FakeLetters()).ledger == Ledger(received=4, indexed=4)
    assert deliver(lines(4), sink, FakeLetters()).ledger == Ledger(received=4, duplicate=4)
    assert sorted(sink.stored) == IDS


@pytest.mark.parametrize("after", [False, True], ids=["before it was sent", "after it was written"])
def test_a_replay_killed_at_a_request_leaves_its_letter_and_the_next_completes(after: bool) -> None:
    """Row 52: a letter is deleted only when its replay has come to its end."""
    stored: set[str] = set()
    letters = FakeLetters()
    lived(STEPS, stored, letters)
    (letter,) = letters.retried
    sink = FakeSink()
    with pytest.raises(Killed):
        _replay(letter, _Dying(sink, after=after))
    assert _replay(letter, sink) == Ledger(received=1, **({"duplicate": 1} if after else {"indexed": 1}))


def _replay(letter: DeadLetter, sink: FakeSink) -> Ledger:
    ledger = replay(letter, sink, FakeLetters(), FakeClock(), SETTINGS).ledger
    ledger.assert_balanced()
    return ledger


class _Dying(FakeSink):
    """Dies at its request; what it wrote is in the other's store."""

    def __init__(self, other: FakeSink, *, after: bool) -> None:
        super().__init__()
        self.stored = other.stored
        self._after = after

    def bulk(self, body: bytes, timeout_s: float) -> BulkReply:
        if self._after:
            super().bulk(body, timeout_s)
        raise Killed
