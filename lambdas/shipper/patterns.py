"""Regular expressions that users write, run by RE2: no text can make one take more than linear time.

Syntax: https://github.com/google/re2/wiki/Syntax. Unlike Python's it has no look-around and no back-references, and
`\\d`, `\\s`, `\\w` are ASCII (`\\pL` is a letter of any script).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import re2  # type: ignore[import-untyped]

_HINTS = {
    "invalid perl operator": "look-around, atomic and possessive groups are not supported",
    "invalid escape sequence": r"back-references are not supported; the end of the text is \z",
    "invalid repetition size": "at most 1,000 repetitions, nested ones multiplied",
}


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled pattern."""

    _search: Callable[[str], Any]

    def search(self, text: str) -> bool:
        """Whether the pattern is found anywhere in the text."""
        try:
            return self._search(text) is not None
        except UnicodeEncodeError:  # a lone surrogate has no UTF-8
            return self._search(text.encode("utf-8", "replace").decode()) is not None


@cache
def compile(pattern: str) -> Pattern:  # noqa: A001 - as in `re`, for the same use
    """Compile once. Raises `ValueError` that says what RE2 refuses and, where it is Python's own syntax, why."""
    return Pattern(_compile(pattern, captures=False).search)


@cache
def compile_capturing(pattern: str) -> re.Pattern[str]:
    """The same for who needs the places of the matches: RE2's own pattern, used as one of `re`."""
    compiled: re.Pattern[str] = _compile(pattern, captures=True)
    return compiled


def _compile(pattern: str, *, captures: bool) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.never_capture = not captures
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        refused = error.args[0].decode("utf-8", "replace")
    except UnicodeEncodeError:
        refused = "a lone surrogate is no character"
    hints = [f" ({hint})" for prefix, hint in _HINTS.items() if refused.startswith(prefix)]
    raise ValueError(refused + "".join(hints))
