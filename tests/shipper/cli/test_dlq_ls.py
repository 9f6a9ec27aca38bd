from __future__ import annotations

import json
import random
import threading
import tracemalloc
from dataclasses import replace
from typing import Any

import pytest
from click.testing import CliRunner

from shipper import deadletter
from shipper.aws.inbox import Inbox
from shipper.cli import deployment, dlq_ls
from shipper.cli.main import cli
from shipper.model import Reason
from tests.shipper.cli.conftest import (
    Dlq,
    put,
    put_message,
    visible,
)
from tests.shipper.fakes import NOW_MS, REFUSED, SOURCE, FakeSink, LocalAws, deployment_on, doc
from tests.shipper.test_failures import notification, record


def test_ls_groups_what_is_there_and_removes_nothing(aws: LocalAws, dlq: Dlq) -> None:
    put(aws, 1, 2)
    put(aws, 3)
    put(aws, 4, reason=Reason("illegal_argument_exception", "m", 400))
    for _ in range(2):
        result = dlq("ls")
        assert (result.exit_code, result.stderr) == (0, "")
        words = result.stdout.split()
        assert words[words.index("3") : words.index("3") + 3] == ["3", REFUSED.type, "2026-11-20T00:00:00Z"]
        assert words.index(REFUSED.type) < words.index("illegal_argument_exception")
        assert SOURCE.log_group in words
        assert "3 of about 3 messages read" in result.stdout
        assert max(map(len, result.stdout.splitlines())) <= 80
    assert visible(aws) == 3


def test_ls_as_json_is_a_line_a_group(aws: LocalAws, dlq: Dlq) -> None:
    put(aws, 1, 2)
    result = dlq("ls", "--json")
    assert json.loads(result.stdout) == {
        "reason": REFUSED.type,
        "field": "n",
        "log_group": SOURCE.log_group,
        "form": "documents",
        "documents": 2,
        "letters": 1,
        "in_bucket": 0,
        "first_failed_at": "2026-11-20T00:00:00Z",
        "last_failed_at": "2026-11-20T00:00:00Z",
    }


def test_ls_of_an_empty_queue(dlq: Dlq) -> None:
    assert dlq("ls").stdout == "0 of about 0 messages read; a queue can only be sampled.\n"
    assert dlq("ls", "--json").stdout == ""


def test_ls_says_how_much_of_the_queue_it_has_read(aws: LocalAws, dlq: Dlq) -> None:
    for number in range(3):
        put(aws, number)
    assert "2 of about 3 messages read" in dlq("ls", "--limit", "2").stdout


def test_ls_goes_on_where_a_message_cannot_be_read(aws: LocalAws, dlq: Dlq) -> None:
    put(aws, 1)
    put_message(aws, "rubbish")
    result = dlq("ls")
    assert result.exit_code == 0
    assert "unreadable_letter" in result.stdout
    assert REFUSED.type in result.stdout


def test_ls_goes_on_where_a_message_was_forged(aws: LocalAws, dlq: Dlq) -> None:
    put(aws, 1)
    letter = deadletter.of_documents([doc(2)], REFUSED, SOURCE, failed_at="", attempts=1)
    envelope = json.loads(deadletter.pack(letter))
    put_message(aws, json.dumps({**envelope, "reason": {**envelope["reason"], "type": []}}))
    assert dlq("ls").exit_code == 0


def test_ls_tells_the_forms_apart(aws: LocalAws, dlq: Dlq) -> None:
    put(aws, 1)
    large = deadletter.of_documents([doc(2)], REFUSED, SOURCE, failed_at="2026", attempts=1)
    put_message(aws, deadletter.pack_pointer(large, "letters/1"))
    put_message(aws, deadletter.pack(deadletter.of_payload({}, Reason("timeout", "m"), failed_at="2026")))
    put_message(aws, json.dumps(record()))
    put_message(aws, json.dumps(notification()))
    put_message(aws, "rubbish")
    shown = dlq("ls").stdout
    for text in (
        "2 letters of documents, 1 in S3",
        "1 letter with an event as it came",
        "2 letters from Lambda itself, 1 in S3",
        "1 letter that cannot be read",
    ):
        assert text in shown


def test_ls_says_what_others_hold_and_how_to_get_all(aws: LocalAws, dlq: Dlq) -> None:
    put(aws, 1)
    put(aws, 2)
    aws.sqs.receive_message(QueueUrl=aws.dead_url, VisibilityTimeout=60)
    shown = dlq("ls").stdout
    assert "1 of about 2 messages read" in shown
    assert "About 1 are hidden: somebody reads them now, or a run was killed." in shown
    assert "`cwl-shipper dlq export DIR` puts all of it into files." in shown


def test_ls_shows_only_what_the_filter_takes(aws: LocalAws, dlq: Dlq) -> None:
    put(aws, 1)
    put(aws, 2, reason=Reason("other", "m"))
    (row,) = [json.loads(line) for line in dlq("ls", "--json", "--reason", "other").stdout.splitlines()]
    assert (row["reason"], row["documents"]) == ("other", 1)


@pytest.mark.parametrize(
    ("failed_at", "age"),
    [
        ("2026-11-24T11:59:30Z", "oldest 30 s ago"),
        ("2026-11-24T11:00:00Z", "oldest 1 h ago"),
        ("2026-11-20T00:00:00.123Z", "oldest 4 d ago"),
        ("2026-11-25T00:00:00Z", "oldest 0 s ago"),
        ("no time", ""),
    ],
)
def test_the_age_of_the_oldest(failed_at: str, age: str) -> None:
    assert dlq_ls._age(failed_at, NOW_MS // 1000) == age


class Endless:
    """A queue with so many large messages, of which none is kept by who hands them out."""

    def __init__(self, count: int, body: str) -> None:
        self._left = count
        self._body = body
        self._lock = threading.Lock()

    def get_queue_attributes(self, **_: Any) -> dict[str, Any]:
        counts = {"ApproximateNumberOfMessages": str(self._left), "ApproximateNumberOfMessagesNotVisible": "0"}
        return {"Attributes": counts, "ResponseMetadata": {"HTTPHeaders": {}}}

    def receive_message(self, **_: Any) -> dict[str, Any]:
        with self._lock:
            numbers = range(self._left - min(10, self._left), self._left)
            self._left -= len(numbers)
        # Not one text for all: each message that comes from a queue is a copy.
        return {
            "Messages": [{"MessageId": f"m-{n}", "ReceiptHandle": "r" * 300, "Body": f"{self._body} "} for n in numbers]
        }

    def change_message_visibility_batch(self, **_: Any) -> None:
        pass


def test_memory_does_not_grow_with_the_bodies(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    """2,000 letters of 100 kB: 200 MB, if they were kept."""
    noise = random.Random(1).randbytes(75_000).hex()
    letter = deadletter.of_documents([doc(1, noise)], REFUSED, SOURCE, failed_at="2026", attempts=1)
    queue = Endless(2_000, deadletter.pack(letter))
    found = replace(deployment_on(aws, FakeSink()), inbox=Inbox(queue, "url"))
    monkeypatch.setattr(deployment, "find", lambda *_: found)
    tracemalloc.start()
    result = CliRunner().invoke(cli, ["dlq", "ls", "--json"])
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert json.loads(result.stdout)["letters"] == 2_000
    assert peak_bytes < 25_000_000
