"""A payload in, documents out: each event in exactly one of them."""

from __future__ import annotations

import json
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper.decode import decode_payload
from shipper.model import Batch, LogEvent, Payload
from shipper.pipeline import transform
from shipper.sample import Rule
from shipper.settings import PROFILES, MultilineRule, Settings, StripRule
from shipper.times import milliseconds
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


A, B = NOW_MS - 86_400_000, NOW_MS - 1_000
OLD = NOW_MS - 15 * 86_400_000

STAND_INS: dict[str, tuple[list[Any], list[int]]] = {
    "the one before": ([A, B, "soon", None], [A, B, B, B]),
    "between two": ([A, "soon", B], [A, A, B]),
    "the first one after": (["soon", None, A, B], [A, A, A, B]),
    "a time as text counts": (["soon", str(A)], [A, A]),
    "a time that is too old does not count": ([OLD, "soon", A, OLD], [A, A, A, A]),
    "none in the whole payload": (["soon", OLD], [NOW_MS, NOW_MS]),
}


@pytest.mark.parametrize(("stamps", "expected"), STAND_INS.values(), ids=STAND_INS)
@pytest.mark.parametrize("delay_ms", [0, 86_400_000], ids=["at once", "a day later"])
def test_a_time_of_the_same_payload_stands_in_for_an_unusable_one(
    stamps: list[Any], expected: list[int], delay_ms: int
) -> None:
    payload = Payload(SOURCE, tuple(LogEvent(str(at), stamp, f"{at}: x") for at, stamp in enumerate(stamps)))
    batch = transform(payload, Settings(), NOW_MS + delay_ms)
    came = {NOW_MS: NOW_MS + delay_ms}
    assert [milliseconds(document.timestamp) for document in batch.documents] == [came.get(at, at) for at in expected]


def test_one_id_has_one_stand_in() -> None:
    """Else an event that is in a payload twice would be in the indices of two days."""
    events = [LogEvent(id_, stamp, "x") for id_, stamp in (("twice", "soon"), ("a", A), ("b", B), ("twice", "soon"))]
    first, *_, last = transform(Payload(SOURCE, tuple(events)), Settings(), NOW_MS).documents
    assert first == last


def test_no_events_are_no_documents() -> None:
    assert transform(Payload(SOURCE, ()), Settings(), NOW_MS) == Batch(SOURCE, 0, (), ingested_at_ms=NOW_MS)


HEALTH = Rule("health", "drop", pattern="/healthz")
QUIET = Rule("quiet", "sample", levels=("DEBUG",), rates=(("DEBUG", 0.0),))
NO_TRACES = Rule("no traces", "drop", pattern="^java")


def test_what_a_rule_leaves_out_is_counted_by_fate_and_by_rule() -> None:
    debug = json.dumps({"log": "x", "level": "debug"})
    batch = batch_of("GET /healthz", "a", debug, "GET /healthz", "b", settings=Settings(filters=(HEALTH, QUIET)))
    assert texts(batch) == ["a", "b"]
    assert (batch.received, batch.joined, batch.filtered, batch.sampled) == (5, 0, 2, 1)
    assert batch.left_out == {"health": 2, "quiet": 1}


@pytest.mark.parametrize(
    ("rule", "terms"),
    [
        (NO_TRACES, (2, 0)),
        (Rule("no traces", "sample", pattern="^java", rates=(("*", 0.0),)), (0, 2)),
    ],
    ids=["filtered", "sampled"],
)
def test_every_event_of_a_joined_record_is_left_out_with_it(rule: Rule, terms: tuple[int, int]) -> None:
    batch = batch_of("before", *TRACE, settings=Settings(filters=(rule,)))
    assert texts(batch) == ["before", "next"]
    assert (batch.received, batch.joined, (batch.filtered, batch.sampled)) == (4, 0, terms)
    assert batch.left_out == {"no traces": 2}


