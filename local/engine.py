"""The search engine of a run: the embedded one, a real OpenSearch, or one that runs already."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from osmem_server import OsmemError, resolve_binary

from local.answers import version
from local.errors import LocalError
from local.opensearch import Real
from local.processes import LOOPBACK, Run
from local.running import Running

_READY_WITHIN_S = 30.0
_LOCAL_URL = re.compile(r"http://(?:127\.0\.0\.1|localhost)(?::\d{1,5})?/?")


class Engine(Protocol):
    """What a run starts, or finds, to search with."""

    def start(self, run: Run) -> Running:
        """The engine once it answers. Raises `LocalError`."""
        ...


@dataclass(frozen=True, slots=True)
class Embedded:
    """osmem-server: one static binary, in memory, up in a moment."""

    def start(self, run: Run) -> Running:
        """It picks a free port itself and says which in its first line: no other run can take it in between."""
        try:
            program = resolve_binary()
        except OsmemError as error:
            raise LocalError(f"{error}: or use ENGINE=opensearch") from error
        child = run.start("osmem", [program, "-addr", f"{LOOPBACK}:0", "-no-stdin-watch"], env={})
        said: dict[str, Any] = {}

        def announced() -> bool:
            said.update(_announcement(child.log.read_text("utf-8", "replace")))
            return bool(said) and version(said["url"]) is not None

        child.wait_ready(announced, _READY_WITHIN_S)
        return Running("osmem", str(said["version"]), str(said["url"]))


@dataclass(frozen=True, slots=True)
class External:
    """An engine that runs already: looked at, never ended."""

    url: str

    def start(self, run: Run) -> Running:  # noqa: ARG002 - nothing to start
        """Ask it for its version."""
        found = version(self.url)
        if found is None:
            raise LocalError(f"no OpenSearch answers at OPENSEARCH_URL={self.url}: start it, or leave the variable out")
        return Running("OpenSearch (yours)", found, self.url)


def engine_from_env(env: Mapping[str, str]) -> Engine:
    """The engine that OPENSEARCH_URL or ENGINE ask for; the embedded one by default. Raises `LocalError`."""
    if url := env.get("OPENSEARCH_URL"):
        if not _LOCAL_URL.fullmatch(url):
            raise LocalError(f"OPENSEARCH_URL={url} is not plain http on loopback: use http://{LOOPBACK}:9200 or alike")
        return External(url.rstrip("/"))
    match env.get("ENGINE") or "osmem":
        case "osmem" | "embedded":
            return Embedded()
        case "opensearch":
            return Real(env)
        case other:
            raise LocalError(f"ENGINE={other} is unknown: use ENGINE=osmem or ENGINE=opensearch")


def _announcement(log: str) -> dict[str, Any]:
    """The line of JSON in which the embedded engine says where it listens."""
    for line in log.splitlines(keepends=True):
        if line.startswith("{") and line.endswith("\n"):
            said = json.loads(line)
            return said if isinstance(said, dict) and "url" in said else {}
    return {}
