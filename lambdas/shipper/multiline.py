"""Joins the lines of one record that arrive as separate events: a small engine that walks the rows of `presets`.

A payload holds one log stream, in which a container's stdout and stderr alternate: each is joined on its own. First
comes what the container runtime split, since half a line tells nothing, then what the lines say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatchcase
from functools import cache

from shipper import patterns
from shipper.model import Record
from shipper.presets import HEAD, ROWS
from shipper.presets.grammar import Grammar, Languages
from shipper.settings import MultilineRule, Settings

_SHAPE_WITHIN = 4_096
"""Characters of a line that decide what it is: a megabyte on one line costs no more than that."""

_MAX_UNPROVEN = 100
"""Events that wait for a line that proves them part of a record, so that looking ahead stays cheap."""

_COLOURS = re.compile(r"\x1b\[[\d;]{0,20}m")


class OwnFormat:
    """The grammar of a user's rule: what begins a record, what goes on, or both."""

    solitary: frozenset[str] = frozenset()

    def __init__(self, rule: MultilineRule) -> None:
        self._start = patterns.compile(rule.start) if rule.start else None
        self._continues = patterns.compile(rule.continues) if rule.continues else None

    def begin(self, line: str) -> tuple[str, bool]:
        """With `start` alone, only a line that matches it opens a record that others may join."""
        if self._start and self._start.search(line):
            return "open", False
        return ("open", self._continues.search(line)) if self._continues else (HEAD, True)

    def follow(self, state: str, line: str) -> str | None:
        if self._start and self._start.search(line):
            return None
        if self._continues:
            return state if self._continues.search(line) else None
        return state or None


_own_format = cache(OwnFormat)


@cache
def _languages() -> Languages:
    return Languages(ROWS)


def grammar_for(log_group: str, rules: Sequence[MultilineRule]) -> Grammar:
    """The first rule whose glob fits the log group, else the language tables.

    Raises `ValueError` for a pattern that cannot be compiled.
    """
    for rule in rules:
        if fnmatchcase(log_group, rule.log_group):
            return _own_format(rule)
    return _languages()


def join(records: Iterable[Record], grammar: Grammar, settings: Settings) -> list[Record]:
    """Records in the order of their first events; what belongs together has become one.

    Nothing is cut: a record that passes a bound (`max_join_lines`, `max_join_bytes`, `max_join_gap_ms`) goes on as a
    further record with the next part number.
    """
    whole = _unsplit(list(records), settings)
    streams: dict[str, list[Record]] = {}
    for record in whole:
        streams.setdefault(record.stream, []).append(record)
    absorbed: set[int] = set()
    for stream in streams.values():
        _join_stream(stream, grammar, settings, absorbed)
    return [record for record in whole if id(record) not in absorbed] if absorbed else whole


class _Room:
    """What the bounds leave for further events of one record."""

    def __init__(self, first: Record, settings: Settings, between: str) -> None:
        self._between_bytes = len(between)
        self._events = settings.max_join_lines - len(first.event_ids)
        self._bytes = settings.max_join_bytes - len(first.text.encode())
        self._last_ms = _milliseconds(first)
        self._gap_ms = settings.max_join_gap_ms

    def takes(self, record: Record) -> bool:
        """Whether the record fits; if so, it has taken its room."""
        now_ms = _milliseconds(record)
        if now_ms is not None and self._last_ms is not None and abs(now_ms - self._last_ms) > self._gap_ms:
            return False
        self._last_ms = now_ms
        self._events -= len(record.event_ids)
        self._bytes -= len(record.text.encode()) + self._between_bytes
        return self._events >= 0 and self._bytes >= 0


def _unsplit(records: list[Record], settings: Settings) -> list[Record]:
    """Put together what the container runtime split, with nothing between; a line too long for a bound gets parts."""
    if not any(record.partial for record in records):
        return records
    lines: list[list[Record]] = []
    last_of_stream: dict[str, tuple[list[Record], _Room]] = {}
    for record in records:
        line, room = last_of_stream.get(record.stream) or ([], None)
        if room and line[-1].partial:
            if room.takes(record):
                line.append(record)
                continue
            _number_parts(line[0], record)
        lines.append([record])
        last_of_stream[record.stream] = (lines[-1], _Room(record, settings, ""))
    for line in lines:
        _merge(line, "".join)
        if line[0].partial:  # nothing of its stream comes after it: the rest is in another payload
            line[0].part = line[0].part or 1
    return [line[0] for line in lines]


