"""From a record to the document that OpenSearch gets: its index, its id, its fields, what a person reads of it."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from typing import Any

from shipper import jsontext, trace
from shipper.envelope import taken_names
from shipper.expand import json_in, number
from shipper.mend import Mender, field_count, nested_count, overflow
from shipper.metadata import KUBERNETES
from shipper.model import Document, Fields, LogEvent, Payload, Record
from shipper.redact import Redactor
from shipper.settings import Settings
from shipper.trace import NOTHING_FOUND, Trace

INDEX_PREFIX = "cwl-"
"""Index names are made of this and a day: nothing that a log line holds can choose an index."""

INDEX_PATTERN = INDEX_PREFIX + "*"

_DAY_MS = 86_400_000
_AHEAD_MS = _DAY_MS
"""CloudWatch refuses events more than two hours ahead of its clock: one that is a day ahead has a broken time."""


class Builder:
    """Makes the documents of one payload; `now_ms` is the ingest time, milliseconds since the epoch.

    `redacted` counts the secrets that were taken out, by detector.
    """

    def __init__(self, payload: Payload, settings: Settings, now_ms: int, redactor: Redactor | None = None) -> None:
        self._events = payload.events
        self._settings = settings
        self._now_ms = now_ms
        self._newest_ms = now_ms + _AHEAD_MS
        self._oldest_ms = max(0, now_ms - settings.max_age_days * _DAY_MS) if settings.max_age_days else 0
        self._redactor = redactor
        self._expands = settings.expand == "fields"
        # Filters ask for levels and trace ids, too.
        self._finds_traces = settings.trace or bool(settings.filters)
        self.redacted: Counter[str] = Counter()
        self._taken = taken_names(settings)
        # The same for each document of the payload, so written once.
        source = payload.source
        origin = {"@owner": source.owner, "@log_group": source.log_group, "@log_stream": source.log_stream}
        self._origin = b"," + jsontext.dumps(origin)[1:]

    def prepare(self, record: Record) -> Trace:
        """Take the secrets out, expand the text; what identifies the record's transaction, and its level."""
        if self._redactor is not None:
            self._clean(record, self._redactor)
        if record.text_key:
            self._expand(record)
        return trace.find(record.fields, record.text) if self._finds_traces else NOTHING_FOUND

    def _clean(self, record: Record, redactor: Redactor) -> None:
        # The names of extracted fields are not in the message, and one of them may name a secret.
        if not record.event.extracted_fields and not redactor.maybe(record.raw):
            return
        record.envelope = None
        record.text, hits = redactor.text(record.text)
        self.redacted.update(hits)
        if record.text_key:
            record.fields[record.text_key] = record.text
        own = {key: value for key, value in record.fields.items() if key not in (KUBERNETES, record.text_key)}
        redacted, hits = redactor.value(own)
        self.redacted.update(hits)
        record.fields.update(redacted)
        record.raw, _ = redactor.text(record.raw)

    def document(self, record: Record, found: Trace) -> Document:
        """The document of a prepared record, whose `fields` are used up by it."""
        stamp, original = record.event.timestamp, None
        if type(stamp) is not int or not self._oldest_ms <= stamp <= self._newest_ms:
            stamp, original = self._moment(record.event)
        timestamp = f"{_second(stamp // 1000)}.{stamp % 1000:03d}Z"
        envelope = record.envelope
        fixed: list[str] = []
        ours: Fields = {"@id": record.event.id, "@timestamp": timestamp, "@message": record.text}
        processed = record.fields.get("log_processed")
        if (
            envelope is not None
            and original is None
            and (processed is None or self._is_in_order(processed, envelope.field_count))
        ):
            if processed is not None:
                ours["log_processed"] = processed
            theirs = envelope.written
        else:
            ours["@message"] = self._message(record)
            theirs, fixed = self._mended_json(record, original, ours)
        if found is not NOTHING_FOUND and self._settings.trace:
            _add_trace(ours, found)
        if len(record.event_ids) > 1:
            ours["@lines"] = len(record.event_ids)
        if fixed or record.part or record.headless:
            ours["@shipper"] = _notes(record, fixed)
        # Two objects, put together as text: growing the one would cost more than writing another.
        source = b"".join((jsontext.dumps(ours)[:-1], theirs, self._origin))
        return Document(_index(timestamp[:10]), record.event.id, source, timestamp, tuple(record.event_ids))

    def _is_in_order(self, processed: Any, beside: int) -> bool:
        """Whether the fields that were found in a text need no mending, and are not too many with those beside them."""
        settings = self._settings
        return not settings.mend or 0 <= nested_count(processed, settings.max_depth - 1) < settings.max_fields - beside

    def _mended_json(self, record: Record, original: Any, ours: Fields) -> tuple[bytes, list[str]]:
        """The record's fields, mended, as JSON from the comma on, and the kinds of repair."""
        fields = record.fields
        aside = {} if self._taken.isdisjoint(fields) else self._set_aside(fields)
        fixed = self._mend(record, fields, aside) if self._settings.mend else []
        if original is not None:
            aside["@timestamp"] = original
            fixed.append("clock")
        if aside:
            ours["@fields"] = aside
        return b"," + jsontext.dumps(fields)[1:-1] if fields else b"", fixed

    def _expand(self, record: Record) -> None:
        """The text as it was joined, and the fields of an application's own JSON line in it."""
        fields, text = record.fields, record.text
        fields[record.text_key] = text
        if self._expands and "log_processed" not in fields and (line := _own_json(text)) is not None:
            fields["log_processed"] = line

    def _moment(self, event: LogEvent) -> tuple[int, Any]:
        """(milliseconds, the original where it is unusable and another time stands in for it, else None)."""
        stamp = event.timestamp
        if (usable_ms := self._usable_ms(stamp)) is not None:
            return usable_ms, None
        if stamp is None or isinstance(stamp, dict | list):
            stamp = jsontext.dumps(stamp).decode()
        return self._stand_ins[event.id], stamp

    def _usable_ms(self, stamp: Any) -> int | None:
        value: Any = number(stamp) if isinstance(stamp, str) else stamp
        return int(value) if type(value) in (int, float) and self._oldest_ms <= value <= self._newest_ms else None

    @cached_property
    def _stand_ins(self) -> dict[str, int]:
        """By event id, what stands in for an unusable time: the last usable one before it, else the first after it.

        All of that is the same at each delivery (unless an event passes a limit in between), or a second one after
        midnight would write into another index. The ingest time is for a payload without any usable time.
        """
        usable = [self._usable_ms(event.timestamp) for event in self._events]
        nearest_ms = next((ms for ms in usable if ms is not None), self._now_ms)
        stand_ins: dict[str, int] = {}
        for event, ms in zip(self._events, usable, strict=True):
            if ms is None:
                stand_ins[event.id] = nearest_ms
            else:
                nearest_ms = ms
        return stand_ins

    def _message(self, record: Record) -> str:
        """What `@message` holds; as `text` its key is taken out of the fields, so that it is not stored twice."""
        kind = self._settings.message
        if kind == "raw":
            return record.raw
        if kind == "record" and record.fields:
            return jsontext.dumps(record.fields).decode()
        if record.text_key:
            del record.fields[record.text_key]
        return record.text

    def _set_aside(self, fields: Fields) -> Fields:
        """Take out the record's own keys that have the name of one of ours: ours wins, theirs goes to `@fields`."""
        return {key: fields.pop(key) for key in list(fields) if key in self._taken}

    def _mend(self, record: Record, fields: Fields, aside: Fields) -> list[str]:
        """Mend the fields in place; the kinds of repair. What cannot be mended goes `aside` or to `@unmapped`."""
        metadata, max_fields = record.metadata, self._settings.max_fields
        if metadata.written is not None:
            del fields[KUBERNETES]
        count = field_count(fields, self._settings.max_depth - 1)
        in_order = 0 <= count <= max_fields - metadata.field_count and not aside and not metadata.fixed
        kinds = [] if in_order and KUBERNETES not in fields else self._mend_slowly(record, fields, aside)
        if metadata.written is not None:
            fields[KUBERNETES] = metadata.written
        return kinds

    def _mend_slowly(self, record: Record, fields: Fields, aside: Fields) -> list[str]:
        metadata = record.metadata
        kinds = set(metadata.fixed)
        if KUBERNETES in fields:  # somebody's own field of that name, where the mapping has an object
            aside[KUBERNETES] = fields.pop(KUBERNETES)
            kinds.add(KUBERNETES)
        aside |= metadata.aside
        depth = self._settings.max_depth
        if field_count(fields, depth - 1) < 0 or field_count(aside, depth - 2) < 0:
            kinds |= self._mend_all(record, fields, aside)
        room = self._settings.max_fields - metadata.field_count
        if field_count(fields, depth - 1) > room:
            fields["@unmapped"] = jsontext.dumps(overflow(fields, room)).decode()
            kinds.add("fields")
        return sorted(kinds)

    def _mend_all(self, record: Record, fields: Fields, aside: Fields) -> set[str]:
        mender = Mender(self._settings.max_depth)
        exact = _exact(record)
        mended = mender.mend(fields, exact)
        fields.clear()
        fields |= mended
        aside |= mender.aside
        if aside:
            kept = mender.nested(aside)
            aside.clear()
            aside |= kept
        return mender.kinds


