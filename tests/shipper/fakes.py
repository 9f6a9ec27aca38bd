"""Stand-ins for what the shipper talks to: a domain, queues, a clock, Lambda, a scripted HTTP server, a local AWS."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, cast
from uuid import uuid4

import boto3
import hypothesis
from moto import mock_aws

from shipper.aws.inbox import Inbox
from shipper.aws.queue import Bodies, SqsLetters
from shipper.aws.telemetry import Telemetry
from shipper.bulk import BulkReply
from shipper.cli.deployment import Deployment
from shipper.document import Builder
from shipper.handlers.services import Services
from shipper.model import Batch, DeadLetter, Document, LogEvent, Payload, Reason, Record, Source
from shipper.record import Reader
from shipper.redact import redactor
from shipper.replay import opened
from shipper.settings import Settings
from shipper.ship import Unreachable

NOW_MS = 1_795_521_600_000
"""2026-11-24T12:00:00Z."""

INDEX = "cwl-2026.11.24"

patient = hypothesis.settings(deadline=None)
"""For property tests: a busy machine is no fault of the code."""

SOURCE = Source("123456789012", "/aws/containerinsights/demo/application", "pod-1")
SETTINGS = Settings(
    endpoint="https://search.example.com",
    retry_queue_url="https://sqs.eu-west-1.amazonaws.com/123456789012/retry",
    dead_letter_queue_url="https://sqs.eu-west-1.amazonaws.com/123456789012/dead",
    bucket="failed-events",
    max_in_flight=1,
)
REFUSED = Reason("mapper_parsing_exception", "failed to parse field [n] of type [long]", 400, "n")


def doc(number: int, text: str = "x", *, index: str = INDEX) -> Document:
    """A document with an id of its own."""
    id_ = f"id-{number}"
    stamp = f"2026-11-24T12:00:{number % 60:02d}.000Z"
    source = json.dumps({"@id": id_, "@timestamp": stamp, "@message": text}).encode()
    return Document(index, id_, source, stamp, (id_,))


def docs(count: int) -> list[Document]:
    return [doc(number) for number in range(count)]


def batch_of(documents: Sequence[Document], *, joined: int = 0) -> Batch:
    """A batch of these documents; the first of them holds `joined` events more."""
    made = list(documents)
    if joined:
        made[0] = replace(made[0], event_ids=(*made[0].event_ids, *(f"joined-{n}" for n in range(joined))))
    return Batch(SOURCE, len(made) + joined, tuple(made))


def read(event: LogEvent, settings: Settings) -> Record:
    """The record of one event."""
    return Reader(settings, SOURCE.log_group).read(event)


def document(record: Record, source: Source, settings: Settings, now_ms: int) -> Document:
    """The document of one record."""
    hider = redactor(settings.redact, settings.redact_patterns, settings.redact_form)
    builder = Builder(Payload(source, (record.event,)), settings, now_ms, hider)
    return builder.document(record, builder.prepare(record))


def payload_of(*messages: str) -> dict[str, Any]:
    """A decoded subscription payload with one event a message."""
    return {
        "messageType": "DATA_MESSAGE",
        "owner": SOURCE.owner,
        "logGroup": SOURCE.log_group,
        "logStream": SOURCE.log_stream,
        "subscriptionFilters": ["all"],
        "logEvents": [
            {"id": f"event-{number}", "timestamp": NOW_MS + number, "message": message}
            for number, message in enumerate(messages)
        ],
    }


def lambda_event(payload: Any) -> dict[str, Any]:
    """What CloudWatch Logs invokes the function with."""
    return {"awslogs": {"data": base64.b64encode(gzip.compress(json.dumps(payload).encode())).decode()}}


def documents_of(letters: Sequence[DeadLetter]) -> list[Document]:
    """What a replay makes of letters of either kind."""
    documents: list[Document] = []
    for letter in letters:
        content = opened(letter, SETTINGS, NOW_MS)
        assert isinstance(content, Batch)
        documents += content.documents
    return documents


def ids_in(body: bytes) -> list[str]:
    """The ids of a bulk body, in order."""
    return [json.loads(line)["create"]["_id"] for line in body.split(b"\n")[:-1:2]]


def sources_in(body: bytes) -> list[dict[str, Any]]:
    """The sources of a bulk body, in order."""
    return [json.loads(line) for line in body.split(b"\n")[1::2]]


def item(status: int, type_: str = "", reason: str = "") -> dict[str, Any]:
    """One item of a bulk reply."""
    error = {"error": {"type": type_, "reason": reason or type_}} if type_ else {}
    return {"create": {"status": status, **error}}


ITEM_ERRORS = {
    201: "",
    400: "mapper_parsing_exception",
    404: "index_not_found_exception",
    409: "version_conflict_engine_exception",
    429: "rejected_execution_exception",
    503: "unavailable_shards_exception",
}


def reply(*statuses: int) -> BulkReply:
    """A 200 with one item a status, each with the error that belongs to it."""
    items = [item(status, ITEM_ERRORS[status]) for status in statuses]
    return BulkReply(200, {"took": 1, "errors": any(s >= 300 for s in statuses), "items": items})


Step = BulkReply | BaseException | Callable[["FakeSink", list[str]], BulkReply]
"""What a request gets: this reply, this exception, or what the function makes of the ids."""


def accept(sink: FakeSink, ids: list[str]) -> BulkReply:
    """Take everything, as a domain in good health does: 409 for what it holds already."""
    statuses = []
    for id_ in ids:
        statuses.append(409 if id_ in sink.stored else 201)
        sink.stored.add(id_)
    return reply(*statuses)


def accept_then_reset(sink: FakeSink, ids: list[str]) -> BulkReply:
    """Write everything, and lose the reply."""
    accept(sink, ids)
    raise Unreachable("connection reset")


def answering(*statuses: int) -> Callable[[FakeSink, list[str]], BulkReply]:
    """Answer the documents of a request with these statuses, again from the first when they run out."""

    def answer(sink: FakeSink, ids: list[str]) -> BulkReply:
        chosen = [statuses[at % len(statuses)] for at in range(len(ids))]
        chosen = [409 if id_ in sink.stored else status for id_, status in zip(ids, chosen, strict=True)]
        sink.stored.update(id_ for id_, status in zip(ids, chosen, strict=True) if status in (201, 409))
        return reply(*chosen)

    return answer


def refusing(*bad: str, rescue: int = 400) -> Callable[[FakeSink, list[str]], BulkReply]:
    """Refuse these documents for their mapping, and answer them `rescue` without their fields; take all others."""

    def answer(sink: FakeSink, ids: list[str]) -> BulkReply:
        statuses = []
        for id_, source in zip(ids, sources_in(sink.bodies[-1]), strict=True):
            status = 201 if id_ not in bad else rescue if "@unmapped" in source else 400
            statuses.append(409 if status == 201 and id_ in sink.stored else status)
            if status == 201:
                sink.stored.add(id_)
        return reply(*statuses)

    return answer


class FakeSink:
    """A `ship.Sink` that plays a script, a step a request, and then goes on with `then`."""

    def __init__(self, *script: Step, then: Step = accept, clock: FakeClock | None = None, cost_s: float = 0) -> None:
        self._script = list(script)
        self._then = then
        self._clock = clock
        self._cost_s = cost_s
        self.stored: set[str] = set()
        self.requests: list[list[str]] = []
        self.bodies: list[bytes] = []
        self.timeouts: list[float] = []
        self.renewed = 0

    def renew(self) -> None:
        self.renewed += 1

    def bulk(self, body: bytes, timeout_s: float) -> BulkReply:
        ids = ids_in(body)
        self.requests.append(ids)
        self.bodies.append(body)
        self.timeouts.append(timeout_s)
        if self._clock:
            self._clock.sleep(min(self._cost_s, timeout_s))
        step = self._script.pop(0) if self._script else self._then
        if isinstance(step, BaseException):
            raise step
        return step if isinstance(step, BulkReply) else step(self, ids)


class FakeLetters:
    """A `ship.Letters` that keeps what it gets; `down` is raised by every call."""

    def __init__(self, down: Exception | None = None) -> None:
        self.down = down
        self.retried: list[DeadLetter] = []
        self.buried: list[DeadLetter] = []
        self.postponed: list[tuple[str, int]] = []

    def postpone(self, receipt: str, delay_s: int) -> None:
        if self.down:
            raise self.down
        self.postponed.append((receipt, delay_s))

    def retry(self, letters: Sequence[DeadLetter]) -> None:
        self._take(letters, self.retried)

    def bury(self, letters: Sequence[DeadLetter]) -> None:
        self._take(letters, self.buried)

    def _take(self, letters: Sequence[DeadLetter], into: list[DeadLetter]) -> None:
        if self.down:
            raise self.down
        into += letters


class FakeClock:
    """A `ship.Clock` that moves only when told to, by `sleep`."""

    def __init__(self, remaining_s: float = 60, jitter: float = 0.5) -> None:
        self._end_s = remaining_s
        self._jitter = jitter
        self.passed_s = 0.0
        self.slept: list[float] = []

    def now_ms(self) -> int:
        return NOW_MS + int(self.passed_s * 1000)

    def remaining_s(self) -> float:
        return self._end_s - self.passed_s

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.passed_s += seconds

    def jitter(self) -> float:
        return self._jitter


@dataclass
class FakeContext:
    """Lambda's context object, as far as the handlers use it; `remaining_ms` are its answers, the last one for good."""

    remaining_ms: list[int] = field(default_factory=lambda: [60_000])
    aws_request_id: str = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining_ms.pop(0) if len(self.remaining_ms) > 1 else self.remaining_ms[0]


