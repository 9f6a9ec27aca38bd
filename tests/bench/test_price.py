"""What a fault costs is promised in docs/performance.md: a change that makes one dearer shows here."""

from __future__ import annotations

from pathlib import Path

from tests.bench import price

_DOC = Path(__file__).parents[2] / "docs" / "performance.md"


def test_the_prices_are_those_of_the_page() -> None:
    rows = [[row[name] for name in price.COLUMNS["price"]] for row in price.tables()["price"]]
    expected = [
        "| " + " | ".join(f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row) + " |" for row in rows
    ]
    page = _DOC.read_text("utf-8").splitlines()
    assert [line for line in expected if line not in page] == []
