"""The replay function: what the retry queue invokes. Answers which messages have to stay in the queue.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

from __future__ import annotations

import os
from collections import Counter
from functools import cache
from typing import Any

from shipper import metrics
from shipper.aws.queue import QueueFailed
from shipper.deadletter import BadEnvelope
from shipper.handlers.services import Services, from_environment
from shipper.model import Ledger, Reason, Rejected
from shipper.replay import Replayed, park, replay
from shipper.retry import postponed_s
from shipper.ship import Clock, Delivery, Denied, bury_event

MAX_RECEIVES_VARIABLE = "RETRY_MAX_RECEIVES"
"""How often the retry queue hands out a message before it gives it up."""

_MOST_RECEIVES = 1000
"""https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html"""


@cache
def services() -> Services:
    """Built at the first invocation of a sandbox."""
    return from_environment("replay")


def handler(event: dict[str, Any], context: Any) -> dict[str, list[dict[str, str]]]:
    """Deliver the letters of an SQS event once more; a letter stays until every document of it is settled."""
    return run(event, context, services(), int(os.environ.get(MAX_RECEIVES_VARIABLE, _MOST_RECEIVES)))


def run(
    event: dict[str, Any], context: Any, wired: Services, max_receives: int = _MOST_RECEIVES
) -> dict[str, list[dict[str, str]]]:
    """`handler` with its services passed in."""
    clock = wired.clock(context.get_remaining_time_in_millis)
    total, stays, is_away = Ledger(), [], False
    counts, retried = Counter[str](), Counter[str]()
    for record in event["Records"]:
        replayed = None
        # A domain that took nothing of one letter will take nothing of the next: asking would only cost.
        if not is_away and clock.remaining_s() > wired.settings.reserve_s:
            replayed = _replay(record, clock, wired)
        if replayed is not None:
            is_away = replayed.delivery.took_nothing
            counts.update(metrics.of_delivery(replayed.delivery))
            retried.update(replayed.delivery.retried)
        if replayed is not None and replayed.done:
            total += replayed.ledger
        elif _receives(record) >= max_receives and (parked := _park(record, replayed, clock, wired)):
            total += parked
        else:
            _postpone(record, clock, wired)
            stays.append({"itemIdentifier": record["messageId"]})
    total.assert_balanced()
    wired.telemetry.report(
        total,
        request_id=context.aws_request_id,
        counts=counts,
        retried=retried,
        letters=len(event["Records"]),
        letters_staying=len(stays),
    )
    return {"batchItemFailures": stays}


def _replay(record: dict[str, Any], clock: Clock, wired: Services) -> Replayed | None:
    """What became of one message; None where something other than the domain keeps it in the queue."""
    try:
        try:
            replayed = replay(wired.bodies.unpack(record["body"]), wired.sink, wired.letters, clock, wired.settings)
        except BadEnvelope as error:
            # It can never become readable: a person has to look at it, the others go on.
            wired.telemetry.refused("message dead-lettered", message_id=record["messageId"], error=str(error))
            reason = Rejected(Reason("bad_envelope", str(error)))
            return Replayed(True, bury_event(record["body"], reason, wired.letters, clock), Delivery())
    except (QueueFailed, Denied) as error:
        wired.telemetry.refused("message stays", message_id=record["messageId"], error=str(error))
        return None
    replayed.ledger.assert_balanced()
    return replayed


def _park(record: dict[str, Any], replayed: Replayed | None, clock: Clock, wired: Services) -> Ledger | None:
    """Bury a message before the queue itself does, which cannot say why; None where that fails."""
    try:
        letter = wired.bodies.unpack(record["body"])
        parked = park(letter, replayed, _receives(record), wired.letters, clock)
    except (BadEnvelope, QueueFailed) as error:
        wired.telemetry.refused("message left to its queue", message_id=record["messageId"], error=str(error))
        return None
    wired.telemetry.refused("message parked", message_id=record["messageId"], receives=_receives(record))
    return parked


def _receives(record: dict[str, Any]) -> int:
    return int(record.get("attributes", {}).get("ApproximateReceiveCount", 1))


def _postpone(record: dict[str, Any], clock: Clock, wired: Services) -> None:
    """Hide a message for longer each time that it comes in vain: an outage of hours then costs little."""
    delay_s = postponed_s(_receives(record), wired.settings.backoff_s, wired.settings.max_backoff_s, clock.jitter())
    try:
        wired.letters.postpone(record["receiptHandle"], delay_s)
    except QueueFailed as error:
        wired.telemetry.refused("message comes early", message_id=record["messageId"], error=str(error))