def wired_with(sink: FakeSink, letters: FakeLetters, *, s3: Any = None, settings: Settings = SETTINGS) -> Services:
    """A handler's services, with nothing real in them but the log; `s3` where a letter's body lies in the bucket."""

    def make_s3() -> Any:
        assert s3, "nothing here should need the bucket"
        return s3

    # Loggers of the same name are one and the same, and keep the standard output of the test that made them.
    telemetry = Telemetry(f"test-{uuid4()}", "DEBUG")
    return Services(settings, cast("Any", sink), cast("Any", letters), Bodies(make_s3, settings.bucket), telemetry)


def log_lines(output: str) -> list[dict[str, Any]]:
    """What a function has logged, metrics among it."""
    return [json.loads(line) for line in output.splitlines()]


def deployment_on(aws: LocalAws, sink: FakeSink, settings: Settings = SETTINGS) -> Deployment:
    """A deployed stack with real queues on the local AWS and a domain that is played."""
    letters = SqsLetters(
        lambda: aws.sqs, lambda: aws.s3, retry_url=aws.retry_url, dead_url=aws.dead_url, bucket=aws.bucket
    )
    inbox = Inbox(aws.sqs, aws.dead_url)
    return Deployment(
        settings, cast("Any", sink), letters, Bodies(lambda: aws.s3, aws.bucket), inbox, deployed=lambda: settings
    )


