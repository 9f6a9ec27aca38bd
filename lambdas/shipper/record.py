"""From an event to a record: its fields, the text that a person reads, which of the two streams it came on."""

from __future__ import annotations

from shipper import jsontext
from shipper.envelope import NOTHING, envelope_of, enveloped, text_in
from shipper.expand import expand, json_in, message_counts
from shipper.metadata import KUBERNETES, MetadataReader
from shipper.model import NO_METADATA, Envelope, Fields, LogEvent, Metadata, Record
from shipper.redact import Redactor
from shipper.settings import Settings
from shipper.strip import Stripper

TEXT_KEYS = ("log", "message")
"""Where the collectors put the line: Fluentd's json parser and Fluent Bit `log`, Fluentd's CRI parser `message`."""

_STREAMS = frozenset({"stdout", "stderr"})

_MAX_ENVELOPES = 4
"""Two streams, whole lines and split ones."""


class Reader:
    """Reads the events of one payload, one after the other."""

    def __init__(self, settings: Settings, log_group: str, redactor: Redactor | None = None) -> None:
        self._settings = settings
        self._stripper = Stripper(*settings.strip_for(log_group))
        self._metadata = MetadataReader(settings, self._stripper, redactor)
        self._tail = ""
        self._of_text = NOTHING if settings.message == "text" else None
        self._envelopes: list[Envelope] = []
        self._envelopes_to_try = _MAX_ENVELOPES if settings.message == "text" else 0

    def read(self, event: LogEvent) -> Record:
        """Expand, strip and find the text. The record's `raw` stays as received."""
        if event.extracted_fields is not None:
            return self._read(event)
        message = event.message
        if "{" not in message:
            return Record(event, {}, message, message, event_ids=[event.id], envelope=self._of_text)
        for envelope in self._envelopes:
            if (text := text_in(message, envelope)) is not None:
                return enveloped(event, text, envelope)
        record = self._read(event)
        if record.text_key and self._envelopes_to_try:
            self._envelopes_to_try -= 1
            if found := envelope_of(record, self._settings):
                self._envelopes.append(found)
        return record

    def _read(self, event: LogEvent) -> Record:
        """Read a record without what is known from those before it."""
        fields, metadata = self._fields(event)
        if not fields and metadata is NO_METADATA:
            return Record(event, fields, event.message, event.message, event_ids=[event.id])
        # A piece of a line that the container runtime split (CRI log format: P partial, F full); read before stripping.
        partial = fields.get("logtag") == "P"
        stripped, stripped_bytes = metadata.stripped, metadata.stripped_bytes
        if taken := self._stripper.strip(fields):
            stripped += tuple(one.path for one in taken)
            stripped_bytes += sum(one.size_bytes for one in taken)
        if metadata.written is not None:
            fields[KUBERNETES] = metadata.fields
        text, text_key = _text(event, fields, bool(stripped))
        return Record(
            event,
            fields,
            text,
            event.message,
            text_key,
            _stream(fields),
            partial,
            0,
            False,
            [event.id],
            metadata,
            stripped,
            stripped_bytes,
        )

    def _fields(self, event: LogEvent) -> tuple[Fields, Metadata]:
        """The event's fields, and the metadata that was among them."""
        message, tail = event.message, self._tail
        if tail and event.extracted_fields is None and message.startswith("{") and message.endswith(tail):
            # JSON that ends like the last one: its metadata is known, and half of the text need not be parsed.
            head = json_in(message[: -len(tail)] + "}")
            if head is not None:
                head.pop(KUBERNETES, None)
                return head, self._metadata.last
        fields = expand(message, event.extracted_fields)
        metadata = self._metadata.take(fields)
        if metadata is not NO_METADATA and event.extracted_fields is None:
            self._tail = _tail(message, fields)
        return fields, metadata


def _tail(message: str, others: Fields) -> str:
    """From the comma before the metadata to the end of the message, if it is the last key of the outer object.

    That is so if what is in front of it makes the `others`. In any JSON that ends in the same text that text is the
    last key, too: a quote inside a string would be escaped, and the braces are closed as here.
    """
    before = message[: message.rfind(f'"{KUBERNETES}"')].rstrip()
    if not message.startswith("{") or not before.endswith(","):
        return ""
    return message[len(before) - 1 :] if json_in(before[:-1] + "}") == others else ""


def _stream(fields: Fields) -> str:
    stream = fields.get("stream")
    return stream if isinstance(stream, str) and stream in _STREAMS else ""


def _text(event: LogEvent, fields: Fields, was_stripped: bool) -> tuple[str, str]:
    """(text, the key that it came from). Text in front of the JSON belongs to the text: then there is no key."""
    message = event.message
    if (
        not fields
        or not (message[:1] == "{" or message.lstrip()[:1] == "{")
        or not message_counts(event.extracted_fields)
    ):
        return message, ""
    for key in TEXT_KEYS:
        if isinstance(text := fields.get(key), str):
            return text, key
    processed = fields.get("log_processed")
    if isinstance(processed, dict):
        return _processed_text(processed), ""
    if _stream(fields):
        return "", ""  # Fluentd leaves out keys with an empty value: this was a blank line
    return (jsontext.dumps(fields).decode() if was_stripped else message), ""


def _processed_text(processed: Fields) -> str:
    """Fluent Bit with `Keep_Log Off` leaves only the parsed line."""
    for key in (*TEXT_KEYS, "msg"):
        if isinstance(text := processed.get(key), str):
            return text
    return jsontext.dumps(processed).decode()
