from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from shipper import deadletter, failures
from shipper.aws.queue import Bodies, QueueFailed, SqsLetters
from shipper.deadletter import BadEnvelope
from shipper.model import DeadLetter
from tests.shipper.fakes import REFUSED, SOURCE, LocalAws, doc, local_aws
from tests.shipper.test_failures import EVENT, KEY, TEST_EVENT, notification, record


@pytest.fixture
def aws() -> Iterator[LocalAws]:
    with local_aws() as made:
        yield made


def letters_on(aws: LocalAws, sqs: Any = None) -> SqsLetters:
    return SqsLetters(
        lambda: sqs or aws.sqs, lambda: aws.s3, retry_url=aws.retry_url, dead_url=aws.dead_url, bucket=aws.bucket
    )


def letter_of(*numbers: int) -> DeadLetter:
    return deadletter.of_documents([doc(n) for n in numbers], REFUSED, SOURCE, failed_at="2026", attempts=1)


def big_letter(seed: int = 1) -> DeadLetter:
    """A document of 1.2 MB that does not compress to a message."""
    noise = random.Random(seed).randbytes(900_000).hex()
    return deadletter.of_documents([doc(seed, noise)], REFUSED, SOURCE, failed_at="2026", attempts=1)


class FakeSqs:
    """Takes the entries but those that `refused` names, as often as it says."""

    def __init__(self, refused: dict[str, int], error: Exception | None = None) -> None:
        self._refused = dict(refused)
        self._error = error
        self.calls: list[list[str]] = []
        self.taken: list[str] = []

    def send_message_batch(self, *, QueueUrl: str, Entries: Sequence[dict[str, str]]) -> dict[str, Any]:  # noqa: N803
        if self._error:
            raise self._error
        self.calls.append([entry["Id"] for entry in Entries])
        failed = []
        for entry in Entries:
            if self._refused.get(entry["Id"], 0) > 0:
                self._refused[entry["Id"]] -= 1
                failed.append({"Id": entry["Id"], "Code": "InternalError", "SenderFault": False})
            else:
                self.taken.append(entry["MessageBody"])
        return {"Successful": [], "Failed": failed} if failed else {"Successful": []}


def unpacked(bodies: Sequence[str]) -> list[DeadLetter]:
    return [deadletter.unpack(body) for body in bodies]


def test_each_queue_gets_its_own_letters(aws: LocalAws) -> None:
    letters = letters_on(aws)
    letters.retry([letter_of(1)])
    letters.bury([letter_of(2), letter_of(3)])
    assert unpacked(aws.bodies_in(aws.retry_url)) == [letter_of(1)]
    assert sorted(letter.body for letter in unpacked(aws.bodies_in(aws.dead_url))) == [
        letter_of(2).body,
        letter_of(3).body,
    ]


def test_a_postponed_letter_is_hidden_for_so_long(aws: LocalAws) -> None:
    letters = letters_on(aws)
    letters.retry([letter_of(1)])
    (message,) = aws.sqs.receive_message(QueueUrl=aws.retry_url, VisibilityTimeout=1)["Messages"]
    letters.postpone(message["ReceiptHandle"], 900)
    time.sleep(1.1)
    assert aws.bodies_in(aws.retry_url) == []
    letters.postpone(message["ReceiptHandle"], 0)
    assert unpacked(aws.bodies_in(aws.retry_url)) == [letter_of(1)]


def test_a_letter_that_cannot_be_postponed_is_said(aws: LocalAws) -> None:
    with pytest.raises(QueueFailed, match=f"^{aws.retry_url}: .*ReceiptHandleIsInvalid"):
        letters_on(aws).postpone("of another queue", 900)


def test_hostile_content_goes_through_a_queue_unharmed(aws: LocalAws) -> None:
    """SQS refuses control characters and surrogates; moto does not, so the envelope is looked at, too."""
    reason = replace(REFUSED, message="\x00\x1b[31m\ud800\u2028", field="\ufffe")
    letters_on(aws).bury([deadletter.of_documents([doc(1, "\x00\u009b")], reason, SOURCE, failed_at="", attempts=1)])
    (body,) = aws.bodies_in(aws.dead_url)
    assert body.isascii()
    assert body.isprintable()
    assert deadletter.documents_in(deadletter.unpack(body)) == [doc(1, "\x00\u009b")]


@pytest.mark.parametrize(("count", "calls"), [(0, []), (1, [1]), (10, [10]), (11, [10, 1]), (25, [10, 10, 5])])
def test_letters_go_in_batches_of_ten(aws: LocalAws, count: int, calls: list[int]) -> None:
    sqs = FakeSqs({})
    letters_on(aws, sqs).bury([letter_of(number) for number in range(count)])
    assert [len(ids) for ids in sqs.calls] == calls
    assert unpacked(sqs.taken) == [letter_of(number) for number in range(count)]


