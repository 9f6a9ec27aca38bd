"""The rights that the runbook gives to on-call are those that the commands need: all of them, and no more.

Every command that talks to AWS runs once, wired as for a person, and what it calls is judged by the policy in the
document itself.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import time
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple
from unittest import mock

import boto3
import click
import pytest
from click.testing import CliRunner
from moto import mock_aws

from shipper import deadletter
from shipper.cli.main import cli
from shipper.model import Ledger, Reason
from shipper.times import iso
from tests.shipper.cli.site import FUNCTION, GROUP
from tests.shipper.fakes import (
    AWS_ENV,
    INDEX,
    REFUSED,
    REGION,
    FakeSink,
    aws_client,
    lambda_event,
    payload_of,
    refusing,
)
from tests.stacks.built import ROOT
from tests.stacks.calls import Recorder, Reply
from tests.stacks.handler_paths import LARGE, letter
from tests.stacks.policies import ACCOUNT, Call, Statement, allows, unused

STACK, BUCKET, RETRIES, DEAD_LETTERS = "cwl-shipper-prod", "failed-events", "retry", "dead"
DOMAIN = f"arn:aws:es:{REGION}:{ACCOUNT}:domain/logs"
_RECORD = "aws/lambda/async/subscriber/2026/11/24/1"

NAMES = {
    "REGION": REGION,
    "ACCOUNT": ACCOUNT,
    "STACK": STACK,
    "CLUSTER": GROUP.split("/")[3],
    "RETRIES": RETRIES,
    "DEAD_LETTERS": DEAD_LETTERS,
    "BUCKET": BUCKET,
    "SUBSCRIBER": FUNCTION,
    "DOMAIN": "logs",
}
"""What the words in capitals stand for in the document's policy."""


@cache
def statements() -> tuple[Statement, ...]:
    """The policy in the runbook, with names."""
    (text,) = re.findall(r"```json\n(.*?)```", (ROOT / "docs" / "runbook.md").read_text("utf-8"), re.DOTALL)
    named = re.sub(r"\b[A-Z_]{5,}\b", lambda word: NAMES[word[0]], text)
    return tuple(json.loads(named)["Statement"])


class Command(NamedTuple):
    """Arguments, the exit code, and whether letters of every kind are put into the queue before.

    A stage may have one policy of the account in place of filters.
    """

    words: tuple[str, ...]
    exit_code: int = 0
    letters: bool = False
    has_policy: bool = False


@cache
def _queued() -> tuple[str, ...]:
    """One letter of each kind: small, large, a payload, and S3's word of a record of Lambda."""
    payload = deadletter.of_payload(lambda_event(payload_of("one")), Reason("timeout", "m"), failed_at="2026")
    found = {"s3": {"bucket": {"name": BUCKET}, "object": {"key": _RECORD}}, "eventSource": "aws:s3"}
    return (
        deadletter.pack(letter("x")),
        deadletter.pack_pointer(letter(LARGE), "letters/1.gz"),
        deadletter.pack(payload),
        json.dumps({"Records": [found]}),
    )


def _on(*words: str, exit_code: int = 0, letters: bool = False) -> Command:
    return Command((*words, "--stack", STACK), exit_code, letters)


_AUDIT = ("audit", "--log-group", GROUP, "--from", "2h")
COMMANDS = [
    _on("status", exit_code=1),
    _on("trace", "x"),
    _on(*_AUDIT, exit_code=3),
    _on(*_AUDIT, "--quick", exit_code=3),
    _on(*_AUDIT, "--repair", "--yes"),
    Command(("status", "--stack", STACK), exit_code=1, has_policy=True),
    Command((*_AUDIT, "--stack", STACK), exit_code=3, has_policy=True),
    _on("mapping", "show", INDEX),
    _on("mapping", "freeze", INDEX, "--yes"),
    _on("dlq", "ls", letters=True),
    _on("dlq", "show", "--reason", REFUSED.type, letters=True),
    _on("dlq", "replay", "--yes", exit_code=3, letters=True),
    _on("dlq", "replay", "--via", "function", "--yes", letters=True),
    _on("dlq", "export", "letters", "--yes", letters=True),
    _on("dlq", "import", "letters", "--yes"),
    _on("dlq", "purge", "--all", "--yes", letters=True),
]
"""Every command of a deployed stack; those that write with a plan that is carried out."""

