from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from shipper import deadletter
from shipper.aws.queue import Message
from shipper.cli import letters
from shipper.cli.deployment import Deployment
from shipper.cli.letters import Entry
from shipper.cli.terminal import Failed
from shipper.model import DeadLetter, Document, Reason, Source
from shipper.repair import Repair
from tests.shipper.fakes import (
    INDEX,
    REFUSED,
    SOURCE,
    FakeSink,
    LocalAws,
    deployment_on,
    doc,
    lambda_event,
    local_aws,
    payload_of,
)
from tests.shipper.test_failures import KEY, TEST_EVENT, notification, record


@pytest.fixture
def aws() -> Iterator[LocalAws]:
    with local_aws() as made:
        yield made


@pytest.fixture
def found(aws: LocalAws) -> Deployment:
    return deployment_on(aws, FakeSink())


def letter_of(*documents: Document, reason: Reason = REFUSED, source: Source = SOURCE, at: str = "2026") -> DeadLetter:
    return deadletter.of_documents(documents, reason, source, failed_at=at, attempts=1)


def entry(letter: DeadLetter, id_: str = "m-1") -> Entry:
    return Entry(Message(id_, "receipt", deadletter.pack(letter)), letter)


def payload_entry(event: Any) -> Entry:
    return entry(deadletter.of_payload(event, Reason("timeout", "m"), failed_at="2026"))


def send(aws: LocalAws, *bodies: str) -> None:
    for body in bodies:
        aws.sqs.send_message(QueueUrl=aws.dead_url, MessageBody=body)


def test_reading_and_releasing_removes_nothing(aws: LocalAws, found: Deployment) -> None:
    send(aws, *(deadletter.pack(letter_of(doc(n))) for n in range(3)))
    for _ in range(2):
        entries = letters.read(found, 10, hide_s=30)
        assert sorted(e.letter.first_event_at for e in entries) == [doc(n).timestamp for n in range(3)]
        assert found.inbox.depth() == (0, 3)
        letters.release(found, entries)
        assert found.inbox.depth() == (3, 0)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param("rubbish", "not JSON", id="no envelope"),
        pytest.param('{"version": 9}', "version 9 is not 1", id="a version to come"),
        pytest.param(deadletter.pack_pointer(letter_of(doc(1)), "elsewhere/1"), "points outside", id="a wrong pointer"),
        pytest.param(deadletter.pack_pointer(letter_of(doc(1)), "letters/1"), "out of reach", id="a dangling pointer"),
    ],
)
def test_a_message_that_cannot_be_read_is_an_entry_that_says_why(
    aws: LocalAws, found: Deployment, body: str, said: str
) -> None:
    send(aws, body)
    (bad,) = letters.read(found, 10, hide_s=30)
    assert not bad.readable
    assert bad.letter.reason.type == "unreadable_letter"
    assert said in bad.letter.reason.message
    assert bad.message.body == body
    assert letters.content(bad, found) == [body]


ENTRIES = [
    entry(letter_of(doc(1)), "aaa-1"),
    entry(letter_of(doc(2), reason=Reason("other", "m")), "aab-2"),
    entry(letter_of(doc(3)), "b-3"),
]


@pytest.mark.parametrize(
    ("letter_id", "reason", "picked"),
    [
        (None, None, ["aaa-1", "aab-2", "b-3"]),
        ("aa", None, ["aaa-1", "aab-2"]),
        ("b-3", None, ["b-3"]),
        ("3", None, []),
        (None, "other", ["aab-2"]),
        (None, "oth", []),
        ("aa", REFUSED.type, ["aaa-1"]),
    ],
)
def test_letters_are_picked_by_the_beginning_of_their_id_and_by_reason(
    letter_id: str | None, reason: str | None, picked: list[str]
) -> None:
    assert [e.message.id for e in letters.pick(ENTRIES, letter_id, reason)] == picked


def test_groups_are_by_reason_field_and_log_group_the_largest_first() -> None:
    other = replace(SOURCE, log_group="/other")
    rows = letters.grouped(
        [
            entry(letter_of(doc(1), at="2026-11-02")),
            entry(letter_of(doc(2), doc(3), at="2026-11-01")),
            entry(letter_of(doc(4), source=other)),
            entry(letter_of(doc(5), reason=replace(REFUSED, field="m"))),
            entry(letter_of(*(doc(n) for n in range(9)), reason=Reason("other", "m"))),
        ]
    )
    keys = [(row["reason"], row["field"], row["log_group"], row["documents"], row["letters"]) for row in rows]
    assert keys == [
        ("other", "", SOURCE.log_group, 9, 1),
        (REFUSED.type, "n", SOURCE.log_group, 3, 2),
        (REFUSED.type, "n", "/other", 1, 1),
        (REFUSED.type, "m", SOURCE.log_group, 1, 1),
    ]
    assert (rows[1]["first_failed_at"], rows[1]["last_failed_at"]) == ("2026-11-01", "2026-11-02")