def test_a_batch_stays_under_a_mebibyte(aws: LocalAws) -> None:
    """Row 49; moto refuses a larger one as SQS does."""
    noise = random.Random(1)
    sent = [
        deadletter.of_documents([doc(n, noise.randbytes(150_000).hex())], REFUSED, SOURCE, failed_at="", attempts=1)
        for n in range(12)
    ]
    letters_on(aws).bury(sent)
    assert len(aws.bodies_in(aws.dead_url)) == 12


@pytest.mark.parametrize(
    ("refused", "calls"),
    [
        pytest.param({"1": 1}, [["0", "1", "2"], ["1"]], id="one, once"),
        pytest.param({"0": 2, "2": 1}, [["0", "1", "2"], ["0", "2"], ["0"]], id="two, one of them twice"),
    ],
)
def test_entries_that_failed_are_sent_again_alone(
    aws: LocalAws, refused: dict[str, int], calls: list[list[str]]
) -> None:
    """Row 48: a batch call answers 200 even when some entries failed."""
    sqs = FakeSqs(refused)
    letters_on(aws, sqs).bury([letter_of(n) for n in range(3)])
    assert sqs.calls == calls
    assert sorted(letter.body for letter in unpacked(sqs.taken)) == [letter_of(n).body for n in range(3)]


def test_entries_that_fail_for_good_are_raised(aws: LocalAws) -> None:
    with pytest.raises(QueueFailed, match="did not take 1 of 2 messages: InternalError"):
        letters_on(aws, FakeSqs({"1": 99})).bury([letter_of(1), letter_of(2)])


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "KMS.AccessDeniedException", "Message": "no"}}, "SendMessageBatch"),
        EndpointConnectionError(endpoint_url="https://sqs"),
    ],
    ids=["denied", "unreachable"],
)
def test_a_queue_that_is_down_is_raised(aws: LocalAws, error: Exception) -> None:
    """Row 47."""
    letters = letters_on(aws, FakeSqs({}, error))
    for send in (letters.retry, letters.bury):
        with pytest.raises(QueueFailed):
            send([letter_of(1)])


def test_a_queue_that_is_not_there_is_raised(aws: LocalAws) -> None:
    letters = SqsLetters(
        lambda: aws.sqs, lambda: aws.s3, retry_url=aws.retry_url + "x", dead_url=aws.dead_url + "x", bucket=aws.bucket
    )
    with pytest.raises(QueueFailed):
        letters.bury([letter_of(1)])


def test_clients_are_made_when_first_needed(aws: LocalAws) -> None:
    made: list[str] = []
    letters = SqsLetters(
        lambda: made.append("sqs") or aws.sqs,  # type: ignore[func-returns-value]
        lambda: made.append("s3") or aws.s3,  # type: ignore[func-returns-value]
        retry_url=aws.retry_url,
        dead_url=aws.dead_url,
        bucket=aws.bucket,
    )
    assert made == []
    letters.bury([letter_of(1)])
    letters.bury([letter_of(2)])
    assert made == ["sqs"]


def test_a_letter_over_a_mebibyte_goes_to_the_bucket_and_comes_back(aws: LocalAws) -> None:
    letters_on(aws).bury([big_letter(), letter_of(2)])
    bodies = Bodies(lambda: aws.s3, aws.bucket)
    found = aws.bodies_in(aws.dead_url)
    assert sorted(map(len, found))[-1] < 2_000
    (key,) = aws.keys()
    assert key.startswith("letters/")
    assert {letter.count: letter for letter in map(bodies.unpack, found) if letter == big_letter()}
    assert {letter.body for letter in map(bodies.unpack, found)} == {big_letter().body, letter_of(2).body}


def test_the_same_large_letter_is_stored_once(aws: LocalAws) -> None:
    bodies = Bodies(lambda: aws.s3, aws.bucket)
    assert bodies.pack(big_letter()) == bodies.pack(big_letter())
    bodies.pack(big_letter(2))
    assert len(aws.keys()) == 2


def test_a_bucket_that_is_down_is_raised(aws: LocalAws) -> None:
    aws.s3.delete_bucket(Bucket=aws.bucket)
    with pytest.raises(QueueFailed):
        letters_on(aws).bury([big_letter()])


def test_a_pointer_to_nothing_says_so(aws: LocalAws) -> None:
    """Row 50: the letter stays in its queue and is reported."""
    with pytest.raises(QueueFailed, match=r"letters/gone\.gz is out of reach"):
        Bodies(lambda: aws.s3, aws.bucket).unpack(deadletter.pack_pointer(letter_of(1), "letters/gone.gz"))


@pytest.mark.parametrize("key", ["other/1.gz", "/letters/1.gz", "../letters/1.gz", "LETTERS/1.gz", "letter"])
def test_a_pointer_outside_the_letters_is_not_followed(aws: LocalAws, key: str) -> None:
    """The bucket holds whole failed events, too: no message may have one read as a letter."""
    aws.s3.put_object(Bucket=aws.bucket, Key=key, Body=b"secret")
    with pytest.raises(BadEnvelope, match="points outside letters/"):
        Bodies(lambda: aws.s3, aws.bucket).unpack(deadletter.pack_pointer(letter_of(1), key))


