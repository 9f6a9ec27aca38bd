"""What outlives a process, in memory and with faults: the domain, both queues, the bucket, the clock.

Each effect is two steps of the process's life, one before and one after it: so it can end at any of them.
"""

# ruff: noqa: N803 - the names of boto3
from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any

from botocore.exceptions import ClientError

from shipper.bulk import BulkReply
from shipper.ship import Unreachable

RETRY_URL, DEAD_URL = "https://sqs.example/retry", "https://sqs.example/dead"
BUCKET = "failed-events"
RETRY_VISIBILITY_MS = 720_000
MAX_RECEIVES = 2

ENGINE_FAULTS = (
    *("away", "reset after writing", "cut off half way", "garbage", "too few items"),
    *("503 for all", "429 for all", "429 for some", "500 for some", "blocked", "denied", "413 for more than one"),
)
QUEUE_FAULTS = ("queues away", "some entries fail")
BUCKET_FAULTS = ("bucket away",)
FAULTS = (*ENGINE_FAULTS, *QUEUE_FAULTS, *BUCKET_FAULTS)


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Outside:
    """Time, chance, the faults that are set, and how many steps the running process still has (None: enough).

    `happened` counts what really went wrong, not what was only set; `die` is how the process ends.
    """

    now_ms: int
    random: Random
    faults: set[str] = field(default_factory=set)
    steps_left: int | None = None
    steps: int = 0
    happened: Counter[str] = field(default_factory=Counter)
    die: Callable[[], None] | None = None

    def step(self) -> None:
        """One step of the process's life. Raises `Killed` after the last."""
        self.steps += 1
        if self.steps_left is None:
            return
        if self.steps_left == 0:
            self.happened["killed"] += 1
            if self.die:
                self.die()
            raise Killed
        self.steps_left -= 1

    def suffers(self, fault: str) -> bool:
        """Whether this fault strikes now."""
        if fault not in self.faults:
            return False
        self.happened[fault] += 1
        return True


class Clock:
    """A `ship.Clock` on the world's time; an invocation's time is up `limit_s` after it began."""

    def __init__(self, outside: Outside, limit_s: float) -> None:
        self._outside = outside
        self._end_ms = outside.now_ms + limit_s * 1000

    def now_ms(self) -> int:
        return self._outside.now_ms

    def remaining_s(self) -> float:
        return (self._end_ms - self._outside.now_ms) / 1000

    def sleep(self, seconds: float) -> None:
        self._outside.now_ms += int(seconds * 1000)

    def jitter(self) -> float:
        return self._outside.random.random()


class Domain:
    """A `ship.Sink`: indices by day, a mapping that some documents do not fit, and what goes wrong around it.

    With `strict`, a text with `poison` in it is refused whatever is done to the document; with `object_n`, so is a
    number in `log_processed.n`, until its fields are set aside.
    """

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self.documents: dict[tuple[str, str], dict[str, Any]] = {}
        self.strict = True
        self.object_n = True

    def ids(self) -> set[str]:
        """The ids in all indices."""
        return {id_ for _, id_ in self.documents}

    def renew(self) -> None:
        pass

    def bulk(self, body: bytes, timeout_s: float) -> BulkReply:
        assert timeout_s > 0
        outside = self._outside
        outside.step()
        lines = body.split(b"\n")
        actions, sources = lines[:-1:2], lines[1::2]
        if outside.suffers("away"):
            raise Unreachable("connection refused")
        for status in (503, 429):
            if outside.suffers(f"{status} for all"):
                return BulkReply(status, {"error": {"type": "unavailable", "reason": "unavailable"}, "status": status})
        if len(actions) > 1 and outside.suffers("413 for more than one"):
            return BulkReply(413)
        cut = len(actions) // 2 if outside.suffers("cut off half way") else len(actions)
        items = [
            self._item(json.loads(action)["create"], json.loads(source))
            for action, source in zip(actions[:cut], sources[:cut], strict=True)
        ]
        outside.step()
        if cut < len(actions) or outside.suffers("reset after writing"):
            raise Unreachable("connection reset")
        if outside.suffers("garbage"):
            return BulkReply(200, None)
        if outside.suffers("too few items"):
            items = items[:-1]
        return BulkReply(200, {"took": 1, "errors": True, "items": items})

    def _item(self, target: dict[str, str], source: dict[str, Any]) -> dict[str, Any]:
        key = (target["_index"], target["_id"])
        error = self._struck() or self._refusal(key, source)
        if error:
            return {"create": {"status": error[0], "error": {"type": error[1], "reason": f"{error[1]} [n]"}}}
        self.documents[key] = source
        return {"create": {"_id": key[1], "status": 201}}

    def _struck(self) -> tuple[int, str] | None:
        """What goes wrong with a document whatever it is."""
        suffers, is_one_of_some = self._outside.suffers, self._outside.random.random() < 0.5
        if is_one_of_some and suffers("429 for some"):
            return 429, "rejected_execution_exception"
        if is_one_of_some and suffers("500 for some"):
            return 500, "node_closed_exception"
        if suffers("blocked"):
            return 403, "cluster_block_exception"
        return (403, "security_exception") if suffers("denied") else None

    def _refusal(self, key: tuple[str, str], source: dict[str, Any]) -> tuple[int, str] | None:
        """What the index has against this document."""
        if key in self.documents:
            return 409, "version_conflict_engine_exception"
        if self.strict and "poison" in source["@message"]:
            self._outside.happened["refused for good"] += 1
            return 400, "strict_dynamic_mapping_exception"
        if self.object_n and isinstance(source.get("log_processed", {}).get("n"), int):
            self._outside.happened["refused for its fields"] += 1
            return 400, "mapper_parsing_exception"
        return None


