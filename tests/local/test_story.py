from __future__ import annotations

import json

from local import story

NOW_MS = 1_800_000_000_000


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
