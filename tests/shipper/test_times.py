"""Times as text, there and back."""

from __future__ import annotations

import pytest

from shipper.times import iso, milliseconds

AT_MS = 1_795_564_799_000


def test_a_time_there_and_back() -> None:
    assert iso(AT_MS) == "2026-11-24T23:59:59Z"
    assert milliseconds(iso(AT_MS)) == AT_MS
    assert iso(AT_MS + 999) == iso(AT_MS)


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        pytest.param("2026-11-24T23:59:59.007Z", AT_MS + 7, id="with milliseconds"),
        pytest.param("2026-11-25T00:59:59+01:00", AT_MS, id="of another zone"),
        pytest.param("yesterday", 0, id="no time"),
        pytest.param("", 0, id="nothing"),
    ],
)
def test_a_text_is_read_as_a_time_or_as_0(text: str, ms: int) -> None:
    assert milliseconds(text) == ms
