"""From an event to a record: its fields, the text that a person reads, which of the two streams it came on."""

from __future__ import annotations

from shipper import jsontext
from shipper.expand import expand, message_counts
from shipper.model import Fields, LogEvent, Record
from shipper.settings import Settings
from shipper.strip import strip

TEXT_KEYS = ("log", "message")
"""Where the collectors put the line: Fluentd's json parser and Fluent Bit `log`, Fluentd's CRI parser `message`."""

_STREAMS = frozenset({"stdout", "stderr"})


def read(event: LogEvent, settings: Settings) -> Record:
    """Expand, strip and find the text. The record's `raw` stays as received."""
    fields = expand(event.message, event.extracted_fields)
    # A piece of a line that the container runtime split (CRI log format: P partial, F full); read before stripping.
    partial = fields.get("logtag") == "P"
    stripped = strip(fields, settings.strip_paths)
    text, text_key = _text(event, fields, bool(stripped))
    return Record(
        event=event,
        fields=fields,
        text=text,
        raw=event.message,
        text_key=text_key,
        stream=_stream(fields),
        partial=partial,
        event_ids=[event.id],
        stripped=stripped,
    )


def _stream(fields: Fields) -> str:
    stream = fields.get("stream")
    return stream if isinstance(stream, str) and stream in _STREAMS else ""


def _text(event: LogEvent, fields: Fields, was_stripped: bool) -> tuple[str, str]:
    """(text, the key that it came from). Text in front of the JSON belongs to the text: then there is no key."""
    is_json = fields and message_counts(event.extracted_fields) and event.message.lstrip().startswith("{")
    if not is_json:
        return event.message, ""
    for key in TEXT_KEYS:
        if isinstance(text := fields.get(key), str):
            return text, key
    processed = fields.get("log_processed")
    if isinstance(processed, dict):
        return _processed_text(processed), ""
    if _stream(fields):
        return "", ""  # Fluentd leaves out keys with an empty value: this was a blank line
    return (jsontext.dumps(fields).decode() if was_stripped else event.message), ""


def _processed_text(processed: Fields) -> str:
    """Fluent Bit with `Keep_Log Off` leaves only the parsed line."""
    for key in (*TEXT_KEYS, "msg"):
        if isinstance(text := processed.get(key), str):
            return text
    return jsontext.dumps(processed).decode()
