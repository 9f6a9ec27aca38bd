"""Joins the lines of one record that arrive as separate events: a small engine that walks the rows of `presets.py`.

A payload holds one log stream, in which a container's stdout and stderr alternate: each is joined on its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from typing import Protocol

from shipper.model import Record
from shipper.presets import HEAD, ROWS, Row
from shipper.settings import MultilineRule, Settings

_SHAPE_WITHIN = 4_096
"""Characters of a line that decide what it is: a megabyte on one line costs no more than that."""


class Grammar(Protocol):
    """Decides what a line is, given the state that the line before it led to."""

    def follow(self, state: str, line: str) -> str | None:
        """The state after a line that continues a record in `state`; None where it does not continue it."""

    def begin(self, line: str) -> str:
        """The state after a line that begins a record."""


class Languages:
    """The grammar of the language tables."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._next: dict[str, list[tuple[re.Pattern[str], str]]] = {}
        for row in rows:
            for state in row.states:
                self._next.setdefault(state, []).append((re.compile(row.pattern), row.to))

    def follow(self, state: str, line: str) -> str | None:
        return None if state == HEAD else self._step(state, line)

    def begin(self, line: str) -> str:
        return self._step(HEAD, line) or HEAD

    def _step(self, state: str, line: str) -> str | None:
        for pattern, to in self._next.get(state, ()):
            if pattern.match(line):
                return to
        return None


class OwnFormat:
    """The grammar of a user's rule: what begins a record, what goes on, or both."""

    def __init__(self, rule: MultilineRule) -> None:
        self._start = re.compile(rule.start) if rule.start else None
        self._continues = re.compile(rule.continues) if rule.continues else None

    def follow(self, state: str, line: str) -> str | None:
        if self._start and self._start.search(line):
            return None
        if self._continues:
            return state if self._continues.search(line) else None
        return state or None

    def begin(self, line: str) -> str:
        """With `start` alone, only a line that matches it opens a record that others may join."""
        return "open" if self._continues or (self._start and self._start.search(line)) else HEAD


@cache
def _languages() -> Languages:
    return Languages(ROWS)


def grammar_for(log_group: str, rules: Sequence[MultilineRule]) -> Grammar:
    """The first rule whose glob fits the log group, else the language tables."""
    for rule in rules:
        if fnmatchcase(log_group, rule.log_group):
            return OwnFormat(rule)
    return _languages()


@dataclass(slots=True)
class _Open:
    """A record that may go on. `tail` is its last line, `before` and `state` what was known before and after it."""

    record: Record
    pieces: list[str]
    raw: list[str]
    tail: str
    before: str | None
    state: str
    size_bytes: int
    partial: bool
    last_ms: float | None

    def close(self) -> None:
        if len(self.pieces) > 1:
            self.record.text = "".join(self.pieces)
            self.record.raw = "\n".join(self.raw)


def join(records: Iterable[Record], grammar: Grammar, settings: Settings) -> list[Record]:
    """Records in the order of their first events; what belongs together has become one.

    Nothing is cut: a record that passes a bound (`max_join_lines`, `max_join_bytes`, `max_join_gap_ms`) goes on as a
    further record with the next part number.
    """
    joined: list[Record] = []
    open_by_stream: dict[str, _Open] = {}
    for record in records:
        current = open_by_stream.get(record.stream)
        goes_on = current is not None and (current.partial or _follows(current, record, grammar))
        if current is not None and goes_on and _fits(current, record, settings):
            _append(current, record, grammar)
            continue
        if current is not None:
            current.close()
            if goes_on:
                _number_parts(current.record, record)
        joined.append(record)
        open_by_stream[record.stream] = _opened(record, grammar, current.state if current and goes_on else None)
    for current in open_by_stream.values():
        current.close()
    return joined


def _follows(current: _Open, record: Record, grammar: Grammar) -> bool:
    return _follow(grammar, current.state, _lines(record.text)[0]) is not None


def _fits(current: _Open, record: Record, settings: Settings) -> bool:
    now_ms = _milliseconds(record)
    return (
        len(current.raw) < settings.max_join_lines
        and current.size_bytes + len(record.text.encode()) < settings.max_join_bytes
        and (now_ms is None or current.last_ms is None or abs(now_ms - current.last_ms) <= settings.max_join_gap_ms)
    )


def _opened(record: Record, grammar: Grammar, state: str | None) -> _Open:
    first, *rest = _lines(record.text)
    opened = _Open(
        record=record,
        pieces=[record.text],
        raw=[record.raw],
        tail=first,
        before=state,
        state=_step(grammar, state, first),
        size_bytes=len(record.text.encode()),
        partial=record.partial,
        last_ms=_milliseconds(record),
    )
    _walk(opened, rest, grammar)
    return opened


def _append(current: _Open, record: Record, grammar: Grammar) -> None:
    """Join with a newline where the piece has none; what the container runtime split joins with nothing between."""
    first, *rest = _lines(record.text)
    if current.partial:
        current.tail += first
        current.state = _step(grammar, current.before, current.tail)
    else:
        if not current.pieces[-1].endswith("\n"):
            current.pieces.append("\n")
            current.size_bytes += 1
        rest = [first, *rest]
    _walk(current, rest, grammar)
    current.pieces.append(record.text)
    current.raw.append(record.raw)
    current.size_bytes += len(record.text.encode())
    current.partial = record.partial
    current.last_ms = _milliseconds(record)
    current.record.event_ids.extend(record.event_ids)


def _walk(current: _Open, lines: Iterable[str], grammar: Grammar) -> None:
    """Lines that were joined before they came here: each leads on from the one above, or stands for itself."""
    for line in lines:
        current.before, current.tail = current.state, line
        current.state = _step(grammar, current.state, line)


def _lines(text: str) -> list[str]:
    """Split at newlines only: U+2028 and the like are part of a line."""
    return text.removesuffix("\n").split("\n")


def _step(grammar: Grammar, state: str | None, line: str) -> str:
    followed = None if state is None else _follow(grammar, state, line)
    return grammar.begin(line[:_SHAPE_WITHIN]) if followed is None else followed


def _follow(grammar: Grammar, state: str, line: str) -> str | None:
    return grammar.follow(state, line[:_SHAPE_WITHIN])


def _number_parts(before: Record, after: Record) -> None:
    before.part = before.part or 1
    after.part = before.part + 1


def _milliseconds(record: Record) -> float | None:
    stamp = record.event.timestamp
    return stamp if isinstance(stamp, int | float) else None
