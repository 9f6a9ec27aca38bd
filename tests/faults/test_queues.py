"""Rows 43 and 47 to 55: the queues and the bucket, on a local AWS."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError

from shipper import deadletter
from shipper.aws.inbox import Inbox
from shipper.aws.queue import Bodies, QueueFailed, SqsLetters
from shipper.bulk import BulkReply
from shipper.model import Ledger
from shipper.replay import replay
from shipper.ship import Letters, Sink
from tests.faults.chain import deliver, event_at, event_of, lines
from tests.shipper.fakes import (
    SETTINGS,
    FakeClock,
    FakeLetters,
    FakeSink,
    LocalAws,
    accept,
    documents_of,
    local_aws,
    reply,
)

AWAY = BulkReply(503, None)


@pytest.fixture
def aws() -> Iterator[LocalAws]:
    with local_aws() as made:
        yield made


def letters_on(aws: LocalAws, sqs: Any = None, s3: Any = None) -> SqsLetters:
    return SqsLetters(
        lambda: sqs or aws.sqs, lambda: s3 or aws.s3, retry_url=aws.retry_url, dead_url=aws.dead_url, bucket=aws.bucket
    )


class Failing:
    """A queue or a bucket whose next answers are these: an error, or the numbers of the entries that fail."""

    def __init__(self, real: Any, *answers: Exception | list[int]) -> None:
        self._real = real
        self._answers = list(answers)
        self.sent: list[int] = []

    def send_message_batch(self, *, QueueUrl: str, Entries: Sequence[Any]) -> dict[str, Any]:  # noqa: N803 - SQS's names
        self.sent.append(len(Entries))
        match self._answers.pop(0) if self._answers else []:
            case Exception() as error:
                raise error
            case numbers:
                taken = [entry for at, entry in enumerate(Entries) if at not in numbers]
                failed = [{"Id": Entries[at]["Id"], "Code": "InternalError", "SenderFault": False} for at in numbers]
                if taken:
                    self._real.send_message_batch(QueueUrl=QueueUrl, Entries=taken)
                return {"Failed": failed}

    def put_object(self, **_: Any) -> None:
        raise self._answers.pop(0)  # type: ignore[misc] # a bucket has only errors here


def error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "SendMessageBatch")


DOWN: dict[str, BotoCoreError | ClientError] = {
    "down": EndpointConnectionError(endpoint_url="https://sqs.eu-west-1.amazonaws.com"),
    "denied": error("AccessDenied"),
    "KMS denied": error("KMS.AccessDeniedException"),
    "gone": error("AWS.SimpleQueueService.NonExistentQueue"),
}


@pytest.mark.parametrize("fault", DOWN.values(), ids=DOWN)
@pytest.mark.parametrize("then", [AWAY, reply(400, 400)], ids=["waiting", "refused"])
def test_a_queue_that_does_not_take_it_is_raised_and_the_next_try_completes(
    aws: LocalAws, fault: Exception, then: BulkReply
) -> None:
    """Row 47."""
    with pytest.raises(QueueFailed):
        deliver(lines(2), FakeSink(then=then), letters_on(aws, Failing(aws.sqs, fault)))
    assert aws.bodies_in(aws.retry_url) + aws.bodies_in(aws.dead_url) == []
    assert deliver(lines(2), FakeSink(), letters_on(aws)).ledger == Ledger(received=2, indexed=2)


def distinct(count: int) -> tuple[Any, FakeSink]:
    """Lines that are refused each for a reason of its own, so that each is a letter of its own."""
    items = [
        {"create": {"status": 400, "error": {"type": "parsing_exception", "reason": f"failed to parse field [f{n}]"}}}
        for n in range(count)
    ]
    return lines(count), FakeSink(BulkReply(200, {"items": items}))


def test_only_the_entries_that_failed_are_sent_again(aws: LocalAws) -> None:
    """Row 48."""
    event, sink = distinct(5)
    sqs = Failing(aws.sqs, [1, 3], [1])
    assert deliver(event, sink, letters_on(aws, sqs)).ledger == Ledger(received=5, dead_lettered=5)
    assert sqs.sent == [5, 2, 1]
    assert dead_ids(aws) == [f"event-{number}" for number in range(5)]


def test_entries_that_fail_for_good_are_raised(aws: LocalAws) -> None:
    """Row 48."""
    event, sink = distinct(5)
    with pytest.raises(QueueFailed, match="did not take 1 of 5"):
        deliver(event, sink, letters_on(aws, Failing(aws.sqs, [1], [0], [0])))


def dead_ids(aws: LocalAws) -> list[str]:
    bodies = Bodies(lambda: aws.s3, aws.bucket)
    return sorted(d.id for d in documents_of([bodies.unpack(text) for text in aws.bodies_in(aws.dead_url)]))


def large() -> dict[str, Any]:
    """Two lines of more than a message holds, and one that is small."""
    noise = random.Random(1)
    return event_of([event_at(n, noise.randbytes(900_000).hex()) for n in range(2)] + [event_at(2, "small")])


def test_what_no_message_holds_goes_to_the_bucket(aws: LocalAws) -> None:
    """Row 49."""
    sink = FakeSink(reply(400, 400, 201), then=reply(400, 400))
    assert deliver(large(), sink, letters_on(aws)).ledger == Ledger(received=3, indexed=1, dead_lettered=2)
    assert len(aws.keys()) == 2
    assert dead_ids(aws) == ["event-0", "event-1"]


def test_a_bucket_that_does_not_take_it_is_raised(aws: LocalAws) -> None:
    """Row 49."""
    sink = FakeSink(reply(400, 400, 201), then=reply(400, 400))
    with pytest.raises(QueueFailed):
        deliver(large(), sink, letters_on(aws, s3=Failing(aws.s3, error("AccessDenied"))))
    assert aws.bodies_in(aws.dead_url) == []


def one_dead_letter(aws: LocalAws) -> Inbox:
    deliver(lines(2), FakeSink(reply(400, 400), then=reply(400, 400)), letters_on(aws))
    return Inbox(aws.sqs, aws.dead_url)


def replayed(body: str, sink: Sink, letters: Letters) -> Ledger:
    ledger = replay(deadletter.unpack(body), sink, letters, FakeClock(), SETTINGS).ledger
    ledger.assert_balanced()
    return ledger


def test_two_operators_replay_one_letter_and_one_document_is_there(aws: LocalAws) -> None:
    """Rows 53 and 55: the letter was visible again before the first was done, and its receipt is stale."""
    inbox, sink = one_dead_letter(aws), FakeSink()
    (first,) = inbox.messages(limit=10, hide_s=0)
    (second,) = inbox.messages(limit=10, hide_s=30)
    assert replayed(first.body, sink, FakeLetters()) == Ledger(received=2, indexed=2)
    assert replayed(second.body, sink, FakeLetters()) == Ledger(received=2, duplicate=2)
    inbox.delete([second])
    with suppress(ClientError):  # SQS says nothing, or that the receipt is not valid
        inbox.delete([first])
    assert sink.stored == {"event-0", "event-1"}
    assert inbox.depth() == (0, 0)


class Killed(BaseException):
    """The process ends here."""


class Dying(FakeLetters):
    """Dies at its first call, before or after the letters are safe."""

    def __init__(self, *, after: bool) -> None:
        super().__init__()
        self._after = after

    def _take(self, letters: Sequence[Any], into: list[Any]) -> None:
        if self._after:
            super()._take(letters, into)
        raise Killed


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_crash_between_index_and_queue_leaves_each_event_somewhere(after: bool) -> None:
    """Row 43: the next try makes the same ids; a letter that was written twice is a duplicate at its replay."""
    sink, letters = FakeSink(reply(201, 400), then=reply(400)), Dying(after=after)
    sink.stored.add("event-0")
    with pytest.raises(Killed):
        deliver(lines(2), sink, letters)
    healed = FakeSink(then=accept)
    healed.stored |= sink.stored
    assert deliver(lines(2), healed, FakeLetters()).ledger == Ledger(received=2, indexed=1, duplicate=1)
    for letter in letters.buried:
        assert replayed(deadletter.pack(letter), healed, FakeLetters()) == Ledger(received=1, duplicate=1)
    assert len(letters.buried) == after
    assert healed.stored == {"event-0", "event-1"}
