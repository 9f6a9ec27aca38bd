"""One transaction through all services: the search for it, and its records as lines of a timeline."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shipper.times import milliseconds
from shipper.trace import normal_id

_SHORT_CHARS = 16
_SERVICE_PATHS = (
    ("kubernetes", "container_name"),
    ("kubernetes", "labels", "app"),
    ("kubernetes", "labels", "app_kubernetes_io/name"),
    ("kubernetes", "labels", "k8s-app"),
    ("@log_stream",),
)
_HEX_ONLY = re.compile(r"[0-9a-f]+")


@dataclass(frozen=True, slots=True)
class Line:
    """A record of the timeline; `gap_ms` is the time since the one before it, None for the first."""

    id: str
    at: str
    gap_ms: int | None
    service: str
    level: str
    text: str


def forms(text: str) -> Sequence[str]:
    """The spellings under which a transaction's id may be in `@trace_id`; none where the text is no id.

    Of a 128-bit id some services know the low 64 bits only (Datadog, short B3 ids).
    """
    id_ = normal_id(text.strip())
    if not id_:
        return ()
    return (id_,) if len(id_) == _SHORT_CHARS else (id_, id_[-_SHORT_CHARS:])


def by_trace_id(ids: Sequence[str], from_ms: int | None, to_ms: int | None) -> dict[str, Any]:
    """The query for records with one of these ids, or, of a short one, with a long one that ends in it."""
    alternatives: list[dict[str, Any]] = [{"terms": {"@trace_id": list(ids)}}]
    # Only hex goes into it: the pattern has no characters that mean something.
    if len(ids) == 1 and _HEX_ONLY.fullmatch(ids[0]):
        alternatives.append({"wildcard": {"@trace_id": {"value": f"*{ids[0]}"}}})
    return _within({"bool": {"should": alternatives, "minimum_should_match": 1}}, from_ms, to_ms)


def by_text(text: str, from_ms: int | None, to_ms: int | None) -> dict[str, Any]:
    """The query for records whose text has this phrase."""
    phrase = {"query": text, "type": "phrase", "fields": ["@message", "log"], "lenient": True}
    return _within({"multi_match": phrase}, from_ms, to_ms)


def page(query: Mapping[str, Any], size: int) -> dict[str, Any]:
    """The body of a search for the first `size` records in the order of time."""
    in_order = [{"@timestamp": {"order": "asc", "unmapped_type": "date"}}]
    return {"query": query, "size": size, "sort": in_order, "track_total_hits": True}


def lines(hits: Iterable[Mapping[str, Any]], before_ms: int | None = None) -> Iterator[Line]:
    """Records as lines, in their order; `before_ms` is the time of the record in front of them."""
    for hit in hits:
        source = hit["_source"]
        at = str(source.get("@timestamp", ""))
        at_ms = milliseconds(at)
        yield Line(
            id=str(hit["_id"]),
            at=at,
            gap_ms=None if before_ms is None else at_ms - before_ms,
            service=service(source),
            level=str(source.get("@level", "")),
            text=str(source.get("@message", "")),
        )
        before_ms = at_ms


def service(source: Mapping[str, Any]) -> str:
    """The name of what wrote a record."""
    for path in _SERVICE_PATHS:
        value: Any = source
        for step in path:
            value = value.get(step) if isinstance(value, Mapping) else None
        if isinstance(value, str) and value:
            return value
    return ""


def gap(gap_ms: int | None) -> str:
    """A gap in words; "" for none."""
    if gap_ms is None or gap_ms == 0:
        return ""
    sign, size_ms = ("+" if gap_ms > 0 else "-"), abs(gap_ms)
    if size_ms < 1_000:
        return f"{sign}{size_ms} ms"
    if size_ms < 100_000:
        return f"{sign}{size_ms / 1000:.1f} s"
    minutes, seconds = divmod(size_ms // 1000, 60)
    if minutes < 60:
        return f"{sign}{minutes} min {seconds} s"
    return f"{sign}{minutes // 60} h {minutes % 60} min"


def _within(query: dict[str, Any], from_ms: int | None, to_ms: int | None) -> dict[str, Any]:
    times = {name: moment for name, moment in (("gte", from_ms), ("lt", to_ms)) if moment is not None}
    if not times:
        return query
    return {"bool": {"must": query, "filter": {"range": {"@timestamp": {**times, "format": "epoch_millis"}}}}}
