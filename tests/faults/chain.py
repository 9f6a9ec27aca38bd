"""One delivery as the subscriber makes it, on parts that a test chooses; the books are checked after each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from opensearchpy import OpenSearch
from requests_aws4auth import AWS4Auth

from shipper.aws.opensearch import OpenSearchSink, client
from shipper.decode import decode
from shipper.model import Control, Ledger, Rejected
from shipper.pipeline import transform
from shipper.settings import Settings
from shipper.ship import Clock, Delivery, Letters, Sink, bury_event, ship
from tests.loopback import Answer
from tests.shipper.fakes import NOW_MS, SETTINGS, FakeClock, FakeLetters, documents_of, lambda_event, payload_of, reply


@dataclass(frozen=True)
class Shipped:
    """What became of an invocation's event."""

    ledger: Ledger
    delivery: Delivery = field(default_factory=Delivery)


def deliver(
    event: Any, sink: Sink, letters: Letters, *, clock: Clock | None = None, settings: Settings = SETTINGS
) -> Shipped:
    """Deliver one event. Raises what `ship` raises, and `LedgerImbalance`."""
    clock = clock or FakeClock()
    delivery = Delivery()
    payload = decode(event, max_decoded_bytes=settings.max_decoded_bytes)
    match payload:
        case Control():
            ledger = Ledger()
        case Rejected():
            ledger = bury_event(event, payload, letters, clock)
        case _:
            batch = transform(payload, settings, clock.now_ms())
            ledger, delivery = ship(batch, event, sink, letters, clock, settings)
    ledger.assert_balanced()
    return Shipped(ledger, delivery)


def event_at(number: int, message: Any, **changes: Any) -> dict[str, Any]:
    """A log event as CloudWatch sends it."""
    return {"id": f"event-{number}", "timestamp": NOW_MS + number, "message": message, **changes}


def event_of(events: Sequence[Any]) -> dict[str, Any]:
    """An invocation's event with these log events."""
    return lambda_event({**payload_of(), "logEvents": list(events)})


def lines(count: int) -> dict[str, Any]:
    """An invocation's event with so many lines, `event-0` and on."""
    return event_of([event_at(number, f"line {number}") for number in range(count)])


def answer(*statuses: int, **changes: Any) -> Answer:
    """A bulk reply with one item a status."""
    return Answer(body=body_of(reply(*statuses).body), **changes)


def body_of(value: Any) -> bytes:
    return json.dumps(value).encode()


class Domain:
    """The real sink on one endpoint; each of its clients has credentials of its own."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.clients = 0
        self.sink = OpenSearchSink(self._client)

    def _client(self) -> OpenSearch:
        self.clients += 1
        return client(self._url, AWS4Auth(f"KEY{self.clients}", "secret", "eu-west-1", "es"))


def waiting(letters: FakeLetters) -> list[str]:
    """The ids in the retry queue, in order."""
    return sorted(document.id for document in documents_of(letters.retried))


def dead(letters: FakeLetters) -> list[str]:
    """The ids in the dead-letter queue, in order."""
    return sorted(document.id for document in documents_of(letters.buried))
