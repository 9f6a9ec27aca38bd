"""The transform as a whole: a payload in, the documents to index out. Pure: no clock, no environment, no network."""

from __future__ import annotations

from collections import Counter

from shipper.document import Builder
from shipper.model import Batch, Document, Payload
from shipper.multiline import grammar_for, join
from shipper.record import Reader
from shipper.redact import redactor
from shipper.sample import Fate, Sieve
from shipper.settings import Settings


def transform(payload: Payload, settings: Settings, now_ms: int) -> Batch:
    """Make documents of a payload's events, in the order of the events.

    `now_ms` is the ingest time: by it an event's time is judged to be usable, and it stands in where no event of the
    payload has a usable one.
    """
    source = payload.source
    hider = redactor(settings.redact, settings.redact_patterns, settings.redact_form)
    reader = Reader(settings, source.log_group, hider)
    builder = Builder(payload, settings, now_ms, hider)
    sieve = Sieve(settings.filters, source.log_group)
    records = [reader.read(event) for event in payload.events]
    if settings.join:
        records = join(records, grammar_for(source.log_group, settings.multiline), settings)
    documents: list[Document] = []
    stripped_bytes, lost, left_out = 0, Counter[Fate](), Counter[str]()
    records.reverse()
    while records:
        record = records.pop()  # freed as its document is made: the two need not fit side by side
        stripped_bytes += record.stripped_bytes
        found = builder.prepare(record)
        if sieve.rules:
            decision = sieve.decide(
                record.fields, record.text, level=found.level, trace_id=found.trace_id, event_id=record.event.id
            )
            if decision.fate is not Fate.KEEP:
                lost[decision.fate] += len(record.event_ids)
                left_out[decision.rule] += len(record.event_ids)
                continue
        documents.append(builder.document(record, found))
    return Batch(
        source=source,
        received=len(payload.events),
        documents=tuple(documents),
        filtered=lost[Fate.FILTERED],
        sampled=lost[Fate.SAMPLED],
        stripped_bytes=stripped_bytes,
        redacted=builder.redacted,
        left_out=left_out,
        ingested_at_ms=now_ms,
    )
