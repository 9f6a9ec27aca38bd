from __future__ import annotations

import time

import pytest

from shipper.aws.clock import SystemClock


def test_the_countdown_is_the_invocations_own() -> None:
    answers = iter([2_500, 0, -3])
    clock = SystemClock(lambda: next(answers))
    assert [clock.remaining_s() for _ in range(3)] == [2.5, 0, -0.003]


def test_outside_an_invocation_there_is_no_hurry() -> None:
    assert SystemClock().remaining_s() == float("inf")


def test_stamps_are_wall_time_in_milliseconds() -> None:
    before = time.time() * 1000 - 1
    now = SystemClock().now_ms()
    assert isinstance(now, int)
    assert before <= now <= time.time() * 1000 + 1


def test_sleep_waits() -> None:
    begin = time.monotonic()
    SystemClock().sleep(0.02)
    assert time.monotonic() - begin >= 0.02


def test_jitter_is_spread_over_nought_to_one() -> None:
    found = [SystemClock().jitter() for _ in range(200)]
    assert 0 <= min(found) < 0.3
    assert 0.7 < max(found) < 1


def test_the_clock_cannot_wait_backwards() -> None:
    with pytest.raises(ValueError, match="non-negative"):
        SystemClock().sleep(-1)


def test_a_clock_of_ones_own_runs_out() -> None:
    clock = SystemClock.until(0.05)
    assert 0 < clock.remaining_s() <= 0.05
    clock.sleep(0.06)
    assert clock.remaining_s() < 0
