"""Lambda's own records, as they come to the dead-letter queue: read for what they are, refused where forged."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper import bulk, deadletter, failures
from shipper.deadletter import BadEnvelope
from shipper.failures import Announced
from shipper.model import Batch, DeadLetter
from shipper.replay import opened, replay
from tests.shipper.fakes import (
    NOW_MS,
    REFUSED,
    SETTINGS,
    SOURCE,
    FakeClock,
    FakeLetters,
    FakeSink,
    doc,
    lambda_event,
    patient,
    payload_of,
)

BUCKET = "failed-events"
KEY = "aws/lambda/async/shipper-Subscriber-9jX/2026/11/20/2026-11-20T09.14.03-f6a3e2c1-2d58-4d0c-9a5e-0c1b7e6f2d11"
EVENT = lambda_event(payload_of("one", "two"))
TIMED_OUT = {"errorMessage": "2026-11-20T09:14:03.114Z 1b9d Task timed out after 120.00 seconds"}
RAISED = {"errorMessage": "https://sqs/dead: no", "errorType": "QueueFailed", "stackTrace": ["a", "b"]}
CONTEXT = {
    "requestId": "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed",
    "functionArn": "arn:aws:lambda:eu-west-1:123456789012:function:shipper-Subscriber-9jX:$LATEST",
    "condition": "RetriesExhausted",
    "approximateInvokeCount": 3,
}


def record(context: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """A record as Lambda writes it, with some keys of it and of its context changed; those set to ... are gone."""
    whole = {
        "version": "1.0",
        "timestamp": "2026-11-20T09:14:03.568Z",
        "requestContext": {**CONTEXT, **(context or {})},
        "requestPayload": EVENT,
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": RAISED,
        **changes,
    }
    return {key: value for key, value in whole.items() if value is not ...}


def notification(key: Any = KEY, *, bucket: Any = BUCKET, **changes: Any) -> dict[str, Any]:
    """What S3 sends of one object, with some keys of its record changed."""
    one = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "eu-west-1",
        "eventTime": "2026-11-20T09:14:04.102Z",
        "eventName": "ObjectCreated:Put",
        "userIdentity": {"principalId": "AWS:AROA"},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "f6a3",
            "bucket": {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"},
            "object": {"key": key, "size": 2048, "eTag": "d41d", "versionId": "3sL4", "sequencer": "0055"},
        },
        **changes,
    }
    return {"Records": [one]}


TEST_EVENT = {
    "Service": "Amazon S3",
    "Event": "s3:TestEvent",
    "Time": "2026-11-20T08:00:00.000Z",
    "Bucket": BUCKET,
    "RequestId": "5582815E1AEA5ADF",
    "HostId": "8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3eKxsPzbB9wrR",
}


def read(message: Any) -> DeadLetter | Announced | None:
    return failures.read(json.dumps(message), BUCKET)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(json.dumps(TEST_EVENT), True, id="S3's"),
        pytest.param(json.dumps({**TEST_EVENT, "Bucket": "of-others"}), False, id="of another bucket"),
        pytest.param(json.dumps({**TEST_EVENT, "Event": "s3:ObjectCreated:Put"}), False, id="another event"),
        pytest.param(json.dumps(notification()), False, id="of a record"),
        pytest.param(json.dumps(record()), False, id="a record"),
        pytest.param("s3:TestEvent", False, id="not JSON"),
        pytest.param("[]", False, id="no object"),
    ],
)
def test_the_test_event_is_told_from_every_other_message(text: str, expected: bool) -> None:
    assert failures.is_test_event(text, BUCKET) is expected


def letter(message: Any) -> DeadLetter:
    found = read(message)
    assert isinstance(found, DeadLetter)
    return found


def test_a_record_is_a_letter_with_the_event_in_it() -> None:
    found = letter(record())
    assert (found.kind, found.count, found.attempts) == ("payload", 1, 3)
    assert found.first_failed_at == "2026-11-20T09:14:03.568Z"
    assert found.reason.type == "lambda_failure"
    assert json.loads(found.body) == EVENT


@pytest.mark.parametrize(
    ("made", "message"),
    [
        pytest.param(record(), "RetriesExhausted: QueueFailed: https://sqs/dead: no", id="raised"),
        pytest.param(
            record(responsePayload=TIMED_OUT), f"RetriesExhausted: {TIMED_OUT['errorMessage']}", id="timed out"
        ),
        pytest.param(
            record(responsePayload={"errorType": "Runtime.ExitError", "errorMessage": "signal: killed"}),
            "RetriesExhausted: Runtime.ExitError: signal: killed",
            id="out of memory",
        ),
        pytest.param(
            record({"condition": "EventAgeExceeded"}, responsePayload=None, responseContext=None),
            "EventAgeExceeded",
            id="too old",
        ),
        pytest.param(
            record({"condition": "EventAgeExceeded"}, responsePayload=...), "EventAgeExceeded", id="throttled"
        ),
        pytest.param(record(responsePayload={"errorMessage": 5}), "RetriesExhausted", id="an odd error message"),
        pytest.param(record(responsePayload="died"), "RetriesExhausted", id="an odd answer"),
    ],
)
def test_the_reason_says_what_lambda_says(made: dict[str, Any], message: str) -> None:
    """Rows 41, 42, 45."""
    assert letter(made).reason.message == message


def test_a_record_of_an_event_that_was_never_tried_counts_no_attempt() -> None:
    assert letter(record({"approximateInvokeCount": 0})).attempts == 0


def test_a_long_error_message_is_bounded_and_quotes_no_value() -> None:
    said = ["x" * 100_000, "Preview of field's value: 'hunter2' " + "x" * 100_000]
    long, quoting = (letter(record(responsePayload={"errorMessage": text})).reason.message for text in said)
    assert len(long) == bulk.MAX_REASON_CHARS
    assert quoting == "RetriesExhausted: Preview of field's value: (left out)"


@pytest.mark.parametrize("event", [EVENT, None, [], "text", {"awslogs": {"data": "\ud800"}}])
def test_any_event_is_kept(event: Any) -> None:
    assert letter(record(requestPayload=event)).body.isascii()


def test_a_record_from_the_bucket_is_read_as_one_from_the_queue() -> None:
    assert failures.of_record(json.dumps(record()).encode()) == letter(record())


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        (KEY, KEY),
        (KEY.replace("/", "%2F"), KEY),
        ("aws/lambda/async/f/a+b%3A", "aws/lambda/async/f/a b:"),
        ("aws/lambda/async/f/2026..", "aws/lambda/async/f/2026.."),
    ],
)
def test_a_notification_points_at_a_record(key: str, meant: str) -> None:
    """S3 writes keys as in a URL; https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html"""
    assert read(notification(key)) == Announced(meant)


FORGED_RECORDS = [
    pytest.param(record(requestPayload=...), id="no event"),
    pytest.param(record(timestamp=...), id="no time"),
    pytest.param(record(timestamp=5), id="time is a number"),
    pytest.param({**record(), "requestContext": "x"}, id="context is a text"),
    pytest.param({**record(), "requestContext": None}, id="context is null"),
    pytest.param({**record(), "requestContext": {}}, id="context is empty"),
    pytest.param(record({"condition": None}), id="condition is null"),
    pytest.param(record({"approximateInvokeCount": "3"}), id="count is a text"),
    pytest.param(record({"approximateInvokeCount": True}), id="count is a boolean"),
    pytest.param(record({"approximateInvokeCount": -1}), id="count is negative"),
]


@pytest.mark.parametrize("forged", FORGED_RECORDS)
def test_a_forged_record_is_refused(forged: Any) -> None:
    """Row 58."""
    with pytest.raises(BadEnvelope, match="not a readable message of Lambda or S3"):
        read(forged)
    with pytest.raises(BadEnvelope, match="not a readable record of Lambda"):
        failures.of_record(json.dumps(forged).encode())


@pytest.mark.parametrize(
    "body", [b"", b"rubbish", b"\xff", b"[]", b"null", b"{}", b"[" * 2_000], ids=lambda body: repr(body[:8])
)
def test_an_object_that_is_no_record_is_refused(body: bytes) -> None:
    with pytest.raises(BadEnvelope):
        failures.of_record(body)


def test_an_event_nested_without_end_is_a_letter_or_refused() -> None:
    deep = json.dumps(record(requestPayload="@")).replace('"@"', "[" * 1_020 + "]" * 1_020)
    try:
        assert isinstance(failures.read(deep, BUCKET), DeadLetter)
    except BadEnvelope as error:
        assert "RecursionError" in str(error)  # noqa: PT017 - as deep as the interpreter goes


@pytest.mark.parametrize(
    ("forged", "said"),
    [
        pytest.param(notification(bucket="somebody-elses"), "another bucket", id="another bucket"),
        pytest.param(notification(bucket=None), "another bucket", id="no bucket"),
        pytest.param(notification("letters/1.gz"), "points outside", id="a letter's body"),
        pytest.param(notification("/" + KEY), "points outside", id="a leading slash"),
        pytest.param(notification("AWS/lambda/async/f/1"), "points outside", id="capitals"),
        pytest.param(notification("aws/lambda/async/../../letters/1.gz"), "points outside", id="dots"),
        pytest.param(notification("aws/lambda/async/%2E%2E/1"), "points outside", id="dots as in a URL"),
        pytest.param(notification("aws/lambda/async/f/.."), "points outside", id="dots at the end"),
        pytest.param(notification(KEY + "x" * 1_024), "points outside", id="longer than any key"),
        pytest.param(notification(["aws/lambda/async/f/1"]), "key is no text", id="key is a list"),
        pytest.param(notification(eventSource="aws:sns"), "not from S3", id="another source"),
        pytest.param(notification(s3={}), "KeyError", id="no object"),
        pytest.param(notification(s3="x"), "TypeError", id="object is a text"),
        pytest.param({"Records": []}, "of one object", id="of none"),
        pytest.param({"Records": notification()["Records"] * 2}, "of one object", id="of two"),
        pytest.param({"Records": {"0": 1}}, "of one object", id="records are an object"),
        pytest.param({"Records": ["x"]}, "TypeError", id="record is a text"),
        pytest.param({**TEST_EVENT, "Time": None}, "Time is no text", id="a test without a time"),
    ],
)
def test_a_forged_notification_is_refused(forged: Any, said: str) -> None:
    """Row 58: a message chooses neither the bucket nor what is read from ours."""
    with pytest.raises(BadEnvelope, match=said):
        read(forged)


@pytest.mark.parametrize("message", [{}, {"Event": "s3:Other"}, json.loads(deadletter.pack(letter(record())))])
def test_other_messages_are_left_to_others(message: Any) -> None:
    assert read(message) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)


@patient
@given(
    st.one_of(
        st.dictionaries(st.sampled_from([*record(), "Event", "Time", "Records"]), json_values, max_size=3).map(
            lambda changes: {**record(), **changes}
        ),
        st.dictionaries(st.sampled_from(["eventSource", "s3"]), json_values, max_size=2).map(
            lambda changes: notification(**changes)
        ),
        json_values.map(notification),
    )
)
def test_no_message_raises_anything_else(message: Any) -> None:
    try:
        read(message)
    except BadEnvelope as error:
        assert str(error)  # noqa: PT017 - most messages are refused, some are not


def test_the_documents_of_a_record_are_those_of_its_event() -> None:
    inside = opened(letter(record()), SETTINGS, NOW_MS)
    assert isinstance(inside, Batch)
    assert [document.id for document in inside.documents] == ["event-0", "event-1"]


def test_a_replay_delivers_the_event_with_the_ids_that_it_has() -> None:
    """Rows 41 and 44: what was written before Lambda gave up answers that it is there."""
    sink, letters = FakeSink(), FakeLetters()
    for indexed, duplicate in ((2, 0), (0, 2)):
        replayed = replay(letter(record()), sink, letters, FakeClock(), SETTINGS)
        assert replayed.done
        assert (replayed.ledger.indexed, replayed.ledger.duplicate) == (indexed, duplicate)
    assert sorted(sink.stored) == ["event-0", "event-1"]


def test_the_test_of_s3_is_a_letter_that_holds_nothing_and_goes_at_a_replay() -> None:
    found = letter(TEST_EVENT)
    assert (found.reason.type, found.count, found.attempts) == ("s3_test_event", 0, 0)
    assert found.first_failed_at == TEST_EVENT["Time"]
    sink, letters = FakeSink(), FakeLetters()
    replayed = replay(found, sink, letters, FakeClock(), SETTINGS)
    assert (replayed.done, replayed.ledger.received, sink.requests) == (True, 0, [])


def test_a_letter_of_lambda_goes_through_the_envelope() -> None:
    found = letter(record())
    assert deadletter.unpack(deadletter.pack(found)) == found
    again = deadletter.again([deadletter.of_documents([doc(1)], REFUSED, SOURCE, failed_at="", attempts=1)], found)
    assert again == [replace(again[0], first_failed_at=found.first_failed_at, attempts=4)]
