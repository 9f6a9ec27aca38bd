from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper import audit
from shipper.audit import Auditor, Event, Found, Judged, Slice, Standing, Window, slices
from shipper.decode import decode
from shipper.model import Document, LogEvent, Payload
from shipper.pipeline import transform
from shipper.resend import payloads
from shipper.sample import Rule
from shipper.settings import Settings
from shipper.times import milliseconds
from tests.shipper.fakes import NOW_MS, SETTINGS, SOURCE, patient

FROM_MS = NOW_MS - 3_600_000
SETTLED_MS = NOW_MS - 60_000
WINDOW = Window(replace(SOURCE, log_stream=""), FROM_MS, NOW_MS, SETTLED_MS)
HEAD, TAIL = "java.lang.IllegalStateException: locked", "\tat com.shop.A.b(A.java:1)"


def event(number: int, message: str = "plain", *, at_ms: int | None = None, stream: str = "pod-1") -> Event:
    """The `number`th event of the window, a second after the one before."""
    stamp = FROM_MS + 1_000 * number if at_ms is None else at_ms
    return Event(LogEvent(f"id-{number}", stamp, message), stream, stamp)


def container(stream: str, text: str) -> str:
    return json.dumps({"log": text, "stream": stream})


@dataclass
class FakePlaces:
    """An index and letters in memory."""

    index: dict[str, Found] = field(default_factory=dict)
    letters: Mapping[str, int] = field(default_factory=dict)

    def between(self, from_ms: int, to_ms: int) -> Iterator[tuple[str, Found]]:
        for id_, found in self.index.items():
            if from_ms <= milliseconds(found.timestamp) < to_ms:
                yield id_, found

    def with_ids(self, ids: Sequence[str]) -> Mapping[str, Found]:
        return {id_: self.index[id_] for id_ in ids if id_ in self.index}

    def waiting(self) -> Mapping[str, int]:
        return self.letters


def found(document: Document) -> Found:
    return Found(json.loads(document.source).get("@lines", 1), document.timestamp)


def indexed(events: Sequence[Event], settings: Settings = SETTINGS) -> dict[str, Found]:
    """What the subscriber writes of these events, each stream in one payload."""
    index: dict[str, Found] = {}
    for stream in dict.fromkeys(event.log_stream for event in events):
        own = tuple(event.event for event in events if event.log_stream == stream)
        batch = transform(Payload(replace(SOURCE, log_stream=stream), own), settings, NOW_MS)
        index |= {document.id: found(document) for document in batch.documents}
    return index


def judged(
    events: Iterable[Event], places: FakePlaces, settings: Settings = SETTINGS, window: Window = WINDOW
) -> list[Judged]:
    auditor = Auditor(window, settings, places)
    return [auditor.judge(part) for part in slices(events, window)]


def counts(parts: Iterable[Judged]) -> dict[str, int]:
    total = sum((part.counts for part in parts), Counter[Standing]())
    return {standing.value: count for standing, count in total.items()}


def missing(parts: Iterable[Judged]) -> list[str]:
    return [event.event.id for part in parts for run in part.missing for event in run]


PLAIN = [event(1), event(2), event(3)]
RECORD = [event(1, HEAD), event(2, TAIL), event(3, TAIL), event(4)]
MIXED = [
    event(1, container("stderr", HEAD)),
    event(2, container("stdout", "plain")),
    event(3, container("stderr", TAIL)),
    event(4, container("stderr", TAIL)),
]
DROPPED = SETTINGS.with_values(filters=(Rule("noise", "drop", pattern="plain"),))
OLD = [event(-10, HEAD, at_ms=FROM_MS - 1_000), event(1, TAIL, at_ms=FROM_MS + 1_000)]
YOUNG = [event(1), event(2, at_ms=SETTLED_MS + 1)]
CAME_LATE = [event(1)._replace(ingested_at_ms=SETTLED_MS + 1)]

Lose = Callable[[dict[str, Found]], Any]