def _join_stream(records: list[Record], grammar: Grammar, settings: Settings, absorbed: set[int]) -> None:
    """Merge what belongs together into the first record of it; `absorbed` takes the others' ids (as of `id()`)."""
    solitary = grammar.solitary
    # Half of this function's time for ordinary lines, and all that most of them need.
    alone = [record.text[:1] in solitary and record.part < 2 for record in records]
    alone.append(True)
    at, state = 0, None
    while at < len(records):
        head, end, after = records[at], at + 1, None
        if not (alone[at] and alone[end]):
            begun = _state_after(head, state, grammar)
            if not alone[end] and (begun or records[end].part > 1):
                end, after = _extent(records, at, begun, grammar, settings)
                if after is not None:
                    _number_parts(head, records[end])
                absorbed.update(map(id, records[at + 1 : end]))
                _merge(records[at:end], _as_lines)
        at, state = end, after


def _extent(
    records: list[Record], start: int, state: str, grammar: Grammar, settings: Settings
) -> tuple[int, str | None]:
    """Where the record ends whose first event, at `start`, led to `state`; with a state, a bound split it there."""
    room, split = None, None
    proven = start + 1
    for at in range(start + 1, len(records)):
        record = records[at]
        step = (state, False) if record.part > 1 else _step(record, state, grammar)
        if step is None or at - proven > _MAX_UNPROVEN:
            break
        room = room or _Room(records[start], settings, "\n")
        if split is None and (record.part > 1 or not room.takes(record)):
            split = (at, state)
        state, is_proven = step
        if split and (is_proven or split[0] == proven):
            return split
        if is_proven:
            proven = at + 1
    return proven, None


def _state_after(record: Record, state: str | None, grammar: Grammar) -> str:
    """The state after the first event of a record, or of a part that goes on in `state`; it may hold joined lines."""
    first, *rest = _lines(record.text)
    followed = grammar.follow(state, first) if state else None
    if followed is None:
        followed = state  # of a part that begins within a line
    if followed is None:
        followed, record.headless = grammar.begin(first)
    return _walk(followed, rest, grammar)


def _walk(state: str, lines: Iterable[str], grammar: Grammar) -> str:
    """Lines that others joined: each goes on from the one above, or begins."""
    for line in lines:
        followed = grammar.follow(state, line)
        state = grammar.begin(line)[0] if followed is None else followed
    return state


def _step(record: Record, state: str, grammar: Grammar) -> tuple[str, bool] | None:
    """The state after a record that goes on in `state`, and whether that is proven; None where it does not go on."""
    proven = False
    for line in _lines(record.text):
        followed = grammar.follow(state, line)
        if followed is None and not proven:
            return None
        state = grammar.begin(line)[0] if followed is None else followed
        proven = proven or not state.endswith("?")
    return state, proven


def _lines(text: str) -> list[str]:
    """The shapes of a text's lines. Split at newlines only: U+2028 and the like are part of a line."""
    if "\n" not in text:
        return [_shape(text)]
    return [_shape(line) for line in text.removesuffix("\n").split("\n")]


def _shape(line: str) -> str:
    """What decides about a line: without colours, and cut so that it does not seem to end where it was cut."""
    if "\x1b" in line:
        line = _COLOURS.sub("", line[: 2 * _SHAPE_WITHIN])
    return line if len(line) <= _SHAPE_WITHIN else line[:_SHAPE_WITHIN] + "\u2026"


def _merge(records: Sequence[Record], joined: Callable[[list[str]], str]) -> None:
    """Make one record of several: the first keeps its event, time and fields."""
    head, *others = records
    if not others:
        return
    head.text = joined([record.text for record in records])
    head.raw = "\n".join([record.raw for record in records])
    head.partial = records[-1].partial
    head.part = head.part or records[-1].part
    for record in others:
        head.event_ids += record.event_ids
        head.stripped_bytes += record.stripped_bytes


def _as_lines(texts: list[str]) -> str:
    """Join with a newline where a piece has none.

    Where not all pieces have one, a collector took the newlines off: a piece of several lines ends in a blank line.
    """
    terminated = all(text.endswith("\n") for text in texts)
    pieces = [
        text if text.endswith("\n") and (terminated or "\n" not in text[:-1]) else text + "\n" for text in texts[:-1]
    ]
    return "".join(pieces) + texts[-1]


def _number_parts(before: Record, after: Record) -> None:
    before.part = before.part or 1
    after.part = before.part + 1


def _milliseconds(record: Record) -> float | None:
    stamp = record.event.timestamp
    return stamp if isinstance(stamp, int | float) else None
