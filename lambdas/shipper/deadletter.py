"""The envelope of dead letters and retries: self-contained, versioned, ASCII, so that any queue takes it.

SQS refuses control characters and lone surrogates, and a message over 1 MiB
(https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html).
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from shipper import bulk, jsontext
from shipper.document import INDEX_PREFIX
from shipper.inflate import inflate
from shipper.model import Batch, DeadLetter, Document, Failure, Outcome, Reason, Source

VERSION = 1
MAX_ENVELOPE_BYTES = 1_000_000
"""Below the 1 MiB of SQS, with room for what a sender adds."""

_MAX_BODY_BYTES = 512 * 1024
"""Documents of one letter, before compression: even what does not compress fits a message."""

_MAX_INFLATED_BYTES = 64 * 1024 * 1024
"""A body that inflates to more is a forgery: what one invocation receives is smaller."""

_MAX_TEXT_CHARS = 1_000
"""Of each text beside the body, so that even a pointer always fits a message; names in AWS are shorter."""

_MAX_FAILURES = 10
"""Of a history: the latest ones; `first_failed_at` and `attempts` tell of the others."""

_MAX_FAILURE_CHARS = 200
"""Of each text of a former failure, so that a letter with ten of them still fits a message."""

_MAX_MS = 253_402_300_799_999
"""The end of the year 9999, the last that a date can say."""

_EMPTY = Source("", "", "")


class BadEnvelope(ValueError):
    """A queue's message is no envelope of ours, or one that was tampered with."""

    def __init__(self, message: str) -> None:
        # It may quote what somebody else wrote, and goes to logs and screens.
        super().__init__(bulk.bounded(message))


def of_outcomes(failed: Sequence[Outcome], source: Source, *, failed_at: str, attempts: int = 1) -> list[DeadLetter]:
    """Letters for documents that failed, those with the same reason and field together, in bounded sizes."""

    def kind(outcome: Outcome) -> tuple[str, int, str]:
        reason = outcome.reason or Reason("unknown", "")
        return reason.type, reason.status, reason.field

    letters = []
    for _, same in groupby(sorted(failed, key=kind), key=kind):
        outcomes = list(same)
        reason = outcomes[0].reason or Reason("unknown", "no reason was given")
        for chunk in bulk.chunks((outcome.document for outcome in outcomes), _MAX_BODY_BYTES):
            letters.append(of_documents(chunk, reason, source, failed_at=failed_at, attempts=attempts))
    return letters


def of_documents(
    documents: Sequence[Document], reason: Reason, source: Source, *, failed_at: str, attempts: int
) -> DeadLetter:
    """One letter that holds these documents."""
    times = sorted(document.timestamp for document in documents)
    return DeadLetter(
        kind="documents",
        reason=reason,
        source=source,
        count=len(documents),
        body=bulk.encode(documents),
        first_event_at=times[0],
        last_event_at=times[-1],
        first_failed_at=failed_at,
        attempts=attempts,
        failed_at=failed_at,
    )


def of_payload(event: Any, reason: Reason, *, failed_at: str) -> DeadLetter:
    """A letter that holds a whole invocation's event, as received."""
    body = json.dumps(event, ensure_ascii=True).encode()
    return DeadLetter("payload", reason, _EMPTY, count=1, body=body, first_failed_at=failed_at, failed_at=failed_at)


def of_batch(event: Any, batch: Batch, reason: Reason, *, failed_at: str) -> DeadLetter:
    """A letter that holds the event of which no document was written; `count` are its documents."""
    times = sorted(document.timestamp for document in batch.documents)
    return replace(
        of_payload(event, reason, failed_at=failed_at),
        source=batch.source,
        count=len(batch.documents),
        first_event_at=times[0],
        last_event_at=times[-1],
        ingested_at_ms=batch.ingested_at_ms,
    )


def pack(letter: DeadLetter) -> str:
    """The envelope as ASCII JSON."""
    return _envelope(letter, base64.b64encode(gzip.compress(letter.body, mtime=0)).decode())


def pack_pointer(letter: DeadLetter, key: str) -> str:
    """The envelope of a letter whose body lies in the bucket under `key` (gzip)."""
    return _envelope(letter, {"s3_key": key})


def pointer_of(text: str) -> str:
    """The bucket key that the envelope points at, "" where it holds its body. Raises `BadEnvelope`."""
    body = json_object(text).get("body")
    key = body.get("s3_key") if isinstance(body, Mapping) else ""
    return key if isinstance(key, str) else ""


