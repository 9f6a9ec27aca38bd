"""The transform once more, slow and obvious: from what was written, not from what arrived.

Who writes a log knows which lines are one record, of which level, and what a rule says of it; so this needs no pattern
and no look at a text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

OWNER = "123456789012"
LOG_GROUP = "/aws/containerinsights/demo/application"

Kind = Literal["line", "trace", "fields", "unfit", "poison", "health", "debug"]
KINDS: tuple[Kind, ...] = ("line", "trace", "fields", "unfit", "poison", "health", "debug")

FILTERS = (
    '[{"name": "health", "action": "drop", "pattern": "GET /health"},'
    ' {"name": "debug", "action": "sample", "rates": {"DEBUG": 0}}]'
)
"""The rules that the reference knows by the kinds."""

_TRACE = (
    "ERROR checkout failed {n}",
    "java.lang.IllegalStateException: no stock for {n}",
    "\tat com.shop.Stock.take(Stock.java:41)",
    "Caused by: java.net.SocketTimeoutException: Read timed out",
    "\tat com.shop.Db.query(Db.java:7)",
)
_HEADS = 1
"""The last piece of a trace that may stand first."""

_TEXTS: dict[Kind, tuple[str, ...]] = {
    "line": ("GET /orders/{n} 404",),
    "trace": _TRACE,
    "fields": ('{{"level": "warn", "n": {{"of": {n}}}}}',),
    "unfit": ('{{"level": "error", "n": {n}}}',),
    "poison": ("INFO poison {n}",),
    "health": ("GET /health 200 {n}",),
    "debug": ("DEBUG cache {n}",),
}
_LEVELS: dict[Kind, str] = {"fields": "WARN", "unfit": "ERROR", "poison": "INFO", "debug": "DEBUG"}


@dataclass(frozen=True)
class Event:
    """One event of a log stream. `piece` is its place among those of its record; `record` names that one."""

    id: str
    timestamp: int
    kind: Kind
    text: str
    record: int
    piece: int

    @property
    def stream(self) -> str:
        return "stderr" if self.kind == "trace" else "stdout"

    @property
    def message(self) -> str:
        """As Fluentd would have written it."""
        kubernetes = {"pod_name": "cart-1", "namespace_name": "shop", "pod_id": "0a-1b"}
        return json.dumps({"log": self.text, "stream": self.stream, "docker": {"id": "7"}, "kubernetes": kubernetes})


@dataclass(frozen=True)
class Expected:
    """A document, with the ids of the events in it."""

    index: str
    source: dict[str, Any]
    event_ids: tuple[str, ...]


def written(kind: Kind, number: int, first: int, now_ms: int) -> list[Event]:
    """The events of one record, numbered from `first`."""
    texts = [text.format(n=number) for text in _TEXTS[kind]]
    return [Event(f"e-{first + piece}", now_ms + piece, kind, text, number, piece) for piece, text in enumerate(texts)]


def payload(events: Sequence[Event], log_stream: str) -> dict[str, Any]:
    """What CloudWatch Logs hands on."""
    return {
        "messageType": "DATA_MESSAGE",
        "owner": OWNER,
        "logGroup": LOG_GROUP,
        "logStream": log_stream,
        "subscriptionFilters": ["all"],
        "logEvents": [{"id": event.id, "timestamp": event.timestamp, "message": event.message} for event in events],
    }


def left_out(events: Sequence[Event]) -> set[str]:
    """The ids of the events that a rule leaves out."""
    return {event.id for event in events if event.kind in ("health", "debug")}


def documents(events: Sequence[Event], log_stream: str) -> Iterator[Expected]:
    """The documents of a payload with these events: those of one record together, if they came together."""
    records: dict[int, list[Event]] = {}
    for event in events:
        records.setdefault(event.record, []).append(event)
    for record in records.values():
        if record[0].id not in left_out(record):
            yield _document(record, log_stream)


def _document(record: Sequence[Event], log_stream: str) -> Expected:
    first = record[0]
    text = "\n".join(event.text for event in record)
    moment = datetime.fromtimestamp(first.timestamp / 1000, UTC)
    level = ("ERROR" if first.piece == 0 else None) if first.kind == "trace" else _LEVELS.get(first.kind)
    source = {
        "@id": first.id,
        "@timestamp": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "@message": text,
        "@level": level,
        "@lines": len(record) if len(record) > 1 else None,
        "@owner": OWNER,
        "@log_group": LOG_GROUP,
        "@log_stream": log_stream,
        "stream": first.stream,
        "kubernetes": {"pod_name": "cart-1", "namespace_name": "shop"},
        "log_processed": json.loads(text) if first.kind in ("fields", "unfit") else None,
        "@shipper": {"headless": True} if first.piece > _HEADS else None,
    }
    kept = {key: value for key, value in source.items() if value is not None}
    return Expected(f"cwl-{moment:%Y.%m.%d}", kept, tuple(event.id for event in record))


def aside(source: dict[str, Any]) -> dict[str, Any]:
    """A document whose fields were refused, but for the reason that stands beside them."""
    own = {key: value for key, value in source.items() if not key.startswith("@")}
    kept = {key: value for key, value in source.items() if key.startswith("@")}
    return {**kept, "@unmapped": own}