COMPARE = Command(
    ("compare", "--endpoint", "https://search-old.example.com", *_AUDIT[1:], "--function", FUNCTION), exit_code=3
)
"""It has rights of its own, on a domain that is not ours."""


def _answers() -> dict[str, dict[str, Any]]:
    queues = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/"
    outputs = {
        "DomainEndpoint": "https://search.example.com",
        "RetryQueueUrl": queues + RETRIES,
        "DeadLetterQueueUrl": queues + DEAD_LETTERS,
        "FailedEventsBucket": BUCKET,
        "SubscriberFunction": FUNCTION,
        "ReplayFunction": "replay",
        "MetricsNamespace": "cwl-shipper",
        "LogGroupPrefix": GROUP.removesuffix("application"),
    }
    event = {"timestamp": _at_ms(), "ingestionTime": _at_ms(), "message": "m", "logStreamName": "s"}
    subscription = {"filterName": "all", "destinationArn": f"arn:aws:lambda:::function:{FUNCTION}"}
    return {
        "DescribeStacks": {"Stacks": [{"Outputs": [{"OutputKey": k, "OutputValue": v} for k, v in outputs.items()]}]},
        "GetFunctionConfiguration": {"LastModified": "2026-11-24T12:00:00.000+0000"},
        "Invoke": {"Payload": io.BytesIO(json.dumps(Ledger(1, 1).terms()).encode())},
        "DescribeLogGroups": {"logGroups": [{"logGroupName": GROUP, "arn": f"arn:aws:logs:{REGION}:{ACCOUNT}:x"}]},
        "DescribeLogStreams": {"logStreams": []},
        "DescribeSubscriptionFilters": {"subscriptionFilters": [subscription]},
        "FilterLogEvents": {"events": [{**event, "eventId": id_} for id_ in ("there", "missing")]},
        "GetMetricData": {"MetricDataResults": [{"Id": f"m{at}", "Values": [1.0]} for at in (0, 1)]},
    }


def _policy() -> dict[str, dict[str, Any]]:
    """Where a stage's `subscription` is "account"."""
    document = json.dumps({"DestinationArn": f"arn:aws:lambda:::function:{FUNCTION}", "FilterPattern": ""})
    return {
        "DescribeSubscriptionFilters": {"subscriptionFilters": []},
        "DescribeAccountPolicies": {"accountPolicies": [{"policyName": STACK, "policyDocument": document}]},
    }


@cache
def _at_ms() -> int:
    """An hour ago."""
    return int(time.time() * 1000) - 3_600_000


def _domain(method: str, path: str) -> Reply:
    """One in which one document is."""
    source = {"@id": "there", "@log_group": GROUP, "@timestamp": iso(_at_ms())}
    hits = {"hits": [{"_id": "there", "_index": INDEX, "_source": source}], "total": {"value": 1}}
    page = {"_scroll_id": "s", "_shards": {"total": 1, "successful": 1, "skipped": 0}}
    answers: dict[tuple[str, str], Any] = {
        ("POST", "/cwl-*/_search"): {**page, "hits": hits},
        ("POST", "/_search/scroll"): {**page, "hits": {"hits": []}},
        ("DELETE", "/_search/scroll"): {},
        ("GET", "/_cluster/health"): {"status": "green"},
        ("GET", "/_cat/allocation"): [],
        ("GET", f"/{INDEX}/_mapping"): {INDEX: {"mappings": {}}},
        ("GET", f"/{INDEX}/_settings"): {INDEX: {"settings": {}}},
        ("PUT", f"/{INDEX}/_mapping"): {"acknowledged": True},
    }
    return 200, answers[method, path]