def test_a_rule_sees_the_whole_text_of_a_joined_record() -> None:
    rule = Rule("frames", "drop", pattern=r"Stock\.java:41")
    assert texts(batch_of(*TRACE, settings=Settings(filters=(rule,)))) == ["next"]


def test_a_rule_sees_the_namespace_unless_that_is_stripped() -> None:
    record = json.dumps({"log": "x", "kubernetes": {"namespace_name": "shop"}})
    rule = Rule("shop", "drop", namespace="shop")
    assert texts(batch_of(record, "y", settings=Settings(filters=(rule,)))) == ["y"]


def test_what_is_kept_by_a_rule_is_no_loss() -> None:
    batch = batch_of("a", settings=Settings(filters=(Rule("all", "keep"), Rule("none", "drop"))))
    assert (texts(batch), batch.filtered, batch.sampled, batch.left_out) == (["a"], 0, 0, {})


SECRET = "hunter2"
LEAKS: dict[str, Any] = {
    "a plain line": f"login password={SECRET}",
    "the text": {"log": f"login password={SECRET}", "stream": "stdout"},
    "a field that names it": {"log": "x", "db_password": SECRET},
    "a field": {"log": "x", "a": [{"b": f"token={SECRET}"}]},
    "an application's own line": {"log": json.dumps({"msg": "x", "password": SECRET})},
    "a list in an application's own line": {"log": json.dumps({"msg": "x", "tokens": 1, "token": [SECRET, "y"]})},
    "a line that is parsed already": {"log_processed": {"msg": "x", "apiKey": SECRET}},
    "text in front of JSON": f'login {{"token": "{SECRET}"}}',
    "a label": {"log": "x", "kubernetes": {"labels": {"token": SECRET}}},
    "the name of a pod": {"log": "x", "kubernetes": {"pod_name": f"password={SECRET}"}},
    "metadata that is none": {"log": "x", "kubernetes": f"password={SECRET}"},
    "labels that are none": {"log": "x", "kubernetes": {"labels": f"password={SECRET}"}},
    "a key of ours": {"log": "x", "@message": f"password={SECRET}"},
    "what is too deep": {"a": {"b": {"c": {"d": {"password": SECRET}}}}},
    "what is too much": {f"a{number}": {"password": SECRET} for number in range(30)},
    "a number that is mended": {"n": 2**70, "password": SECRET},
}


@pytest.mark.parametrize("message", ["text", "record", "raw"])
@pytest.mark.parametrize("found", LEAKS.values(), ids=LEAKS)
def test_no_secret_is_in_any_document(found: Any, message: str) -> None:
    text = found if isinstance(found, str) else json.dumps(found)
    settings = Settings(redact=("all",), message=message, max_depth=4, max_fields=20)
    assert SECRET.encode() in batch_of(text, settings=settings.with_values(redact=())).documents[0].source
    batch = batch_of("a", text, text, settings=settings)
    assert len(batch.documents) == 3
    assert SECRET not in "".join(document.source.decode() for document in batch.documents)


def test_a_secret_over_several_events_is_taken_out_of_their_document() -> None:
    own = Settings(redact_patterns=(("frame", r"(?s)no stock.*java:41"),))
    assert texts(batch_of(*TRACE, settings=own)) == ["java.lang.IllegalStateException: [redacted:frame])", "next"]


def test_secrets_are_counted_by_detector() -> None:
    record = json.dumps({"log": "to jo@example.com, al@example.com", "password": SECRET})
    assert batch_of(record, "token=x1", settings=Settings(redact=("all",))).redacted == {"email": 2, "secret": 2}
    assert batch_of(record).redacted == {}


def test_rules_and_traces_are_read_after_redaction() -> None:
    settings = Settings(redact=("all",), filters=(Rule("leak", "drop", pattern=SECRET),))
    assert texts(batch_of(f"password={SECRET}", settings=settings)) == ["password=[redacted:secret]"]