REGION = "eu-west-1"
AWS_ENV = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_SESSION_TOKEN": "testing",
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
    "POWERTOOLS_METRICS_NAMESPACE": "test",
}
"""Credentials that open nothing."""


@dataclass(frozen=True)
class LocalAws:
    """Both queues and the bucket, in memory."""

    sqs: Any
    s3: Any
    retry_url: str
    dead_url: str
    bucket: str = "failed-events"

    def bodies_in(self, url: str) -> list[str]:
        """Every message body that is visible, removed from the queue."""
        bodies: list[str] = []
        while found := self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            bodies += [message["Body"] for message in found]
            for message in found:
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return bodies

    def keys(self) -> list[str]:
        return [found["Key"] for found in self.s3.list_objects_v2(Bucket=self.bucket).get("Contents", [])]


def without_waiting(params: dict[str, Any], **_: Any) -> None:
    """A hook for ReceiveMessage: long polling would only cost the tests time."""
    params["WaitTimeSeconds"] = 0


@cache
def aws_client(name: str) -> Any:
    """A client for moto; to make one takes longer than most tests."""
    made = boto3.client(name, REGION, aws_access_key_id="testing", aws_secret_access_key="testing")
    if name == "sqs":
        made.meta.events.register("before-parameter-build.sqs.ReceiveMessage", without_waiting)
    return made


@contextmanager
def local_aws() -> Iterator[LocalAws]:
    """The queues and the bucket on moto, empty at each call."""
    with mock_aws():
        sqs, s3 = aws_client("sqs"), aws_client("s3")
        s3.create_bucket(Bucket=LocalAws.bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        urls = [sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("retry", "dead")]
        yield LocalAws(sqs, s3, *urls)