def test_no_letters_are_no_groups() -> None:
    assert letters.grouped([]) == []


def test_the_facts_of_a_letter_hold_none_of_its_content() -> None:
    facts = letters.facts(entry(letter_of(doc(1, "hunter2"), doc(5))))
    assert facts == {
        "id": "m-1",
        "kind": "documents",
        "reason": REFUSED.type,
        "status": 400,
        "field": "n",
        "message": REFUSED.message,
        "log_group": SOURCE.log_group,
        "log_stream": SOURCE.log_stream,
        "first_event_at": doc(1).timestamp,
        "last_event_at": doc(5).timestamp,
        "documents": 2,
        "attempts": 1,
        "first_failed_at": "2026",
    }


def test_the_content_of_documents_is_their_sources(found: Deployment) -> None:
    content = letters.content(entry(letter_of(doc(1, "one"), doc(2, "two"))), found)
    assert [document["@message"] for document in content] == ["one", "two"]


def test_the_content_can_be_seen_repaired(found: Deployment) -> None:
    odd = Document(INDEX, "1", b'{"a":{"b":1}}', "", ())
    assert letters.content(entry(letter_of(odd)), found, Repair(to_string=("a",))) == [{"a": '{"b":1}'}]


def test_the_content_of_a_payload_is_its_documents(found: Deployment) -> None:
    content = letters.content(payload_entry(lambda_event(payload_of("one"))), found)
    assert [document["@message"] for document in content] == ["one"]


@pytest.mark.parametrize("event", [{"awslogs": {"data": "%"}}, "text", None])
def test_the_content_of_an_unreadable_payload_is_what_came(found: Deployment, event: Any) -> None:
    assert letters.content(payload_entry(event), found) == [event]


@pytest.mark.parametrize(
    ("bad", "repair"),
    [
        (entry(replace(letter_of(doc(1)), count=2)), Repair()),
        (entry(letter_of(Document(INDEX, "1", b'{"a":1,"b":2}', "", ()))), Repair(rename=(("a", "b"),))),
    ],
    ids=["counted wrong", "a repair that cannot be done"],
)
def test_content_that_cannot_be_shown_names_the_letter(found: Deployment, bad: Entry, repair: Repair) -> None:
    with pytest.raises(Failed, match="letter m-1: "):
        letters.content(bad, found, repair)


def test_what_lambda_gave_up_on_is_listed_and_shown_as_its_documents(aws: LocalAws, found: Deployment) -> None:
    aws.s3.put_object(Bucket=aws.bucket, Key=KEY, Body=json.dumps(record()).encode())
    send(aws, json.dumps(notification()), json.dumps(TEST_EVENT))
    entries = sorted(letters.read(found, 10, hide_s=30), key=lambda e: e.letter.reason.type)
    assert [e.readable for e in entries] == [True, True]
    assert [(row["reason"], row["documents"]) for row in letters.grouped(entries)] == [
        ("lambda_failure", 1),
        ("s3_test_event", 0),
    ]
    assert letters.facts(entries[0])["message"].startswith("RetriesExhausted: QueueFailed: ")
    assert [[document["@message"] for document in letters.content(e, found)] for e in entries] == [["one", "two"], []]


@pytest.mark.parametrize(
    ("message", "said"),
    [
        pytest.param(notification(), "out of reach", id="a record that is gone"),
        pytest.param(notification(bucket="elses"), "another bucket", id="another bucket"),
        pytest.param(notification("letters/1.gz"), "points outside", id="no record"),
    ],
)
def test_a_notification_that_leads_nowhere_says_why(
    aws: LocalAws, found: Deployment, message: dict[str, Any], said: str
) -> None:
    send(aws, json.dumps(message))
    (bad,) = letters.read(found, 10, hide_s=30)
    assert (bad.readable, bad.letter.reason.type) == (False, "unreadable_letter")
    assert said in bad.letter.reason.message
