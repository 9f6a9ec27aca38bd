from __future__ import annotations

import json
from collections.abc import Sequence

from local import story
from shipper.model import Document, LogEvent, Payload, Source
from shipper.pipeline import transform
from shipper.settings import Settings

NOW_MS = 1_800_000_000_000


def documents(events: Sequence[story.Event]) -> tuple[Document, ...]:
    found = tuple(LogEvent(str(n), event.timestamp_ms, event.message) for n, event in enumerate(events))
    return transform(Payload(Source("1", events[0].group, events[0].stream), found), Settings(), NOW_MS).documents


def test_the_samples_end_now_and_keep_their_order() -> None:
    events = story.sampled(NOW_MS)
    assert max(event.timestamp_ms for event in events) == NOW_MS
    assert {event.group for event in events} == {"application", "dataplane", "host"}


def test_put_calls_hold_every_event_once_in_time_order() -> None:
    events = story.sampled(NOW_MS)
    calls = list(story.put_calls(events))
    assert sorted(event.message for *_, batch in calls for event in batch) == sorted(e.message for e in events)
    for group, stream, batch in calls:
        assert {(event.group, event.stream) for event in batch} == {(group, stream)}
        assert [event.timestamp_ms for event in batch] == sorted(event.timestamp_ms for event in batch)


def test_the_two_orders_clash_in_one_field() -> None:
    lines = [
        json.loads(json.loads(event.message)["message"])
        for event in (story.order_placed(NOW_MS), story.order_cancelled(NOW_MS))
    ]
    assert [type(line["order"]) for line in lines] == [dict, str]


def test_the_day_of_the_old_order_knows_all_of_its_fields_but_one() -> None:
    event = story.order_of_old(NOW_MS)
    index, body = story.strict_day(NOW_MS)
    made = documents([event])[0]
    known, fields = body["mappings"]["properties"], json.loads(made.source)
    assert made.index == index
    assert fields.keys() <= known.keys()
    assert body["mappings"]["dynamic"] == known["log_processed"]["dynamic"] == "strict"
    assert fields["log_processed"].keys() - known["log_processed"]["properties"].keys() == {"order"}


def test_the_lines_of_the_outage_are_told_apart() -> None:
    events = story.during_outage(NOW_MS)
    texts = [json.loads(document.source)["@message"] for document in documents(events)]
    assert len(set(texts)) == len(texts) == len(events)
    assert all(story.OUTAGE_PHRASE in text for text in texts)