@pytest.mark.parametrize(
    ("events", "lost", "letters", "settings", "expected"),
    [
        pytest.param([], [], {}, SETTINGS, {}, id="nothing at all"),
        pytest.param(PLAIN, [], {}, SETTINGS, {"present": 3}, id="all there"),
        pytest.param(PLAIN, ["id-2"], {}, SETTINGS, {"present": 2, "missing": 1}, id="one missing"),
        pytest.param(PLAIN, ["id-2"], {"id-2": 1}, SETTINGS, {"present": 2, "waiting": 1}, id="one in a letter"),
        pytest.param(RECORD, [], {}, SETTINGS, {"present": 2, "joined": 2}, id="joined"),
        pytest.param(RECORD, ["id-1"], {}, SETTINGS, {"present": 1, "missing": 3}, id="a record missing"),
        pytest.param(RECORD, ["id-1"], {"id-1": 3}, SETTINGS, {"present": 1, "waiting": 3}, id="a record in a letter"),
        pytest.param(MIXED, [], {}, SETTINGS, {"present": 2, "joined": 2}, id="joined across the other stream"),
        pytest.param(MIXED, ["id-1"], {}, SETTINGS, {"present": 1, "missing": 3}, id="missing beside the other stream"),
        pytest.param(PLAIN, [], {}, DROPPED, {"filtered": 3}, id="left out by a rule"),
        pytest.param(
            RECORD, ["id-1"], {}, DROPPED, {"filtered": 1, "missing": 3}, id="missing beside what a rule leaves out"
        ),
        pytest.param(OLD, [], {}, SETTINGS, {"joined": 1}, id="joined into a record that began before"),
        pytest.param(OLD, ["id--10"], {}, SETTINGS, {"missing": 1}, id="the record that began before is missing"),
        pytest.param(YOUNG, ["id-1", "id-2"], {}, SETTINGS, {"missing": 1, "pending": 1}, id="too young"),
        pytest.param(CAME_LATE, ["id-1"], {}, SETTINGS, {"pending": 1}, id="old, but came just now"),
    ],
)
def test_where_each_event_is(
    events: list[Event], lost: list[str], letters: dict[str, int], settings: Settings, expected: dict[str, int]
) -> None:
    index = {id_: there for id_, there in indexed(events, settings).items() if id_ not in lost}
    parts = judged(events, FakePlaces(index, letters), settings)
    assert counts(parts) == expected
    assert [part.extra for part in parts] == [[]]


def test_the_other_stream_hides_no_loss() -> None:
    index = indexed(MIXED)
    del index["id-2"]
    assert missing(judged(MIXED, FakePlaces(index))) == ["id-2"]


def test_missing_neighbours_are_told_from_those_that_stood_apart() -> None:
    events = [*[event(number) for number in range(1, 6)], event(6, stream="pod-2")]
    index = {id_: there for id_, there in indexed(events).items() if id_ == "id-3"}
    (part,) = judged(events, FakePlaces(index))
    assert [[one.event.id for one in run] for run in part.missing] == [["id-1", "id-2"], ["id-4", "id-5"], ["id-6"]]


def test_a_payload_boundary_within_a_record_changes_nothing() -> None:
    index = indexed(RECORD[:2]) | indexed(RECORD[2:])
    assert counts(judged(RECORD, FakePlaces(index))) == {"present": 3, "joined": 1}
    del index["id-3"]
    parts = judged(RECORD, FakePlaces(index))
    assert missing(parts) == ["id-3"]


def test_a_document_on_another_day_is_found_by_its_id() -> None:
    """A broken time was replaced by that of the ingest."""
    index = indexed(RECORD)
    index["id-1"] = Found(3, "2026-12-24T00:00:00.000Z", is_clamped=True)
    assert counts(judged(RECORD, FakePlaces(index))) == {"present": 2, "joined": 2}


def test_a_late_event_between_joined_ones_is_no_loss() -> None:
    index = indexed(RECORD) | {"late": Found(1, "2026-11-24T11:00:01.500Z")}
    late = Event(LogEvent("late", FROM_MS + 1_500, "plain"), "pod-1", NOW_MS)
    events = sorted([*RECORD, late], key=lambda event: event.at_ms)
    assert counts(judged(events, FakePlaces(index))) == {"present": 3, "joined": 2}


def test_what_a_document_held_does_not_hide_a_loss_long_after() -> None:
    index = indexed([event(1)]) | {"id-1": Found(2, "2026-11-24T11:00:01.000Z")}
    assert missing(judged([event(1), event(90)], FakePlaces(index))) == ["id-90"]


@pytest.mark.parametrize(
    ("there", "extra"),
    [
        (Found(1, "2026-11-24T11:30:00.000Z"), ["stranger"]),
        (Found(1, "2026-11-24T11:30:00.000Z", is_clamped=True), []),
        (Found(1, "2026-11-24T11:59:30.000Z"), []),
        (Found(1, "2026-11-24T10:58:00.000Z"), []),
        (Found(1, "no time"), []),
    ],
    ids=["settled", "its time is that of its ingest", "too young", "before the window", "without a time"],
)
def test_a_document_without_an_event_is_extra(there: Found, extra: list[str]) -> None:
    places = FakePlaces(indexed(PLAIN) | {"stranger": there})
    (part,) = judged(PLAIN, places)
    assert (part.extra, part.extra_count) == (extra, len(extra))


