"""The function in front of a real OpenSearch, in turns with a bare client that sends the same requests ready made.

Each invocation at once is a process of its own, as in Lambda. What the bare client reaches is the engine's ceiling.
"""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

from local.opensearch import Real
from local.processes import Run
from shipper.index_template import NAME, index_template
from tests.bench import worker
from tests.bench.worker import Done, Work
from tests.faults.node import Node

COLUMNS = {
    "delivery": {
        "load": "load",
        "events": "events",
        "at_once": "at once",
        "cores": "engine's cores",
        "documents_per_s": "documents/s",
        "ceiling_per_s": "ceiling",
        "percent": "% of ceiling",
        "spread": "from - to",
        "rounds": "rounds",
        "percent_waiting": "% waiting",
        "cpu_ms": "CPU ms/1,000",
        "engine_ms": "engine's",
        "engine_ms_bare": "engine's, bare",
    }
}

_PAYLOADS = {1_000: 8, 10_000: 3}
"""Of each sandbox, the one before the clock starts among them."""

_LOADS = ("fluentd", "java")
_AT_ONCE = (1, 4)
_ROUNDS = 20


@dataclass(frozen=True)
class Case:
    """Payloads of so many events, so many invocations at once; the engine has cores of its own, or shares all."""

    load: str
    events: int
    at_once: int
    own_cores: bool = True

    @property
    def cores(self) -> str:
        return "its own" if self.own_cores else "all"

    def works(self) -> list[Work]:
        payloads = _PAYLOADS[self.events]
        return [Work(self.load, self.events, payloads, n * payloads * self.events) for n in range(self.at_once)]


@dataclass(frozen=True)
class Side:
    """What the sandboxes did in one go, and the seconds of CPU that the engine took for it."""

    done: Sequence[Done]
    engine_s: float

    @property
    def documents_per_s(self) -> float:
        return sum(each.documents / each.took_s for each in self.done)

    @property
    def percent_waiting(self) -> float:
        return 100 * sum(each.under_way_s for each in self.done) / sum(each.took_s for each in self.done)

    @property
    def cpu_ms(self) -> float:
        """For 1,000 documents, as is the next."""
        return 1e6 * sum(each.cpu_s for each in self.done) / sum(each.documents for each in self.done)

    @property
    def engine_ms(self) -> float:
        return 1e6 * self.engine_s / sum(each.all_documents for each in self.done)


@dataclass
class Measured:
    """The rounds of one case."""

    case: Case
    ours: list[Side] = field(default_factory=list)
    bare: list[Side] = field(default_factory=list)

    def row(self) -> dict[str, Any]:
        pairs = zip(self.ours, self.bare, strict=True)
        percents = [100 * ours.documents_per_s / bare.documents_per_s for ours, bare in pairs]
        return {
            **asdict(self.case),
            "cores": self.case.cores,
            "documents_per_s": round(median(side.documents_per_s for side in self.ours)),
            "ceiling_per_s": round(median(side.documents_per_s for side in self.bare)),
            "percent": round(median(percents)),
            "spread": f"{min(percents):.0f} - {max(percents):.0f}",
            "rounds": len(percents),
            "percent_of_each_round": [round(percent, 1) for percent in percents],
            "percent_waiting": round(median(side.percent_waiting for side in self.ours)),
            "cpu_ms": round(median(side.cpu_ms for side in self.ours), 1),
            "engine_ms": round(median(side.engine_ms for side in self.ours), 1),
            "engine_ms_bare": round(median(side.engine_ms for side in self.bare), 1),
        }


