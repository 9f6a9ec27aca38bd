"""What is looked at while the run goes on, once a second: how much is written, found and waiting."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import requests

from shipper.aws.inbox import Inbox
from tests.reliability.soak.delivery import Delivery
from tests.reliability.soak.site import Site
from tests.reliability.soak.writers import Writers

_EVERY_S = 1.0
_REPLY_WITHIN_S = 2.0
_LINES = {
    "size": 0,
    "track_total_hits": True,
    "aggs": {
        "lines": {"sum": {"field": "@lines"}},
        "joined": {"value_count": {"field": "@lines"}},
        "streams": {
            "terms": {"field": "@log_stream", "size": 100},
            "aggs": {"newest": {"max": {"field": "@timestamp"}}},
        },
    },
}


@dataclass(frozen=True, slots=True)
class Sample:
    """One look, `at_s` seconds after the start.

    `written` and `found` are lines since the start, `behind_s` the age of the newest line that can be found in the log
    stream where that is oldest, `undelivered` what Lambda's own queue holds, `retries` and `dead` messages.
    """

    at_s: float
    written: int
    found: int
    behind_s: float
    undelivered: int
    retries: int
    dead: int


class Gauges:
    """Looks until it is told to stop."""

    def __init__(self, site: Site, writers: Writers, delivery: Delivery, seconds: Callable[[], float]) -> None:
        self.samples: list[Sample] = []
        self._site, self._writers, self._delivery, self._seconds = site, writers, delivery, seconds
        outputs, sqs = site.stack.outputs, site.client("sqs")
        self.retries, self.dead = (Inbox(sqs, outputs[f"{name}QueueUrl"]) for name in ("Retry", "DeadLetter"))
        self._found, self._newest_ms = 0, dict[str, float]()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, name="gauges")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.wait(_EVERY_S):
            self._ask()
            self.samples.append(self._sample())

    def _sample(self) -> Sample:
        return Sample(
            at_s=self._seconds(),
            written=len(self._writers.written.words),
            found=self._found,
            behind_s=self._behind_s(),
            undelivered=self._delivery.waiting,
            retries=sum(self.retries.depth()),
            dead=sum(self.dead.depth()),
        )

    def _behind_s(self) -> float:
        """Of the newest line that was written, not of now: a stream that is silent is not behind."""
        spans_ms = dict(self._writers.spans_ms)
        behind_ms = [last_ms - self._newest_ms.get(one, first_ms) for one, (first_ms, last_ms) in spans_ms.items()]
        return max(behind_ms, default=0.0) / 1000

    def _ask(self) -> None:
        """An engine that does not answer finds nothing new."""
        try:
            said = self._site.engine.ask("POST", "cwl-*/_search", _LINES, within_s=_REPLY_WITHIN_S)
        except requests.RequestException:
            return
        totals: dict[str, Any] = said["aggregations"]
        hits = said["hits"]["total"]["value"]
        self._found = int(hits + totals["lines"]["value"] - totals["joined"]["value"])
        for bucket in totals["streams"]["buckets"]:
            if bucket["newest"]["value"] is not None:
                self._newest_ms[bucket["key"]] = bucket["newest"]["value"]
