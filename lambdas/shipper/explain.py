"""What the transform did to each event, for a person who wonders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shipper import jsontext
from shipper.model import Document, LogEvent, Payload
from shipper.pipeline import transform
from shipper.record import Reader
from shipper.settings import Settings


@dataclass(frozen=True, slots=True)
class Explanation:
    """One event: the document that it is in, with how many events, what was stripped, repaired, found.

    `document_id` and `index` are "" where a rule left it out.
    """

    event_id: str
    document_id: str
    index: str
    events_in_document: int
    stripped: tuple[str, ...]
    fixed: tuple[str, ...]
    part: int
    trace_id: str
    level: str


def explain(payload: Payload, settings: Settings, now_ms: int) -> list[Explanation]:
    """One explanation for each event of the payload, in its order."""
    batch = transform(payload, settings, now_ms)
    document_of = {event_id: document for document in batch.documents for event_id in document.event_ids}
    reader = Reader(settings, payload.source.log_group)
    return [_explanation(event, document_of.get(event.id), reader.read(event).stripped) for event in payload.events]


def _explanation(event: LogEvent, document: Document | None, stripped: tuple[str, ...]) -> Explanation:
    if document is None:
        return Explanation(event.id, "", "", 0, stripped, (), 0, "", "")
    source: dict[str, Any] = jsontext.loads(document.source)
    notes = source.get("@shipper", {})
    return Explanation(
        event_id=event.id,
        document_id=document.id,
        index=document.index,
        events_in_document=len(document.event_ids),
        stripped=stripped,
        fixed=tuple(notes.get("fixed", ())),
        part=notes.get("part", 0),
        trace_id=source.get("@trace_id", ""),
        level=source.get("@level", ""),
    )