@dataclass
class Message:
    """A message as the queue holds it; only its newest receipt deletes it."""

    id: str
    body: str
    visible_at_ms: int = 0
    receives: int = 0
    receipt: str = ""

    def as_event(self) -> dict[str, Any]:
        """As Lambda hands it to a function."""
        attributes = {"ApproximateReceiveCount": str(self.receives)}
        return {"messageId": self.id, "receiptHandle": self.receipt, "body": self.body, "attributes": attributes}


class Sqs:
    """What is called of boto3's SQS client, with both queues behind it; no order, at least once."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._numbers = count()
        self.queues: dict[str, dict[str, Message]] = {RETRY_URL: {}, DEAD_URL: {}}

    def put(self, url: str, body: str) -> None:
        """Add a message, as AWS itself does."""
        message = Message(f"m-{next(self._numbers)}", body)
        self.queues[url][message.id] = message

    def receive(self, url: str, most: int, hide_ms: int) -> list[Message]:
        """Some of the visible messages. One of the retry queue that came too often goes to the dead letters."""
        queue = self.queues[url]
        visible = [message for message in queue.values() if message.visible_at_ms <= self._outside.now_ms]
        self._outside.random.shuffle(visible)
        got = []
        for message in visible[:most]:
            if url == RETRY_URL and message.receives >= MAX_RECEIVES:
                self._outside.happened["redriven by the queue"] += 1
                self.put(DEAD_URL, queue.pop(message.id).body)
                continue
            message.receives += 1
            message.receipt = f"r-{next(self._numbers)}"
            message.visible_at_ms = self._outside.now_ms + hide_ms
            got.append(message)
        return got

    def settle(self, url: str, receipts: Sequence[str]) -> None:
        """Delete, as Lambda does after an invocation that went well."""
        for receipt in receipts:
            self._delete(url, receipt)

    def send_message_batch(self, *, QueueUrl: str, Entries: Sequence[dict[str, str]]) -> dict[str, Any]:
        self._outside.step()
        self._check()
        failed = []
        for at, entry in enumerate(Entries):
            if at % 2 == 0 and self._outside.random.random() < 0.7 and self._outside.suffers("some entries fail"):
                failed.append(
                    {"Id": entry["Id"], "Code": "InternalError", "Message": "try again", "SenderFault": False}
                )
            else:
                self.put(QueueUrl, entry["MessageBody"])
        self._outside.step()
        return {"Failed": failed} if failed else {}

    def change_message_visibility(self, *, QueueUrl: str, ReceiptHandle: str, VisibilityTimeout: int) -> None:
        self._outside.step()
        self._check()
        for message in self.queues[QueueUrl].values():
            if message.receipt == ReceiptHandle:
                message.visible_at_ms = self._outside.now_ms + VisibilityTimeout * 1000
        self._outside.step()

    def delete_message_batch(self, *, QueueUrl: str, Entries: Sequence[dict[str, str]]) -> dict[str, Any]:
        self._outside.step()
        self._check()
        stale = [entry for entry in Entries if not self._delete(QueueUrl, entry["ReceiptHandle"])]
        self._outside.step()
        if not stale:
            return {}
        self._outside.happened["stale receipt"] += len(stale)
        return {"Failed": [{"Id": entry["Id"], "Code": "ReceiptHandleIsInvalid"} for entry in stale]}

    def _delete(self, url: str, receipt: str) -> bool:
        queue = self.queues[url]
        found = next((message.id for message in queue.values() if message.receipt == receipt), None)
        return queue.pop(found, None) is not None if found else False

    def _check(self) -> None:
        if self._outside.suffers("queues away"):
            raise ClientError({"Error": {"Code": "ServiceUnavailable", "Message": "away"}}, "SQS")


class S3:
    """What is called of boto3's S3 client."""

    def __init__(self, outside: Outside, objects: dict[str, bytes]) -> None:
        self._outside = outside
        self.objects = objects

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:
        assert Bucket == BUCKET
        self._outside.step()
        self._check()
        self.objects[Key] = Body
        self._outside.happened["body in the bucket"] += 1
        self._outside.step()

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        assert Bucket == BUCKET
        self._check()
        return {"Body": io.BytesIO(self.objects[Key])}

    def _check(self) -> None:
        if self._outside.suffers("bucket away"):
            raise ClientError({"Error": {"Code": "SlowDown", "Message": "away"}}, "S3")


class Quiet:
    """A telemetry that keeps nothing."""

    class _Logger:
        def info(self, *_: Any, **__: Any) -> None:
            pass

    logger = _Logger()

    def report(self, *_: Any, **__: Any) -> None:
        pass

    def refused(self, *_: Any, **__: Any) -> None:
        pass
