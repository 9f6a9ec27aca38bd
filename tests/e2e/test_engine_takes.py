"""Every document that the transform makes is taken by the engine, whatever the log line was."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import hypothesis
import pytest
import requests
from hypothesis import Phase, given
from hypothesis import strategies as st
from requests_aws4auth import AWS4Auth

from local.running import Running
from shipper import bulk, index_mapping, jsontext
from shipper.aws.opensearch import client
from shipper.aws.search import Index
from shipper.decode import decode_payload
from shipper.index_template import NAME, index_template
from shipper.model import Document, Payload
from shipper.pipeline import transform
from shipper.settings import Settings
from tests.shipper.fakes import INDEX, NOW_MS, patient, payload_of

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

_EVENTS = 180
_ROOM = {"index.mapping.total_fields.limit": 50_000, "index.translog.durability": "async"}
"""For an index of many documents that have no field in common, and that need not last."""


_STRICTER = re.compile(r"object mapping for \[.*\] tried to parse field \[null\] as object")
"""osmem alone refuses an array beside an object in an array: on OpenSearch all of them are values of one field."""


class Domain:
    """A search engine with our template; `forgiven` are its own faults."""

    def __init__(self, url: str, forgiven: re.Pattern[str] | None) -> None:
        self._url = url
        self._forgiven = forgiven
        self._session = requests.Session()
        self._session.trust_env = False
        self._ask("PUT", f"_index_template/{NAME}", index_template(replicas=0))

    def take(self, documents: Sequence[Document], settings: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """One `_bulk` request into a new index; the items of its reply."""
        self._ask("DELETE", INDEX, missing_is_well=True)
        if settings:
            self._ask("PUT", INDEX, {"settings": settings})
        return self.add(documents)

    def add(self, documents: Sequence[Document]) -> list[dict[str, Any]]:
        """One more `_bulk` request into the same index."""
        body = bulk.encode(replace(document, index=INDEX) for document in documents)
        reply = self._session.post(f"{self._url}/_bulk", body, headers={"Content-Type": "application/x-ndjson"})
        assert reply.status_code == 200, reply.text
        return [item["create"] for item in reply.json()["items"]]

    def index(self) -> Index:
        """The index as the command line sees it."""
        return Index(self._url, lambda: client(self._url, AWS4Auth("test", "test", "eu-west-1", "es")))

    def refusal(self, item: dict[str, Any]) -> dict[str, Any] | None:
        """Why the document of this item was refused; None where it was taken, or is there already."""
        error: dict[str, Any] = item.get("error", {})
        forgiven = self._forgiven and self._forgiven.search(error.get("reason", ""))
        return None if item["status"] in (201, 409) or forgiven else error

    def _ask(self, method: str, path: str, body: Any = None, *, missing_is_well: bool = False) -> None:
        reply = self._session.request(method, f"{self._url}/{path}", json=body)
        assert reply.ok or (missing_is_well and reply.status_code == 404), reply.text


@pytest.fixture(scope="module")
def domain(engine: Running) -> Domain:
    return Domain(engine.url, _STRICTER if engine.name == "osmem" else None)


def event(message: str, number: int = 0, extracted: dict[str, Any] | None = None) -> dict[str, Any]:
    """An event as CloudWatch sends it."""
    fields = {} if extracted is None else {"extractedFields": extracted}
    return {"id": f"e-{number}", "timestamp": NOW_MS, "message": message, **fields}


def documents(*events: dict[str, Any]) -> tuple[Document, ...]:
    received = jsontext.loads(json.dumps({**payload_of(), "logEvents": events}))
    payload = decode_payload(received)
    assert isinstance(payload, Payload)
    return transform(payload, Settings(join=False), NOW_MS).documents


def refused(domain: Domain, made: Sequence[Document]) -> list[str]:
    """What the engine says to those documents that it takes neither together nor alone."""
    together = zip(made, domain.take(made, _ROOM), strict=True)
    # What two documents make of one field is not their fault: on a new day each must be taken.
    alone = [(document, domain.take([document])[0]) for document, item in together if domain.refusal(item)]
    return [f"{error} {document.source.decode()}" for document, item in alone if (error := domain.refusal(item))]


def nested(levels: int, leaf: Any, wrap: Callable[[Any], Any]) -> Any:
    for _ in range(levels):
        leaf = wrap(leaf)
    return leaf


ENGINES_OWN = "_id _index _source _routing _field_names _ignored _seq_no _version _nested_path _primary_term _doc_count"
ODD_KEYS = (
    "",
    ".",
    "..",
    "a..b",
    ".a",
    "a.",
    " ",
    "a. .b",
    "\0",
    "*",
    "#",
    "a,b",
    "a b",
    "\ufffd",
    "\u2028",
    "말",
    "k" * 600,
)
KUBERNETES: dict[str, Any] = {
    "a text": "x",
    "a list": ["x"],
    "a number": 1,
    "null": None,
    "labels as text": {"labels": "s"},
    "labels as list": {"labels": ["a", {"b": 1}]},
    "labels as number": {"labels": 5},
    "labels with dots": {"labels": {"app": "x", "app.kubernetes.io/name": "y", "app.kubernetes.io": "z"}},
    "labels that are objects": {"labels": {"app": {"a": 1}, "app.b": 2}},
    "labels that dots alone tell apart": {"labels": {"a.b": 1, "a_b": 2}},
    "odd keys": {"": 1, ".": 2, "a..b": 3},
    "a pod's name as object": {"pod_name": {"a": 1}},
    "deep": {"x": nested(40, 1, lambda inner: {"y": inner})},
    "wide": {f"k{number}": number for number in range(2_000)},
    "large": {"x": 2**64 - 1, "y": [1, 1.5]},
}
LINES: dict[str, str] = {
    **{f"the engine's own {name}": json.dumps({name: 50, f"{name}.x": {"a": 1}}) for name in ENGINES_OWN.split()},
    **{f"a key {key[:6]!r}": json.dumps({key: 1, "in": {key: "x"}, "list": [{key: True}]}) for key in ODD_KEYS},
    **{f"kubernetes: {name}": json.dumps({"log": "x", "kubernetes": value}) for name, value in KUBERNETES.items()},
    **{
        f"{name} is an object": json.dumps({name: {"a": 1}})
        for name in ("log", "message", "stream", "@lines", "@level")
    },
    **{
        f"{name} is a list": json.dumps({name: [1, "a", {"b": 1}]})
        for name in ("log", "stream", "@timestamp", "@fields")
    },
    "objects 40 deep": json.dumps(nested(40, 1, lambda inner: {"a": inner})),
    "arrays 40 deep": json.dumps({"a": nested(40, 1, lambda inner: [inner])}),
    "objects in arrays 40 deep": json.dumps({"a": nested(40, 1, lambda inner: [{"b": inner}])}),
    "200 deep": json.dumps(nested(200, 1, lambda inner: {"a": inner})),
    "1,000 deep": '{"a":' * 1_000 + "1" + "}" * 1_000,
    "2,000 keys": json.dumps({f"k{number}": number for number in range(2_000)}),
    "2,000 keys in objects": json.dumps({f"k{number}": {"a": 1} for number in range(1_000)}),
    "2,000 objects in a list": json.dumps({"list": [{f"k{number}": 1} for number in range(2_000)]}),
    "2,000 keys of an application's line": json.dumps({"log": json.dumps({f"k{n}": n for n in range(2_000)})}),
    "a key with many dots": json.dumps({".".join("abcdefghijklmnopqrstuvwxyz"): 1}),
    "a key that is a value and an object": json.dumps({"a": 1, "a.b": 2, "a.b.c": 3, "b": {"c": 1, "c.d": 2}}),
    "a key twice": '{"a": 1, "a": {"b": 2}}',
    "NaN": '{"a": NaN, "b": Infinity}',
    "large numbers": json.dumps({"a": 2**63, "b": -(2**63) - 1, "c": 10**400, "d": [2**64, 1], "e": 2**63 - 1}),
    "large decimals": '{"a": 1e308, "b": -1e39, "c": [1e300, 1], "d": 1e-400}',
    "a number of 2,000 digits": '{"a": ' + "9" * 2_000 + "}",
    "lone surrogates": r'{"\ud800": "\udfff", "a": ["\ud83d", 1]}',
    "a value of 40,000 letters": json.dumps({"message": "x" * 40_000, "path": "y" * 40_000, "a": ["z" * 40_000]}),
    "values of several types in a list": json.dumps({"a": [1, 1.5], "b": [1, "x"], "c": [True, None, {"d": 1}]}),
    "objects of several types in a list": json.dumps({"a": [{"b": 1}, {"b": "x"}], "c": [{"b": 1}, {"b.c": 1}]}),
    "an application's own line": json.dumps({"log": json.dumps({"_id": 1, "a..b": 2, "@message": 3, "x": [1, 1.5]})}),
    "an application's line that is no object": json.dumps({"log": "[1, 2]", "log_processed": 5}),
}


def test_each_odd_line_is_taken(domain: Domain) -> None:
    replies = {name: domain.take(documents(event(line)))[0] for name, line in LINES.items()}
    faults = {name: error for name, item in replies.items() if (error := domain.refusal(item))}
    assert faults == {}


def test_each_odd_time_is_taken(domain: Domain) -> None:
    odd: list[Any] = ["soon", None, -1, 0, 10**20, 1.5, True, {"a": 1}, [1, "a"], "1795521600000", "", 2**63]
    made = documents(*({**event("x", number), "timestamp": stamp} for number, stamp in enumerate(odd)))
    assert refused(domain, made) == []


def test_an_id_that_is_there_is_taken_for_what_it_is(domain: Domain) -> None:
    made = documents(event("first", 1), event("second", 2))
    assert [item["status"] for item in domain.take([*made, *made])] == [201, 201, 409, 409]


def test_a_full_index_takes_new_fields_once_it_is_frozen(domain: Domain) -> None:
    def mapping() -> dict[str, Any]:
        found = domain.index().mapping(INDEX)
        assert found is not None
        return found

    def fields() -> int:
        return sum(index_mapping.families(mapping()).values())

    def why_not(line: dict[str, Any], number: int) -> str:
        error = domain.refusal(domain.add(documents(event(json.dumps(line), number)))[0])
        return str(error["reason"]) if error else ""

    full, more = "Limit of total fields [100] has been exceeded", {"new": 1, "kubernetes": {"labels": {"new": "x"}}}
    domain.take(documents(event('{"kubernetes": {"labels": {"app": "x"}}}')), {"index.mapping.total_fields.limit": 100})
    assert why_not({f"k{number}": number for number in range(100 - fields())}, 1) == ""
    assert fields() == domain.index().max_fields(INDEX) == 100
    assert why_not(more, 2) == full

    before = index_mapping.dynamic(mapping())
    domain.index().put_mapping(INDEX, index_mapping.freeze(mapping()))
    assert why_not(more, 2) == ""
    assert (fields(), index_mapping.freeze(mapping())) == (100, {})

    domain.index().put_mapping(INDEX, index_mapping.thaw(mapping()))
    assert (index_mapping.dynamic(mapping()), index_mapping.thaw(mapping())) == (before, {})
    assert why_not(more, 3) == full


class Lines:
    """Makes lines of any JSON, twenty with the same keys and then others: lines of one index do not meet by chance."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._fields: dict[str, Any] = {}

    def event(self, number: int) -> dict[str, Any]:
        draw = self._random
        self._fields = self._filled(self._fields) if number % 20 else self._new_fields(number)
        line = json.dumps(self._fields)
        form = draw.randrange(5)
        if form == 0:
            line = json.dumps({"log": line, "stream": "stdout"})
        if form == 1:
            simple = [key for key, value in self._fields.items() if not isinstance(value, dict | list)]
            return event("text", number, {key: draw.choice((line, "7", "x", "1e5")) for key in simple})
        return event(f"INFO {line}" if form == 2 else line, number)

    def _new_fields(self, number: int) -> dict[str, Any]:
        draw = self._random
        fields = {self._key(number): self._value(number, draw.choice((1, 2, 3, 25))) for _ in range(draw.randrange(12))}
        if draw.random() < 0.3:
            labels = {self._key(number): self._scalar() for _ in range(draw.randrange(4))}
            fields["kubernetes"] = {"pod_name": "p", "labels": labels}
        return fields

    def _filled(self, value: Any) -> Any:
        """The same keys with other values."""
        if isinstance(value, dict):
            return {key: self._filled(inner) for key, inner in value.items()}
        return [self._filled(inner) for inner in value] if isinstance(value, list) else self._scalar()

    def _key(self, number: int) -> str:
        draw = self._random
        if draw.random() < 0.1:
            return draw.choice((*ODD_KEYS, *ENGINES_OWN.split()))
        steps = [
            draw.choice(("a", "b", "c", "", " ", "_id", "@id", "말", "\0")) for _ in range(draw.choice((1, 1, 2, 4)))
        ]
        return ".".join((f"n{number}", *steps))

    def _value(self, number: int, room: int) -> Any:
        draw = self._random
        form = draw.randrange(6) if room else 5
        if form == 0:
            return {self._key(number): self._value(number, room - 1) for _ in range(draw.randrange(4))}
        if form == 1:
            return [self._value(number, room - 1) for _ in range(draw.randrange(4))]
        if form == 2 and room > 20:
            return nested(room, self._scalar(), draw.choice((lambda inner: {"d": inner}, lambda inner: [inner])))
        return self._scalar()

    def _scalar(self) -> Any:
        draw = self._random
        numbers = (0, -1, 1.5, 2**53 + 1, 2**63, -(2**63) - 1, 10**30, 1e300, -1e-300, 404)
        texts = ("", "x", "404", "2026-11-24", "\ud800", "\udfff\ud800", "\0", "{}", "x" * 9_000, "true", "NaN")
        return draw.choice((draw.choice(numbers), draw.choice(texts), True, False, None))


@hypothesis.settings(patient, max_examples=12, phases=[Phase.explicit, Phase.generate])
@given(st.integers(0, 2**64))
def test_whatever_is_logged_is_taken(domain: Domain, seed: int) -> None:
    lines = Lines(seed)
    made = documents(*(lines.event(number) for number in range(_EVENTS)))
    assert len(made) == _EVENTS
    assert refused(domain, made) == []
