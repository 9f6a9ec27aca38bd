"""python -m tests.faults: write docs/faults.md."""

from __future__ import annotations

from pathlib import Path

from tests.faults.table import rendered

PAGE = Path(__file__).resolve().parents[2] / "docs" / "faults.md"

if __name__ == "__main__":
    PAGE.write_text(rendered(), "utf-8")
