"""What each fault costs: requests and bytes of a delivery with it, beside those of the same delivery without.

The domain is played and nothing is timed: the figures are the same at each run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from shipper.bulk import BulkReply
from shipper.model import Ledger
from shipper.ship import Unreachable
from tests.bench import loads
from tests.faults.chain import Shipped, deliver
from tests.shipper.fakes import FakeLetters, FakeSink, accept, accept_then_reset, answering, ids_in, refusing

COLUMNS = {
    "price": {
        "fault": "fault",
        "documents": "documents",
        "requests_without": "requests",
        "requests_with": "with it",
        "times_bytes": "x bytes",
        "becomes": "becomes",
    }
}

_EVENTS = 1_000
_POISON = "parse_exception"


@dataclass(frozen=True)
class Fault:
    """A domain with it, given the ids of the documents; the event is delivered to it so many times."""

    name: str
    domain: Callable[[Sequence[str]], FakeSink]
    deliveries: int = 1


def _poisoned(bad: str) -> FakeSink:
    """Refuses every request with this document in it."""

    def answer(sink: FakeSink, ids: list[str]) -> BulkReply:
        return BulkReply(400, {"error": {"type": _POISON}}) if bad in ids else accept(sink, ids)

    return FakeSink(then=answer)


def _narrow(max_bytes: int) -> FakeSink:
    """Refuses every larger request."""

    def answer(sink: FakeSink, ids: list[str]) -> BulkReply:
        return BulkReply(413) if len(sink.bodies[-1]) > max_bytes else accept(sink, ids)

    return FakeSink(then=answer)


FAULTS = (
    Fault("1 document in 10 is not taken now (429), once", lambda _: FakeSink(answering(429, *[201] * 9))),
    Fault("no document is taken now (429), once", lambda _: FakeSink(answering(429))),
    Fault("all is written, the reply is lost", lambda _: FakeSink(accept_then_reset)),
    Fault("the domain is away for all tries", lambda _: FakeSink(*[Unreachable("refused")] * 4)),
    Fault("the credentials have expired (403)", lambda _: FakeSink(BulkReply(403))),
    Fault("1 document in 100 does not fit its mapping", lambda ids: FakeSink(then=refusing(*ids[::100], rescue=201))),
    Fault("the same, refused without its fields, too", lambda ids: FakeSink(then=refusing(*ids[::100], rescue=400))),
    Fault("1 document has the whole request refused (400)", lambda ids: _poisoned(ids[len(ids) // 3])),
    Fault("requests of more than 250 kB are refused (413)", lambda _: _narrow(250_000)),
    Fault("the event is delivered twice", lambda _: FakeSink(), deliveries=2),
)


def tables() -> dict[str, list[dict[str, Any]]]:
    """The price of each fault."""
    well = FakeSink()
    without = deliver(_event(), well, FakeLetters())
    return {"price": [_row(fault, ids_in(well.bodies[0]), without) for fault in FAULTS]}


def _row(fault: Fault, ids: Sequence[str], without: Shipped) -> dict[str, Any]:
    domain, letters = fault.domain(ids), FakeLetters()
    shipped = [deliver(_event(), domain, letters) for _ in range(fault.deliveries)]
    bodies = [size for each in shipped for size in each.delivery.bodies_bytes]
    return {
        "fault": fault.name,
        "documents": len(ids),
        "requests_without": len(without.delivery.bodies_bytes),
        "requests_with": len(bodies),
        "times_bytes": round(sum(bodies) / sum(without.delivery.bodies_bytes), 2),
        "becomes": _becomes(shipped, letters),
    }


def _becomes(shipped: Sequence[Shipped], letters: FakeLetters) -> str:
    """What the documents became, and in how many letters those are that were not indexed."""
    total = sum([each.ledger for each in shipped], Ledger())
    told = [f"{count:,} {name}" for name, count in total.terms().items() if count and name != "received"]
    rescued = sum(each.delivery.rescued for each in shipped)
    told += [f"{rescued:,} without fields"] if rescued else []
    count = len(letters.retried) + len(letters.buried)
    return ", ".join([*told, f"{count} letter{'s' * (count > 1)}"] if count else told)


@cache
def _event() -> dict[str, Any]:
    return loads.lambda_event(loads.payload("fluentd", _EVENTS))
