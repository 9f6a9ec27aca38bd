"""The replay function: what the retry queue invokes. Answers which messages have to stay in the queue.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

from __future__ import annotations

from functools import cache
from typing import Any

from shipper.aws.clock import SystemClock
from shipper.aws.queue import QueueFailed
from shipper.deadletter import BadEnvelope
from shipper.handlers.services import Services, from_environment
from shipper.model import Ledger, Reason, Rejected
from shipper.replay import replay
from shipper.ship import Clock, Denied, bury_event


@cache
def services() -> Services:
    """Built at the first invocation of a sandbox."""
    return from_environment("replay")


def handler(event: dict[str, Any], context: Any) -> dict[str, list[dict[str, str]]]:
    """Deliver the letters of an SQS event once more; a letter stays until every document of it is settled."""
    return run(event, context, services())


def run(event: dict[str, Any], context: Any, wired: Services) -> dict[str, list[dict[str, str]]]:
    """`handler` with its services passed in."""
    clock = SystemClock(context.get_remaining_time_in_millis)
    total = Ledger()
    stays: list[dict[str, str]] = []
    for record in event["Records"]:
        ledger = None
        if clock.remaining_s() > wired.settings.reserve_s:
            ledger = _replay(record, clock, wired)
        if ledger is None:
            stays.append({"itemIdentifier": record["messageId"]})
        else:
            total += ledger
    total.assert_balanced()
    wired.telemetry.report(
        total, request_id=context.aws_request_id, letters=len(event["Records"]), letters_staying=len(stays)
    )
    return {"batchItemFailures": stays}


def _replay(record: dict[str, Any], clock: Clock, wired: Services) -> Ledger | None:
    """The ledger of one message that is done with; None where it stays in the queue."""
    try:
        try:
            replayed = replay(wired.bodies.unpack(record["body"]), wired.sink, wired.letters, clock, wired.settings)
        except BadEnvelope as error:
            # It can never become readable: a person has to look at it, the others go on.
            wired.telemetry.refused("message dead-lettered", message_id=record["messageId"], error=str(error))
            return bury_event(record["body"], Rejected(Reason("bad_envelope", str(error))), wired.letters, clock)
    except (QueueFailed, Denied) as error:
        wired.telemetry.refused("message stays", message_id=record["messageId"], error=str(error))
        return None
    replayed.ledger.assert_balanced()
    wired.telemetry.retried(replayed.delivery.retried)
    return replayed.ledger if replayed.done else None