class Bench:
    """An engine and the sandboxes in front of it."""

    def __init__(self, node: Node, engine_pid: int, sandboxes: Sequence[ProcessPoolExecutor]) -> None:
        self._node = node
        self._engine_pid = engine_pid
        self._sandboxes = sandboxes

    def measure(self, one: Measured, *, bare_first: bool) -> None:
        """Add a round: the function and the bare client, one after the other, each on empty indices."""
        if _cores():
            self._place(one.case)
        sides = [(worker.invoke, one.ours), (worker.send, one.bare)]
        for do, into in reversed(sides) if bare_first else sides:
            into.append(self._side(do, one.case))

    def _side(self, do: Callable[[Work, str], Done], case: Case) -> Side:
        works = list(zip(self._sandboxes, case.works(), strict=False))
        prepared = [sandbox.submit(worker.prepare, work) for sandbox, work in works]
        indices = frozenset[str]().union(*(each.result() for each in prepared))
        self._node.ask("DELETE", "cwl-*")
        for index in indices:
            self._node.ask("PUT", index)
        before_s = _cpu_s(self._engine_pid)
        running = [sandbox.submit(do, work, self._node.url) for sandbox, work in works]
        done = [each.result() for each in running]
        return Side(done, _cpu_s(self._engine_pid) - before_s)

    def _place(self, case: Case) -> None:
        cores = _cores()
        half = len(cores) // 2 if case.own_cores else 0
        engine, sandboxes = cores[:half] or cores, cores[half:]
        for task in Path(f"/proc/{self._engine_pid}/task").iterdir():
            with suppress(ProcessLookupError):  # a thread that has ended
                os.sched_setaffinity(int(task.name), engine)
        for sandbox in self._sandboxes:
            sandbox.submit(os.sched_setaffinity, 0, sandboxes).result()


def tables(limit_s: float, tell: Callable[[str], None]) -> dict[str, list[dict[str, Any]]]:
    """As many rounds of all cases as `limit_s` allows, the start of the engine among it. Raises `LocalError`."""
    end_s = time.monotonic() + limit_s
    measured = [Measured(case) for case in cases()]
    tell("starting OpenSearch")
    with _bench() as bench:
        for load in _LOADS:
            tell(f"warming up: {load}")
            bench.measure(Measured(Case(load, min(_PAYLOADS), max(_AT_ONCE))), bare_first=True)
        for number, one in product(range(1, _ROUNDS + 1), measured):
            if time.monotonic() > end_s:
                break
            tell(f"round {number}: {_named(one.case)}")
            bench.measure(one, bare_first=number % 2 == 0)
    return {"delivery": [one.row() for one in measured if one.ours]}


def cases() -> list[Case]:
    """The cases in which the engine has cores of its own, where they can be given to it, and those where it shares."""
    apart = [Case(load, events, n) for load in _LOADS for events in _PAYLOADS for n in _AT_ONCE] if _cores()[1:] else []
    return apart + [Case(load, events, 2, own_cores=False) for load in _LOADS for events in _PAYLOADS]


@contextmanager
def _bench() -> Iterator[Bench]:
    """OpenSearch with the project's template, and the sandboxes, all of them ended with the block."""
    spawning = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as logs, Run(Path(logs) / "logs") as run, ExitStack() as stack:
        prepared = Real(dict(os.environ)).prepared(run)
        child = prepared.start(run)
        node = Node(prepared.running().url)
        node.ask("PUT", f"_index_template/{NAME}", index_template(replicas=0))
        sandboxes = [
            stack.enter_context(ProcessPoolExecutor(1, mp_context=spawning, initializer=worker.begin))
            for _ in range(max(_AT_ONCE))
        ]
        yield Bench(node, child.leader.pid, sandboxes)


def _cores() -> list[int]:
    """Those that this process may use; none where a process cannot be bound to some."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def _cpu_s(pid: int) -> float:
    """Seconds of CPU that a process took so far; 0 where the system does not tell."""
    file = Path(f"/proc/{pid}/stat")
    if not file.exists():
        return 0.0
    # https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: fields 14 and 15, counted after the name
    utime, stime = file.read_text("utf-8").rpartition(")")[2].split()[11:13]
    return (int(utime) + int(stime)) / os.sysconf("SC_CLK_TCK")


def _named(case: Case) -> str:
    return f"{case.load}, {case.events:,} events, {case.at_once} at once, the engine on {case.cores} cores"
