"""The canary: a marked line goes into each log group every minute, and the newest that can be found tells the delay.

Nothing is remembered between two minutes: what was written is in the index, or it is not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shipper import jsontext
from shipper.model import LogEvent, Payload, Source
from shipper.pipeline import transform
from shipper.settings import Settings
from shipper.times import milliseconds

STREAM = "cwl-shipper-canary"
"""The log stream of the canary in every group."""

TEXT = "cwl-shipper canary"
"""How a line begins, for a person who reads it and for rules about texts."""

FIELD = "canary"
"""Marks its documents: `NOT _exists_:canary` leaves them out of a search."""

LOOK_BACK_MS = 3_600_000
"""How far back a line is looked for: an older one tells no more than none does."""

_TRIED = 50
"""Lines to find out whether a rule samples: one that keeps half of all would hardly keep every one of these."""


def line(id_: str) -> str:
    """What is written, in the form of Fluentd's records, so that it takes the same way through the transform."""
    return jsontext.dumps({"log": f"{TEXT} {id_}", FIELD: id_}).decode()


def passes(settings: Settings, log_group: str) -> bool:
    """Whether every line becomes a document of its log group: no rule filters it, or samples it."""
    source = Source("", log_group, STREAM)
    for number in range(_TRIED):
        payload = Payload(source, (LogEvent(str(number), 0, line(str(number))),))
        if not transform(payload, settings, 0).documents:
            return False
    return True


def query(log_group: str, now_ms: int) -> dict[str, Any]:
    """A search for the newest line of a log group. By fields that no setting takes out of a document."""
    times = {"gte": now_ms - LOOK_BACK_MS, "format": "epoch_millis"}
    return {
        "query": {
            "bool": {
                "filter": [
                    {"match_phrase": {"@log_group": log_group}},
                    {"match_phrase": {"@log_stream": STREAM}},
                    {"range": {"@timestamp": times}},
                ]
            }
        },
        "_source": ["@timestamp"],
        "sort": [{"@timestamp": {"order": "desc", "unmapped_type": "date"}}],
        "size": 1,
    }


def age_ms(hits: Sequence[Mapping[str, Any]], now_ms: int) -> int | None:
    """How long ago the newest line of the `hits` was written, None where there is none."""
    written_ms = max((milliseconds(str(hit["_source"].get("@timestamp"))) for hit in hits), default=0)
    return max(0, now_ms - written_ms) if written_ms else None
