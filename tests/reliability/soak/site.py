"""What a soak runs on: the deployed local stack, and the processes behind it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from botocore.config import Config

from local.engine import Embedded
from local.gate import Gate
from local.opensearch import Real
from local.processes import Run
from local.stack import Deployed, deployed
from shipper.cli.terminal import safe
from tests.faults.node import Live

_REPLY_WITHIN_S = 30.0


class Engine:
    """The search engine, by its process. Only a real one has its data still after its process was killed."""

    def __init__(self, run: Run, *, real: bool) -> None:
        self._live: Live | None = None
        if real:
            prepared = Real(dict(os.environ)).prepared(run)
            self._live = Live(run, prepared, prepared.start(run))
            self._pid, self._url = 0, ""
        else:
            self._url = Embedded().start(run).url
            (self._pid,) = (pid for pid, command in children(os.getpid()) if "osmem" in command)
        self.survives = real

    @property
    def url(self) -> str:
        return self._live.node.url if self._live else self._url

    @property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        return str(parts.hostname), int(parts.port or 80)

    def signal(self, number: signal.Signals) -> None:
        os.kill(self._live.child.leader.pid if self._live else self._pid, number)

    def kill(self) -> None:
        """End it in the middle of what it does."""
        if self._live:
            self._live.kill()

    def start(self) -> None:
        """Start it again on the same data, at another port."""
        if self._live:
            self._live.start()

    def ask(self, method: str, path: str, body: Any = None, *, within_s: float = _REPLY_WITHIN_S) -> Any:
        """Ask it past the gate. Raises what `requests` raises."""
        with requests.Session() as session:
            session.trust_env = False
            reply = session.request(method, f"{self.url}/{path}", json=body, timeout=within_s)
        if not reply.ok:
            raise requests.HTTPError(f"{method} {path}: {reply.text[:500]}", response=reply)
        return reply.json()


@dataclass(frozen=True)
class Site:
    """The parts of a run."""

    stack: Deployed
    engine: Engine
    gate: Gate

    def client(self, service: str) -> Any:
        """A patient client: the machine may be very busy."""
        return self.stack.aws.client(service, config=Config(read_timeout=120, max_pool_connections=16))

    def shipper(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> str:
        """What the command line prints. Raises `RuntimeError` for an exit code that is none of these."""
        program = str(Path(sys.executable).parent / "cwl-shipper")
        env = self.stack.environment(os.environ)
        done = subprocess.run([program, *arguments], env=env, capture_output=True, text=True, check=False)
        if done.returncode not in codes:
            raise RuntimeError(
                f"cwl-shipper {' '.join(arguments)}: {done.returncode}: {safe(done.stdout + done.stderr)}"
            )
        return done.stdout

    def workers(self) -> list[int]:
        """The processes in which the local AWS runs the functions now."""
        (aws,) = (pid for pid, command in children(os.getpid()) if "-m ministack" in command)
        return [pid for pid, _ in children(aws)]


@contextmanager
def running(logs: Path, env: Mapping[str, str]) -> Iterator[Site]:
    """Start and deploy all; with `mvn` on the path the engine is a real one, unless ENGINE says otherwise."""
    real = (env.get("ENGINE") or ("opensearch" if shutil.which("mvn") else "osmem")) == "opensearch"
    with Run(logs) as run:
        engine = Engine(run, real=real)
        with Gate(*engine.address) as gate:
            stack = deployed(run, {**env, "OPENSEARCH_URL": f"http://{gate.address}"}, lambda _: None, lambda _: None)
            site = Site(stack, engine, gate)
            unsubscribe(site)
            yield site


def unsubscribe(site: Site) -> None:
    """The deliveries are made by `delivery.py`."""
    logs, prefix = site.client("logs"), site.stack.outputs["LogGroupPrefix"]
    for group in logs.describe_log_groups(logGroupNamePrefix=prefix)["logGroups"]:
        name = group["logGroupName"]
        for filter_ in logs.describe_subscription_filters(logGroupName=name)["subscriptionFilters"]:
            logs.delete_subscription_filter(logGroupName=name, filterName=filter_["filterName"])


def children(parent: int) -> list[tuple[int, str]]:
    """(process id, command) of the processes that this one started."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    rows = (line.split(None, 2) for line in listed)
    return [(int(pid), command) for pid, ppid, command in rows if int(ppid) == parent and "<defunct>" not in command]
