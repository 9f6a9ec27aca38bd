"""A payload in, documents out: each event in exactly one of them."""

from __future__ import annotations

import json

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper.decode import decode_payload
from shipper.model import Batch, LogEvent, Payload
from shipper.pipeline import transform
from shipper.settings import PROFILES, MultilineRule, Settings
from tests.shipper.fakes import NOW_MS, SOURCE, patient, payload_of
from tests.shipper.test_jsontext import json_values

TRACE = ["java.lang.IllegalStateException: no stock", "\tat com.shop.Stock.take(Stock.java:41)", "next"]


def batch_of(*messages: str, settings: Settings = Settings()) -> Batch:  # noqa: B008 - frozen
    payload = decode_payload(payload_of(*messages))
    assert isinstance(payload, Payload)
    return transform(payload, settings, NOW_MS)


def texts(batch: Batch) -> list[str]:
    return [json.loads(document.source)["@message"] for document in batch.documents]


def test_each_event_becomes_a_document_in_order() -> None:
    batch = batch_of("b", "a", "c")
    assert (batch.source, batch.received, batch.joined, batch.filtered) == (SOURCE, 3, 0, 0)
    assert texts(batch) == ["b", "a", "c"]
    assert [document.id for document in batch.documents] == ["event-0", "event-1", "event-2"]


def test_the_lines_of_a_record_become_one_document_with_the_id_of_the_first() -> None:
    batch = batch_of("before", *TRACE)
    assert texts(batch) == ["before", "\n".join(TRACE[:2]), "next"]
    assert (batch.received, batch.joined) == (4, 1)
    assert [document.id for document in batch.documents] == ["event-0", "event-1", "event-3"]
    assert batch.documents[1].event_ids == ("event-1", "event-2")


@pytest.mark.parametrize(
    "settings", [Settings(join=False), Settings.for_profile("incumbent")], ids=["off", "incumbent"]
)
def test_nothing_is_joined_where_joining_is_off(settings: Settings) -> None:
    batch = batch_of(*TRACE, settings=settings)
    assert (texts(batch), batch.joined) == (TRACE, 0)


def test_a_rule_for_the_log_group_replaces_the_language_tables() -> None:
    rules = (MultilineRule("/other", start="^x"), MultilineRule("/aws/*/application", start=r"^\["))
    batch = batch_of("[1] a", "b", "[2] c", settings=Settings(multiline=rules))
    assert texts(batch) == ["[1] a\nb", "[2] c"]


def test_the_ingest_time_stands_in_for_a_broken_clock() -> None:
    batch = transform(Payload(SOURCE, (LogEvent("1", "soon", "x"),)), Settings(), 0)
    assert batch.documents[0].timestamp == "1970-01-01T00:00:00.000Z"
    assert batch.documents[0].index == "cwl-1970.01.01"


def test_no_events_are_no_documents() -> None:
    assert transform(Payload(SOURCE, ()), Settings(), NOW_MS) == Batch(SOURCE, 0, ())


lines = st.sampled_from(
    [*TRACE, "Caused by: java.lang.Error: x", "\t... 3 more", "", "Traceback (most recent call last):"]
)
messages = (
    lines
    | st.builds(lambda log, stream: json.dumps({"log": log, "stream": stream}), lines, st.sampled_from("oe"))
    | json_values.map(json.dumps)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
)
events = st.lists(messages, max_size=12).map(
    lambda found: tuple(LogEvent(f"e{number}", NOW_MS, message) for number, message in enumerate(found))
)


@hypothesis.settings(patient, max_examples=150)
@given(events, st.sampled_from(sorted(PROFILES)))
def test_every_event_is_in_exactly_one_document(found: tuple[LogEvent, ...], profile: str) -> None:
    batch = transform(Payload(SOURCE, found), Settings.for_profile(profile), NOW_MS)
    held = [event_id for document in batch.documents for event_id in document.event_ids]
    assert sorted(held) == sorted(event.id for event in found)
    assert [document.id for document in batch.documents] == [document.event_ids[0] for document in batch.documents]
    firsts = [held.index(document.id) for document in batch.documents]
    assert firsts == sorted(firsts)
    assert batch.received == len(batch.documents) + batch.joined + batch.filtered


@hypothesis.settings(patient, max_examples=50)
@given(events)
def test_the_same_payload_gives_the_same_bytes(found: tuple[LogEvent, ...]) -> None:
    payload = Payload(SOURCE, found)
    assert transform(payload, Settings(), NOW_MS) == transform(payload, Settings(), NOW_MS + 1)


def test_the_incumbent_keeps_every_message_as_received() -> None:
    received = [json.dumps({"log": line, "docker": {"id": "d"}}) for line in TRACE]
    assert texts(batch_of(*received, settings=Settings.for_profile("incumbent"))) == received
