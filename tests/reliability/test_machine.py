"""Whatever happens, in whatever order: at any moment there is a copy of every record, and in the end exactly one."""

from __future__ import annotations

import os
import random
from collections import Counter

import hypothesis
import pytest
from hypothesis import Phase
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.reliability.outside import FAULTS
from tests.reliability.reference import KINDS, Kind
from tests.reliability.world import HAPPENINGS, World

STEPS = int(os.environ.get("MACHINE_STEPS", "100000"))
_STEPS_OF_A_RUN = 250
_STEPS_OF_A_ROUND = 25_000
_STEPS_FOR_ALL = 100_000
"""So many, and everything will have happened."""

_STEP = "a step"
_any = st.integers(0, 7)
_lives = st.none() | st.integers(0, 12)
_happened: Counter[str] = Counter()


class Machine(RuleBasedStateMachine):
    """One run: a world, and what happens in it."""

    @initialize(seed=st.integers(0, 2**32 - 1))
    def begin(self, seed: int) -> None:
        self.world = World(seed)

    @rule(kinds=st.lists(st.sampled_from(KINDS), max_size=4), stream=_any, most=st.integers(1, 12))
    def arrive(self, kinds: list[Kind], stream: int, most: int) -> None:
        self.world.write(kinds, stream)
        self.world.batch(stream, most)

    @rule(which=_any)
    def deliver_again(self, which: int) -> None:
        self.world.deliver_again(which)

    @rule(which=_any, steps=_lives)
    def invoke(self, which: int, steps: int | None) -> None:
        self.world.invoke(which, steps)

    @rule(steps=_lives)
    def replay(self, steps: int | None) -> None:
        self.world.replay(steps)

    @rule()
    def read_letters(self) -> None:
        self.world.read_letters()

    @rule(which=_any, steps=_lives, directly=st.booleans())
    def replay_letters(self, which: int, steps: int | None, directly: bool) -> None:
        self.world.replay_letters(which, steps, directly=directly)

    @rule(seconds=st.sampled_from([1, 60, 900, 7 * 3600]))
    def pass_time(self, seconds: int) -> None:
        self.world.pass_time(seconds)

    @rule(fault=st.sampled_from(FAULTS))
    def begin_fault(self, fault: str) -> None:
        self.world.begin_fault(fault)

    @rule()
    def end_faults(self) -> None:
        self.world.end_faults()

    @rule(of_mapping=st.booleans())
    def change(self, of_mapping: bool) -> None:
        self.world.change_mapping() if of_mapping else self.world.change_settings()

    @invariant()
    def nothing_is_lost_or_doubled(self) -> None:
        if hasattr(self, "world"):
            self.world.check()
            _happened[_STEP] += 1

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.rest()
            _happened.update(self.world.outside.happened)


@pytest.mark.usefixtures("small_messages")
def test_nothing_is_lost_and_nothing_doubled() -> None:
    seed = int(os.environ.get("MACHINE_SEED", random.randrange(2**32)))
    print(f"MACHINE_SEED={seed} MACHINE_STEPS={STEPS}")  # noqa: T201 - pytest shows it where the test fails
    _happened.clear()
    while _happened[_STEP] < STEPS:
        _round(seed)
        seed += 1
    never = [name for name in HAPPENINGS if not _happened[name]]
    assert STEPS < _STEPS_FOR_ALL or not never
    print(dict(_happened))  # noqa: T201


def _round(seed: int) -> None:
    """A hundred runs or so: Hypothesis remembers all of a round, and a million steps would be gigabytes."""
    run_state_machine_as_test(
        hypothesis.seed(seed)(Machine),
        settings=hypothesis.settings(
            max_examples=max(1, min(STEPS, _STEPS_OF_A_ROUND) // _STEPS_OF_A_RUN),
            stateful_step_count=_STEPS_OF_A_RUN,
            deadline=None,
            database=None,
            phases=[Phase.generate, *([Phase.shrink] if os.environ.get("MACHINE_SHRINK", "1") == "1" else [])],
            suppress_health_check=list(hypothesis.HealthCheck),
        ),
    )