def _made() -> Callable[[str], None]:
    """Queues and bucket, with what letters point at; answers what puts a letter into the dead-letter queue."""
    sqs, s3 = aws_client("sqs"), aws_client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    context = {"condition": "RetriesExhausted", "approximateInvokeCount": 3}
    record = {"requestContext": context, "requestPayload": lambda_event(payload_of("two")), "timestamp": "2026"}
    s3.put_object(Bucket=BUCKET, Key=_RECORD, Body=json.dumps(record).encode())
    s3.put_object(Bucket=BUCKET, Key="letters/1.gz", Body=gzip.compress(letter(LARGE).body))
    sqs.create_queue(QueueName=RETRIES)
    dead_url = sqs.create_queue(QueueName=DEAD_LETTERS)["QueueUrl"]
    return lambda body: sqs.send_message(QueueUrl=dead_url, MessageBody=body)


@pytest.fixture(scope="module")
def called(tmp_path_factory: pytest.TempPathFactory) -> dict[str, frozenset[Call]]:
    """What each command called."""
    recorder = Recorder(DOMAIN, domain=_domain)
    found: dict[str, frozenset[Call]] = {}
    with (
        mock_aws(),
        mock.patch.dict(os.environ, AWS_ENV),
        mock.patch("shipper.cli.dlq_replay.reachable", return_value=True),
        mock.patch("shipper.aws.clock.time.sleep"),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.chdir(tmp_path_factory.mktemp("operator"))
        put = _made()
        with recorder.listening(), mock.patch.object(boto3, "Session", cache(boto3.Session)):
            for command in (*COMMANDS, COMPARE):
                recorder.calls, recorder.sink = set(), FakeSink(then=refusing("id-1"))
                recorder.answers = {**_answers(), **(_policy() if command.has_policy else {})}
                for body in _queued() if command.letters else ():
                    put(body)
                result = CliRunner().invoke(cli, command.words, catch_exceptions=False)
                assert result.exit_code == command.exit_code, f"{command.words}: {result.output}"
                name = " ".join(command.words)
                found[name] = found.get(name, frozenset()) | recorder.calls
    return found


def test_every_command_that_talks_to_aws_is_run(called: dict[str, frozenset[Call]]) -> None:
    assert [name for name in _with_an_account(cli) if not any(line.startswith(f"{name} ") for line in called)] == []


def _with_an_account(group: click.Group, path: str = "") -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _with_an_account(command, f"{name} ")
        elif any(option.name == "profile" and option.metavar == "NAME" for option in command.params):
            yield path + name


def test_the_runbook_allows_every_call(called: dict[str, frozenset[Call]]) -> None:
    assert [
        f"{command}: {call.action} on {call.resource}"
        for command in _of_the_stack()
        for call in sorted(called[command])
        if not allows(statements(), call)
    ] == []


def test_the_runbook_gives_nothing_that_no_command_needs(called: dict[str, frozenset[Call]]) -> None:
    calls = frozenset[Call]().union(*(called[command] for command in _of_the_stack()))
    assert list(unused(statements(), calls)) == []


def _of_the_stack() -> list[str]:
    return [" ".join(command.words) for command in COMMANDS]


def test_only_a_repair_invokes_the_function(called: dict[str, frozenset[Call]]) -> None:
    """As the runbook says."""
    invoke = [
        command for command, calls in called.items() if any(call.action == "lambda:InvokeFunction" for call in calls)
    ]
    assert ["--repair" in command for command in invoke] == [True]


def test_the_cutover_names_the_rights_to_compare(called: dict[str, frozenset[Call]]) -> None:
    text = (ROOT / "docs" / "cutover.md").read_text("utf-8")
    (said,) = re.findall(r"\nYou need (`[^#]*?)```sh\ncwl-shipper compare", text)
    assert set(re.findall(r"`((?:es|logs):\w+)`", said)) == {call.action for call in called[" ".join(COMPARE.words)]}
