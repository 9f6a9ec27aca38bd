"""What holds others to time that grows with the size must see what does not."""

from __future__ import annotations

import pytest

from tests.growth import assert_costs_as_much, assert_grows_with_size

MANY = range(2_400)


def test_what_grows_with_the_size_passes() -> None:
    assert_grows_with_size(lambda some: [str(number) for number in some for _ in range(300)], MANY)


@pytest.mark.parametrize("count", [2_400, 1_200])
def test_what_grows_with_the_square_does_not(count: int) -> None:
    with pytest.raises(AssertionError, match="for an eighth"):
        assert_grows_with_size(lambda some: [other for _ in some for other in some], range(count))


def test_what_is_dear_at_any_size_is_seen_beside_something_plain() -> None:
    def work(some: str) -> None:
        for _ in range(3_000_000 if "odd" in some else 0):
            pass

    assert_costs_as_much(work, "even", "plain")
    with pytest.raises(AssertionError, match="for the odd"):
        assert_costs_as_much(work, "odd", "plain")
