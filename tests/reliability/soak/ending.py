"""The end of a run: everything heals, the operator replays what was refused, and each line is there once."""

from __future__ import annotations

import json
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from shipper.times import iso
from tests.reliability.soak.delivery import Delivery
from tests.reliability.soak.gauges import Gauges
from tests.reliability.soak.site import Site
from tests.reliability.soak.writers import WORD, Written

_HEALS_WITHIN_S = 300.0
_REPLAYS = 10
_PAGE = 5_000
_AUDITED = 9_000
_LOOK_BACK_MS = 300_000
"""An audit reads so much more; FilterLogEvents of the local AWS has one page of 10,000 events and no other."""


@dataclass(slots=True)
class Verdict:
    """What is in the index in the end, by the shipper's own audit and by counting each line's word.

    `lines` were written; `letters` counts those that were replayed, by reason; `trouble` is what did not heal.
    """

    lines: int = 0
    audit: Counter[str] = field(default_factory=Counter)
    missing: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)
    letters: Counter[str] = field(default_factory=Counter)
    trouble: str = ""

    @property
    def is_good(self) -> bool:
        """Each line once, and nothing else."""
        counted = not (self.missing or self.doubled or self.strange)
        audited = self.audit["present"] + self.audit["joined"] == self.lines and not self.audit["extra"]
        return counted and audited and not self.trouble


def end(site: Site, written: Written, delivery: Delivery, gauges: Gauges) -> Verdict:
    """Wait until all is delivered, replay the dead letters, look."""
    verdict = Verdict(len(written.words))
    try:
        _until(lambda: not delivery.waiting and gauges.retries.depth() == (0, 0), "the retry queue is not empty")
        _replay(site, gauges, verdict)
    except TimeoutError as error:
        verdict.trouble = str(error)
    site.engine.ask("POST", "cwl-*/_refresh")
    for group, times_ms in written.times_ms.items():
        for from_ms, to_ms in windows(sorted(times_ms)):
            verdict.audit.update(_audited(site, site.stack.outputs["LogGroupPrefix"] + group, from_ms, to_ms))
    found = Counter(word for message in _messages(site) for word in WORD.findall(message))
    verdict.missing = sorted(set(written.words) - set(found))
    verdict.doubled = sorted(word for word, count in found.items() if count > 1)
    verdict.strange = sorted(set(found) - set(written.words))
    return verdict


def _replay(site: Site, gauges: Gauges, verdict: Verdict) -> None:
    for _ in range(_REPLAYS):
        groups = [json.loads(line) for line in site.shipper("dlq", "ls", "--json").splitlines()]
        if not groups and gauges.dead.depth() == (0, 0):
            return
        for group in groups:
            verdict.letters[group["reason"]] += group["letters"]
        site.shipper("dlq", "replay", "--yes", codes=(0, 1, 3))
        _until(lambda: gauges.retries.depth() == (0, 0), "the retry queue is not empty")
    raise TimeoutError(f"the dead-letter queue is not empty: {groups}")


def windows(times_ms: list[int]) -> Iterator[tuple[int, int]]:
    """(from, to before) in whole seconds, so that an audit of each reads at most `_AUDITED` events."""
    at = 0
    while at < len(times_ms):
        from_ms = _second(times_ms[at])
        end = bisect_left(times_ms, from_ms - _LOOK_BACK_MS) + _AUDITED
        to_ms = times_ms[end] if end < len(times_ms) else times_ms[-1] + 1_000
        to_ms = max(_second(to_ms), from_ms + 1_000)
        yield from_ms, to_ms
        at = bisect_left(times_ms, to_ms)


def _second(ms: int) -> int:
    return ms // 1_000 * 1_000


def _audited(site: Site, log_group: str, from_ms: int, to_ms: int) -> dict[str, int]:
    said = site.shipper(
        *("audit", "--log-group", log_group, "--from", iso(from_ms), "--to", iso(to_ms)),
        *("--settle", "0", "--json"),
        codes=(0, 3),
    )
    return {name: count for name, count in json.loads(said).items() if isinstance(count, int)}


def _messages(site: Site) -> Iterator[str]:
    """The text of every document."""
    body: dict[str, Any] = {"size": _PAGE, "_source": ["@message"], "sort": ["@timestamp", "_doc"]}
    page = site.engine.ask("POST", "cwl-*/_search?scroll=1m", body)
    while hits := page["hits"]["hits"]:
        yield from (hit["_source"]["@message"] for hit in hits)
        page = site.engine.ask("POST", "_search/scroll", {"scroll": "1m", "scroll_id": page["_scroll_id"]})


def _until(reached: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + _HEALS_WITHIN_S
    while not reached():
        if time.monotonic() > deadline:
            raise TimeoutError(otherwise)
        time.sleep(0.5)
