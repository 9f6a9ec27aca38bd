"""A delivery and two replays that die before and after every effect, and are run again: once by an exception, once by
SIGKILL, after which no line of the process runs any more."""

from __future__ import annotations

import os
import pickle
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.reliability.outside import Killed
from tests.reliability.reference import Kind
from tests.reliability.world import World

KINDS: list[Kind] = ["line", "unfit", "poison", "trace", "fields", "health", "line", "poison"]


@dataclass(frozen=True)
class Process:
    """What was before, and what the process does that is to die."""

    before: Callable[[World], None]
    does: Callable[[World, int | None], None]

    def begun(self) -> World:
        world = World(seed=1)
        self.before(world)
        return world

    def effects(self) -> int:
        """The steps of a whole life: two for each effect."""
        world = self.begun()
        before = world.outside.steps
        self.does(world, None)
        return world.outside.steps - before


def _arrived(world: World, *faults: str) -> None:
    world.write(KINDS, 0)
    world.batch(0, 20)
    world.outside.faults.update(faults)


def _waiting(world: World) -> None:
    _arrived(world, "503 for all")
    world.invoke(0)
    world.outside.faults.clear()


def _given_up(world: World) -> None:
    _arrived(world, "denied")
    while world.invocations:
        world.invoke(0)
    world.outside.faults.clear()
    world.read_letters()


PROCESSES = {
    "a delivery": Process(lambda world: _arrived(world, "429 for some"), lambda world, steps: world.invoke(0, steps)),
    "the replay function": Process(_waiting, lambda world, steps: world.replay(steps)),
    "a person's replay": Process(_given_up, lambda world, steps: world.replay_letters(0, steps)),
}
pytestmark = pytest.mark.usefixtures("small_messages")


@pytest.mark.parametrize("process", PROCESSES.values(), ids=PROCESSES)
def test_there_are_effects_to_die_at(process: Process) -> None:
    assert process.effects() >= 4


@pytest.mark.parametrize("process", PROCESSES.values(), ids=PROCESSES)
def test_it_dies_by_an_exception_at_every_effect(process: Process) -> None:
    for steps in range(process.effects()):
        world = process.begun()
        process.does(world, steps)
        assert world.outside.happened["killed"] == 1, steps
        world.check()
        world.rest()


# From Python 3.12 on a fork beside threads is warned of; the child asks none of them for anything.
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("process", PROCESSES.values(), ids=PROCESSES)
def test_it_dies_by_sigkill_at_every_effect(process: Process, tmp_path: Path) -> None:
    for steps in range(process.effects()):
        world = process.begun()
        _restore(world, _killed(process, steps, tmp_path / "left"))
        world.check()
        world.rest()


def _killed(process: Process, steps: int, left: Path) -> Any:
    """What is left outside of a process that was killed after so many steps."""
    pid = os.fork()
    if pid == 0:
        world = process.begun()

        def die() -> None:
            left.write_bytes(pickle.dumps(_outside(world)))
            os.kill(os.getpid(), signal.SIGKILL)

        world.outside.die = die
        process.does(world, steps)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL, "it lived to its end"
    return pickle.loads(left.read_bytes())


def _outside(world: World) -> tuple[Any, ...]:
    return world.outside.now_ms, world.domain.documents, world.sqs.queues, world.s3.objects


def _restore(world: World, left: tuple[Any, ...]) -> None:
    world.outside.now_ms, world.domain.documents, world.sqs.queues, objects = left
    world.s3.objects.update(objects)


def test_the_end_of_a_life_is_no_error_that_the_code_could_catch() -> None:
    assert not issubclass(Killed, Exception)
