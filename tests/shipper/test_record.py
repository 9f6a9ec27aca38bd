"""An event's fields, its text, the stream that it came on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shipper.model import LogEvent
from shipper.record import Reader
from shipper.settings import Settings
from tests.shipper.fakes import SOURCE, read

STANDARD = Settings()


def event(message: Any, extracted: dict[str, Any] | None = None) -> LogEvent:
    return LogEvent("1", 0, message if isinstance(message, str) else json.dumps(message), extracted)


JAVA = {"trace_id": "a", "msg": "hello"}

# The message (JSON unless it is a text), the record's text and the key that it came from.
TEXTS: dict[str, tuple[Any, str, str]] = {
    "Fluentd's record": ({"log": "hello\n", "stream": "stdout"}, "hello\n", "log"),
    "Fluentd's record with the CRI parser": ({"message": "hello", "stream": "stdout"}, "hello", "message"),
    "log comes before message": ({"message": "m", "log": "l"}, "l", "log"),
    "an empty line": ({"log": "", "stream": "stdout"}, "", "log"),
    "a blank line whose key was left out": ({"stream": "stdout", "kubernetes": {"host": "h"}}, "", ""),
    "log is an object": ({"log": {"a": 1}, "message": "m"}, "m", "message"),
    "log is a number": ({"log": 7}, '{"log": 7}', ""),
    "plain text": ("hello", "hello", ""),
    "no text at all": ("", "", ""),
    "an application's own JSON": ({"a": 1}, '{"a": 1}', ""),
    "an array": ("[1]", "[1]", ""),
    "broken JSON": ('{"log": "x"', '{"log": "x"', ""),
    "text in front of JSON belongs to the text": ('INFO {"log":"x"}', 'INFO {"log":"x"}', ""),
    "space in front of JSON does not": (' \n{"log":"x"}', "x", "log"),
    "Fluent Bit leaves only the parsed line": ({"log_processed": JAVA, "stream": "stdout"}, "hello", ""),
    "a parsed line without a text": ({"log_processed": {"a": 1}}, '{"a":1}', ""),
    "a parsed line beside its text": ({"log": "x", "log_processed": JAVA}, "x", "log"),
    "a parsed line that is none": ({"log_processed": "x"}, '{"log_processed": "x"}', ""),
    "without what was stripped": ({"a": 1, "docker": {"id": "d"}}, '{"a":1}', ""),
    "a stream of another kind": ({"stream": "events", "a": 1}, '{"stream": "events", "a": 1}', ""),
}


@pytest.mark.parametrize(("message", "text", "key"), TEXTS.values(), ids=TEXTS)
def test_the_text_is_what_a_person_reads(message: Any, text: str, key: str) -> None:
    record = read(event(message), STANDARD)
    assert (record.text, record.text_key) == (text, key)
    assert record.raw == record.event.message
    assert record.event_ids == ["1"]


STREAMS: dict[str, tuple[Any, str]] = {
    "stdout": ({"log": "x", "stream": "stdout"}, "stdout"),
    "stderr": ({"log": "x", "stream": "stderr"}, "stderr"),
    "of an application's own": ({"log": "x", "stream": "events"}, ""),
    "of another type": ({"log": "x", "stream": ["stdout"]}, ""),
    "none": ({"log": "x"}, ""),
    "plain text": ("stdout", ""),
}


@pytest.mark.parametrize(("message", "stream"), STREAMS.values(), ids=STREAMS)
def test_the_stream_is_one_of_two(message: Any, stream: str) -> None:
    assert read(event(message), STANDARD).stream == stream


POD = '"kubernetes": {"host": "h"}}'

# Messages that end as the one before them, whose metadata is known then: are they JSON of their own?
SAME_END: dict[str, tuple[str, dict[str, Any]]] = {
    "another text": ('{"a": 2, ' + POD, {"a": 2, "kubernetes": {"host": "h"}}),
    "no JSON": ('{"a": , ' + POD, {}),
    "text in front": ('x {"a": 2, ' + POD, {"a": 2, "kubernetes": {"host": "h"}}),
    "the metadata twice": ('{"kubernetes": {"host": "g"}, ' + POD, {"kubernetes": {"host": "h"}}),
    "metadata of something else": ('{"a": {"b": 2, ' + POD + "}", {"a": {"b": 2, "kubernetes": {"host": "h"}}}),
}


@pytest.mark.parametrize(("message", "fields"), SAME_END.values(), ids=SAME_END)
def test_a_message_that_ends_as_the_one_before_is_read_as_if_it_were_the_first(
    message: str, fields: dict[str, Any]
) -> None:
    reader = Reader(STANDARD, SOURCE.log_group)
    reader.read(event('{"a": 1, ' + POD))
    assert reader.read(event(message)).fields == fields


@pytest.mark.parametrize("stream", [[], {}, {"id": 5}], ids=["a list", "an empty object", "an object"])
def test_a_stream_of_another_type_is_a_field_like_any(stream: Any) -> None:
    record = read(event({"stream": stream, "event": "login"}), STANDARD)
    assert (record.stream, record.text) == ("", record.raw)


@pytest.mark.parametrize(
    ("logtag", "partial"), [("P", True), ("F", False), ("P:x", False), (None, False)], ids=["P", "F", "P and more", "-"]
)
def test_a_piece_of_a_split_line_is_known_by_its_tag(logtag: str | None, partial: bool) -> None:
    record = read(event({"log": "x", "logtag": logtag}), STANDARD)
    assert record.partial == partial
    assert "logtag" not in record.fields


def test_what_was_stripped_is_told_and_raw_stays_as_received() -> None:
    message = {"log": "x", "docker": {"id": "d"}, "kubernetes": {"pod_id": "u", "host": "h"}}
    record = read(event(message), STANDARD)
    assert record.stripped == ("kubernetes.pod_id", "docker")
    assert record.fields == {"log": "x", "kubernetes": {"host": "h"}}
    assert json.loads(record.raw) == message


def test_the_incumbent_strips_nothing() -> None:
    message = {"log": "x", "docker": {"id": "d"}, "logtag": "F"}
    record = read(event(message), Settings.for_profile("incumbent"))
    assert (record.fields, record.stripped) == (message, ())


def test_extracted_fields_are_the_records_fields() -> None:
    record = read(event("7 hello", {"n": "7", "w": "hello"}), STANDARD)
    assert (record.fields, record.text) == ({"n": 7, "w": "hello"}, "7 hello")


def test_text_is_not_replaced_by_extracted_fields() -> None:
    record = read(event("{x} hello", {"docker": "{x}", "w": "hello"}), STANDARD)
    assert record.text == "{x} hello"


@pytest.mark.parametrize(
    ("message", "text"),
    [
        pytest.param('{"log":"x"}', "x", id="JSON"),
        pytest.param("{x} hello", "{x} hello", id="none"),
        pytest.param("", "", id="empty"),
    ],
)
def test_system_fields_do_not_stand_for_the_messages_own(message: str, text: str) -> None:
    record = read(event(message, {"@aws.account": "0123"}), STANDARD)
    assert (record.text, record.fields["@aws.account"]) == (text, "0123")


def test_an_event_is_never_changed() -> None:
    extracted = {"kubernetes": {"pod_id": "u", "host": "h"}}
    read(event("x", extracted), STANDARD)
    assert extracted == {"kubernetes": {"pod_id": "u", "host": "h"}}
