"""What reads input that anybody may have written: any bytes at all, and what must hold of the outcome."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from shipper import deadletter, failures, jsontext
from shipper import decode as decoding
from shipper.deadletter import BadEnvelope
from shipper.model import Control, DeadLetter, LogEvent, Payload, Reason, Rejected, Source
from shipper.pipeline import transform as transforming
from shipper.replay import opened
from shipper.settings import Settings

_ROOM = 1_048_576
_NOW_MS = 1_795_000_000_000
_BUCKET = "failed-events"
_SETTINGS = (
    Settings(),
    Settings.from_text({"profile": "incumbent"}),
    Settings.from_text(
        {
            "redact": "all",
            "filters": '[{"name": "quiet", "action": "drop", "levels": ["DEBUG"]}]',
            "multiline": '[{"log_group": "*", "start": "^\\\\S"}]',
            "max_join_lines": "2",
            "max_join_bytes": "64",
        }
    ),
)


def decode(data: bytes) -> None:
    """The bytes as an event's text, as what is packed in it, and as the JSON in that: a value comes out of each."""
    for event in (
        {"awslogs": {"data": data.decode("latin-1")}},
        _packed(data),
        _packed(gzip.compress(data, 1)),
        _json(data),
    ):
        assert isinstance(decoding.decode(event, max_decoded_bytes=_ROOM), Payload | Control | Rejected)
    assert isinstance(decoding.decode_payload(_json(data)), Payload | Control | Rejected)


def envelope(data: bytes) -> None:
    """The bytes as a queue's message, as a record in the bucket, and as a letter's body: a letter, or `BadEnvelope`."""
    text = data.decode("utf-8", "replace")
    with suppress(BadEnvelope):
        deadletter.pointer_of(text)
    with suppress(BadEnvelope):
        _open(deadletter.unpack(text))
    with suppress(BadEnvelope):
        read = failures.read(text, _BUCKET)
        assert read is None or isinstance(read, DeadLetter | failures.Announced)
    with suppress(BadEnvelope):
        _open(failures.of_record(data))
    for count in (1, data.count(b"\n") // 2):
        letter = DeadLetter("documents", Reason("t", "m"), Source("o", "g", "s"), count, b"")
        pointer = deadletter.pack_pointer(letter, "letters/1")
        with suppress(BadEnvelope):
            _open(deadletter.unpack(pointer, gzip.compress(data, 1)))
        with suppress(BadEnvelope):
            deadletter.unpack(pointer, data)


def transform(data: bytes) -> None:
    """The bytes as the messages of a payload, one a NUL: each event is accounted for, and each document is JSON."""
    events = tuple(_event(number, raw) for number, raw in enumerate(data.split(b"\0")))
    payload = Payload(Source("123456789012", "/aws/containerinsights/eks/application", "pod"), events)
    for settings in _SETTINGS:
        batch = transforming(payload, settings, _NOW_MS)
        accounted = len(batch.documents) + batch.joined + batch.filtered + batch.sampled
        assert batch.received == len(events) == accounted
        held = [id_ for document in batch.documents for id_ in document.event_ids]
        assert len(set(held)) == len(held) == len(batch.documents) + batch.joined
        for document in batch.documents:
            assert document.index.startswith("cwl-")
            assert jsontext.loads(document.source)["@id"] == document.id


TARGETS: dict[str, Callable[[bytes], None]] = {"decode": decode, "envelope": envelope, "transform": transform}


def _packed(data: bytes) -> dict[str, Any]:
    return {"awslogs": {"data": base64.b64encode(data).decode()}}


def _json(data: bytes) -> Any:
    with suppress(ValueError):
        return jsontext.loads(data)
    return None


def _open(letter: DeadLetter) -> None:
    """Whatever could be read can be packed and read again, and is opened or rejected."""
    opened_now = opened(letter, _SETTINGS[0], _NOW_MS)
    again = deadletter.unpack(deadletter.pack(letter))
    assert (again.kind, again.count, again.body) == (letter.kind, letter.count, letter.body)
    if letter.kind == "documents":
        with suppress(BadEnvelope):
            assert deadletter.documents_in(again) == deadletter.documents_in(letter)
    assert opened_now is not None


def _event(number: int, raw: bytes) -> LogEvent:
    """The first bytes of a message may be its time, where they are digits."""
    text = raw.decode("utf-8", "replace")
    stamp, found, rest = text.partition("|")
    timestamp: Any = _json(stamp.encode()) if found else _NOW_MS + number
    return LogEvent(f"event-{number}", timestamp, rest if found else text)