def test_a_pointer_longer_than_any_key_is_not_followed() -> None:
    message = deadletter.pack_pointer(letter_of(1), "letters/" + "x" * 100_000)
    with pytest.raises(BadEnvelope, match="points outside letters/"):
        Bodies(lambda: pytest.fail("the bucket is asked"), "bucket").unpack(message)


@pytest.mark.parametrize("body", [b"", b"rubbish", b"\x1f\x8b\x08"])
def test_a_body_in_the_bucket_that_is_no_letter_is_refused(aws: LocalAws, body: bytes) -> None:
    aws.s3.put_object(Bucket=aws.bucket, Key="letters/1.gz", Body=body)
    with pytest.raises(BadEnvelope):
        deadletter.documents_in(
            Bodies(lambda: aws.s3, aws.bucket).unpack(deadletter.pack_pointer(letter_of(1), "letters/1.gz"))
        )


def test_documents_that_went_through_the_bucket_can_be_sent(aws: LocalAws) -> None:
    bodies = Bodies(lambda: aws.s3, aws.bucket)
    letter = replace(big_letter(), body=big_letter().body + letter_of(2).body, count=2)
    assert [d.id for d in deadletter.documents_in(bodies.unpack(bodies.pack(letter)))] == ["id-1", "id-2"]


def test_a_record_that_s3_tells_of_is_read_from_the_bucket(aws: LocalAws) -> None:
    aws.s3.put_object(Bucket=aws.bucket, Key=KEY, Body=json.dumps(record()).encode())
    found = Bodies(lambda: aws.s3, aws.bucket).unpack(json.dumps(notification()))
    assert found == failures.of_record(json.dumps(record()).encode())
    assert json.loads(found.body) == EVENT


def test_a_record_of_another_bucket_is_not_read(aws: LocalAws) -> None:
    """Row 58."""
    aws.s3.create_bucket(Bucket="elses", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    aws.s3.put_object(Bucket="elses", Key=KEY, Body=json.dumps(record()).encode())
    aws.s3.put_object(Bucket=aws.bucket, Key=KEY, Body=json.dumps(record()).encode())
    with pytest.raises(BadEnvelope, match="another bucket"):
        Bodies(lambda: aws.s3, aws.bucket).unpack(json.dumps(notification(bucket="elses")))


@pytest.mark.parametrize("message", [notification("letters/1.gz"), notification("aws/lambda/async/../1")])
def test_for_a_forged_notification_the_bucket_is_not_asked(message: dict[str, Any]) -> None:
    with pytest.raises(BadEnvelope, match="points outside"):
        Bodies(lambda: pytest.fail("the bucket is asked"), "failed-events").unpack(json.dumps(message))


def test_a_record_that_is_gone_is_a_fault_and_no_forgery(aws: LocalAws) -> None:
    """Row 50: the letter stays."""
    with pytest.raises(QueueFailed, match=f"{KEY} is out of reach"):
        Bodies(lambda: aws.s3, aws.bucket).unpack(json.dumps(notification()))


@pytest.mark.parametrize("body", [b"", b"rubbish", b"\xff", b"[]", b"{}"])
def test_a_record_in_the_bucket_that_is_none_is_refused(aws: LocalAws, body: bytes) -> None:
    aws.s3.put_object(Bucket=aws.bucket, Key=KEY, Body=body)
    with pytest.raises(BadEnvelope):
        Bodies(lambda: aws.s3, aws.bucket).unpack(json.dumps(notification()))


@pytest.mark.parametrize("message", [record(), TEST_EVENT], ids=["record", "test"])
def test_what_needs_no_bucket_does_not_ask_it(message: dict[str, Any]) -> None:
    found = Bodies(lambda: pytest.fail("the bucket is asked"), "failed-events").unpack(json.dumps(message))
    assert found == failures.read(json.dumps(message), "failed-events")


def test_s3_itself_tells_of_records_and_of_nothing_else(aws: LocalAws) -> None:
    """With what moto sends in the place of S3, from a bucket that is told as the stack tells it."""
    arn = aws.sqs.get_queue_attributes(QueueUrl=aws.dead_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    rules = [{"Name": "prefix", "Value": failures.KEY_PREFIX}]
    told = {"QueueArn": arn, "Events": ["s3:ObjectCreated:*"], "Filter": {"Key": {"FilterRules": rules}}}
    aws.s3.put_bucket_notification_configuration(
        Bucket=aws.bucket, NotificationConfiguration={"QueueConfigurations": [told]}
    )
    for key in ("letters/1.gz", KEY):
        aws.s3.put_object(Bucket=aws.bucket, Key=key, Body=json.dumps(record()).encode())
    bodies = Bodies(lambda: aws.s3, aws.bucket)
    found = [bodies.unpack(message).reason.type for message in aws.bodies_in(aws.dead_url)]
    assert found == ["s3_test_event", "lambda_failure"]
