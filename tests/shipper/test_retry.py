from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper.retry import BASE_DELAY_S, MAX_DELAY_S, delay_s, postponed_s
from tests.shipper.fakes import patient


@pytest.mark.parametrize(("tries", "ceiling"), [(1, 0.2), (2, 0.4), (3, 0.8), (5, 3.2), (6, 5.0), (20, 5.0)])
def test_the_wait_doubles_up_to_a_ceiling(tries: int, ceiling: float) -> None:
    assert delay_s(tries, 1.0) == pytest.approx(ceiling)


def test_the_first_wait_may_be_none_at_all() -> None:
    assert delay_s(1, 0.0) == 0


@patient
@given(st.integers(1, 20), st.floats(0, 1, exclude_max=True))
def test_the_wait_is_spread_from_nothing_to_its_ceiling(tries: int, jitter: float) -> None:
    wait = delay_s(tries, jitter)
    assert 0 <= wait <= min(MAX_DELAY_S, BASE_DELAY_S * 2 ** (tries - 1))
    assert wait == pytest.approx(jitter * delay_s(tries, 1.0))


@pytest.mark.parametrize(
    ("receives", "jitter", "delay_s"), [(1, 0, 15), (1, 1, 30), (2, 1, 60), (6, 0, 450), (99, 1, 900)]
)
def test_a_message_is_hidden_for_twice_as_long_each_time(receives: int, jitter: float, delay_s: int) -> None:
    assert postponed_s(receives, 30, 900, jitter) == delay_s
