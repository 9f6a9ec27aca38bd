"""The two queues and the bucket beside them: letters out, and their bodies back.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from isal import igzip

from shipper import deadletter, failures
from shipper.deadletter import BadEnvelope
from shipper.failures import MAX_KEY_CHARS, Announced
from shipper.model import DeadLetter

MAX_BATCH_ENTRIES = 10
_MAX_BATCH_BYTES = 1_048_576
_SEND_TRIES = 3
KEY_PREFIX = "letters/"
"""Bodies too large for a queue lie here; a pointer to any other key is not followed."""


class QueueFailed(Exception):
    """A letter could not be put safely into a queue or the bucket, or read from there."""


class SqsLetters:
    """Implements `ship.Letters` on SQS, with S3 for bodies that no message can hold.

    `make_sqs` and `make_s3` are called when first needed: most invocations need neither.
    """

    def __init__(
        self, make_sqs: Callable[[], Any], make_s3: Callable[[], Any], *, retry_url: str, dead_url: str, bucket: str
    ) -> None:
        self._client = cache(make_sqs)
        self._retry_url = retry_url
        self._dead_url = dead_url
        self._bodies = Bodies(make_s3, bucket)

    def retry(self, letters: Sequence[DeadLetter]) -> None:
        """Queue for the replay function. Raises `QueueFailed`."""
        self._send(self._retry_url, letters)

    def bury(self, letters: Sequence[DeadLetter]) -> None:
        """Queue for a person. Raises `QueueFailed`."""
        self._send(self._dead_url, letters)

    def postpone(self, receipt: str, delay_s: int) -> None:
        """Hide a message of the retry queue for so long. Raises `QueueFailed`; it then comes when the queue says."""
        try:
            self._client().change_message_visibility(
                QueueUrl=self._retry_url, ReceiptHandle=receipt, VisibilityTimeout=delay_s
            )
        except (ClientError, BotoCoreError) as error:
            raise QueueFailed(f"{self._retry_url}: {error}") from error

    def _send(self, url: str, letters: Sequence[DeadLetter]) -> None:
        send_bodies(self._client(), url, (self._bodies.pack(letter) for letter in letters))


class Bodies:
    """Letters to message bodies and back, through the bucket where a body is too large for a message."""

    def __init__(self, make_s3: Callable[[], Any], bucket: str) -> None:
        self._client = cache(make_s3)
        self._bucket = bucket

    def pack(self, letter: DeadLetter) -> str:
        """The message for a letter. Raises `BotoCoreError` and `ClientError`."""
        message = deadletter.pack(letter)
        if len(message) <= deadletter.MAX_ENVELOPE_BYTES:
            return message
        key = f"{KEY_PREFIX}{hashlib.sha256(letter.body).hexdigest()}.gz"
        self._client().put_object(Bucket=self._bucket, Key=key, Body=igzip.compress(letter.body))
        return deadletter.pack_pointer(letter, key)

    def unpack(self, message: str) -> DeadLetter:
        """The letter of a message: of an envelope, of Lambda's record of a failure, or of S3's word of such a record.

        Raises `BadEnvelope`, and `QueueFailed` where the body cannot be fetched.
        """
        match failures.read(message, self._bucket):
            case DeadLetter() as letter:
                return letter
            case Announced(key):
                return failures.of_record(self._fetch(key))
        key = deadletter.pointer_of(message)
        if not key:
            return deadletter.unpack(message)
        # The bucket is ours by configuration, never by what a message says; so is the part of it.
        if not key.startswith(KEY_PREFIX) or len(key) > MAX_KEY_CHARS:
            raise BadEnvelope(f"points outside {KEY_PREFIX}")
        return deadletter.unpack(message, self._fetch(key))

    def _fetch(self, key: str) -> bytes:
        try:
            body: bytes = self._client().get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except (ClientError, BotoCoreError) as error:
            raise QueueFailed(f"the letter's body {key} is out of reach: {error}") from error
        return body


def send_bodies(sqs: Any, url: str, bodies: Iterable[str]) -> None:
    """Send messages, each of which fits a message. Raises `QueueFailed` unless every one is safe in the queue."""
    try:
        for batch in _batches(bodies):
            _send_batch(sqs, url, batch)
    except (ClientError, BotoCoreError) as error:
        raise QueueFailed(f"{url}: {error}") from error


def _send_batch(sqs: Any, url: str, bodies: Sequence[str]) -> None:
    """A batch call answers 200 even when some entries failed: send those again."""
    pending = dict(enumerate(bodies))
    failed: list[dict[str, Any]] = []
    for _ in range(_SEND_TRIES):
        entries = [{"Id": str(number), "MessageBody": body} for number, body in pending.items()]
        failed = sqs.send_message_batch(QueueUrl=url, Entries=entries).get("Failed", [])
        pending = {int(entry["Id"]): pending[int(entry["Id"])] for entry in failed}
        if not pending:
            return
    reasons = sorted({f"{entry.get('Code')}: {entry.get('Message', '')}" for entry in failed})
    raise QueueFailed(f"{url} did not take {len(pending)} of {len(bodies)} messages: {'; '.join(reasons)}")


def _batches(bodies: Iterable[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for body in bodies:
        if batch and (len(batch) == MAX_BATCH_ENTRIES or size + len(body) > _MAX_BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(body)
        size += len(body)
    if batch:
        yield batch
