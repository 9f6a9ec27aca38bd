"""The fakes held to the engines: each case answers alike in the world of the machine, on osmem and on OpenSearch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Literal, Protocol

import pytest

from local.running import Running
from shipper import bulk
from shipper.aws.opensearch import OpenSearchSink
from shipper.bulk import BulkReply
from shipper.index_template import NAME, index_template
from shipper.model import Document, Reason
from shipper.rescue import rescued
from shipper.ship import Sink
from tests.faults import chain
from tests.faults.node import Node
from tests.reliability import outside
from tests.shipper.fakes import INDEX, ITEM_ERRORS, NOW_MS, accept, doc, ids_in, refusing
from tests.shipper.test_bulk import REPLIES

Seen = tuple[int, str]
"""Status of an item, and the type of its error, "" where there is none."""

State = Literal["as new", "n is an object", "no new fields", "blocked"]

TAKEN, TWICE = (201, ""), (409, "version_conflict_engine_exception")
UNFIT, STRICT = (400, "mapper_parsing_exception"), (400, "strict_dynamic_mapping_exception")
BLOCKED = (403, "cluster_block_exception")

ANY, NUMBER, POISON = doc(0), doc(1), doc(2, "poison")
NUMBER = replace(NUMBER, source=json.dumps({**json.loads(NUMBER.source), "log_processed": {"n": 7}}).encode())
POISON = replace(POISON, source=json.dumps({**json.loads(POISON.source), "poison": "x"}).encode())
WHY = Reason("mapper_parsing_exception", "object mapping for [n]", 400, "n")


@dataclass(frozen=True)
class Case:
    """Requests one after the other on an index in a state, and what each document of the last one gets."""

    state: State
    requests: Sequence[Sequence[Document]]
    seen: Sequence[Seen]


CASES = {
    "new ones are taken": Case("as new", [[ANY, doc(7)]], [TAKEN, TAKEN]),
    "a second time": Case("as new", [[ANY], [ANY]], [TWICE]),
    "a second time with another source": Case("as new", [[ANY], [replace(ANY, source=doc(0, "y").source)]], [TWICE]),
    "twice in one request": Case("as new", [[ANY, ANY]], [TAKEN, TWICE]),
    "one there and one new": Case("as new", [[ANY], [ANY, doc(7)]], [TWICE, TAKEN]),
    "a number for an object": Case("n is an object", [[NUMBER]], [UNFIT]),
    "a number for an object between others": Case("n is an object", [[ANY, NUMBER, doc(7)]], [TAKEN, UNFIT, TAKEN]),
    "a number for an object, its fields aside": Case("n is an object", [[NUMBER], [rescued(NUMBER, WHY)]], [TAKEN]),
    "refused, then sent again": Case("n is an object", [[NUMBER], [NUMBER]], [UNFIT]),
    "a new field": Case("no new fields", [[ANY, POISON]], [TAKEN, STRICT]),
    "a new field, its fields aside": Case("no new fields", [[rescued(POISON, WHY)]], [STRICT]),
    "a block": Case("blocked", [[doc(7), doc(8)]], [BLOCKED, BLOCKED]),
}


class Player(Protocol):
    """Something that answers bulk requests, and can be brought into a state."""

    @property
    def sink(self) -> Sink:
        """Where the requests go."""

    def bring(self, state: State) -> None:
        """An empty index of today in this state."""


class World:
    """The domain of the machine."""

    def bring(self, state: State) -> None:
        around = outside.Outside(NOW_MS, Random(0), {"blocked"} if state == "blocked" else set())
        self.sink = outside.Domain(around)
        self.sink.object_n = state == "n is an object"
        self.sink.strict = state == "no new fields"


class Engine:
    """A running engine, by way of the sink of the functions."""

    def __init__(self, node: Node) -> None:
        self._node = node
        node.ask("PUT", f"_index_template/{NAME}", index_template(replicas=0))

    @property
    def sink(self) -> OpenSearchSink:
        return chain.Domain(self._node.url).sink

    def bring(self, state: State) -> None:
        self._node.empty()
        self._node.ask("DELETE", "_index_template/others")
        match state:
            case "n is an object":
                n = {"properties": {"of": {"type": "long"}}}
                self._node.ask("PUT", INDEX, {"mappings": {"properties": {"log_processed": {"properties": {"n": n}}}}})
            case "no new fields":
                # Somebody else's template, which knows nothing of `@unmapped`.
                known = {"@id": {"type": "keyword"}, "@timestamp": {"type": "date"}, "@message": {"type": "text"}}
                theirs = {"template": {"mappings": {"dynamic": "strict", "properties": known}}}
                self._node.ask("PUT", "_index_template/others", {"index_patterns": [INDEX], "priority": 500, **theirs})
            case "blocked":
                self._node.ask("PUT", INDEX, {"settings": {"index.blocks.write": True}})
            case _:
                pass


@pytest.fixture(scope="module")
def player(engine: Running) -> Player:
    return Engine(Node(engine.url))


def answers(sink: Sink, documents: Sequence[Document]) -> list[Seen]:
    """What a bulk request of these answers of each, in order."""
    reply = sink.bulk(bulk.encode(documents), 60)
    assert reply.status == 200
    items = [item["create"] for item in reply.body["items"]]
    assert [item.get("_id", one.id) for item, one in zip(items, documents, strict=True)] == [
        one.id for one in documents
    ]
    return [(item["status"], item.get("error", {}).get("type", "")) for item in items]


@pytest.mark.e2e
@pytest.mark.enable_socket
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_each_engine_answers_so(player: Player, case: Case) -> None:
    plays(player, case)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_world_of_the_machine_answers_as_the_engines_do(case: Case) -> None:
    plays(World(), case)


def plays(player: Player, case: Case) -> None:
    player.bring(case.state)
    for documents in case.requests[:-1]:
        answers(player.sink, documents)
    assert answers(player.sink, case.requests[-1]) == case.seen


RECORDED = {
    (result["status"], error["type"])
    for one in REPLIES.values()
    for item in (one["body"].get("items", []) if isinstance(one["body"], dict) else [])
    for result in item.values()
    if isinstance(error := result.get("error"), dict) and "status" in result
}
"""What real engines have answered of single documents."""


@pytest.mark.parametrize("error", [(status, type_) for status, type_ in ITEM_ERRORS.items() if type_], ids=str)
def test_what_the_fake_sink_answers_was_answered_by_a_real_engine(error: Seen) -> None:
    assert error in RECORDED


def test_the_fake_sink_that_takes_all_answers_as_the_engines_do() -> None:
    """`accept` and `refusing` are what most tests deliver to."""
    for answer in (accept, refusing("id-9")):
        sink = _Scripted(answer)
        assert [answers(sink, documents) for documents in CASES["one there and one new"].requests] == [
            [TAKEN],
            [TWICE, TAKEN],
        ]


class _Scripted:
    """A `FakeSink`'s answer as a sink of its own."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer
        self.stored: set[str] = set()
        self.bodies: list[bytes] = []

    def renew(self) -> None:
        pass

    def bulk(self, body: bytes, timeout_s: float) -> BulkReply:
        self.bodies.append(body)
        reply: BulkReply = self._answer(self, ids_in(body))
        return reply
