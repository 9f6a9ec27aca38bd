"""One sandbox of the delivery benchmark, a process of its own: the function's invocations, or the bare client's.

It imports what the function does and little else: what stands in memory, the garbage collector looks through.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, cast

import requests
from isal import igzip

from shipper import bulk
from shipper.bulk import BulkReply
from shipper.decode import decode
from shipper.handlers.services import Services, from_environment
from shipper.handlers.subscriber import run
from shipper.model import Batch, DeadLetter, Payload
from shipper.pipeline import transform
from shipper.settings import Settings
from shipper.ship import Sink
from tests.bench import loads

SETTINGS = Settings(
    retry_queue_url="https://sqs.eu-west-1.amazonaws.com/123456789012/retry",
    dead_letter_queue_url="https://sqs.eu-west-1.amazonaws.com/123456789012/dead",
    bucket="failed-events",
    # The loads have a date of their own.
    max_age_days=0,
)
_ENV = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_REGION": "eu-west-1",
    "POWERTOOLS_METRICS_NAMESPACE": "bench",
    "no_proxy": "*",
}
_GZIP_LEVEL = 1
_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Work:
    """So many payloads of one load, one invocation each; `first` is the number of the first event."""

    load: str
    events: int
    payloads: int
    first: int = 0


@dataclass(frozen=True)
class Done:
    """Of one sandbox: all documents; then, without its first invocation, documents, the seconds that it took, those
    with a request under way, those of its CPU.
    """

    all_documents: int
    documents: int
    took_s: float
    under_way_s: float
    cpu_s: float


@dataclass(frozen=True)
class Invocation:
    """An event, and the requests that it becomes, compressed as the function does it."""

    event: dict[str, Any]
    documents: int
    bodies: tuple[bytes, ...]
    indices: frozenset[str]


class Watched:
    """A sink that notes when a request is under way."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._lock = threading.Lock()
        self._open = 0
        self._since_s = 0.0
        self.under_way_s = 0.0

    def renew(self) -> None:
        self._sink.renew()

    def bulk(self, body: bytes, timeout_s: float) -> BulkReply:
        self._count(1)
        try:
            return self._sink.bulk(body, timeout_s)
        finally:
            self._count(-1)

    def _count(self, change: int) -> None:
        with self._lock:
            now_s = time.perf_counter()
            if self._open:
                self.under_way_s += now_s - self._since_s
            self._since_s = now_s
            self._open += change


class Context:
    """Lambda's, with the same time left at each call."""

    aws_request_id = "bench"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


class NoLetters:
    """Queues that a delivery to an engine in good health does not need."""

    def retry(self, letters: Sequence[DeadLetter]) -> None:
        raise RuntimeError(f"the engine did not take all: {letters[0].reason}")

    bury = retry


def begin() -> None:
    """Prepare this process. What the function logs goes nowhere."""
    os.environ.update(_ENV)
    sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - as long as the process


def prepare(work: Work) -> frozenset[str]:
    """Make what is to be sent; the indices that it goes to."""
    return frozenset().union(*(made.indices for made in _invocations(work)))


def invoke(work: Work, url: str) -> Done:
    """Invoke the function with one payload after the other. Raises `RuntimeError` unless each document is new."""
    invocations, wired = _invocations(work), _services(url)
    watched = Watched(wired.sink)
    wired = replace(wired, sink=cast("Any", watched), letters=cast("Any", NoLetters()))

    def one(invocation: Invocation) -> None:
        ledger = run(invocation.event, Context(), wired)
        if ledger["indexed"] != invocation.documents:
            raise RuntimeError(f"not all of {invocation.documents} documents were indexed: {ledger}")

    return _timed(invocations, one, watched)


def send(work: Work, url: str) -> Done:
    """Send the same requests ready made, as many at once. Raises `RuntimeError` unless each document is taken."""
    invocations, session = _invocations(work), _session()
    address = f"{url}/_bulk?filter_path={bulk.FILTER_PATH}"
    headers = {"content-type": "application/x-ndjson", "content-encoding": "gzip"}

    def post(body: bytes) -> None:
        reply = session.post(address, data=body, headers=headers, timeout=_TIMEOUT_S)
        if not reply.ok or b'"errors":false' not in reply.content:
            raise RuntimeError(f"the engine refused a request: {reply.status_code} {reply.text[:500]}")

    with ThreadPoolExecutor(SETTINGS.max_in_flight) as pool:
        return _timed(invocations, lambda invocation: list(pool.map(post, invocation.bodies)))


def _timed(
    invocations: Sequence[Invocation], one: Callable[[Invocation], object], watched: Watched | None = None
) -> Done:
    # All sandboxes begin at once, as invocations do not: after the first they have drifted apart.
    one(invocations[0])
    before_s = watched.under_way_s if watched else 0.0
    began_s, cpu_s = time.perf_counter(), time.process_time()
    for invocation in invocations[1:]:
        one(invocation)
    took_s, cpu_s = time.perf_counter() - began_s, time.process_time() - cpu_s
    documents = sum(invocation.documents for invocation in invocations[1:])
    return Done(
        documents + invocations[0].documents,
        documents,
        took_s,
        watched.under_way_s - before_s if watched else took_s,
        cpu_s,
    )


@cache
def _invocations(work: Work) -> tuple[Invocation, ...]:
    starts = range(work.first, work.first + work.payloads * work.events, work.events)
    return tuple(invocation(work.load, work.events, first) for first in starts)


def invocation(load: str, events: int, first: int) -> Invocation:
    """One payload with the requests that the function makes of it."""
    event = loads.lambda_event(loads.payload(load, events, first))
    batch = _batch(event)
    chunks = bulk.chunks(batch.documents, SETTINGS.max_body_bytes)
    bodies = tuple(igzip.compress(bulk.encode(chunk), compresslevel=_GZIP_LEVEL) for chunk in chunks)
    return Invocation(event, len(batch.documents), bodies, frozenset(document.index for document in batch.documents))


def _batch(event: dict[str, Any]) -> Batch:
    payload = decode(event, max_decoded_bytes=SETTINGS.max_decoded_bytes)
    if not isinstance(payload, Payload):
        raise TypeError(f"the load is refused: {payload}")
    return transform(payload, SETTINGS, loads.FIRST_MS)


@cache
def _services(url: str) -> Services:
    os.environ.update(SETTINGS.with_values(endpoint=url).to_env())
    return from_environment("subscriber")


@cache
def _session() -> requests.Session:
    return requests.Session()
