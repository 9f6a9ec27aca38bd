"""Are all events of a log group in the index? Says for each event where it is.

A document holds a run of events of one log stream and one of its streams, stdout or stderr: the first of them gives it
its id, `@lines` says how many they are. So a document that is there proves the events that it holds, however CloudWatch
had cut the stream into payloads on that day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, Protocol

from shipper.model import LogEvent, Payload, Source
from shipper.pipeline import transform
from shipper.record import Reader
from shipper.settings import Settings
from shipper.times import milliseconds

MAX_SLICE_EVENTS = 20_000
MAX_SLICE_CHARS = 32_000_000
MAX_NAMED = 1_000

LOOK_BACK_MS = 300_000
"""How long before the time in question the reading starts: a record that began there may hold its first events."""


class Standing(Enum):
    """Where an event is: in the index, joined into a document there, in a letter, left out by a rule, or nowhere.

    `PENDING` are those too young to be missed.
    """

    PRESENT = "present"
    JOINED = "joined"
    WAITING = "waiting"
    FILTERED = "filtered"
    PENDING = "pending"
    MISSING = "missing"


class Event(NamedTuple):
    """An event as CloudWatch keeps it; times in milliseconds since the epoch."""

    event: LogEvent
    log_stream: str
    ingested_at_ms: int

    @property
    def at_ms(self) -> int:
        return int(self.event.timestamp)

    @property
    def came_ms(self) -> int:
        """When it can have been forwarded at the earliest."""
        return max(self.at_ms, self.ingested_at_ms)


class Found(NamedTuple):
    """A document: how many events it holds, its time (ISO 8601), and whether that stands in for an unusable one."""

    lines: int
    timestamp: str
    is_clamped: bool = False


class Places(Protocol):
    """Where events can be but in CloudWatch. All may raise what their stores raise."""

    def between(self, from_ms: int, to_ms: int) -> Iterable[tuple[str, Found]]:
        """(id, document) of the log group in the index, from the one time to before the other."""

    def with_ids(self, ids: Sequence[str]) -> Mapping[str, Found]:
        """Those of these documents that are in the index, whatever their time."""

    def waiting(self) -> Mapping[str, int]:
        """Ids of the documents that wait in letters, with the number of events that each holds."""


@dataclass(frozen=True, slots=True)
class Window:
    """What is asked: events of a log group from one time to before another; what came after `settled_ms` is pending."""

    source: Source
    from_ms: int
    to_ms: int
    settled_ms: int
    look_back_ms: int = LOOK_BACK_MS

    @property
    def read_from_ms(self) -> int:
        """Where the reading has to start."""
        return self.from_ms - self.look_back_ms


@dataclass(frozen=True, slots=True)
class Slice:
    """All events from one time to before another, in the order in which CloudWatch has them."""

    from_ms: int
    to_ms: int
    events: Sequence[Event]


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of a slice: counts by standing, the missing events in runs of neighbours, documents of no event.

    `extra` has the ids of the first `MAX_NAMED` of these, `extra_count` is the number of all.
    """

    counts: Counter[Standing]
    missing: list[list[Event]]
    extra: list[str]
    extra_count: int


def slices(events: Iterable[Event], window: Window) -> Iterator[Slice]:
    """Cut a sorted stream of events into slices of bounded size, never between two events of the same millisecond."""
    from_ms = window.read_from_ms
    held: list[Event] = []
    chars = 0
    for event in events:
        is_full = len(held) >= MAX_SLICE_EVENTS or chars >= MAX_SLICE_CHARS
        if is_full and event.at_ms > held[-1].at_ms:
            yield Slice(from_ms, event.at_ms, held)
            from_ms, held, chars = event.at_ms, [], 0
        held.append(event)
        chars += len(event.event.message)
    yield Slice(from_ms, window.to_ms, held)


_Stream = tuple[str, str]
_Runs = Mapping[_Stream, tuple[int, int]]
"""By stream: how many events a document there still holds, and when its last one was."""


