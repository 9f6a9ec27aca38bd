"""The computed table of docs/performance.md against what it is computed from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from shipper import cost

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "performance.md").read_text("utf-8")
ROWS = re.findall(
    r"^\| ([\d,]+) \| [\d.]+ \| (\d+) \| ([\d.]+) \| (\d+) \| ([\d.]+) \| \d+ \| \d+ \|$", PAGE, re.MULTILINE
)


def test_the_table_is_found() -> None:
    assert len(ROWS) == 6


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]} MiB")
def test_time_and_price_are_those_of_the_formula(row: tuple[str, ...]) -> None:
    memory_mib = int(row[0].replace(",", ""))
    for events, (ms, usd) in {1_000: row[1:3], 100: row[3:5]}.items():
        run_s = events * cost._CPU_S_PER_EVENT / min(1, memory_mib / cost._WHOLE_CORE_MIB) + cost._WAIT_S
        price = run_s * memory_mib / 1_024 * cost.PRICES["lambda_run"].usd + cost.PRICES["lambda_requests"].usd / 1e6
        assert f"{run_s * 1_000:.0f}" == ms
        assert f"{price * 1e9 / events:.2f}" == usd
