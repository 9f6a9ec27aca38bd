"""Walks the rows: what a line is, given the state that the line before it led to."""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Sequence
from typing import Generic, Protocol, TypeVar

from shipper.presets.rows import HEAD, ORPHAN, SOLITARY, Row

_DISPATCHED = frozenset(string.printable)
"""First characters for which the rows that may begin so are kept apart."""


class Grammar(Protocol):
    """Decides what a line is, given the state that the line before it led to."""

    solitary: frozenset[str]
    """First characters of lines that are not the second of a record, so that most lines need no further look."""

    def begin(self, line: str) -> tuple[str, bool]:
        """The state after a line that continues no record at hand, and whether it must have continued one."""

    def follow(self, state: str, line: str) -> str | None:
        """The state after a line that continues a record in `state`; None where it does not continue it.

        A state that ends in `?` is unproven: the line is the record's only if a later one leads to a proven state.
        """


_T = TypeVar("_T")


class _Step(Generic[_T]):
    """Rows as one expression whose only groups are the rows: the group that matched is the row."""

    def __init__(self, rows: Sequence[tuple[Row, _T]]) -> None:
        self._match = re.compile("|".join(f"({row.pattern})" for row, _ in rows)).match
        self._to = [to for _, to in rows]

    def __call__(self, line: str) -> _T | None:
        """Where the first row that matches leads."""
        found = self._match(line)
        return self._to[found.lastindex - 1] if found and found.lastindex else None


class Languages:
    """The grammar of the language tables."""

    solitary = SOLITARY

    def __init__(self, rows: Iterable[Row]) -> None:
        by_state: dict[str, list[Row]] = {}
        for row in rows:
            for state in row.states:
                by_state.setdefault(state, []).append(row)
        heads = [(row, (row.to, False)) for row in by_state.pop(HEAD, ())]
        orphans = [(row, (row.to, True)) for row in by_state.pop(ORPHAN, ())]
        self._openers = heads + orphans
        self._begin: dict[str, _Step[tuple[str, bool]]] = {}
        self._follow = {state: _Step([(row, row.to) for row in rows]) for state, rows in by_state.items()}

    def begin(self, line: str) -> tuple[str, bool]:
        first = line[:1] if line[:1] in _DISPATCHED else ""
        if (step := self._begin.get(first)) is None:
            openers = [(row, to) for row, to in self._openers if not row.first or (first and first in row.first)]
            step = self._begin[first] = _Step(openers)
        return step(line) or (HEAD, False)

    def follow(self, state: str, line: str) -> str | None:
        step = self._follow.get(state)
        return step(line) if step else None
