"""What a document takes on disk, and how many of them a real OpenSearch takes in a second: ours beside the incumbent's.

The same payloads become documents in both ways; each goes to an index with the project's template, and to one that
has none. So a row tells what the documents do for the cost, another what the template does.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import requests

from local.opensearch import Real
from local.processes import Run
from shipper import bulk
from shipper.decode import decode_payload
from shipper.index_template import NAME, index_template
from shipper.model import Document, Payload
from shipper.pipeline import transform
from shipper.settings import Settings
from tests.bench import pods
from tests.bench.loads import FIRST_MS
from tests.faults.node import Node

COLUMNS = {
    "storage": {
        "manifest": "manifest",
        "documents_of": "documents",
        "mapping": "mapping",
        "count": "number",
        "json_bytes": "JSON",
        "stored_bytes": "stored",
        "percent": "%",
        "documents_per_s": "documents/s",
        "times": "x",
        "spread": "from - to",
        "rounds": "rounds",
        "engine_ms": "engine's CPU",
        "times_by_cpu": "x by CPU",
    }
}

EVENTS = 30_000
"""Of each manifest."""

_LEAST_ROUNDS = 3
_MOST_ROUNDS = 20
_BODY_BYTES = 2_000_000
_CLIENTS = 2
_TIMEOUT_S = 60.0
_DYNAMIC = {"settings": {"index.number_of_replicas": 0}}
"""Of an index without a template: all but the copies, for which a single node has no place, is the engine's default."""


@dataclass(frozen=True)
class Way:
    """Documents of a profile, in an index with the project's template or with no mapping of its own."""

    profile: str
    template: bool

    def row(self) -> dict[str, Any]:
        return {"documents_of": self.profile, "mapping": "our template" if self.template else "dynamic"}


INCUMBENT = Way("incumbent", template=False)
WAYS = (INCUMBENT, Way("standard", template=False), Way("incumbent", template=True), Way("standard", template=True))


@dataclass(frozen=True)
class Load:
    """Requests made ready, all for one index, and what they hold."""

    index: str
    bodies: Sequence[bytes]
    count: int
    json_bytes: int


@dataclass(frozen=True)
class Taken:
    """One load as the engine took it: seconds on the clock, and of its CPU."""

    took_s: float
    engine_s: float


@dataclass
class Measured:
    """The rounds of one way, and what its index took on disk."""

    load: Load
    stored_bytes: int = 0
    rounds: list[Taken] = field(default_factory=list)

    @property
    def per_s(self) -> list[float]:
        return [self.load.count / each.took_s for each in self.rounds]

    def row(self, base: Measured) -> dict[str, Any]:
        """Beside `base`, round by round: bytes of a document, ms of the engine's CPU for a thousand."""
        times = [ours / theirs for ours, theirs in zip(self.per_s, base.per_s, strict=True)]
        return {
            "count": self.load.count,
            "json_bytes": round(self.load.json_bytes / self.load.count),
            "stored_bytes": round(self._document_bytes),
            "percent": round(100 * self._document_bytes / base._document_bytes),
            "documents_per_s": round(median(self.per_s)),
            "times": round(median(times), 2),
            "spread": f"{min(times):.2f} - {max(times):.2f}",
            "rounds": len(times),
            "times_of_each_round": [round(each, 2) for each in times],
            "engine_ms": round(self._engine_ms, 1),
            "times_by_cpu": round(base._engine_ms / self._engine_ms, 2),
        }

    @property
    def _engine_ms(self) -> float:
        return 1e6 * median(each.engine_s for each in self.rounds) / self.load.count

    @property
    def _document_bytes(self) -> float:
        return self.stored_bytes / self.load.count


