"""Letters of the dead-letter queue as a person sees them: read, picked, grouped, opened."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from shipper import jsontext
from shipper.aws.clock import SystemClock
from shipper.aws.queue import Message, QueueFailed
from shipper.cli.deployment import Deployment
from shipper.cli.terminal import Failed, progress_console
from shipper.deadletter import BadEnvelope
from shipper.model import DeadLetter, Reason, Source
from shipper.repair import NO_REPAIR, BadRepair, Repair, repaired
from shipper.replay import Opened, opened


@dataclass(frozen=True, slots=True)
class Entry:
    """A message of the queue with its letter; of one that cannot be read, a letter that says why."""

    message: Message
    letter: DeadLetter
    readable: bool = True


def read(found: Deployment, limit: int, *, hide_s: int) -> list[Entry]:
    """Up to `limit` letters, hidden from other readers for `hide_s` seconds: call `release` when done."""
    with progress_console().status("reading the queue"):
        return [_entry(message, found) for message in found.inbox.messages(limit=limit, hide_s=hide_s)]


def release(found: Deployment, entries: Iterable[Entry]) -> None:
    """Let others see these letters at once."""
    found.inbox.show_again(entry.message for entry in entries)


def pick(entries: Iterable[Entry], letter_id: str | None, reason_type: str | None) -> list[Entry]:
    """Those whose message ID begins with `letter_id` and whose reason is `reason_type`; None takes any."""
    return [
        entry
        for entry in entries
        if entry.message.id.startswith(letter_id or "") and reason_type in (None, entry.letter.reason.type)
    ]


def grouped(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    """One row for each reason, field and log group, the largest first."""
    groups: dict[tuple[str, str, str], list[DeadLetter]] = {}
    for entry in entries:
        letter = entry.letter
        groups.setdefault((letter.reason.type, letter.reason.field, letter.source.log_group), []).append(letter)
    rows = [
        {
            "reason": reason,
            "field": field,
            "log_group": log_group,
            "documents": sum(letter.count for letter in letters),
            "letters": len(letters),
            "first_failed_at": min(letter.first_failed_at for letter in letters),
            "last_failed_at": max(letter.first_failed_at for letter in letters),
        }
        for (reason, field, log_group), letters in groups.items()
    ]
    return sorted(rows, key=lambda row: -row["documents"])


def facts(entry: Entry) -> dict[str, Any]:
    """All that is known of a letter but its content."""
    letter = entry.letter
    return {
        "id": entry.message.id,
        "kind": letter.kind,
        "reason": letter.reason.type,
        "status": letter.reason.status,
        "field": letter.reason.field,
        "message": letter.reason.message,
        "log_group": letter.source.log_group,
        "log_stream": letter.source.log_stream,
        "first_event_at": letter.first_event_at,
        "last_event_at": letter.last_event_at,
        "documents": letter.count,
        "attempts": letter.attempts,
        "first_failed_at": letter.first_failed_at,
    }


def content(entry: Entry, found: Deployment, repair: Repair = NO_REPAIR) -> Sequence[Any]:
    """The documents of a letter, repaired; of one that holds none, what it holds. Raises `Failed`."""
    if not entry.readable:
        return [entry.message.body]
    try:
        inside = opened(entry.letter, found.settings, SystemClock().now_ms())
        if isinstance(inside, Opened):
            return [jsontext.loads(document.source) for document in repaired(inside.documents, repair)]
    except (BadEnvelope, BadRepair) as error:
        raise Failed(f"letter {entry.message.id}: {error}") from None
    return [jsontext.loads(entry.letter.body)]


def _entry(message: Message, found: Deployment) -> Entry:
    try:
        return Entry(message, found.bodies.unpack(message.body))
    except (BadEnvelope, QueueFailed) as error:
        reason = Reason("unreadable_letter", str(error))
        return Entry(message, DeadLetter("payload", reason, Source("", "", ""), 0, b""), readable=False)
