"""What Lambda itself gave up on, as it comes to the dead-letter queue: its record, or S3's word of one.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote_plus

from shipper import bulk, deadletter
from shipper.deadletter import BadEnvelope
from shipper.model import DeadLetter, Reason, Source

KEY_PREFIX = "aws/lambda/async/"
"""Lambda puts its records here, each under the name of its function and the day."""

MAX_KEY_CHARS = 1_024

_TEST_EVENT = "s3:TestEvent"


@dataclass(frozen=True, slots=True)
class Announced:
    """S3 tells that a record lies in our bucket under `key`."""

    key: str


def read(text: str, bucket: str) -> DeadLetter | Announced | None:
    """What a message of Lambda or of S3 says; None for any other. Raises `BadEnvelope`.

    `bucket` is ours: a notification of another is refused.
    """
    message = deadletter.json_object(text)
    try:
        if message.get("Event") == _TEST_EVENT:
            return _test_letter(message)
        if "Records" in message:
            return Announced(_key(message, bucket))
        if "requestContext" in message:
            return _letter(message)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise BadEnvelope(f"not a readable message of Lambda or S3: {type(error).__name__}: {error}") from None
    return None


def is_test_event(text: str, bucket: str) -> bool:
    """Whether a message is the one with which S3 tries the queue when it is told to notify of `bucket`."""
    try:
        message = deadletter.json_object(text)
    except BadEnvelope:
        return False
    return message.get("Event") == _TEST_EVENT and message.get("Bucket") == bucket


def of_record(body: bytes) -> DeadLetter:
    """The letter of a record as it lies in the bucket. Raises `BadEnvelope`."""
    try:
        return _letter(deadletter.json_object(body))
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise BadEnvelope(f"not a readable record of Lambda: {type(error).__name__}: {error}") from None


def _letter(record: Mapping[str, Any]) -> DeadLetter:
    context = record["requestContext"]
    response = record.get("responsePayload")  # null where the function was never started
    said = [response.get(name) for name in ("errorType", "errorMessage")] if isinstance(response, Mapping) else []
    words = [deadletter.text_in(context, "condition"), *(word for word in said if isinstance(word, str) and word)]
    reason = Reason("lambda_failure", bulk.bounded(": ".join(words)))
    letter = deadletter.of_payload(record["requestPayload"], reason, failed_at=deadletter.text_in(record, "timestamp"))
    return replace(letter, attempts=deadletter.count_in(context, "approximateInvokeCount"))


def _test_letter(message: Mapping[str, Any]) -> DeadLetter:
    """S3 writes once when it is told to notify: no documents, so that a replay only clears it away."""
    reason = Reason("s3_test_event", "S3 tried whether it may write here; nothing is missing")
    at = deadletter.text_in(message, "Time")
    return DeadLetter("documents", reason, Source("", "", ""), count=0, body=b"", first_failed_at=at, attempts=0)


def _key(message: Mapping[str, Any], bucket: str) -> str:
    records = message["Records"]
    if not isinstance(records, list) or len(records) != 1:
        raise BadEnvelope("not the notification of one object, as S3 sends it")
    if records[0]["eventSource"] != "aws:s3":
        raise BadEnvelope("a notification that is not from S3")
    found = records[0]["s3"]
    if found["bucket"]["name"] != bucket:
        raise BadEnvelope("the notification names another bucket")
    key = unquote_plus(deadletter.text_in(found["object"], "key"))
    if not key.startswith(KEY_PREFIX) or ".." in key.split("/") or len(key) > MAX_KEY_CHARS:
        raise BadEnvelope(f"points outside {KEY_PREFIX}")
    return key
