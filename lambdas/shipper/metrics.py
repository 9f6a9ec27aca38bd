"""What is measured, by name: the functions write it, alarms and the command line read it.

Every metric has the dimension `service`; those of `BY_LOG_GROUP` and `BY_ERROR_TYPE` come with one more, too. A metric
of CloudWatch is paid for by its dimensions' values, so all of these have few: the log groups are those subscribed to,
the types of errors are a list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from shipper.bulk import RULES
from shipper.model import Batch, Ledger
from shipper.ship import Delivery
from shipper.times import milliseconds

NAMESPACE = "cwl-shipper"
"""Where the namespaces begin: each stage has its own."""

SERVICE = "service"
LOG_GROUP = "log_group"
ERROR_TYPE = "error_type"

LEDGER_TERMS = tuple(f.name for f in fields(Ledger))
RECEIVED = "received"
RESCUED = "rescued"
"""Indexed without its fields, which the mapping refused."""

RETRIED = "retried"
"""Documents that were sent once more, each time counted."""

SENT_BYTES = "sent_bytes"
"""Bodies of bulk requests before compression, those of further tries among them."""

BULK_MS = "bulk_ms"
"""Time of an invocation in which bulk requests were under way."""

STRIPPED_BYTES = "stripped_bytes"
REDACTED = "redacted"
NEWEST_EVENT_AGE_MS = "newest_event_age_ms"
"""Freshness: how old the newest event was when it could be found. Absent where nothing could."""

CANARY_LINES = "canary_lines"
"""Lines that the canary wrote into a log group."""

CANARY_AGE_MS = "canary_age_ms"
"""How long ago the newest line of the canary was written that can be found. Absent where none can."""

BY_SERVICE = (*LEDGER_TERMS, RESCUED, RETRIED, SENT_BYTES, BULK_MS, STRIPPED_BYTES, REDACTED)
BY_LOG_GROUP = (RECEIVED, NEWEST_EVENT_AGE_MS)
BY_ERROR_TYPE = (RETRIED,)
OF_CANARY = (CANARY_LINES, CANARY_AGE_MS)
"""By log group, too, and not of the service as a whole."""

OTHER = "other"
ERROR_TYPES = frozenset(
    {
        *(rule.type for rule in RULES if rule.type),
        *(f"http_{status}" for rule in RULES if not rule.type for status in rule.statuses),
        # What the engine says with 429 and 503; the table goes by the status there.
        *("rejected_execution_exception", "circuit_breaking_exception", "unavailable_shards_exception"),
        *("unreachable", "unreadable_reply"),
    }
)


def unit(name: str) -> str:
    """CloudWatch's word for the unit that a metric's name ends in."""
    return {"bytes": "Bytes", "ms": "Milliseconds"}.get(name.rpartition("_")[2], "Count")


def of_delivery(delivery: Delivery) -> dict[str, int]:
    """What both functions measure beside the ledger."""
    return {
        RESCUED: delivery.rescued,
        RETRIED: delivery.retried.total(),
        SENT_BYTES: sum(delivery.bodies_bytes),
        BULK_MS: delivery.bulk_ms,
    }


def of_batch(batch: Batch) -> dict[str, int]:
    """What the subscriber measures of the transform."""
    return {STRIPPED_BYTES: batch.stripped_bytes, REDACTED: sum(batch.redacted.values())}


def by_error_type(retried: Mapping[str, int]) -> dict[str, int]:
    """Tries by the error's type, with all that are not in `ERROR_TYPES` in one: an engine may say anything."""
    counts: dict[str, int] = {}
    for type_, count in retried.items():
        known = type_ if type_ in ERROR_TYPES else OTHER
        counts[known] = counts.get(known, 0) + count
    return counts


def freshness(batch: Batch, delivery: Delivery, now_ms: int) -> dict[str, int]:
    """The age of the newest event that is in the index at `now_ms`; nothing where none is."""
    not_there = {outcome.document.id for outcome in (*delivery.waiting, *delivery.dead)}
    newest = max((d.timestamp for d in batch.documents if d.id not in not_there), default="")
    if not newest:
        return {}
    return {NEWEST_EVENT_AGE_MS: max(0, now_ms - milliseconds(newest))}  # a pod's clock may be ahead of ours
