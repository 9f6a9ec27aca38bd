"""Users' patterns: what they find, what is refused and how it is said, and that none can hang the function."""

from __future__ import annotations

import pytest

from shipper import patterns
from tests.growth import assert_grows_with_size

FOUND: dict[str, tuple[str, str, bool]] = {
    "at the start": (r"^\d{4}-", "2026-11-20 03:04:05 INFO", True),
    "not at the start": (r"^\d{4}-", " 2026-11-20", False),
    "anywhere": ("ERROR", "2026-11-20 ERROR x", True),
    "in any case": ("(?i)error", "ERROR", True),
    "letters of any script": (r"^\pL+$", "발송", True),
    "the end": (r"\{$", "session {", True),
    "nothing in an empty line": (r"\S", "", False),
    "a lone surrogate in the text": ("x$", "\ud800x", True),
    "a NUL in the text": ("b$", "a\x00b", True),
}


@pytest.mark.parametrize(("pattern", "text", "found"), FOUND.values(), ids=FOUND)
def test_a_pattern_is_found(pattern: str, text: str, found: bool) -> None:
    assert patterns.compile(pattern).search(text) is found


REFUSED: dict[str, tuple[str, str]] = {
    "a bracket left open": ("(", "missing )"),
    "look-ahead": (r"^(?!\s)", "look-around"),
    "look-behind": (r"(?<=x)y", "look-around"),
    "a back-reference": (r"(a)\1", "back-references"),
    "Python's end of text": (r"x\Z", r"\z"),
    "too many repetitions": ("((a{100}){100}){100}", "at most 1,000"),
    "a lone surrogate": ("\ud800", "no character"),
}


@pytest.mark.parametrize(("pattern", "reason"), REFUSED.values(), ids=REFUSED)
def test_a_refusal_says_why_and_writes_nothing_else(
    pattern: str, reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        patterns.compile(pattern)
    assert reason in str(refused.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("pattern", [r"^(a+)+$", r"(a|aa)+$", r"(.*)*x$", r"(\w+\s?)*:$"])
def test_no_text_makes_a_pattern_run_away(pattern: str) -> None:
    assert_grows_with_size(lambda text: patterns.compile(pattern).search(text + "!"), "a" * 100_000)
