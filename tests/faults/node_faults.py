"""Faults of a real node, each for as long as its block lasts."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import requests

from tests.faults.node import Ask, Live, Node
from tests.shipper.fakes import INDEX, NOW_MS


@contextmanager
def asked(node: Node, make: Sequence[Ask], cure: Ask) -> Iterator[None]:
    """Make a fault, and end it in any case."""
    for request in make:
        node.ask(*request)
    try:
        yield
    finally:
        node.ask(*cure)


def cluster(name: str, value: Any) -> Ask:
    return "PUT", "_cluster/settings", {"persistent": {name: value}}


def of_index(name: str, value: Any) -> Ask:
    return "PUT", f"{INDEX}/_settings", {name: value}


def little_room_in_flight(node: Node) -> AbstractContextManager[None]:
    name = "network.breaker.inflight_requests.limit"
    return asked(node, [cluster(name, "300kb")], cluster(name, None))


def without_its_shard(node: Node, index: str = INDEX) -> AbstractContextManager[None]:
    """A new index whose shard is on no node: requests wait for it, a minute if need be."""
    name = "index.routing.allocation.require._name"
    make = ("PUT", f"{index}?wait_for_active_shards=0", {"settings": {name: "nobody"}})
    return asked(node, [make], ("PUT", f"{index}/_settings", {name: None}))


_LARGE_BYTES = 2_900_000


@contextmanager
def much_under_way(node: Node) -> Iterator[None]:
    """Requests that wait, and that the node keeps in memory."""
    line = json.dumps({"@timestamp": NOW_MS, "@message": "x" * _LARGE_BYTES})
    body = f'{{"create":{{"_index":"cwl-lost"}}}}\n{line}\n'.encode()
    with ThreadPoolExecutor(2) as pool, without_its_shard(node, "cwl-lost"):
        sent = [pool.submit(post, node, body) for _ in range(2)]
        until(lambda: coordinating_bytes(node) > 2 * _LARGE_BYTES)
        yield
    assert [one.result() for one in sent] == [200, 200]


def post(node: Node, body: bytes) -> int:
    with requests.Session() as session:
        session.trust_env = False
        headers = {"Content-Type": "application/x-ndjson"}
        return session.post(f"{node.url}/_bulk", body, headers=headers, timeout=30).status_code


def coordinating_bytes(node: Node) -> int:
    (stats,) = node.ask("GET", "_nodes/stats/indexing_pressure")["nodes"].values()
    return int(stats["indexing_pressure"]["memory"]["current"]["coordinating_in_bytes"])


@contextmanager
def paused(live: Live) -> Iterator[None]:
    live.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        live.signal(signal.SIGCONT)


def until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not reached():
        assert time.monotonic() < deadline, "it did not come in time"
        time.sleep(0.02)
