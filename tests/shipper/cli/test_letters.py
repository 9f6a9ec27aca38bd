from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, cast

import pytest

from shipper import deadletter
from shipper.aws.inbox import Message
from shipper.aws.queue import Bodies
from shipper.cli import letters
from shipper.cli.deployment import Deployment
from shipper.cli.letters import Entry
from shipper.cli.terminal import Failed
from shipper.model import DeadLetter, Document, Reason, Source
from tests.shipper.fakes import (
    NOW_MS,
    REFUSED,
    SOURCE,
    FakeSink,
    LocalAws,
    deployment_on,
    doc,
    lambda_event,
    payload_of,
)
from tests.shipper.test_failures import KEY, TEST_EVENT, notification, record


@pytest.fixture
def found(aws: LocalAws) -> Deployment:
    return deployment_on(aws, FakeSink())


def letter_of(*documents: Document, reason: Reason = REFUSED, source: Source = SOURCE, at: str = "2026") -> DeadLetter:
    return deadletter.of_documents(documents, reason, source, failed_at=at, attempts=1)


def entry(letter: DeadLetter, id_: str = "m-1") -> Entry:
    return Entry(Message(id_, "receipt", deadletter.pack(letter)), letter, letter.kind)


def payload_entry(event: Any) -> Entry:
    return entry(deadletter.of_payload(event, Reason("timeout", "m"), failed_at="2026"))


def message(body: str) -> Message:
    return Message("m-1", "receipt", body, NOW_MS)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param("rubbish", "not JSON", id="no envelope"),
        pytest.param('{"version": 9}', "version 9 is not 1", id="a version to come"),
        pytest.param(deadletter.pack_pointer(letter_of(doc(1)), "elsewhere/1"), "points outside", id="a wrong pointer"),
        pytest.param(deadletter.pack_pointer(letter_of(doc(1)), "letters/1"), "out of reach", id="a dangling pointer"),
    ],
)
def test_a_message_that_cannot_be_read_is_an_entry_that_says_why(found: Deployment, body: str, said: str) -> None:
    bad = letters.in_full(message(body), found)
    assert not bad.readable
    assert bad.letter.reason.type == "unreadable_letter"
    assert said in bad.letter.reason.message
    assert bad.message.body == body
    assert letters.content(bad, found) == [body]


FORMS = [
    pytest.param(deadletter.pack(letter_of(doc(1))), "documents", False, id="documents"),
    pytest.param(deadletter.pack_pointer(letter_of(doc(1)), "letters/1"), "documents", True, id="in the bucket"),
    pytest.param(deadletter.pack(deadletter.of_payload({}, REFUSED, failed_at="")), "payload", False, id="payload"),
    pytest.param(json.dumps(record()), "lambda_record", False, id="a record of Lambda"),
    pytest.param(json.dumps(notification()), "lambda_record", True, id="S3's word of a record"),
    pytest.param(json.dumps(TEST_EVENT), "lambda_record", False, id="a test of S3"),
    pytest.param("rubbish", "unreadable", False, id="rubbish"),
]


@pytest.mark.parametrize(("body", "form", "in_bucket"), FORMS)
def test_a_headline_says_what_it_is_and_never_asks_the_bucket(
    found: Deployment, body: str, form: str, in_bucket: bool
) -> None:
    head = letters.headline(message(body), replace(found, bodies=cast("Bodies", None)))
    assert (head.form, head.in_bucket, head.readable) == (form, in_bucket, form != "unreadable")


@pytest.mark.parametrize("body", [json.dumps(notification()), "rubbish"])
def test_what_has_no_time_of_its_own_failed_when_its_message_came(found: Deployment, body: str) -> None:
    assert letters.headline(message(body), found).letter.failed_at == "2026-11-24T12:00:00Z"


def test_the_facts_of_a_letter_hold_none_of_its_content() -> None:
    facts = letters.facts(entry(letter_of(doc(1, "hunter2"), doc(5))))
    assert facts == {
        "id": "m-1",
        "form": "documents",
        "kind": "documents",
        "reason": REFUSED.type,
        "status": 400,
        "field": "n",
        "message": REFUSED.message,
        "owner": SOURCE.owner,
        "log_group": SOURCE.log_group,
        "log_stream": SOURCE.log_stream,
        "first_event_at": doc(1).timestamp,
        "last_event_at": doc(5).timestamp,
        "documents": 2,
        "attempts": 1,
        "first_failed_at": "2026",
        "failed_at": "2026",
        "history": [],
    }


def test_the_facts_tell_of_former_failures(found: Deployment) -> None:
    (again,) = deadletter.again([letter_of(doc(1), at="2027")], letter_of(doc(1), reason=Reason("old", "m")))
    facts = letters.facts(letters.in_full(message(deadletter.pack(again)), found))
    assert (facts["attempts"], facts["first_failed_at"], facts["failed_at"]) == (2, "2026", "2027")
    assert facts["history"] == [{"at": "2026", "reason": "old", "message": "m"}]


def test_the_content_of_documents_is_their_sources(found: Deployment) -> None:
    content = letters.content(entry(letter_of(doc(1, "one"), doc(2, "two"))), found)
    assert [document["@message"] for document in content] == ["one", "two"]


def test_the_content_of_a_payload_is_its_documents(found: Deployment) -> None:
    content = letters.content(payload_entry(lambda_event(payload_of("one"))), found)
    assert [document["@message"] for document in content] == ["one"]


@pytest.mark.parametrize("event", [{"awslogs": {"data": "%"}}, "text", None])
def test_the_content_of_an_unreadable_payload_is_what_came(found: Deployment, event: Any) -> None:
    assert letters.content(payload_entry(event), found) == [event]


def test_content_that_cannot_be_shown_names_the_letter(found: Deployment) -> None:
    with pytest.raises(Failed, match="letter m-1: "):
        letters.content(entry(replace(letter_of(doc(1)), count=2)), found)


def test_what_lambda_gave_up_on_is_shown_as_its_documents(aws: LocalAws, found: Deployment) -> None:
    aws.s3.put_object(Bucket=aws.bucket, Key=KEY, Body=json.dumps(record()).encode())
    given_up, tried = (letters.in_full(message(json.dumps(body)), found) for body in (notification(), TEST_EVENT))
    assert letters.facts(given_up)["message"].startswith("RetriesExhausted: QueueFailed: ")
    assert [document["@message"] for document in letters.content(given_up, found)] == ["one", "two"]
    assert (tried.letter.reason.type, letters.content(tried, found)) == ("s3_test_event", [])


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param(notification(), "out of reach", id="a record that is gone"),
        pytest.param(notification(bucket="elses"), "another bucket", id="another bucket"),
        pytest.param(notification("letters/1.gz"), "points outside", id="no record"),
    ],
)
def test_a_notification_that_leads_nowhere_says_why(found: Deployment, body: dict[str, Any], said: str) -> None:
    bad = letters.in_full(message(json.dumps(body)), found)
    assert (bad.readable, bad.letter.reason.type) == (False, "unreadable_letter")
    assert said in bad.letter.reason.message
