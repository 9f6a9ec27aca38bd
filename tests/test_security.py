"""SECURITY.md against the code: each test that it names is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "SECURITY.md").read_text("utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)))


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_each_test_that_shows_a_defence_is_there(file: str, name: str) -> None:
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_threat_says_what_is_done_and_by_what_it_is_shown() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith(("| threat", "| ---"))]
    assert len(rows) > 20
    assert all(len(re.findall(r"`tests/[\w/]+\.py::", row)) for row in rows)


def test_the_packages_of_the_function_are_counted() -> None:
    pins = (ROOT / "lambdas" / "requirements.txt").read_text("utf-8")
    assert f"{len(re.findall('==', pins))} are in the function" in PAGE
