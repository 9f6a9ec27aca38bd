"""Every command of docs/runbook.md, in its order, as on-call would type it."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.cdk import ROOT
from shipper import deadletter
from shipper.cli.main import cli
from shipper.model import Document, Reason, Source
from tests.e2e.conftest import Chain

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

RUNBOOK = (ROOT / "docs" / "runbook.md").read_text("utf-8")
COMMANDS = [
    words
    for block in re.findall(r"```sh\n(.*?)```", RUNBOOK, re.DOTALL)
    for line in block.splitlines()
    if (words := shlex.split(line, comments=True)) and words[0] == "cwl-shipper"
]
GROUP = "/aws/containerinsights/prod/application"
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
REASONS = (
    Reason("mapper_parsing_exception", "failed to parse field [log_processed.order] of type [long]", 400, "order"),
    Reason("illegal_argument_exception", "Limit of total fields [1000] has been exceeded", 400),
)


def letter(number: int, reason: Reason) -> str:
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
    id_ = f"runbook-{number}"
    source = json.dumps({"@id": id_, "@timestamp": stamp, "log_processed": {"order": {"a": 1}}}).encode()
    document = Document(f"cwl-{stamp[:10].replace('-', '.')}", id_, source, stamp, (id_,))
    of = Source("000000000000", GROUP, "s")
    return deadletter.pack(deadletter.of_documents([document], reason, of, failed_at=stamp, attempts=1))


@pytest.fixture
def inbox(chain: Chain, tmp_path: Path) -> Iterator[None]:
    """Two letters alone in the queue; those of other tests are put aside, and back."""
    others = tmp_path / "others"
    chain.shipper("dlq", "export", str(others), "--yes")
    for number, reason in enumerate(REASONS):
        url = chain.stack.outputs["DeadLetterQueueUrl"]
        chain.client("sqs").send_message(QueueUrl=url, MessageBody=letter(number, reason))
    yield
    if others.exists():
        chain.shipper("dlq", "import", str(others), "--yes")


def count_forwarded(chain: Chain, log_group: str) -> None:
    """What CloudWatch counts of itself, and the local one does not."""
    (filter_,) = chain.client("logs").describe_subscription_filters(logGroupName=log_group)["subscriptionFilters"]
    dimensions = {"LogGroupName": log_group, "DestinationType": "Lambda", "FilterName": filter_["filterName"]}
    data = {
        "MetricName": "ForwardedLogEvents",
        "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
        "Timestamp": time.time() - 60,
        "Value": 1,
    }
    chain.client("cloudwatch").put_metric_data(Namespace="AWS/Logs", MetricData=[data])


def unsubscribed(chain: Chain) -> str:
    """A log group with one line. In those subscribed to, the local AWS hands on other ids than it shows to an audit."""
    logs, name = chain.client("logs"), f"/aws/containerinsights/runbook-{uuid.uuid4().hex}/application"
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="s")
    events = [{"timestamp": int(time.time() * 1000), "message": "late"}]
    logs.put_log_events(logGroupName=name, logStreamName="s", logEvents=events)
    return name


@pytest.mark.usefixtures("inbox")
def test_every_command_of_the_runbook_does_what_it_says(chain: Chain, tmp_path: Path) -> None:
    chain.wait_found(chain.put("application", [f"INFO traceId={TRACE_ID} spanId=00f067aa0ba902b7 placed"]), 1)
    log_group = chain.stack.outputs["LogGroupPrefix"] + "application"
    count_forwarded(chain, log_group)
    audited = unsubscribed(chain)
    program = str(Path(sys.executable).parent / "cwl-shipper")
    env = chain.stack.environment(os.environ)
    for command in COMMANDS:
        group = log_group if "--quick" in command else audited
        words = [word.replace(GROUP, group) for word in command[1:]]
        done = subprocess.run(
            [program, *words], cwd=tmp_path, env=env, capture_output=True, text=True, check=False, timeout=120
        )
        # A page of lights is red for a reason; what is found or left is told by 3.
        allowed = (0, 1, 3) if words[0] == "status" else (0, 3)
        assert done.returncode in allowed, f"{shlex.join(command)}: {done.stdout}{done.stderr}"
        assert "Traceback" not in done.stderr


def test_the_runbook_names_every_command_for_a_night() -> None:
    named = {tuple(word for word in command[1:3] if word.isalpha()) for command in COMMANDS}
    for group in ("dlq", "mapping"):
        assert {(group, name) for name in cli.commands[group].commands} <= named  # type: ignore[attr-defined]
    assert {("status",), ("audit",), ("trace",)} <= named
