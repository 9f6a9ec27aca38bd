from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from itertools import count
from typing import Any

import pytest
from botocore.exceptions import ClientError

from shipper.aws.inbox import Inbox, Message
from shipper.aws.queue import QueueFailed
from tests.shipper.fakes import LocalAws, local_aws


@pytest.fixture
def aws() -> Iterator[LocalAws]:
    with local_aws() as made:
        yield made


def inbox_with(aws: LocalAws, count: int) -> Inbox:
    inbox = Inbox(aws.sqs, aws.dead_url)
    inbox.put(f"letter {number}" for number in range(count))
    return inbox


@pytest.mark.parametrize("lanes", [1, 4])
def test_reading_a_queue_removes_nothing(aws: LocalAws, lanes: int) -> None:
    inbox = inbox_with(aws, 45)
    for _ in range(2):
        found = [message for run in inbox.runs(hide_s=30, lanes=lanes) for message in run]
        assert {message.body for message in found} == {f"letter {number}" for number in range(45)}
        assert len(found) == 45
        inbox.show_again(found)
    assert inbox.depth() == (45, 0)


@pytest.mark.parametrize(("limit", "count"), [(1, 1), (10, 10), (12, 12), (99, 15)])
def test_reading_stops_at_its_limit(aws: LocalAws, limit: int, count: int) -> None:
    inbox = inbox_with(aws, 15)
    assert len(list(inbox.messages(limit=limit, hide_s=30))) == count
    assert inbox.depth() == (15 - count, count)


def test_what_is_read_is_hidden_from_others_until_it_is_shown_again(aws: LocalAws) -> None:
    inbox = inbox_with(aws, 1)
    mine = list(inbox.messages(limit=10, hide_s=30))
    assert list(inbox.messages(limit=10, hide_s=30)) == []
    inbox.show_again(mine)
    assert [message.id for message in inbox.messages(limit=10, hide_s=30)] == [mine[0].id]


def test_messages_that_are_deleted_are_gone_and_their_neighbours_stay(aws: LocalAws) -> None:
    inbox = inbox_with(aws, 25)
    found = list(inbox.messages(limit=100, hide_s=30))
    assert inbox.delete(found[:12]) == 0
    inbox.show_again(found)
    again = {message.id for message in inbox.messages(limit=100, hide_s=30)}
    assert again == {message.id for message in found[12:]}


def test_a_message_says_when_it_came_by_the_clock_of_the_queue(aws: LocalAws) -> None:
    before = int(time.time() * 1000)
    inbox = inbox_with(aws, 1)
    ((message,),) = inbox.runs(hide_s=30)
    assert before <= message.sent_ms <= inbox.now_ms()


class Scripted:
    """Answers as it is told: SQS hands out duplicates, and nothing although something is there."""

    def __init__(self, *answers: Sequence[str], failing: Sequence[list[str]] = (), date: str = "") -> None:
        self._answers = list(answers)
        self._failing = list(failing)
        self._date = date
        self.deleted: list[list[str]] = []

    def receive_message(self, **_: Any) -> dict[str, Any]:
        ids = self._answers.pop(0) if self._answers else []
        messages = [{"MessageId": id_, "ReceiptHandle": f"r-{id_}", "Body": json.dumps(id_)} for id_ in ids]
        return {"Messages": messages} if messages else {}

    def delete_message_batch(self, *, QueueUrl: str, Entries: Sequence[dict[str, str]]) -> dict[str, Any]:  # noqa: N803
        self.deleted.append([entry["ReceiptHandle"] for entry in Entries])
        failing = self._failing.pop(0) if self._failing else []
        return {"Failed": [{"Id": entry["Id"]} for entry in Entries if entry["ReceiptHandle"] in failing]}

    def get_queue_attributes(self, **_: Any) -> dict[str, Any]:
        counts = {"ApproximateNumberOfMessages": "3", "ApproximateNumberOfMessagesNotVisible": "2"}
        headers = {"date": self._date} if self._date else {}
        return {"Attributes": counts, "ResponseMetadata": {"HTTPHeaders": headers}}


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        pytest.param([["a"], [], ["b"]], ["a", "b"], id="one empty answer proves nothing"),
        pytest.param([["a"], [], [], ["b"]], ["a"], id="two in a row do"),
        pytest.param([["a", "b"], ["a"], ["b", "c"]], ["a", "b", "c"], id="a message handed out twice counts once"),
        pytest.param([["a"], ["a"], ["a"], ["b"]], ["a"], id="nothing new is as good as empty"),
        pytest.param(
            [[*"abcdefghij"], [*"klmnopqrst"], ["a"], ["b"], ["c"], ["z"]],
            [*"abcdefghijklmnopqrst", "z"],
            id="many that come again may stand before a new one",
        ),
    ],
)
def test_a_queue_is_read_as_sqs_answers(answers: list[list[str]], found: list[str]) -> None:
    inbox = Inbox(Scripted(*answers), "url")
    assert [message.id for message in inbox.messages(limit=100, hide_s=30)] == found


