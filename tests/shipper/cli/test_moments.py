from __future__ import annotations

import time

import click
import pytest
from click.testing import CliRunner

from shipper.cli.moments import MOMENT
from tests.shipper.fakes import NOW_MS


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: NOW_MS * 1_000_000)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", NOW_MS),
        ("30s", NOW_MS - 30_000),
        ("90m", NOW_MS - 5_400_000),
        ("2h", NOW_MS - 7_200_000),
        ("7d", NOW_MS - 604_800_000),
        ("2026-11-24T12:00", NOW_MS),
        ("2026-11-24T12:00:00.250Z", NOW_MS + 250),
        ("2026-11-24T13:00+01:00", NOW_MS),
        ("2026-11-24", NOW_MS - 43_200_000),
        (NOW_MS, NOW_MS),
    ],
)
def test_a_time_in_milliseconds(text: object, expected: int) -> None:
    assert MOMENT.convert(text, None, None) == expected


@pytest.mark.parametrize("text", ["", "yesterday", "5w", "2026-13-01", "-2h"])
def test_what_is_no_time_is_wrong_usage(text: str) -> None:
    @click.command()
    @click.option("--from", "from_ms", type=MOMENT)
    def command(from_ms: int) -> None: ...

    result = CliRunner().invoke(command, [f"--from={text}"])
    assert result.exit_code == 2
    assert "is neither like 2h nor like 2026-11-24T12:00" in result.stderr
