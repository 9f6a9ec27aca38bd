"""Missing events as payloads once more, as CloudWatch would send them: with their ids, so that a double is no harm."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from shipper import jsontext
from shipper.audit import Event
from shipper.model import Source

MAX_PAYLOAD_CHARS = 1_000_000
"""Of the messages of one payload: four bytes each, base64 on top, and still below the 6 MB of a direct invocation.

https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""


def payloads(missing: Iterable[Sequence[Event]], source: Source, max_join_gap_ms: int) -> Iterator[tuple[int, Any]]:
    """(events, invocation's event) for the runs of missing events of a slice, with the ids that CloudWatch gave them.

    What stood apart and could be joined if it came together comes apart.
    """
    by_stream: dict[str, list[Sequence[Event]]] = {}
    for run in missing:
        by_stream.setdefault(run[0].log_stream, []).append(run)
    for log_stream, runs in by_stream.items():
        for events in _batches(runs, max_join_gap_ms):
            yield len(events), _invocation(events, source, log_stream)


def _batches(runs: Iterable[Sequence[Event]], max_join_gap_ms: int) -> Iterator[list[Event]]:
    held: list[Event] = []
    chars = 0
    for run in runs:
        for at, event in enumerate(run):
            size = len(event.event.message)
            is_too_near = at == 0 and held and event.at_ms - held[-1].at_ms <= max_join_gap_ms
            if held and (is_too_near or chars + size > MAX_PAYLOAD_CHARS):
                yield held
                held, chars = [], 0
            held.append(event)
            chars += size
    yield held


def _invocation(events: Sequence[Event], source: Source, log_stream: str) -> Any:
    payload = {
        "messageType": "DATA_MESSAGE",
        "owner": source.owner,
        "logGroup": source.log_group,
        "logStream": log_stream,
        "subscriptionFilters": ["audit"],
        "logEvents": [
            {"id": event.event.id, "timestamp": event.event.timestamp, "message": event.event.message}
            for event in events
        ],
    }
    packed = gzip.compress(jsontext.dumps(payload), mtime=0)
    return {"awslogs": {"data": base64.b64encode(packed).decode()}}