def test_what_is_stripped_is_counted_in_bytes_for_each_event() -> None:
    kubernetes = {"pod_id": "1", "host": "h"}
    records = [json.dumps({"log": line, "docker": {"id": "d"}, "kubernetes": kubernetes}) for line in TRACE]
    batch = batch_of(*records)
    assert (len(batch.documents), batch.joined) == (2, 1)
    assert batch.stripped_bytes == 3 * len('"docker":{"id":"d"},' + '"pod_id":"1",')


def test_the_paths_are_those_of_the_log_group() -> None:
    rules = (StripRule("/other", ("log",)), StripRule("/aws/*/application", ("docker",), ("docker.name",)))
    record = {"log": "x", "logtag": "F", "docker": {"id": "d", "name": "n"}}
    (document,) = batch_of(json.dumps(record), settings=Settings(strip_rules=rules)).documents
    source = json.loads(document.source)
    assert (source["docker"], source["logtag"]) == ({"name": "n"}, "F")


def test_the_incumbent_does_none_of_it() -> None:
    record = {"log": f"password={SECRET}", "docker": {"id": "d"}, "kubernetes": {"pod_id": "1", "labels": {"a.b": "c"}}}
    batch = batch_of(json.dumps(record), settings=Settings.for_profile("incumbent"))
    source = json.loads(batch.documents[0].source)
    assert {key: source[key] for key in record} == record
    assert (batch.stripped_bytes, batch.redacted, batch.left_out) == (0, {}, {})
    assert (batch.filtered, batch.sampled, batch.joined) == (0, 0, 0)


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


rules = st.lists(
    st.builds(
        Rule,
        name=st.uuids().map(str),
        action=st.sampled_from(["keep", "drop"]),
        levels=st.sampled_from([(), ("ERROR",), ("INFO", "DEBUG")]),
        pattern=st.sampled_from(["", "java", "^$", "x"]),
    )
    | st.builds(
        Rule,
        name=st.uuids().map(str),
        action=st.just("sample"),
        pattern=st.sampled_from(["", "java", "x"]),
        rates=st.sampled_from([0.0, 0.5, 1.0]).map(lambda rate: (("*", rate),)),
    ),
    max_size=3,
).map(tuple)
some_settings = st.builds(
    Settings.for_profile,
    st.sampled_from(sorted(PROFILES)),
    join=st.booleans(),
    mend=st.booleans(),
    message=st.sampled_from(["text", "record", "raw"]),
    filters=rules,
    strip=st.sampled_from([(), ("*",), ("log",), ("a", "kubernetes.*")]),
    redact=st.sampled_from([(), ("all",)]),
    max_join_lines=st.sampled_from([2, 1_000]),
    max_depth=st.integers(2, 19),
)


@hypothesis.settings(patient, max_examples=300)
@given(events, some_settings)
def test_every_event_is_accounted_for(found: tuple[LogEvent, ...], settings: Settings) -> None:
    batch = transform(Payload(SOURCE, found), settings, NOW_MS)
    assert batch.received == len(found)
    assert batch.received == len(batch.documents) + batch.joined + batch.filtered + batch.sampled
    assert sum(batch.left_out.values()) == batch.filtered + batch.sampled
    assert batch.left_out.keys() <= {rule.name for rule in settings.filters}
    held = [event_id for document in batch.documents for event_id in document.event_ids]
    assert len(held) == len(set(held)) == len(batch.documents) + batch.joined


@hypothesis.settings(patient, max_examples=50)
@given(events)
def test_the_same_payload_gives_the_same_bytes(found: tuple[LogEvent, ...]) -> None:
    payload = Payload(SOURCE, found)
    assert transform(payload, Settings(), NOW_MS).documents == transform(payload, Settings(), NOW_MS + 1).documents


def test_the_incumbent_keeps_every_message_as_received() -> None:
    received = [json.dumps({"log": line, "docker": {"id": "d"}}) for line in TRACE]
    assert texts(batch_of(*received, settings=Settings.for_profile("incumbent"))) == received
