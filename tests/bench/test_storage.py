"""Both ways get the same payloads, each index is what its row says, and rounds become a row."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

from shipper.index_template import NAME, index_template
from tests.bench import pods
from tests.bench.storage import INCUMBENT, WAYS, Bench, Load, Measured, Taken, Way, load_of, rows_of
from tests.faults.node import Ask, Node

OURS = Way("standard", template=True)
EMPTY = Load("cwl-2026.11.24", bodies=(), count=0, json_bytes=0)


@dataclass(frozen=True)
class FakeNode(Node):
    """Notes what it is asked; its index holds `documents` in `segments`."""

    documents: int = 0
    segments: int = 1
    asked: list[Ask] = field(default_factory=list)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        self.asked.append((method, path, body))
        held = {"docs": {"count": self.documents}, "segments": {"count": self.segments}}
        stored = held | {"store": {"size_in_bytes": 4_711}}
        cpu = {"process": {"cpu": {"total_in_millis": 1_000}}}
        return {"nodes": {"one": cpu}, "_all": {"primaries": stored}}


@pytest.fixture
def clients() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


def test_a_row_has_bytes_of_a_document_and_the_median_of_the_rounds_ratios() -> None:
    base = Measured(Load("i", (), 100, 80_000), 50_000, [Taken(1, 2), Taken(2, 2), Taken(1, 2)])
    ours = Measured(Load("i", (), 50, 20_000), 10_000, [Taken(0.5, 0.1), Taken(0.5, 0.2), Taken(0.25, 0.3)])
    first, second = rows_of("classic", {INCUMBENT: base, OURS: ours})
    assert (first["json_bytes"], first["stored_bytes"], first["percent"], first["times"]) == (800, 500, 100, 1.0)
    assert (second["json_bytes"], second["stored_bytes"], second["percent"]) == (400, 200, 40)
    assert (second["documents_per_s"], second["times"], second["spread"]) == (100, 2.0, "1.00 - 2.00")
    assert (second["engine_ms"], second["times_by_cpu"], second["rounds"]) == (4_000, 5.0, 3)


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_an_index_has_the_template_of_its_way_and_none_of_the_one_before(way: Way, clients: ThreadPoolExecutor) -> None:
    node = FakeNode("http://127.0.0.1:1")
    Bench(node, clients).fill(way, EMPTY)
    path = f"_index_template/{NAME}"
    put = [("PUT", path, index_template(replicas=0))] if way.template else []
    own = None if way.template else {"settings": {"index.number_of_replicas": 0}}
    assert node.asked[:-2] == [("DELETE", "cwl-*", None), ("DELETE", path, None), *put, ("PUT", EMPTY.index, own)]


@pytest.mark.parametrize(("documents", "segments"), [(2, 1), (3, 2)], ids=["a document is missing", "not merged"])
def test_a_size_that_is_not_that_of_all_documents_in_one_segment_is_refused(
    documents: int, segments: int, clients: ThreadPoolExecutor
) -> None:
    load = Load("i", (), count=3, json_bytes=0)
    with pytest.raises(RuntimeError, match="not 3 documents in one segment"):
        Bench(FakeNode("", documents, segments), clients).stored_bytes(load)
    assert Bench(FakeNode("", 3, 1), clients).stored_bytes(load) == 4_711


@pytest.mark.parametrize("manifest", pods.MANIFESTS)
def test_both_ways_get_the_same_payloads_through_the_transform(manifest: str) -> None:
    sent = [event for payload in pods.payloads(manifest, 1_000) for event in payload["logEvents"]]
    incumbent, ours = (_sources(load_of(manifest, profile, 1_000)) for profile in ("incumbent", "standard"))
    assert [source["@message"] for source in incumbent] == [event["message"] for event in sent]
    joined = sum(source.get("@lines", 1) for source in ours)
    assert joined == len(sent)
    assert {source["@id"] for source in ours} <= {event["id"] for event in sent}


def test_the_requests_are_of_two_megabytes() -> None:
    load = load_of("classic", "incumbent", 2_000)
    assert [len(body) // 100_000 for body in load.bodies[:-1]] == [19] * (len(load.bodies) - 1)
    assert len(load.bodies) > 1


def _sources(load: Load) -> list[dict[str, Any]]:
    lines = [line for body in load.bodies for line in body.split(b"\n")[:-1]]
    assert (len(lines), sum(map(len, lines[1::2]))) == (2 * load.count, load.json_bytes)
    return [json.loads(line) for line in lines[1::2]]
