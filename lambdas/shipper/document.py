"""From a record to the document that OpenSearch gets: its index, its id, its fields, what a person reads of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from shipper import jsontext, trace
from shipper.expand import json_in, number
from shipper.model import Document, Fields, Record, Source
from shipper.settings import Settings

INDEX_PREFIX = "cwl-"
"""Index names are made of this and a day: nothing that a log line holds can choose an index."""

_DAY_MS = 86_400_000
"""CloudWatch refuses events more than two hours ahead of its clock: one that is a day ahead has a broken time."""

_SYSTEM = frozenset({"@id", "@timestamp", "@message", "@owner", "@log_group", "@log_stream"})
_OURS = frozenset({"@fields", "@shipper", "@unmapped"})
_LABELS = ("labels", "namespace_labels")


def document(record: Record, source: Source, settings: Settings, now_ms: int) -> Document:
    """Build the document of one record; `now_ms` is the ingest time, milliseconds since the epoch."""
    moment_ms, original = _moment(record.event.timestamp, now_ms)
    timestamp = _iso(moment_ms)
    fields, fixed = _own_fields(record, settings)
    system: Fields = {
        "@id": record.event.id,
        "@timestamp": timestamp,
        "@message": _message(record, fields, settings),
        "@owner": source.owner,
        "@log_group": source.log_group,
        "@log_stream": source.log_stream,
    }
    if settings.trace:
        system |= _trace_fields(fields, record.text)
    if len(record.event_ids) > 1:
        system["@lines"] = len(record.event_ids)
    aside = _set_aside(fields, settings)
    if original is not None:
        aside["@timestamp"] = _capped(original, settings.max_depth - 1)
        fixed.append("clock")
    if aside:
        system["@fields"] = aside
    if notes := _notes(record, fixed):
        system["@shipper"] = notes
    return Document(
        index=INDEX_PREFIX + timestamp[:10].replace("-", "."),
        id=record.event.id,
        source=jsontext.dumps(fields | system),
        timestamp=timestamp,
        event_ids=tuple(record.event_ids),
    )


def _moment(stamp: Any, now_ms: int) -> tuple[int, Any]:
    """(milliseconds, the original where it was unusable and the ingest time stands in for it, else None)."""
    value = number(stamp) if isinstance(stamp, str) else stamp
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= now_ms + _DAY_MS:
        return int(value), None
    return now_ms, "null" if stamp is None else stamp


def _iso(moment_ms: int) -> str:
    moment = datetime.fromtimestamp(moment_ms // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment_ms % 1000:03d}Z"


def _own_fields(record: Record, settings: Settings) -> tuple[Fields, list[str]]:
    """The record's own fields as they are indexed, and the kinds of repair they took."""
    fields, fixed = dict(record.fields), []
    if record.text_key:
        fields[record.text_key] = record.text
    if settings.expand == "fields" and record.text_key and (line := _own_json(record.text)) is not None:
        fields.setdefault("log_processed", line)
    if settings.dedot:
        _dedot_labels(fields)
    if _may_be_deep(record, settings.max_depth):
        capped = {key: _capped(value, settings.max_depth - 1) for key, value in fields.items()}
        if capped != fields:
            fields, fixed = capped, ["deep"]
    return fields, fixed


def _may_be_deep(record: Record, max_depth: int) -> bool:
    """Cheap and never too low: nothing can nest deeper than there are brackets, escaped ones in the text among them."""
    if record.event.extracted_fields:
        return True
    return any(text.count("{") + text.count("[") > max_depth for text in (record.raw, record.text))


def _message(record: Record, fields: Fields, settings: Settings) -> str:
    """What `@message` holds; as `text` its key is taken out of the fields, so that it is not stored a second time."""
    if settings.message == "raw":
        return record.raw
    if settings.message == "record" and fields:
        return jsontext.dumps(fields).decode()
    fields.pop(record.text_key, None)
    return record.text


def _own_json(text: str) -> Fields | None:
    """The fields of an application's own JSON line; text in front of it makes it a text."""
    return json_in(text) if text.lstrip().startswith("{") else None


def _dedot_labels(fields: Fields) -> None:
    """`app` and `app.kubernetes.io/name` cannot live in one mapping: the one is a text, the other an object."""
    kubernetes = fields.get("kubernetes")
    if not isinstance(kubernetes, dict):
        return
    for key in _LABELS:
        labels = kubernetes.get(key)
        if isinstance(labels, dict) and any("." in name for name in labels):
            kubernetes[key] = {name.replace(".", "_"): value for name, value in labels.items()}


def _capped(value: Any, room: int) -> Any:
    """`value` with whatever nests deeper than `room` levels as JSON text."""
    if not isinstance(value, dict | list):
        return value
    if room == 0:
        return jsontext.dumps(value).decode()
    if isinstance(value, dict):
        return {key: _capped(inner, room - 1) for key, inner in value.items()}
    return [_capped(inner, room - 1) for inner in value]


def _trace_fields(fields: Fields, text: str) -> Fields:
    found = trace.find(fields, text)
    named = {"@trace_id": found.trace_id, "@span_id": found.span_id, "@level": found.level}
    return {name: value for name, value in named.items() if value}


def _set_aside(fields: Fields, settings: Settings) -> Fields:
    """Take out the record's own keys that have the name of one of ours: ours wins, theirs goes to `@fields`."""
    taken = _SYSTEM | _OURS
    if settings.trace:
        taken |= {"@trace_id", "@span_id", "@level"}
    if settings.join:
        taken |= {"@lines"}
    return {key: fields.pop(key) for key in list(fields) if key in taken}


def _notes(record: Record, fixed: list[str]) -> Fields:
    notes: Fields = {}
    if fixed:
        notes["fixed"] = fixed
    if record.part:
        notes["part"] = record.part
    if record.headless:
        notes["headless"] = True
    return notes