def test_strangers_are_named_up_to_a_bound_and_counted_beyond(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "MAX_NAMED", 2)
    places = FakePlaces({f"s{number}": Found(1, "2026-11-24T11:30:00.000Z") for number in range(5)})
    (part,) = judged([], places)
    assert (part.extra, part.extra_count) == (["s0", "s1"], 5)


@pytest.mark.parametrize("bound", [1, 2, 3, 100])
def test_slices_leave_nothing_out_and_never_part_a_millisecond(bound: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "MAX_SLICE_EVENTS", bound)
    events = [event(number, at_ms=FROM_MS + number // 2) for number in range(7)]
    parts = list(slices(events, WINDOW))
    assert [one for part in parts for one in part.events] == events
    assert [part.from_ms for part in parts] == [WINDOW.read_from_ms, *[part.to_ms for part in parts[:-1]]]
    assert parts[-1].to_ms == NOW_MS
    assert all(part.from_ms <= one.at_ms < part.to_ms for part in parts for one in part.events)
    assert max(len(part.events) for part in parts) <= max(2, bound + 1)


def test_a_slice_is_bounded_by_its_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "MAX_SLICE_CHARS", 10)
    assert [len(part.events) for part in slices(PLAIN, WINDOW)] == [2, 1]


@pytest.mark.parametrize("settings", [SETTINGS, DROPPED], ids=["all kept", "with a rule"])
def test_a_record_across_two_slices_is_whole(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "MAX_SLICE_EVENTS", 2)
    index = indexed(RECORD, settings)
    parts = judged(RECORD, FakePlaces(index), settings)
    assert len(parts) > 1
    assert missing(parts) == []


def test_a_record_that_a_rule_left_out_is_known_in_the_next_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its tail alone would be kept."""
    monkeypatch.setattr(audit, "MAX_SLICE_EVENTS", 2)
    rule = SETTINGS.with_values(filters=(Rule("noise", "drop", pattern="locked"),))
    parts = judged(RECORD, FakePlaces(indexed(RECORD, rule)), rule)
    assert counts(parts) == {"filtered": 3, "present": 1}


MESSAGES = [HEAD, TAIL, "Caused by: java.io.IOException: x", "plain", "Traceback (most recent call last):"]
STREAMS = ["stdout", "stderr"]


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[Event], list[list[Event]]]:
    """(events of one log stream, the payloads that they came in)."""
    drawn = draw(st.lists(st.tuples(st.sampled_from(MESSAGES), st.sampled_from(STREAMS), st.integers(0, 90_000))))
    events, at_ms = [], FROM_MS
    for number, (message, stream, gap_ms) in enumerate(drawn):
        at_ms += gap_ms
        events.append(event(number, container(stream, message), at_ms=at_ms))
    cuts = sorted(draw(st.sets(st.integers(0, len(events)))) | {0, len(events)})
    return events, [events[start:end] for start, end in pairwise(cuts)]


def written(batches: Iterable[Sequence[Event]]) -> dict[str, Document]:
    return {
        document.id: document
        for batch in batches
        for document in transform(Payload(SOURCE, tuple(one.event for one in batch)), SETTINGS, NOW_MS).documents
    }


@patient
@given(deliveries(), st.data())
def test_exactly_the_events_of_lost_documents_are_missing_and_a_repair_brings_them(
    delivered: tuple[list[Event], list[list[Event]]], data: st.DataObject
) -> None:
    events, batches = delivered
    window = replace(WINDOW, to_ms=FROM_MS + 10**9, settled_ms=FROM_MS + 10**9)
    documents = written(batches)
    lost = data.draw(st.sets(st.sampled_from(sorted(documents)))) if documents else set()
    index = {id_: found(document) for id_, document in documents.items() if id_ not in lost}
    parts = judged(events, FakePlaces(index), window=window)
    assert sorted(missing(parts)) == sorted(id_ for name in lost for id_ in documents[name].event_ids)

    runs = [run for part in parts for run in part.missing]
    for _, sent in payloads(runs, WINDOW.source, SETTINGS.max_join_gap_ms):
        payload = decode(sent, max_decoded_bytes=10**6)
        assert isinstance(payload, Payload)
        index |= {document.id: found(document) for document in transform(payload, SETTINGS, NOW_MS).documents}
    again = judged(events, FakePlaces(index), window=window)
    assert missing(again) == []
    assert [part.extra for part in again] == [[]]


@pytest.mark.parametrize(
    ("text", "expected"), [("2026-11-24T12:00:00.000Z", NOW_MS), ("", 0), ("soon", 0), ("0001-01-01", 0)]
)
def test_the_time_of_a_document_in_milliseconds(text: str, expected: int) -> None:
    assert milliseconds(text) == expected


def test_a_slice_of_nothing_is_asked_for_strangers() -> None:
    assert list(slices([], WINDOW)) == [Slice(WINDOW.read_from_ms, NOW_MS, [])]