@pytest.mark.parametrize(
    ("failing", "left", "calls"),
    [
        ([], 0, [["r-a", "r-b"]]),
        ([["r-b"]], 0, [["r-a", "r-b"], ["r-b"]]),
        ([["r-b"]] * 3, 1, [["r-a", "r-b"], ["r-b"], ["r-b"]]),
    ],
    ids=["all at once", "one at the second try", "one never"],
)
def test_a_batch_that_is_deleted_in_part_is_tried_again(
    failing: list[list[str]], left: int, calls: list[list[str]]
) -> None:
    sqs = Scripted(failing=failing)
    assert Inbox(sqs, "url").delete([Message(id_, f"r-{id_}", "") for id_ in "ab"]) == left
    assert sqs.deleted == calls


@pytest.mark.parametrize(
    ("date", "now_ms"),
    [
        pytest.param("", 1_795_521_600_500, id="no word of it"),
        pytest.param("Tue, 24 Nov 2026 12:00:00 GMT", 1_795_521_600_500, id="the own clock is right"),
        pytest.param("Tue, 24 Nov 2026 12:00:10 GMT", 1_795_521_610_999, id="it is behind"),
        pytest.param("Tue, 24 Nov 2026 11:00:00 GMT", 1_795_518_000_999, id="it is ahead"),
    ],
)
def test_the_time_is_that_of_the_queue(date: str, now_ms: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: 1_795_521_600_500 * 1_000_000)
    assert Inbox(Scripted(date=date), "url").now_ms() == now_ms


def test_what_cannot_be_put_is_said(aws: LocalAws) -> None:
    with pytest.raises(QueueFailed):
        Inbox(aws.sqs, "https://sqs.eu-west-1.amazonaws.com/123456789012/nowhere").put(["x"])


def test_showing_again_what_is_gone_does_no_harm(aws: LocalAws) -> None:
    inbox = inbox_with(aws, 2)
    found = list(inbox.messages(limit=10, hide_s=30))
    inbox.delete(found[:1])
    inbox.show_again(found)
    assert inbox.depth() == (1, 0)


def test_what_the_queue_refuses_is_raised(aws: LocalAws) -> None:
    with pytest.raises(ClientError):
        list(Inbox(aws.sqs, "https://sqs.eu-west-1.amazonaws.com/123456789012/nowhere").runs(hide_s=30))


def test_what_ctrl_c_finds_on_its_way_is_given_back(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    inbox = inbox_with(aws, 40)
    result, calls = Future.result, count()

    def interrupted(call: Future[Any], timeout: float | None = None) -> Any:
        if next(calls) == 1:
            raise KeyboardInterrupt
        return result(call, timeout)

    monkeypatch.setattr(Future, "result", interrupted)
    with pytest.raises(KeyboardInterrupt):
        list(inbox.runs(hide_s=30, lanes=4))
    assert inbox.depth() == (40, 0)
