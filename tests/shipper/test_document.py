"""From a record to its document: index, id, system fields, the text, what clashes, what is too deep, broken clocks."""

from __future__ import annotations

import json
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper.model import LogEvent
from shipper.settings import Settings
from tests.shipper.fakes import NOW_MS, SOURCE, document, patient, read
from tests.shipper.test_jsontext import json_values

STANDARD = Settings()
INCUMBENT = Settings.for_profile("incumbent")
DAY_MS = 86_400_000
STAMP = "2026-11-24T12:00:00.000Z"
SYSTEM = {
    "@id": "1",
    "@timestamp": STAMP,
    "@owner": SOURCE.owner,
    "@log_group": SOURCE.log_group,
    "@log_stream": SOURCE.log_stream,
}


def source_of(
    message: Any, settings: Settings = STANDARD, *, timestamp: Any = NOW_MS, extracted: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The fields of the document of one event; `message` is a text, or becomes JSON."""
    text = message if isinstance(message, str) else json.dumps(message)
    made = document(read(LogEvent("1", timestamp, text, extracted), settings), SOURCE, settings, NOW_MS)
    fields: dict[str, Any] = json.loads(made.source)
    assert (made.id, made.timestamp, made.event_ids) == ("1", fields["@timestamp"], ("1",))
    assert made.index == "cwl-" + fields["@timestamp"][:10].replace("-", ".")
    return fields


def own(fields: dict[str, Any]) -> dict[str, Any]:
    """All but the system fields that are the same in each of these tests."""
    assert {key: fields[key] for key in SYSTEM} == SYSTEM
    return {key: value for key, value in fields.items() if key not in SYSTEM}


DOCUMENTS: dict[str, tuple[Any, dict[str, Any]]] = {
    "plain text": ("hello", {"@message": "hello"}),
    "no text": ("", {"@message": ""}),
    "Fluentd's record": ({"log": "hello", "stream": "stdout"}, {"@message": "hello", "stream": "stdout"}),
    "the CRI parser's record": ({"message": "hello", "n": 1}, {"@message": "hello", "n": 1}),
    "an application's JSON": ({"a": {"b": [1]}}, {"@message": '{"a": {"b": [1]}}', "a": {"b": [1]}}),
    "an application's own line": ({"log": '{"a":1}'}, {"@message": '{"a":1}', "log_processed": {"a": 1}}),
    "a line with a space in front": ({"log": ' {"a":1}\n'}, {"@message": ' {"a":1}\n', "log_processed": {"a": 1}}),
    "a line with text in front": ({"log": 'got {"a":1}'}, {"@message": 'got {"a":1}'}),
    "a line that is an array": ({"log": "[1]"}, {"@message": "[1]"}),
    "a line that is expanded already": (
        {"log": '{"a":1}', "log_processed": {"b": 2}},
        {"@message": '{"a":1}', "log_processed": {"b": 2}},
    ),
    "text and JSON": ('got {"a":1}', {"@message": 'got {"a":1}', "a": 1}),
    "stripped": ({"log": "x", "docker": {"id": "d"}, "kubernetes": {"pod_id": "u"}}, {"@message": "x"}),
    "unicode": ({"log": "\u65e5\u672c \u2028"}, {"@message": "\u65e5\u672c \u2028"}),
    "labels": (
        {"log": "x", "kubernetes": {"labels": {"app": "a", "app.kubernetes.io/name": "b"}}},
        {"@message": "x", "kubernetes": {"labels": {"app": "a", "app_kubernetes_io/name": "b"}}},
    ),
    "labels of the namespace": (
        {"log": "x", "kubernetes": {"namespace_labels": {"a.b": "c"}, "host": "h"}},
        {"@message": "x", "kubernetes": {"namespace_labels": {"a_b": "c"}, "host": "h"}},
    ),
    "labels that are none": (
        {"log": "x", "kubernetes": {"labels": "a.b"}},
        {
            "@message": "x",
            "kubernetes": {},
            "@fields": {"kubernetes.labels": "a.b"},
            "@shipper": {"fixed": ["kubernetes"]},
        },
    ),
    "kubernetes is a text": (
        {"log": "x", "kubernetes": "a.b"},
        {"@message": "x", "@fields": {"kubernetes": "a.b"}, "@shipper": {"fixed": ["kubernetes"]}},
    ),
    "a dot in another key stays": ({"log": "x", "a.b": 1}, {"@message": "x", "a.b": 1}),
    "a level": ({"log": "x", "level": "warning"}, {"@message": "x", "level": "warning", "@level": "WARN"}),
}


@pytest.mark.parametrize(("message", "fields"), DOCUMENTS.values(), ids=DOCUMENTS)
def test_a_record_becomes_a_document(message: Any, fields: dict[str, Any]) -> None:
    assert own(source_of(message)) == fields


RECORD = {"log": '{"a":1}', "docker": {"id": "d"}, "kubernetes": {"labels": {"a.b": "c"}}}
RAW = json.dumps(RECORD)
LABELS = {"labels": {"a_b": "c"}}

SETTINGS_CASES: dict[str, tuple[Settings, dict[str, Any]]] = {
    "message=text": (STANDARD, {"@message": '{"a":1}', "log_processed": {"a": 1}, "kubernetes": LABELS}),
    "message=raw": (
        Settings(message="raw"),
        {"@message": RAW, "log": '{"a":1}', "log_processed": {"a": 1}, "kubernetes": LABELS},
    ),
    "message=record": (
        Settings(message="record", expand="off"),
        {
            "@message": '{"log":"{\\"a\\":1}","kubernetes":{"labels":{"a_b":"c"}}}',
            "log": '{"a":1}',
            "kubernetes": LABELS,
        },
    ),
    "expand=off": (Settings(expand="off"), {"@message": '{"a":1}', "kubernetes": LABELS}),
    "dedot=false": (
        Settings(dedot=False, expand="off"),
        {"@message": '{"a":1}', "kubernetes": {"labels": {"a.b": "c"}}},
    ),
    "strip": (Settings(strip=("kubernetes",), expand="off"), {"@message": '{"a":1}', "docker": {"id": "d"}}),
    "the incumbent": (INCUMBENT, {"@message": RAW, **RECORD}),
}


@pytest.mark.parametrize(("settings", "fields"), SETTINGS_CASES.values(), ids=SETTINGS_CASES)
def test_settings_decide_what_a_document_holds(settings: Settings, fields: dict[str, Any]) -> None:
    assert own(source_of(RAW, settings)) == fields


def test_a_text_without_fields_is_its_own_record() -> None:
    assert source_of("hello", Settings(message="record"))["@message"] == "hello"


TIMES: dict[str, tuple[Any, str]] = {
    "milliseconds": (1_795_521_600_123, "2026-11-24T12:00:00.123Z"),
    "the last of a day": (1_795_564_799_999, "2026-11-24T23:59:59.999Z"),
    "the first of a day": (1_795_564_800_000, "2026-11-25T00:00:00.000Z"),
    "two weeks old": (NOW_MS - 14 * DAY_MS, "2026-11-10T12:00:00.000Z"),
    "a fraction": (1_795_521_600_123.9, "2026-11-24T12:00:00.123Z"),
    "as text": ("1795521600123", "2026-11-24T12:00:00.123Z"),
    "as JavaScript reads it": ("0x1a20d6d5a7b", "2026-11-24T12:00:00.123Z"),
    "a day ahead": (NOW_MS + DAY_MS, "2026-11-25T12:00:00.000Z"),
}


@pytest.mark.parametrize(("timestamp", "iso"), TIMES.values(), ids=TIMES)
def test_a_time_is_iso_8601_and_decides_the_index(timestamp: Any, iso: str) -> None:
    fields = source_of("x", timestamp=timestamp)
    assert fields["@timestamp"] == iso
    assert "@shipper" not in fields


BROKEN_TIMES: dict[str, tuple[Any, Any]] = {
    "none": (None, "null"),
    "a word": ("soon", "soon"),
    "empty": ("", ""),
    "negative": (-1, -1),
    "a negative text": ("-1", "-1"),
    "more than a day ahead": (NOW_MS + DAY_MS + 1, NOW_MS + DAY_MS + 1),
    "microseconds": (NOW_MS * 1_000, NOW_MS * 1_000),
    "beyond any calendar": (1e300, 1e300),
    "true": (True, True),
    "a list": ([NOW_MS], f"[{NOW_MS}]"),
    "an object": ({"a": 1}, '{"a":1}'),
}


@pytest.mark.parametrize("settings", [STANDARD, INCUMBENT], ids=["standard", "incumbent"])
@pytest.mark.parametrize(("timestamp", "kept"), BROKEN_TIMES.values(), ids=BROKEN_TIMES)
def test_a_broken_clock_is_clamped_to_the_ingest_time_and_kept(timestamp: Any, kept: Any, settings: Settings) -> None:
    """The incumbent fails its whole batch for one bad time, or makes an index of 1969."""
    assert own(source_of("x", settings, timestamp=timestamp)) == {
        "@message": "x",
        "@fields": {"@timestamp": kept},
        "@shipper": {"fixed": ["clock"]},
    }


TOO_OLD = NOW_MS - 14 * DAY_MS - 1


@pytest.mark.parametrize("timestamp", [TOO_OLD, 0], ids=["two weeks and more", "the epoch"])
def test_what_is_too_old_lands_in_the_ingest_day_and_its_time_is_kept(timestamp: int) -> None:
    fields = source_of("x", timestamp=timestamp)
    assert (fields["@timestamp"], fields["@fields"]) == (STAMP, {"@timestamp": timestamp})
    for settings in (INCUMBENT, Settings(max_age_days=0)):
        assert "@fields" not in source_of("x", settings, timestamp=timestamp)


@pytest.mark.parametrize("key", [*SYSTEM, "@message", "@fields", "@shipper", "@unmapped"])
@pytest.mark.parametrize("settings", [STANDARD, INCUMBENT], ids=["standard", "incumbent"])
def test_system_fields_win_and_the_records_own_is_kept(settings: Settings, key: str) -> None:
    fields = source_of({"log": "x", key: "mine"}, settings)
    assert fields["@fields"] == {key: "mine"}
    assert key in {*SYSTEM, "@message", "@fields"} or key not in fields
    assert {name: fields[name] for name in SYSTEM} == SYSTEM


OPTIONAL = {"@trace_id": "trace", "@span_id": "trace", "@level": "trace", "@lines": "join"}


@pytest.mark.parametrize(("key", "setting"), OPTIONAL.items())
def test_a_key_is_ours_only_where_we_use_it(key: str, setting: str) -> None:
    assert source_of({"log": "x", key: "mine"})["@fields"] == {key: "mine"}
    unused = source_of({"log": "x", key: "mine"}, STANDARD.with_values(**{setting: False}))
    assert unused[key] == "mine"
    assert "@fields" not in unused


def test_the_log_cannot_choose_its_index_or_id() -> None:
    fields = {"_index": "other", "_id": "2", "@id": "2", "@timestamp": "1999-01-01", "log": "x"}
    made = document(read(LogEvent("1", NOW_MS, json.dumps(fields)), STANDARD), SOURCE, STANDARD, NOW_MS)
    assert (made.index, made.id) == ("cwl-2026.11.24", "1")


def depth(value: Any) -> int:
    if not isinstance(value, dict | list):
        return 0
    return 1 + max((depth(inner) for inner in (value.values() if isinstance(value, dict) else value)), default=0)


def nested(levels: int) -> Any:
    value: Any = 1
    for level in range(levels):
        value = {"a": value} if level % 2 else [value]
    return value


ESCAPED = json.dumps({"a": nested(40)}).replace("{", r"\u007b").replace("[", r"\u005b").replace('"', r"\"")

DEEP: dict[str, Any] = {
    "a field": {"log": "x", "a": nested(40)},
    "an application's JSON": {"a": nested(40)},
    "an application's line": {"log": json.dumps({"a": nested(40)})},
    "a line with its braces escaped": f'{{"log":"{ESCAPED}"}}',
    "a key of ours": {"log": "x", "@id": nested(40)},
}


@pytest.mark.parametrize("message", DEEP.values(), ids=DEEP)
def test_what_is_too_deep_for_the_engine_becomes_text(message: Any) -> None:
    """The engine takes 20 levels, `@fields` being one of them."""
    fields = source_of(message)
    assert depth(fields) <= 20
    assert fields["@shipper"] == {"fixed": ["deep"]}


def test_what_is_too_deep_is_cut_at_the_bound_and_kept_as_json() -> None:
    fields = source_of({"log": "x", "a": {"b": {"c": {"d": 1}}}, "e": {"f": 1}}, Settings(max_depth=2))
    assert own(fields) == {
        "@message": "x",
        "a": {"b": '{"c":{"d":1}}'},
        "e": {"f": 1},
        "@shipper": {"fixed": ["deep"]},
    }


@pytest.mark.parametrize("levels", [1, 17, 18])
def test_what_is_deep_enough_stays(levels: int) -> None:
    assert own(source_of({"log": "x", "a": nested(levels)})) == {"@message": "x", "a": nested(levels)}


def test_many_brackets_beside_each_other_are_no_depth() -> None:
    assert own(source_of({"log": "x", "a": [[1]] * 40})) == {"@message": "x", "a": [[1]] * 40}


def test_extracted_fields_and_a_time_that_are_too_deep_become_text() -> None:
    fields = source_of("x", extracted={"a": nested(40), "@aws.account": "0123"}, timestamp=nested(40))
    assert depth(fields) <= 20
    assert fields["@shipper"] == {"fixed": ["deep", "clock"]}
    assert fields["@aws.account"] == "0123"


def test_a_large_number_beside_a_text_deeper_than_can_be_read_keeps_its_digits() -> None:
    text = '{"a":' * 5_000
    fields = source_of({"log": text, "n": 2**70})
    assert (fields["@message"], fields["n"]) == (text, str(2**70))


def test_a_joined_record_says_how_many_lines_and_which_part() -> None:
    record = read(LogEvent("1", NOW_MS, "a"), STANDARD)
    record.text, record.raw, record.part = "a\nb", "a\nb", 2
    record.event_ids.append("2")
    made = document(record, SOURCE, STANDARD, NOW_MS)
    fields = json.loads(made.source)
    assert (fields["@message"], fields["@lines"], fields["@shipper"]) == ("a\nb", 2, {"part": 2})
    assert made.event_ids == ("1", "2")


def test_a_record_whose_head_is_elsewhere_is_marked() -> None:
    record = read(LogEvent("1", NOW_MS, "\tat a.B.c(B.java:1)"), STANDARD)
    record.headless = True
    fields = json.loads(document(record, SOURCE, STANDARD, NOW_MS).source)
    assert fields["@shipper"] == {"headless": True}


def test_a_joined_text_takes_the_place_of_its_key() -> None:
    record = read(LogEvent("1", NOW_MS, '{"log":"a"}'), Settings(message="raw"))
    record.text = "a\nb"
    fields = json.loads(document(record, SOURCE, Settings(message="raw"), NOW_MS).source)
    assert (fields["log"], fields["@message"]) == ("a\nb", '{"log":"a"}')


any_profile = st.sampled_from([STANDARD, INCUMBENT, Settings(message="record"), Settings(max_depth=2)])
keys = st.sampled_from(
    ["log", "message", "stream", "kubernetes", "@id", "@shipper", "log_processed", "trace_id", "a.b"]
)


@hypothesis.settings(patient, max_examples=200)
@given(st.dictionaries(keys, json_values, max_size=4) | json_values, any_profile, json_values)
def test_any_record_becomes_one_document_with_our_fields(message: Any, settings: Settings, timestamp: Any) -> None:
    fields = source_of(message, settings, timestamp=timestamp)
    assert {key: fields[key] for key in SYSTEM if key != "@timestamp"} == {
        key: value for key, value in SYSTEM.items() if key != "@timestamp"
    }
    assert isinstance(fields["@message"], str)
    assert depth(fields) <= 20


def test_an_extracted_field_whose_name_says_so_is_a_secret() -> None:
    settings = Settings(redact=("all",))
    fields = source_of("1.2.3.4 hunter2", settings, extracted={"ip": "1.2.3.4", "password": "hunter2"})
    assert fields["password"] == "[redacted:secret]"