def unpack(text: str, body: bytes | None = None) -> DeadLetter:
    """Read an envelope; `body` is the gzipped body of one with a pointer. Raises `BadEnvelope`."""
    envelope = json_object(text)
    if envelope.get("version") != VERSION:
        raise BadEnvelope(f"version {envelope.get('version')!r} is not {VERSION}")
    if envelope.get("kind") not in ("documents", "payload"):
        raise BadEnvelope(f"unknown kind {envelope.get('kind')!r}")
    try:
        packed = base64.b64decode(envelope["body"], validate=True) if body is None else body
        reason, source = envelope["reason"], envelope["source"]
        return DeadLetter(
            kind=envelope["kind"],
            reason=_reason_in(reason),
            source=Source(text_in(source, "owner"), text_in(source, "log_group"), text_in(source, "log_stream")),
            count=count_in(envelope, "count"),
            body=inflate(packed, _MAX_INFLATED_BYTES),
            first_event_at=text_in(source, "first_event_at"),
            last_event_at=text_in(source, "last_event_at"),
            first_failed_at=text_in(envelope, "first_failed_at"),
            attempts=count_in(envelope, "attempts"),
            **_added_later(envelope),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadEnvelope(f"not a readable envelope: {type(error).__name__}: {error}") from None


def documents_in(letter: DeadLetter) -> list[Document]:
    """The documents of a letter of kind `documents`. Raises `BadEnvelope` for any that may not be sent."""
    lines = letter.body.split(b"\n")
    if lines.pop() or len(lines) % 2:
        raise BadEnvelope("the body is not pairs of lines")
    documents = list(map(_document, lines[::2], lines[1::2]))
    if len(documents) != letter.count:
        raise BadEnvelope(f"the body holds {len(documents)} documents, the envelope says {letter.count}")
    return documents


def again(letters: Iterable[DeadLetter], before: DeadLetter) -> list[DeadLetter]:
    """Letters for what failed once more: they keep when it first failed, what it failed of, and count the tries."""
    history = (*before.history, Failure(before.reason, before.failed_at))[-_MAX_FAILURES:]
    return [
        replace(letter, first_failed_at=before.first_failed_at, attempts=before.attempts + 1, history=history)
        for letter in letters
    ]


def json_object(text: str | bytes) -> Mapping[str, Any]:
    """The object that a message is. Raises `BadEnvelope`."""
    try:
        value = jsontext.loads(text)
    except ValueError as error:
        raise BadEnvelope(f"not JSON: {error}") from None
    if not isinstance(value, Mapping):
        raise BadEnvelope("not a JSON object")
    return value


def text_in(fields: Any, key: str) -> str:
    """A text among the fields of a message. Raises `KeyError` and `TypeError`."""
    if not isinstance(text := fields[key], str):
        raise TypeError(f"{key} is no text")
    return text


def count_in(fields: Any, key: str) -> int:
    """A count among the fields of a message. Raises `KeyError` and `TypeError`."""
    if not isinstance(number := fields[key], int) or isinstance(number, bool) or number < 0:
        raise TypeError(f"{key} is no count")
    return number


def _envelope(letter: DeadLetter, body: str | dict[str, str]) -> str:
    source = letter.source
    return json.dumps(
        {
            "version": VERSION,
            "kind": letter.kind,
            "reason": _written(letter.reason, _MAX_TEXT_CHARS),
            "source": {
                "owner": _short(source.owner),
                "log_group": _short(source.log_group),
                "log_stream": _short(source.log_stream),
                "first_event_at": _short(letter.first_event_at),
                "last_event_at": _short(letter.last_event_at),
            },
            "count": letter.count,
            "attempts": letter.attempts,
            "first_failed_at": _short(letter.first_failed_at),
            **_written_if_there(letter),
            "body": body,
        },
        ensure_ascii=True,
    )


def _written_if_there(letter: DeadLetter) -> dict[str, Any]:
    """What `_added_later` reads."""
    written: dict[str, Any] = {}
    if letter.failed_at != letter.first_failed_at:
        written["failed_at"] = _short(letter.failed_at)
    if letter.history:
        written["history"] = [
            {"at": failure.at[:_MAX_FAILURE_CHARS], **_written(failure.reason, _MAX_FAILURE_CHARS)}
            for failure in letter.history[-_MAX_FAILURES:]
        ]
    if letter.ingested_at_ms:
        written["ingested_at_ms"] = letter.ingested_at_ms
    return written


def _added_later(envelope: Mapping[str, Any]) -> dict[str, Any]:
    """Keys that a letter may lack. Raises `KeyError`, `TypeError` and `ValueError`."""
    history = envelope.get("history", [])
    if not isinstance(history, list):
        raise TypeError("history is no list")
    ingested_at_ms = count_in(envelope, "ingested_at_ms") if "ingested_at_ms" in envelope else 0
    if ingested_at_ms > _MAX_MS:
        raise ValueError("ingested_at_ms is no time")
    return {
        "failed_at": text_in(envelope, "failed_at" if "failed_at" in envelope else "first_failed_at"),
        "history": tuple(Failure(_reason_in(entry), text_in(entry, "at")) for entry in history[-_MAX_FAILURES:]),
        "ingested_at_ms": ingested_at_ms,
    }


def _written(reason: Reason, max_chars: int) -> dict[str, Any]:
    return {
        "type": reason.type[:max_chars],
        "status": reason.status,
        "field": reason.field[:max_chars],
        "message": bulk.bounded(reason.message)[:max_chars],
    }


def _reason_in(fields: Any) -> Reason:
    return Reason(
        text_in(fields, "type"), text_in(fields, "message"), count_in(fields, "status"), text_in(fields, "field")
    )


def _short(text: str) -> str:
    return text[:_MAX_TEXT_CHARS]


def _document(action_line: bytes, source_line: bytes) -> Document:
    try:
        action, source = jsontext.loads(action_line)["create"], jsontext.loads(source_line)
        index, id_ = action.pop("_index"), action.pop("_id")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadEnvelope(f"not an action and a source: {type(error).__name__}: {error}") from None
    if action or not isinstance(index, str) or not isinstance(id_, str):
        raise BadEnvelope("an action is more or less than _index and _id")
    # Whoever can write to the queue must not be able to choose another index by it.
    if not index.startswith(INDEX_PREFIX) or not isinstance(source, dict):
        raise BadEnvelope(f"{index[:100]!r} is no {INDEX_PREFIX}* index, or the source is no object")
    return Document(index, id_, source_line, str(source.get("@timestamp", "")), (id_,))
