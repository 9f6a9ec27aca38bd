"""Messages of the dead-letter queue as a person sees them: in a line, in full, opened."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shipper import deadletter, failures, jsontext
from shipper.aws.clock import SystemClock
from shipper.aws.inbox import Message
from shipper.aws.queue import QueueFailed
from shipper.cli.deployment import Deployment
from shipper.cli.terminal import Failed
from shipper.deadletter import BadEnvelope
from shipper.failures import Announced
from shipper.model import Batch, DeadLetter, Reason, Source
from shipper.replay import opened
from shipper.times import iso

_NOWHERE = Source("", "", "")


@dataclass(frozen=True, slots=True)
class Entry:
    """A message of the queue with its letter; of one that cannot be read, a letter that says why.

    `form` is `documents`, `payload`, `lambda_record`, or `unreadable`; `in_bucket` says that the message only points.
    """

    message: Message
    letter: DeadLetter
    form: str
    in_bucket: bool = False

    @property
    def readable(self) -> bool:
        """Whether there is a letter in the message."""
        return self.form != "unreadable"


def headline(message: Message, found: Deployment) -> Entry:
    """What a message says of itself; of a letter without its body, so that the bucket is not asked."""
    try:
        match failures.read(message.body, found.settings.bucket):
            case DeadLetter() as letter:
                return Entry(message, letter, "lambda_record")
            case Announced():
                return Entry(message, _announced(message), "lambda_record", in_bucket=True)
        letter = deadletter.unpack(message.body, gzip.compress(b""))
        return Entry(message, letter, letter.kind, in_bucket=bool(deadletter.pointer_of(message.body)))
    except BadEnvelope as error:
        return _unreadable(message, error)


def in_full(message: Message, found: Deployment) -> Entry:
    """A message with all of its letter, fetched from the bucket where it lies there."""
    head = headline(message, found)
    try:
        return Entry(message, found.bodies.unpack(message.body), head.form, head.in_bucket)
    except (BadEnvelope, QueueFailed) as error:
        return _unreadable(message, error)


def facts(entry: Entry) -> dict[str, Any]:
    """All that is known of a letter but its content."""
    letter = entry.letter
    return {
        "id": entry.message.id,
        "form": entry.form,
        "kind": letter.kind,
        "reason": letter.reason.type,
        "status": letter.reason.status,
        "field": letter.reason.field,
        "message": letter.reason.message,
        "owner": letter.source.owner,
        "log_group": letter.source.log_group,
        "log_stream": letter.source.log_stream,
        "first_event_at": letter.first_event_at,
        "last_event_at": letter.last_event_at,
        "documents": letter.count,
        "attempts": letter.attempts,
        "first_failed_at": letter.first_failed_at,
        "failed_at": letter.failed_at or letter.first_failed_at,
        "history": [
            {"at": failure.at, "reason": failure.reason.type, "message": failure.reason.message}
            for failure in letter.history
        ],
    }


def content(entry: Entry, found: Deployment) -> Sequence[Any]:
    """The documents of a letter; of one that holds none, what it holds. Raises `Failed`."""
    if not entry.readable:
        return [entry.message.body]
    try:
        inside = opened(entry.letter, found.settings_for([entry.letter]), SystemClock().now_ms())
        if isinstance(inside, Batch):
            return [jsontext.loads(document.source) for document in inside.documents]
    except BadEnvelope as error:
        raise Failed(f"letter {entry.message.id}: {error}") from None
    return [jsontext.loads(entry.letter.body)]


def _announced(message: Message) -> DeadLetter:
    """What is known of a record in the bucket before it is fetched."""
    reason = Reason("lambda_failure", "Lambda gave up on an event; its record lies in the bucket")
    at = iso(message.sent_ms)
    return DeadLetter("payload", reason, _NOWHERE, 1, b"", first_failed_at=at, failed_at=at)


def _unreadable(message: Message, error: Exception) -> Entry:
    at = iso(message.sent_ms)
    reason = Reason("unreadable_letter", str(error))
    return Entry(
        message, DeadLetter("payload", reason, _NOWHERE, 0, b"", first_failed_at=at, failed_at=at), "unreadable"
    )
