"""What the demo puts into CloudWatch Logs: sample events as a real Fluentd emitted them, moved to the present.

The samples keep their order and distances in time; the last of them happens now.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

SAMPLES = Path(__file__).parent / "samples"
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACE_PHRASE = "cart C-4 is locked"
TRACE_HEAD = "java.lang.IllegalStateException: cart C-4 is locked"
TRACE_END = "... 3 more"
OLD_MS = 13 * 86_400_000
"""CloudWatch Logs takes events of up to 14 days; the farther away, the less likely is that day's index there."""
OUTAGE_PHRASE = "while the domain was away"
CLASHING_FIELD = "log_processed.order"
_SAMPLED_PREFIX = "/aws/containerinsights/shop/"


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a PutLogEvents call; `group` is the last part of the log group's name."""

    group: str
    stream: str
    timestamp_ms: int
    message: str


def sampled(now_ms: int) -> list[Event]:
    """The sample logs: nginx lines, one transaction over five services, host and data plane, a slow stack trace."""
    events = [
        Event(raw["group"].removeprefix(_SAMPLED_PREFIX), raw["stream"], raw["timestamp"], raw["message"])
        for file in sorted(SAMPLES.glob("*.jsonl"))
        for raw in map(json.loads, file.read_text("utf-8").removesuffix("\n").split("\n"))
    ]
    shift_ms = now_ms - max(event.timestamp_ms for event in events)
    return [replace(event, timestamp_ms=event.timestamp_ms + shift_ms) for event in events]


def order_placed(now_ms: int) -> Event:
    """An application's JSON line in which `order` is an object: the mapping is made of it."""
    return _orders_line(now_ms, {"level": "info", "msg": "order placed", "order": {"id": "O-550192", "items": 3}})


def order_cancelled(now_ms: int) -> Event:
    """The same application, another developer: `order` is a text. It does not fit the mapping."""
    return _orders_line(now_ms, {"level": "error", "msg": "order cancelled by customer", "order": "O-550193"})


def order_of_old(now_ms: int) -> Event:
    """A line that comes late, for a day whose index takes no unknown fields (`strict_day`)."""
    return _orders_line(now_ms - OLD_MS, {"level": "warn", "msg": "order sent late", "order": "O-541007"})


def strict_day(now_ms: int) -> tuple[str, dict[str, Any]]:
    """(index, body) of the day of `order_of_old`, made by hand and strict: it knows every field but `order`.

    What the shipper notes of a refusal does not fit either, or the record would be indexed without its fields.
    """
    keyword, text = {"type": "keyword"}, {"type": "text"}
    day = datetime.fromtimestamp((now_ms - OLD_MS) // 1000, UTC)
    known = dict.fromkeys(("@id", "@owner", "@log_group", "@log_stream", "@level", "stream"), keyword)
    line = {"dynamic": "strict", "properties": {"level": keyword, "msg": text}}
    properties = {
        **known,
        "@timestamp": {"type": "date"},
        "@message": text,
        "kubernetes": {"type": "object", "dynamic": "true"},
        "log_processed": line,
        "@shipper": {"properties": {"error": {"properties": {"type": {"type": "date", "ignore_malformed": False}}}}},
    }
    return f"cwl-{day:%Y.%m.%d}", {"mappings": {"dynamic": "strict", "properties": properties}}


def during_outage(now_ms: int) -> list[Event]:
    """A stream of lines that comes while the domain is away."""
    return [_orders_line(now_ms + at, {"level": "info", "msg": f"{OUTAGE_PHRASE} {at}"}) for at in range(20)]


def _orders_line(now_ms: int, line: dict[str, Any]) -> Event:
    kubernetes = {"container_name": "orders-api", "namespace_name": "shop", "pod_name": "orders-api-79b6d5f8c7-k2m4x"}
    record = {"stream": "stdout", "message": json.dumps(line), "kubernetes": kubernetes}
    return Event("application", "orders-api-79b6d5f8c7-k2m4x_shop_orders-api.log", now_ms, json.dumps(record))


def put_calls(events: Iterable[Event]) -> Iterator[tuple[str, str, Sequence[Event]]]:
    """(group, stream, events in time order), one for each PutLogEvents call, as an agent batches them."""
    by_stream: dict[tuple[str, str], list[Event]] = {}
    for event in events:
        by_stream.setdefault((event.group, event.stream), []).append(event)
    for (group, stream), batch in by_stream.items():
        yield group, stream, sorted(batch, key=lambda event: event.timestamp_ms)
