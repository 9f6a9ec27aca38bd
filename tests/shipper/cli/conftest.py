"""What the tests of `cwl-shipper dlq` share: queues in memory, a domain that is played, the command as it is typed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from click.testing import CliRunner, Result

from shipper import deadletter
from shipper.cli import deployment
from shipper.cli.main import cli
from shipper.model import Document, Reason
from tests.shipper.fakes import INDEX, REFUSED, SOURCE, FakeSink, LocalAws, deployment_on, doc, local_aws

HOSTILE = "\x1b[31mred\x1b]0;title\x07\r\u009b31m\x7f\u202e"
FAILED_AT = "2026-11-20T00:00:00Z"

Dlq = Callable[..., Result]


@pytest.fixture
def aws() -> Iterator[LocalAws]:
    with local_aws() as made:
        yield made


@pytest.fixture
def dlq(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> Dlq:
    def ran(*args: str, sink: FakeSink | None = None, answer: str | None = None, reachable: bool = True) -> Result:
        """`cwl-shipper dlq ...`, with what is typed when it asks."""
        found = deployment_on(aws, sink or FakeSink(AssertionError("nothing may be sent")))
        monkeypatch.setenv("COLUMNS", "80")
        monkeypatch.setattr(deployment, "find", lambda *_: found)
        monkeypatch.setattr("shipper.cli.dlq_replay.reachable", lambda _: reachable)
        # No credentials are needed, and no wait between tries.
        monkeypatch.setattr("shipper.aws.clock.time.sleep", lambda _: None)
        return CliRunner().invoke(cli, ["dlq", *args], input=answer)

    return ran


def put(aws: LocalAws, *numbers: int, reason: Reason = REFUSED, text: str = "x") -> str:
    """One letter in the dead-letter queue; its message ID."""
    return put_documents(aws, *(doc(number, text) for number in numbers), reason=reason)


def put_documents(aws: LocalAws, *documents: Document, reason: Reason = REFUSED, failed_at: str = FAILED_AT) -> str:
    letter = deadletter.of_documents(documents, reason, SOURCE, failed_at=failed_at, attempts=1)
    return put_message(aws, deadletter.pack(letter))


def put_message(aws: LocalAws, body: str) -> str:
    return str(aws.sqs.send_message(QueueUrl=aws.dead_url, MessageBody=body)["MessageId"])


def ids_waiting(aws: LocalAws, url: str = "") -> list[str]:
    """The ids of all documents in the queue that others can see now; empties the queue."""
    letters = [deadletter.unpack(body) for body in aws.bodies_in(url or aws.dead_url)]
    return sorted(document.id for letter in letters for document in deadletter.documents_in(letter))


def visible(aws: LocalAws) -> int:
    names = ["ApproximateNumberOfMessages"]
    return int(aws.sqs.get_queue_attributes(QueueUrl=aws.dead_url, AttributeNames=names)["Attributes"][names[0]])


def hostile_letter(aws: LocalAws) -> str:
    source = json.dumps({"@id": "1", "@message": HOSTILE, HOSTILE: "[bold]x"}).encode()
    reason = Reason(f"type {HOSTILE}", f"message {HOSTILE}", 400, f"field {HOSTILE}")
    return put_documents(aws, Document(INDEX, "1", source, HOSTILE, ()), reason=reason, failed_at=HOSTILE)
