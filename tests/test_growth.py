"""What holds others to time that grows with the size must see what does not."""

from __future__ import annotations

import pytest

from tests.growth import assert_grows_with_size

MANY = range(2_400)


def test_what_grows_with_the_size_passes() -> None:
    assert_grows_with_size(lambda some: [str(number) for number in some for _ in range(300)], MANY)


def test_what_grows_with_the_square_does_not() -> None:
    with pytest.raises(AssertionError, match="for an eighth"):
        assert_grows_with_size(lambda some: [other for _ in some for other in some], MANY)
