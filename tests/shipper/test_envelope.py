"""All of a record but its text, read and written once: what comes out is what would without it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper.document import Builder
from shipper.envelope import NOTHING, envelope_of, text_in
from shipper.model import Document, Envelope, LogEvent, Payload, Source
from shipper.record import Reader
from shipper.settings import Settings

STANDARD = Settings()
GROUP = "/aws/containerinsights/shop/application"
POD = {"pod_name": "orders-1", "labels": {"app": "orders", "app.kubernetes.io/name": "orders"}}
RECORD = {"stream": "stdout", "message": "placed", "kubernetes": POD}
BEFORE, AFTER = json.dumps(RECORD).split('"placed"')


def event(message: Any) -> LogEvent:
    return LogEvent("1", 1_795_521_600_000, message if isinstance(message, str) else json.dumps(message))


def envelope(message: Any, settings: Settings = STANDARD) -> Envelope | None:
    return envelope_of(Reader(settings, GROUP).read(event(message)), settings)


def documents(messages: list[Any], reader: Reader, settings: Settings) -> list[Document]:
    events = tuple(map(event, messages))
    builder = Builder(Payload(Source("1", GROUP, "s"), events), settings, 1_795_521_660_000)
    records = [reader.read(each) for each in events]
    return [builder.document(record, builder.prepare(record)) for record in records]


def sorted_json(document: Document) -> str:
    return json.dumps(json.loads(document.source), sort_keys=True)


def test_an_envelope_is_what_stands_around_the_text() -> None:
    made = envelope(RECORD)
    assert made is not None
    assert (made.before, made.after, made.text_key, made.stream) == (BEFORE, AFTER, "message", "stdout")
    assert json.loads(b"{" + made.written[1:] + b"}")["kubernetes"]["labels"]["app_kubernetes_io/name"] == "orders"
    assert made.field_count == 5


# Records whose documents cannot share what is around the text.
OTHERS: dict[str, Any] = {
    "the text's key twice": '{"message": "a", "message": "b", "stream": "stdout"}',
    "the text's key written in another way": json.dumps(RECORD).replace("message", r"m\u0065ssage"),
    "a name of ours": {**RECORD, "@id": "x"},
    "a field to mend": {**RECORD, "a..b": 1},
    "metadata to mend": {**RECORD, "kubernetes": {**POD, "labels": "none"}},
    "metadata that is no object": {**RECORD, "kubernetes": "pod"},
    "parsed fields": {**RECORD, "log_processed": {"a": "1"}},
    "names as those of parsed fields": {**RECORD, "log_processed.a": "1"},
    "too many fields": {**RECORD, **{f"f{n}": n for n in range(1_001)}},
}


@pytest.mark.parametrize("message", [pytest.param(message, id=name) for name, message in OTHERS.items()])
def test_no_envelope_where_each_document_is_to_be_looked_at(message: Any) -> None:
    assert envelope(message) is None


# A message, and the text that it has in the envelope of RECORD.
TEXTS: dict[str, tuple[str, str | None]] = {
    "another text": (BEFORE + '"shipped"' + AFTER, "shipped"),
    "an empty text": (BEFORE + '""' + AFTER, ""),
    "a text with quotes and braces": (BEFORE + r'"say \"}, \"kubernetes\": {\""' + AFTER, 'say "}, "kubernetes": {"'),
    "a lone surrogate": (BEFORE + r'"\ud800"' + AFTER, "\ufffd"),
    "blanks around it": (BEFORE + ' "a" ' + AFTER, "a"),
    "a number": (BEFORE + "7" + AFTER, None),
    "an object": (BEFORE + '{"a": "b"}' + AFTER, None),
    "nothing": (BEFORE + AFTER, None),
    "less than nothing": (BEFORE + AFTER[1:], None),
    "a further field": (BEFORE + '"a", "b": "c"' + AFTER, None),
    "a string that does not end": (BEFORE + '"a' + AFTER, None),
    "another pod": (BEFORE + '"a"' + AFTER.replace("orders-1", "orders-2"), None),
    "another stream": (BEFORE.replace("stdout", "stderr") + '"a"' + AFTER, None),
}


@pytest.mark.parametrize(("message", "text"), [pytest.param(*row, id=name) for name, row in TEXTS.items()])
def test_the_text_of_a_message(message: str, text: str | None) -> None:
    made = envelope(RECORD)
    assert made is not None
    assert text_in(message, made) == text


def test_a_message_of_text_has_an_envelope_of_nothing() -> None:
    assert Reader(STANDARD, GROUP).read(event("hello")).envelope is NOTHING


@pytest.mark.parametrize("kind", ["raw", "record"])
def test_other_forms_of_the_message_are_made_for_each_document(kind: Any) -> None:
    reader = Reader(Settings(message=kind), GROUP)
    assert [reader.read(event(message)).envelope for message in ("text", RECORD, RECORD)] == [None] * 3


texts = st.text(max_size=12) | st.sampled_from(
    [
        '{"level": "warn", "a": 1}',
        '{"a..b": 1}',
        '{"a": {"b": [1, "2"]}}',
        '"kubernetes": {',
        "ERROR boom",
        "\n",
        '","message":"',
    ]
)
extras: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {},
        {"time": "1"},
        {"n": 1},
        {"n": True},
        {"n": 1.0},
        {"message.x": "1"},
        {"@id": "x"},
        {"docker": {"id": "1"}},
        {"logtag": "P"},
    ]
)
pods = st.sampled_from([POD, {**POD, "restarts": 1}, {**POD, "restarts": True}, {**POD, "labels": "none"}, "none"])
keys = st.sampled_from(["log", "message"])


@st.composite
def messages(draw: st.DrawFn) -> str:
    parts = [(draw(keys), draw(texts)), ("stream", draw(st.sampled_from(["stdout", "stderr"]))), *draw(extras).items()]
    if draw(st.booleans()):
        parts.append(("kubernetes", draw(pods)))
    fields = dict(draw(st.permutations(parts)))
    return draw(texts) if draw(st.integers(0, 5)) == 0 else json.dumps(fields, ensure_ascii=draw(st.booleans()))


some_settings = st.sampled_from(
    [
        STANDARD,
        Settings(mend=False),
        Settings(strip=("message", "stream")),
        Settings(expand="off"),
        Settings(max_fields=8),
    ]
)


@given(st.lists(messages(), min_size=2, max_size=8), some_settings)
def test_what_came_before_makes_no_difference(found: list[str], settings: Settings) -> None:
    warm = documents(found * 2, Reader(settings, GROUP), settings)
    fresh = [documents([message], Reader(settings, GROUP), settings)[0] for message in found * 2]
    assert [sorted_json(one) for one in warm] == [sorted_json(one) for one in fresh]


@given(st.lists(messages(), min_size=1, max_size=6))
def test_no_name_is_there_twice(found: list[str]) -> None:
    for one in documents(found * 2, Reader(STANDARD, GROUP), STANDARD):
        names = [name for name, _ in json.loads(one.source, object_pairs_hook=list)]
        assert len(names) == len(set(names))
