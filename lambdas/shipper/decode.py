"""From an invocation's event to the payload that CloudWatch Logs sent: strict base64, bounded gzip, checked shape.

The format: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
"""

from __future__ import annotations

import binascii
import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from shipper import jsontext
from shipper.inflate import NotGzip, TooLarge, inflate
from shipper.model import Control, LogEvent, Payload, Reason, Rejected, Source

_MAX_ID_BYTES = 512


class _Refused(Exception):
    """What is wrong with the input; becomes a `Rejected` value at the edge of this module."""

    def __init__(self, type_: str, message: str) -> None:
        super().__init__(message)
        self.reason = Reason(type=type_, message=message)


def decode(event: Any, *, max_decoded_bytes: int) -> Payload | Control | Rejected:
    """Read a Lambda event `{"awslogs": {"data": base64(gzip(JSON))}}`.

    Never raises for bad input: what cannot be read is `Rejected` with its reason.
    """
    try:
        return _payload(_json_object(_inflate(_base64(_data(event)), max_decoded_bytes)))
    except _Refused as refused:
        return Rejected(refused.reason)


def decode_payload(payload: Any) -> Payload | Control | Rejected:
    """Read a payload that is inflated and parsed already: `{"messageType": ..., "logEvents": [...]}`."""
    try:
        return _payload(payload)
    except _Refused as refused:
        return Rejected(refused.reason)


def _data(event: Any) -> str:
    try:
        data = event["awslogs"]["data"]
    except (TypeError, KeyError, IndexError):
        raise _Refused("bad_input", "the event is not {awslogs: {data: ...}}") from None
    if not isinstance(data, str):
        raise _Refused("bad_input", "awslogs.data is not a string")
    return data


def _base64(data: str) -> bytes:
    try:
        return binascii.a2b_base64(data.encode("ascii"), strict_mode=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise _Refused("bad_input", f"awslogs.data is not base64: {error}") from None


def _inflate(packed: bytes, max_bytes: int) -> bytes:
    try:
        return inflate(packed, max_bytes)
    except TooLarge as error:
        raise _Refused("bomb", f"the payload {error}") from None
    except NotGzip as error:
        raise _Refused("bad_gzip", str(error)) from None


def _json_object(raw: bytes) -> Any:
    try:
        return jsontext.loads(raw)
    except ValueError:
        pass
    try:
        # One broken byte in one event is no reason to refuse its neighbours.
        return jsontext.loads(raw.decode("utf-8", "replace"))
    except ValueError as error:
        raise _Refused("bad_json", f"the payload is not JSON: {error}") from None


def _payload(payload: Any) -> Payload | Control:
    if not isinstance(payload, Mapping):
        raise _Refused("bad_shape", "the payload is not a JSON object")
    kind = payload.get("messageType")
    if kind == "CONTROL_MESSAGE":
        return Control()
    if kind != "DATA_MESSAGE":
        raise _Refused("unknown_type", f"messageType is {str(kind)[:100]!r}, not DATA_MESSAGE or CONTROL_MESSAGE")
    events = payload.get("logEvents")
    missing = [key for key in ("owner", "logGroup", "logStream") if not isinstance(payload.get(key), str)]
    if missing or not isinstance(events, list):
        faults = missing + ([] if isinstance(events, list) else ["logEvents"])
        raise _Refused("bad_shape", f"missing or of the wrong type: {', '.join(faults)}")
    source = Source(payload["owner"], payload["logGroup"], payload["logStream"])
    return Payload(source, _events(source, events)) if events else Control()


def _events(source: Source, raw_events: list[Any]) -> tuple[LogEvent, ...]:
    """Events with ids that are usable and tell different events apart (an id is at most 512 bytes in OpenSearch)."""
    events = tuple([_event(raw) for raw in raw_events])
    ids = {event.id for event in events}
    # Of an id that is this short no character is too long.
    if len(ids) == len(events) and "" not in ids and len(max(ids, key=len)) <= _MAX_ID_BYTES // 4:
        return events
    return _with_usable_ids(source, events)


def _with_usable_ids(source: Source, events: Iterable[LogEvent]) -> tuple[LogEvent, ...]:
    by_id: dict[str, LogEvent] = {}
    usable = []
    for position, event in enumerate(events):
        if not _usable_id(event.id) or by_id.setdefault(event.id, event) != event:
            event = event._replace(id=_made_id(source, position, event))  # noqa: PLW2901 - the same with another id
            by_id[event.id] = event
        usable.append(event)
    return tuple(usable)


def _event(raw: Any) -> LogEvent:
    if not isinstance(raw, dict):
        return LogEvent("", None, _as_text(raw))
    event_id, timestamp, message = raw.get("id"), raw.get("timestamp"), raw.get("message")
    extracted = raw.get("extractedFields")
    # What cannot be written cannot be part of a document, either.
    if type(timestamp) is not int:
        _as_text(timestamp)
    if extracted is not None:
        _as_text(extracted)
    return LogEvent(
        event_id if isinstance(event_id, str) else "",
        timestamp,
        message if isinstance(message, str) else _as_text(message),
        extracted if isinstance(extracted, dict) else None,
    )


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    try:
        return "" if value is None else jsontext.dumps(value).decode()
    except ValueError as error:
        raise _Refused("bad_shape", f"an event holds what cannot be written: {error}") from None


def _usable_id(event_id: str) -> bool:
    size = len(event_id) if event_id.isascii() else len(event_id.encode())
    return 0 < size <= _MAX_ID_BYTES


def _made_id(source: Source, position: int, event: LogEvent) -> str:
    """The same for each delivery of the same payload, different for each of its events."""
    parts = (source.owner, source.log_group, source.log_stream, str(position), str(event.timestamp), event.message)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
