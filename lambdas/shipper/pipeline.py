"""The transform as a whole: a payload in, the documents to index out. Pure: no clock, no environment, no network."""

from __future__ import annotations

from shipper.document import document
from shipper.model import Batch, Payload
from shipper.multiline import grammar_for, join
from shipper.record import read
from shipper.settings import Settings


def transform(payload: Payload, settings: Settings, now_ms: int) -> Batch:
    """Make documents of a payload's events, in the order of the events.

    `now_ms` is the ingest time, used for events whose own time is unusable.
    """
    records = [read(event, settings) for event in payload.events]
    if settings.join:
        records = join(records, grammar_for(payload.source.log_group, settings.multiline), settings)
    return Batch(
        source=payload.source,
        received=len(payload.events),
        documents=tuple(document(record, payload.source, settings, now_ms) for record in records),
    )
