"""Pods that log: several writers, each line with a word of its own, so that it can be counted in the end."""

from __future__ import annotations

import json
import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from local import story

WORD = re.compile(r"soak_\d+_\d+")
GROUPS = ("application", "dataplane", "host")
_PER_GROUP = 2
_BATCH = (15, 60)
_PAUSE_S = (2.5, 5.0)
"""At most so many lines that FilterLogEvents of the local AWS, which has one page of 10,000, can show five minutes."""


class Put(NamedTuple):
    """What one PutLogEvents wrote; times in milliseconds since the epoch, both included."""

    group: str
    stream: str
    first_ms: int
    last_ms: int


@dataclass
class Written:
    """All that was written: the words of the lines, and the time of each line by log group."""

    words: list[str] = field(default_factory=list)
    times_ms: dict[str, list[int]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, put: Put, words: list[str]) -> None:
        with self.lock:
            self.words += words
            self.times_ms.setdefault(put.group, []).extend(range(put.first_ms, put.last_ms + 1))


class Odd:
    """Keys that go into lines while a fault lasts, of now and of a day long ago; none where there is no fault."""

    now: dict[str, Any]
    late: dict[str, Any]

    def __init__(self) -> None:
        self.now, self.late = {}, {}


class Writers:
    """Writes until it is told to stop; hands each PutLogEvents to `on_put`.

    `spans_ms` are the times of the first and of the last line of each log stream of now.
    """

    def __init__(self, logs: Any, prefix: str, seed: int, odd: Odd, on_put: Callable[[Put], None]) -> None:
        self.written = Written()
        self.spans_ms: dict[str, tuple[int, int]] = {}
        self._logs, self._prefix, self._seed, self._odd, self._on_put = logs, prefix, seed, odd, on_put
        self._stop = threading.Event()
        kinds = [(group, 0) for group in GROUPS for _ in range(_PER_GROUP)] + [("application", story.OLD_MS)]
        self._threads = [
            threading.Thread(target=self._write, args=(number, group, ago_ms), name=f"writer {number}")
            for number, (group, ago_ms) in enumerate(kinds)
        ]
        self.errors: list[Exception] = []

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        if self.errors:
            raise self.errors[0]

    def _write(self, number: int, group: str, ago_ms: int) -> None:
        """A log stream. Each event has a time of its own, so that the times of a call say which events it wrote."""
        rng = random.Random(f"{self._seed} {number}")
        name, stream = self._prefix + group, f"pod-{number}_shop_{group}"
        try:
            self._logs.create_log_stream(logGroupName=name, logStreamName=stream)
            some, next_ms = lines(rng, number, lambda: self._odd.late if ago_ms else self._odd.now), 0
            while not self._stop.wait(rng.uniform(*_PAUSE_S)):
                batch = [next(some) for _ in range(rng.randint(*_BATCH))]
                first_ms = max(next_ms, int(time.time() * 1000) - ago_ms)
                events = [{"timestamp": first_ms + at, "message": message} for at, (_, message) in enumerate(batch)]
                self._logs.put_log_events(logGroupName=name, logStreamName=stream, logEvents=events)
                next_ms = first_ms + len(batch)
                put = Put(group, stream, first_ms, next_ms - 1)
                self.written.add(put, [word for word, _ in batch])
                if not ago_ms:
                    self.spans_ms[stream] = (self.spans_ms.get(stream, put[2:])[0], put.last_ms)
                self._on_put(put)
        except Exception as error:  # noqa: BLE001 - raised in `stop`, in the thread that waits for this one
            self.errors.append(error)


def lines(rng: random.Random, writer: int, odd: Callable[[], dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """(word, message): plain lines, JSON lines, and stack traces of several events; without end."""
    count = 0

    def word() -> str:
        nonlocal count
        count += 1
        return f"soak_{writer}_{count}"

    while True:
        kind = "json" if odd() else rng.choice(("plain", "plain", "json", "trace"))
        if kind == "plain":
            yield (one := word()), _record(f"GET /cart/{one} HTTP/1.1 200 {rng.randint(1, 900)}")
        elif kind == "json":
            one = word()
            yield one, _record(json.dumps({"level": "info", "msg": f"order {one}", **odd()}))
        else:
            yield (one := word()), _record(f"java.lang.IllegalStateException: {one}")
            for _ in range(rng.randint(1, 4)):
                yield (one := word()), _record(f"\tat com.shop.{one}.take(Stock.java:{rng.randint(1, 99)})")


def _record(text: str) -> str:
    kubernetes = {"pod_name": "orders-1", "namespace_name": "shop", "container_name": "orders", "pod_id": "x"}
    return json.dumps({"stream": "stdout", "message": text, "kubernetes": kubernetes})
