"""The dead-letter queue as a person's tools read it: looking never removes, and what is read is given back.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from shipper.aws.queue import MAX_BATCH_ENTRIES, send_bodies

_WAIT_S = 1
_DELETE_TRIES = 3
_LANES = 4
_SKEW_MS = 2_000
"""A clock that differs by more than that is not the queue's."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message as a queue hands it out; `sent_ms` is when it came there, milliseconds since the epoch."""

    id: str
    receipt: str
    body: str
    sent_ms: int = 0


class Inbox:
    """One queue. All methods raise what boto3 raises."""

    def __init__(self, sqs: Any, url: str) -> None:
        self._sqs = sqs
        self._url = url

    def depth(self) -> tuple[int, int]:
        """(visible, in flight), both approximate, as SQS counts them."""
        visible, hidden, _ = self._counts()
        return visible, hidden

    def now_ms(self) -> int:
        """The time by the queue's clock, rounded up to a second where the own clock is wrong."""
        _, _, headers = self._counts()
        mine = time.time_ns() // 1_000_000
        if "date" not in headers:
            return mine
        theirs = int(parsedate_to_datetime(headers["date"]).timestamp() * 1000)
        return mine if abs(mine - theirs) <= _SKEW_MS else theirs + 999

    def messages(self, *, limit: int, hide_s: int) -> Iterator[Message]:
        """Up to `limit` different messages, each hidden from other readers for `hide_s` seconds."""
        for run in self.runs(limit=limit, hide_s=hide_s):
            yield from run

    def runs(self, *, hide_s: int, limit: int = sys.maxsize, lanes: int = 1) -> Iterator[list[Message]]:
        """The same in runs, as they come, from `lanes` requests at a time; a message that comes twice counts once.

        An empty answer proves nothing in SQS, so it takes two in a row to end. Messages that were hidden for too short
        a time come again: they end it once there were more answers of them than there can be.
        """
        seen: set[str] = set()
        empty = stale = 0
        with ThreadPoolExecutor(lanes) as pool:
            while (room := limit - len(seen)) > 0 and empty < 2 and stale < 2 + len(seen) // MAX_BATCH_ENTRIES:
                count = min(MAX_BATCH_ENTRIES, room)
                calls = [pool.submit(self._receive, count, hide_s) for _ in range(max(1, min(lanes, room // count)))]
                got = self._got(calls)
                new = {message.id: message for message in got if message.id not in seen}
                seen |= new.keys()
                empty = 0 if got else empty + 1
                stale = 0 if new else stale + 1
                if new:
                    yield list(new.values())

    def _got(self, calls: Sequence[Future[list[Message]]]) -> list[Message]:
        try:
            return [message for call in calls for message in call.result()]
        except KeyboardInterrupt:
            # Nobody else knows of these.
            self.show_again([message for call in calls for message in call.result()])
            raise

    def put(self, bodies: Iterable[str]) -> None:
        """Add messages. Raises `QueueFailed`."""
        send_bodies(self._sqs, self._url, bodies)

    def show_again(self, messages: Iterable[Message]) -> None:
        """Let others see these messages at once; one whose receipt is stale comes by itself."""

        def show(run: Sequence[Message]) -> None:
            entries = [{**entry, "VisibilityTimeout": 0} for entry in _entries(run)]
            self._sqs.change_message_visibility_batch(QueueUrl=self._url, Entries=entries)

        with ThreadPoolExecutor(_LANES) as pool:
            list(pool.map(show, _runs(list(messages))))

    def delete(self, messages: Sequence[Message]) -> int:
        """Remove messages for good; how many could not be, as their receipts are stale, and will come again."""
        return sum(self._delete(run) for run in _runs(messages))

    def _delete(self, run: Sequence[Message]) -> int:
        """A batch call answers 200 even when some entries failed: try those again."""
        for _ in range(_DELETE_TRIES):
            failed = self._sqs.delete_message_batch(QueueUrl=self._url, Entries=_entries(run)).get("Failed", [])
            run = [run[int(entry["Id"])] for entry in failed]
            if not run:
                break
        return len(run)

    def _receive(self, count: int, hide_s: int) -> list[Message]:
        reply = self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=count,
            VisibilityTimeout=hide_s,
            WaitTimeSeconds=_WAIT_S,
            MessageSystemAttributeNames=["SentTimestamp"],
        )
        return [
            Message(
                raw["MessageId"],
                raw["ReceiptHandle"],
                raw["Body"],
                int(raw.get("Attributes", {}).get("SentTimestamp", 0)),
            )
            for raw in reply.get("Messages", [])
        ]

    def _counts(self) -> tuple[int, int, dict[str, str]]:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        reply = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=names)
        visible, hidden = (int(reply["Attributes"][name]) for name in names)
        return visible, hidden, reply["ResponseMetadata"]["HTTPHeaders"]


def _entries(run: Sequence[Message]) -> list[dict[str, Any]]:
    return [{"Id": str(number), "ReceiptHandle": message.receipt} for number, message in enumerate(run)]


def _runs(messages: Sequence[Message]) -> Iterator[Sequence[Message]]:
    for at in range(0, len(messages), MAX_BATCH_ENTRIES):
        yield messages[at : at + MAX_BATCH_ENTRIES]
