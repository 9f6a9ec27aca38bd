"""What the events of a payload have in common: all of a record but its text, read and written once for all of them.

A payload holds one log stream, which is one container: what the collector adds to each of its lines is the same, and
to read and write it for every one costs more than all that is done with the text.
"""

from __future__ import annotations

import re

from shipper import jsontext
from shipper.expand import json_in
from shipper.mend import field_count
from shipper.metadata import KUBERNETES
from shipper.model import NO_METADATA, Envelope, Fields, LogEvent, Record
from shipper.settings import Settings

SYSTEM_FIELDS = ("@id", "@timestamp", "@message", "@owner", "@log_group", "@log_stream")
"""Every document has them."""

TRACE_FIELDS = ("@trace_id", "@span_id", "@level")
_NOTES = ("@fields", "@shipper", "@unmapped")
_PROCESSED = "log_processed"

NOTHING = Envelope("", "", {}, b"", 0, "", "", False, NO_METADATA, (), 0)
"""The envelope of a message that is plain text."""


def taken_names(settings: Settings) -> frozenset[str]:
    """The names that are ours at the top of a document."""
    optional = (*(TRACE_FIELDS if settings.trace else ()), *(("@lines",) if settings.join else ()))
    return frozenset((*SYSTEM_FIELDS, *_NOTES, *optional))


def envelope_of(record: Record, settings: Settings) -> Envelope | None:
    """The envelope of a record whose text is one of its fields; None where each document has to be looked at."""
    around = _around(record.raw, record.text_key)
    fields = {key: value for key, value in record.fields.items() if key != record.text_key}
    own = {key: value for key, value in fields.items() if key != KUBERNETES or record.metadata.written is None}
    count = field_count(own, settings.max_depth - 1)
    if (
        around is None
        or not taken_names(settings).isdisjoint(own)
        or any(key.startswith(_PROCESSED) for key in own)
        or (settings.mend and not _is_in_order(own, count, record, settings))
    ):
        return None
    if record.metadata.written is not None:
        own[KUBERNETES] = record.metadata.written
    return Envelope(
        *around,
        fields,
        b"," + jsontext.dumps(own)[1:-1] if own else b"",
        count + record.metadata.field_count,
        record.text_key,
        record.stream,
        record.partial,
        record.metadata,
        record.stripped,
        record.stripped_bytes,
    )


def text_in(message: str, envelope: Envelope) -> str | None:
    """The text of a message that has this envelope; None for any other.

    JSON stays the same when one string takes the place of another: all else is known, and need not be parsed.
    """
    if not (message.startswith(envelope.before) and message.endswith(envelope.after)):
        return None
    try:
        text = jsontext.loads(message[len(envelope.before) : -len(envelope.after)])
    except ValueError:
        return None
    return text if type(text) is str else None


def enveloped(event: LogEvent, text: str, envelope: Envelope) -> Record:
    """The record of an event with this text and envelope."""
    return Record(
        event,
        {envelope.text_key: text, **envelope.fields},
        text,
        event.message,
        envelope.text_key,
        envelope.stream,
        envelope.partial,
        0,
        False,
        [event.id],
        envelope.metadata,
        envelope.stripped,
        envelope.stripped_bytes,
        envelope,
    )


def _around(message: str, text_key: str) -> tuple[str, str] | None:
    """What stands around the text in the message; None where it is not the one value of that name at the top."""
    found = re.search(rf'"{re.escape(text_key)}"\s*:\s*("(?:[^"\\]++|\\.)*+")', message)
    whole = json_in(message)
    if found is None or whole is None:
        return None
    before, after = message[: found.start(1)], message[found.end(1) :]
    # Another string in its place shows that it is the value of that key: of no key inside another, and of no double.
    return (before, after) if json_in(f'{before}"x"{after}') == {**whole, text_key: "x"} else None


def _is_in_order(own: Fields, count: int, record: Record, settings: Settings) -> bool:
    metadata = record.metadata
    return 0 <= count <= settings.max_fields - metadata.field_count and KUBERNETES not in own and not metadata.fixed
