"""The nouns of the shipper, as frozen values that the pure core hands around."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import Enum
from typing import Any, Literal, NamedTuple

Fields = dict[str, Any]
"""A JSON object as the application wrote it; the only place where `Any` is right."""


class LogEvent(NamedTuple):
    """One event of a subscription payload, as received: nothing about its types is certain but the message.

    `timestamp` should be milliseconds since the epoch; whether it is, `document.py` finds out. A named tuple, as one is
    made for each event: a frozen dataclass takes three times as long.
    """

    id: str
    timestamp: Any
    message: str
    extracted_fields: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """Where a batch of events came from."""

    owner: str
    log_group: str
    log_stream: str


@dataclass(frozen=True, slots=True)
class Payload:
    """A DATA_MESSAGE of a subscription filter."""

    source: Source
    events: tuple[LogEvent, ...]


@dataclass(frozen=True, slots=True)
class Control:
    """A message that holds no log events: CloudWatch checks that the destination is healthy."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something could not be indexed.

    `type` is the engine's `error.type` or one of our own; `status` the HTTP status (0 where there is none);
    `field` the document's field at fault, where the engine names it.
    """

    type: str
    message: str
    status: int = 0
    field: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """An invocation's event that cannot be read as a payload at all."""

    reason: Reason


class Metadata(NamedTuple):
    """The Kubernetes metadata of a record, ready to be sent; the same object for all records that have the same.

    - `fields`: the object; `written`: its JSON, as the writer takes it.
    - `field_count`: its fields in all levels; `fixed`: kinds of repair that it took.
    - `aside`: what of it goes to `@fields`.
    """

    fields: Fields
    written: Any
    field_count: int = 0
    fixed: tuple[str, ...] = ()
    aside: Fields = {}  # noqa: RUF012 - never changed
    stripped: tuple[str, ...] = ()
    stripped_bytes: int = 0


NO_METADATA = Metadata({}, None)


class Envelope(NamedTuple):
    """All of a record but its text; the same object for all records of a payload that have the same (`envelope.py`).

    - `before`, `after`: what stands around the JSON string of the text in the message.
    - `fields`: as they are sent, without the text; `written`: their JSON inside a document, from the comma on.
    - `field_count`: the fields of all levels; the others are those of each record that has it.
    """

    before: str
    after: str
    fields: Fields
    written: bytes
    field_count: int
    text_key: str
    stream: str
    partial: bool
    metadata: Metadata
    stripped: tuple[str, ...]
    stripped_bytes: int


@dataclass(slots=True)
class Record:
    """A record on its way from event to document; the joiner adds further events to it.

    - `raw`: the message as received; of a joined record its messages, a line each.
    - `text_key`: the key of `fields` that `text` came from, "" when the text is the whole message.
    - `stream`: `stdout` or `stderr`, "" where unknown.
    - `partial`: the container runtime split the line, and the rest follows in the next event of the stream.
    - `part`: number of this piece of a record that a bound split; 0 where it is whole.
    - `headless`: the text goes on a record whose first line is not in this payload.
    - `metadata`: that of Kubernetes; `fields` hold it, too, where there is any.
    - `stripped`: the paths that were taken out; `stripped_bytes`: what they would have taken as JSON.
    - `envelope`: what `fields` are but for the text and what was found in it; None where they are to be looked at.
    """

    event: LogEvent
    fields: Fields
    text: str
    raw: str
    text_key: str = ""
    stream: str = ""
    partial: bool = False
    part: int = 0
    headless: bool = False
    event_ids: list[str] = field(default_factory=list)
    metadata: Metadata = NO_METADATA
    stripped: tuple[str, ...] = ()
    stripped_bytes: int = 0
    envelope: Envelope | None = None


@dataclass(slots=True)
class Document:
    """One document, ready to be sent; nobody changes it, but freezing would double the time to make it.

    `source` is its JSON in UTF-8; `event_ids` are the events that it holds, in order; `timestamp` is ISO 8601.
    """

    index: str
    id: str
    source: bytes
    timestamp: str
    event_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """What `pipeline.transform` makes of a payload.

    `received`, `filtered` and `sampled` count events, `stripped_bytes` the JSON that was taken out, `redacted` the
    secrets by detector, `left_out` the events by the rule that left them out. `ingested_at_ms` is the time by
    which the events' own were judged, and which stands in where none is usable, milliseconds since the epoch, 0 where
    nobody noted it.
    """

    source: Source
    received: int
    documents: tuple[Document, ...]
    filtered: int = 0
    sampled: int = 0
    stripped_bytes: int = 0
    redacted: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    ingested_at_ms: int = 0

    @property
    def joined(self) -> int:
        """Events that went into another event's document."""
        return sum(len(document.event_ids) - 1 for document in self.documents)


class Verdict(Enum):
    """What becomes of one document of a bulk request."""

    DONE = "done"
    DUPLICATE = "duplicate"
    RETRY = "retry"
    RESCUE = "rescue"
    DEAD = "dead"
    RAISE = "raise"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One document with its verdict; `reason` is there unless the document is safe in the index."""

    document: Document
    verdict: Verdict
    reason: Reason | None = None


LetterKind = Literal["documents", "payload"]


@dataclass(frozen=True, slots=True)
class Failure:
    """One delivery that failed: why, and when (ISO 8601 UTC)."""

    reason: Reason
    at: str


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """What could not be indexed, with all that a replay needs (`deadletter.py` has the envelope).

    `body` is the bulk NDJSON of `count` documents (kind `documents`), or the invocation's event as JSON
    (kind `payload`). Times are ISO 8601 UTC; `attempts` counts the deliveries that failed so far. `failed_at` is when
    it failed for `reason`, `history` the failures before that one, the latest last. `ingested_at_ms` is the batch's.
    """

    kind: LetterKind
    reason: Reason
    source: Source
    count: int
    body: bytes
    first_event_at: str = ""
    last_event_at: str = ""
    first_failed_at: str = ""
    attempts: int = 1
    failed_at: str = ""
    history: tuple[Failure, ...] = ()
    ingested_at_ms: int = 0


class LedgerImbalance(Exception):
    """Events are unaccounted for: the invocation must fail, so that Lambda retries it."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """What became of every event of one invocation: received is the sum of all others."""

    received: int = 0
    indexed: int = 0
    duplicate: int = 0
    joined: int = 0
    filtered: int = 0
    sampled: int = 0
    requeued: int = 0
    dead_lettered: int = 0

    def assert_balanced(self) -> None:
        """Raise `LedgerImbalance` unless every received event is accounted for exactly once."""
        accounted = sum(self.terms().values()) - self.received
        if accounted != self.received:
            raise LedgerImbalance(f"received {self.received} events, accounted for {accounted}: {self.terms()}")

    def terms(self) -> dict[str, int]:
        """Every term by its name, `received` first."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def __add__(self, other: Ledger) -> Ledger:
        theirs = other.terms()
        return Ledger(**{name: count + theirs[name] for name, count in self.terms().items()})