class Auditor:
    """Judges slice after slice of a window, in order; of what it has seen it keeps what the next slice needs."""

    def __init__(self, window: Window, settings: Settings, places: Places) -> None:
        self._window = window
        self._settings = settings
        self._places = places
        self._reader = Reader(settings, window.source.log_group)
        self._indexed: _Runs = {}
        self._waiting: _Runs = {}
        self._before: list[Event] = []

    def judge(self, part: Slice) -> Judged:
        """Where each event of the slice is. Raises what the places raise."""
        ids = {event.event.id for event in part.events}
        heads: dict[str, int] = {}
        extra: list[str] = []
        extra_count = 0
        for id_, found in self._places.between(part.from_ms, part.to_ms):
            if id_ in ids:
                heads[id_] = found.lines
            elif self._is_stranger(found):
                extra_count += 1
                if extra_count <= MAX_NAMED:
                    extra.append(id_)
        streams = {event.event.id: self._stream(event) for event in part.events}
        left, runs = self._covered(part.events, streams, heads, self._indexed)
        # A broken time puts a document on another day.
        if left and (elsewhere := self._places.with_ids([event.event.id for event in left])):
            heads |= {id_: found.lines for id_, found in elsewhere.items()}
            left, runs = self._covered(part.events, streams, heads, self._indexed)
        self._indexed = runs
        standing = self._of_the_rest(left, streams, part)
        counts = Counter(
            standing.get(event.event.id) or (Standing.PRESENT if event.event.id in heads else Standing.JOINED)
            for event in part.events
            if event.at_ms >= self._window.from_ms
        )
        missing = {id_ for id_, stands in standing.items() if stands is Standing.MISSING}
        return Judged(counts, self._neighbours(part.events, missing), extra, extra_count)

    def _of_the_rest(self, left: Sequence[Event], streams: Mapping[str, _Stream], part: Slice) -> dict[str, Standing]:
        """Where the events are that are not in the index."""
        waiting = self._places.waiting() if left else {}
        nowhere, self._waiting = self._covered(left, streams, waiting, self._waiting)
        lost = {event.event.id for event in nowhere}
        standing = {event.event.id: Standing.WAITING for event in left if event.event.id not in lost}
        kept = self._kept_by_rules(part, {event.log_stream for event in nowhere})
        for event in nowhere:
            if kept is not None and event.event.id not in kept:
                standing[event.event.id] = Standing.FILTERED
            elif event.came_ms > self._window.settled_ms:
                standing[event.event.id] = Standing.PENDING
            else:
                standing[event.event.id] = Standing.MISSING
        return standing

    def _covered(
        self, events: Iterable[Event], streams: Mapping[str, _Stream], heads: Mapping[str, int], before: _Runs
    ) -> tuple[list[Event], _Runs]:
        """(events that no document holds, what the documents still hold after them)."""
        runs, left = dict(before), []
        for event in events:
            stream = streams[event.event.id]
            room, last_ms = runs.pop(stream, (0, 0))
            if event.at_ms - last_ms > self._settings.max_join_gap_ms:
                room = 0
            # Not `lines - 1` alone: a late event may stand between those that were joined before it came.
            if lines := heads.get(event.event.id, 0):
                room += lines - 1
            elif room:
                room -= 1
            else:
                left.append(event)
            if room:
                runs[stream] = (room, event.at_ms)
        return left, runs

    def _kept_by_rules(self, part: Slice, log_streams: set[str]) -> set[str] | None:
        """Ids of the events of these log streams that the rules keep; None where there are no rules."""
        if not self._settings.filters:
            return None
        kept: set[str] = set()
        events = [*self._before, *part.events]
        for log_stream in log_streams:
            own = tuple(event.event for event in events if event.log_stream == log_stream)
            batch = transform(Payload(self._window.source, own), self._settings, self._window.settled_ms)
            kept.update(id_ for document in batch.documents for id_ in document.event_ids)
        since_ms = part.to_ms - self._settings.max_join_gap_ms
        self._before = [event for event in part.events if event.at_ms >= since_ms]
        return kept

    def _stream(self, event: Event) -> _Stream:
        return event.log_stream, self._reader.read(event.event).stream

    def _is_stranger(self, found: Found) -> bool:
        if found.is_clamped:
            return False
        at_ms = milliseconds(found.timestamp)
        return self._window.from_ms <= at_ms <= self._window.settled_ms

    def _neighbours(self, events: Iterable[Event], missing: set[str]) -> list[list[Event]]:
        """The missing events, those together that nothing else of their log stream stands between."""
        runs: list[list[Event]] = []
        open_runs: dict[str, list[Event]] = {}
        for event in events:
            if event.event.id not in missing or event.at_ms < self._window.from_ms:
                open_runs.pop(event.log_stream, None)
                continue
            if event.log_stream not in open_runs:
                open_runs[event.log_stream] = []
                runs.append(open_runs[event.log_stream])
            open_runs[event.log_stream].append(event)
        return runs
