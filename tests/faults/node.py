"""A search engine, looked at and changed without the shipper."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests

from local.opensearch import Prepared
from local.processes import Child, Run
from shipper.index_template import NAME
from shipper.setup_plan import CUSTOM
from tests.shipper.fakes import INDEX

Ask = tuple[str, str, Any]
"""Method, path, and the body that becomes JSON."""


@dataclass(frozen=True)
class Node:
    """One node, by its URL."""

    url: str

    @property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        return str(parts.hostname), int(parts.port or 80)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        with requests.Session() as session:
            session.trust_env = False
            reply = session.request(method, f"{self.url}/{path}", json=body, timeout=30)
        assert reply.status_code in (200, 404), reply.text
        return reply.json()

    def empty(self) -> None:
        for index in ("cwl-*", INDEX):
            self.ask("DELETE", index)

    def clear(self) -> None:
        """Take away what tests have made, the templates as well."""
        self.empty()
        for name in (f"_index_template/{NAME}", "_index_template/others", f"_component_template/{CUSTOM}"):
            self.ask("DELETE", name)

    def held(self, query: Any = None) -> dict[str, dict[str, Any]]:
        """Every document by its id, or those that the query finds; no id is there twice."""
        self.ask("POST", "cwl-*/_refresh")
        search = {"size": 10_000, "query": query or {"match_all": {}}}
        hits = self.ask("POST", "cwl-*/_search?ignore_unavailable=true", search)["hits"]["hits"]
        found = {hit["_id"]: hit["_source"] for hit in hits}
        assert len(found) == len(hits)
        return found


@dataclass
class Live:
    """A node and its process."""

    run: Run
    prepared: Prepared
    child: Child

    @property
    def node(self) -> Node:
        return Node(self.prepared.running().url)

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.child.leader.pid, number)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        self.run.end(self.child)

    def start(self) -> None:
        self.child = self.prepared.start(self.run)