def _own_json(text: str) -> Fields | None:
    """The fields of an application's own JSON line; text in front of it makes it a text."""
    return json_in(text) if text[:1] == "{" or text.lstrip()[:1] == "{" else None


def _exact(record: Record) -> Fields:
    """The record's JSON as `jsontext.loads_exact` reads it, to find what a large integer was."""
    exact = {} if record.event.extracted_fields else _loads_exact(record.event.message)
    if "log_processed" not in exact:
        exact["log_processed"] = _loads_exact(record.text)
    return exact


def _loads_exact(text: str) -> Fields:
    try:
        value = jsontext.loads_exact(text[text.find("{") :])
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _add_trace(fields: Fields, found: Trace) -> None:
    if found.trace_id:
        fields["@trace_id"] = found.trace_id
    if found.span_id:
        fields["@span_id"] = found.span_id
    if found.level:
        fields["@level"] = found.level


def _notes(record: Record, fixed: list[str]) -> Fields:
    notes: Fields = {}
    if fixed:
        notes["fixed"] = fixed
    if record.part:
        notes["part"] = record.part
    if record.headless:
        notes["headless"] = True
    return notes


@lru_cache(maxsize=1024)
def _second(seconds: int) -> str:
    """Formatting a time is slow, and the events of a payload share their seconds."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


@lru_cache(maxsize=64)
def _index(day: str) -> str:
    return INDEX_PREFIX + day.replace("-", ".")
