"""The subscriber function: what CloudWatch Logs invokes."""

from __future__ import annotations

from functools import cache
from typing import Any

from shipper import metrics
from shipper.decode import decode
from shipper.handlers.services import Services, from_environment
from shipper.model import Batch, Control, Ledger, Rejected
from shipper.pipeline import transform
from shipper.ship import Delivery, bury_event, ship


@cache
def services() -> Services:
    """Built at the first invocation of a sandbox."""
    return from_environment("subscriber")


def handler(event: Any, context: Any) -> dict[str, int]:
    """Deliver one subscription payload; answers the ledger. Raises if a record may be lost: then Lambda retries."""
    return run(event, context, services())


def run(event: Any, context: Any, wired: Services) -> dict[str, int]:
    """`handler` with its services passed in."""
    settings, telemetry = wired.settings, wired.telemetry
    clock = wired.clock(context.get_remaining_time_in_millis)
    facts: dict[str, Any] = {}

    payload = decode(event, max_decoded_bytes=settings.max_decoded_bytes)
    match payload:
        case Control():
            telemetry.logger.info("control message")
            return {}
        case Rejected(reason):
            telemetry.refused("payload dead-lettered", reason_type=reason.type)
            ledger = bury_event(event, payload, wired.letters, clock)
        case _ if payload.source.log_group == wired.own_log_group:
            # Each line about it would be one more to ship: it says nothing, and indexes nothing.
            return Ledger(received=len(payload.events), filtered=len(payload.events)).terms()
        case _:
            batch = transform(payload, settings, clock.now_ms())
            ledger, delivery = ship(batch, event, wired.sink, wired.letters, clock, settings)
            facts = _facts(batch, delivery, clock.now_ms())

    ledger.assert_balanced()
    telemetry.report(ledger, request_id=context.aws_request_id, **facts)
    return ledger.terms()


def _facts(batch: Batch, delivery: Delivery, now_ms: int) -> dict[str, Any]:
    """What is told beside the ledger. Never content."""
    facts: dict[str, Any] = {
        "log_group": batch.source.log_group,
        "counts": {**metrics.of_delivery(delivery), **metrics.of_batch(batch)},
        "retried": delivery.retried,
        "freshness": metrics.freshness(batch, delivery, now_ms),
    }
    if batch.redacted:
        facts["redacted_by_detector"] = dict(batch.redacted)
    if batch.left_out:
        facts["left_out_by_rule"] = dict(batch.left_out)
    return facts