class Bench:
    """An engine of which each index is made anew."""

    def __init__(self, node: Node, clients: ThreadPoolExecutor) -> None:
        self._node = node
        self._clients = clients
        self._session = requests.Session()
        self._session.trust_env = False

    def fill(self, way: Way, load: Load) -> Taken:
        """Send a load to an empty index. Raises `RuntimeError` unless each document is taken."""
        self._node.ask("DELETE", "cwl-*")
        self._node.ask("DELETE", f"_index_template/{NAME}")
        if way.template:
            self._node.ask("PUT", f"_index_template/{NAME}", index_template(replicas=0))
        self._node.ask("PUT", load.index, None if way.template else _DYNAMIC)
        began_s, engine_s = time.perf_counter(), self._engine_s()
        list(self._clients.map(self._post, load.bodies))
        return Taken(time.perf_counter() - began_s, self._engine_s() - engine_s)

    def stored_bytes(self, load: Load) -> int:
        """What the index just filled takes as one segment, without its log of operations."""
        for step in ("_refresh", "_forcemerge?max_num_segments=1", "_flush", "_refresh"):
            self._node.ask("POST", f"{load.index}/{step}")
        total = self._node.ask("GET", f"{load.index}/_stats/docs,store,segments")["_all"]["primaries"]
        if (total["docs"]["count"], total["segments"]["count"]) != (load.count, 1):
            raise RuntimeError(f"not {load.count} documents in one segment: {total}")
        return int(total["store"]["size_in_bytes"])

    def _post(self, body: bytes) -> None:
        address = f"{self._node.url}/_bulk?filter_path={bulk.FILTER_PATH}"
        headers = {"content-type": "application/x-ndjson"}
        reply = self._session.post(address, data=body, headers=headers, timeout=_TIMEOUT_S)
        if not reply.ok or b'"errors":false' not in reply.content:
            raise RuntimeError(f"the engine refused documents: {reply.status_code} {reply.text[:500]}")

    def _engine_s(self) -> float:
        nodes = self._node.ask("GET", "_nodes/stats/process")["nodes"].values()
        return float(sum(node["process"]["cpu"]["total_in_millis"] for node in nodes)) / 1000


def tables(limit_s: float, tell: Callable[[str], None], events: int = EVENTS) -> dict[str, list[dict[str, Any]]]:
    """As many rounds of all ways, three at least, as each manifest's half of `limit_s` allows. Raises `LocalError`."""
    began_s = time.monotonic()
    rows: list[dict[str, Any]] = []
    tell("starting OpenSearch")
    with _bench() as bench:
        for number, manifest in enumerate(pods.MANIFESTS, start=1):
            tell(f"{manifest}: making the documents")
            measured = _prepared(manifest, events)
            end_s = began_s + limit_s * number / len(pods.MANIFESTS)
            _measure(bench, measured, end_s, tell)
            rows += rows_of(manifest, measured)
    return {"storage": rows}


def rows_of(manifest: str, measured: Mapping[Way, Measured]) -> list[dict[str, Any]]:
    """A row for each way, beside the incumbent's documents in an index without a template."""
    return [{"manifest": manifest, **way.row(), **one.row(measured[INCUMBENT])} for way, one in measured.items()]


def load_of(manifest: str, profile: str, events: int) -> Load:
    """What a profile makes of the manifest's payloads."""
    documents = list(_documents(pods.payloads(manifest, events), profile))
    (index,) = {document.index for document in documents}
    bodies = [bulk.encode(chunk) for chunk in bulk.chunks(documents, _BODY_BYTES)]
    return Load(index, bodies, len(documents), sum(len(document.source) for document in documents))


def _documents(payloads: Iterable[Mapping[str, Any]], profile: str) -> Iterator[Document]:
    # The payloads have a date of their own.
    settings = Settings.for_profile(profile, max_age_days=0)
    for decoded in payloads:
        payload = decode_payload(decoded)
        if not isinstance(payload, Payload):
            raise TypeError(f"the load is refused: {payload}")
        yield from transform(payload, settings, FIRST_MS).documents


def _prepared(manifest: str, events: int) -> dict[Way, Measured]:
    loads = {way.profile: load_of(manifest, way.profile, events) for way in WAYS[:2]}
    return {way: Measured(loads[way.profile]) for way in WAYS}


def _measure(bench: Bench, measured: Mapping[Way, Measured], end_s: float, tell: Callable[[str], None]) -> None:
    for way, one in measured.items():
        tell(f"filling and merging: {way}")
        bench.fill(way, one.load)  # warms the engine up, too, and is not timed
        one.stored_bytes = bench.stored_bytes(one.load)
    for number in range(1, _MOST_ROUNDS + 1):
        if number > _LEAST_ROUNDS and time.monotonic() > end_s:
            break
        tell(f"round {number}")
        for way, one in list(measured.items())[:: 1 if number % 2 else -1]:
            one.rounds.append(bench.fill(way, one.load))


@contextmanager
def _bench() -> Iterator[Bench]:
    """OpenSearch and the clients in front of it, ended with the block."""
    with (
        tempfile.TemporaryDirectory() as logs,
        Run(Path(logs) / "logs") as run,
        ThreadPoolExecutor(_CLIENTS) as clients,
    ):
        prepared = Real(dict(os.environ)).prepared(run)
        prepared.start(run)
        yield Bench(Node(prepared.running().url), clients)
