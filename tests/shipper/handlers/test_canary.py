"""The canary from the schedule's event to its metrics: CloudWatch Logs on moto, a domain over loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from moto import mock_aws
from requests_aws4auth import AWS4Auth

from shipper import canary
from shipper.aws.log_stream import LogStream
from shipper.aws.opensearch import client
from shipper.aws.search import Index
from shipper.aws.telemetry import Telemetry
from shipper.handlers.canary import GROUPS_VARIABLE, Canary, run, services
from tests.loopback import Answer, Loopback
from tests.shipper.fakes import AWS_ENV, NOW_MS, REGION, FakeClock, aws_client, log_lines

pytestmark = pytest.mark.enable_socket

GROUPS = ("/g/application", "/g/host")
FOUND = {"_source": {"@timestamp": "2026-11-24T11:59:00.000Z"}}


@pytest.fixture
def logs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name, value in AWS_ENV.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        yield aws_client("logs")


def reply(*hits: Any) -> Answer:
    return Answer(body=json.dumps({"hits": {"hits": list(hits), "total": {"value": len(hits)}}}).encode())


def ran(logs: Any, *script: Answer) -> list[tuple[str, str]]:
    """The requests of one minute."""
    with Loopback(script) as domain:
        index = Index(domain.url, lambda: client(domain.url, AWS4Auth("testing", "testing", REGION, "es")))
        stream, telemetry = LogStream(logs, canary.STREAM), Telemetry(f"canary-{uuid4()}", "INFO")
        run("r-1", Canary(GROUPS, stream, index, telemetry), FakeClock())
    return [(request.method, request.path.partition("?")[0]) for request in domain.requests]


def written(logs: Any, group: str) -> list[dict[str, Any]]:
    events = logs.filter_log_events(logGroupName=group)["events"]
    return [{**json.loads(event["message"]), "stream": event["logStreamName"]} for event in events]


def measured(output: str) -> dict[tuple[str, str], float]:
    """(log group, name) to the value of each metric."""
    return {
        (line["log_group"], metric["Name"]): line[metric["Name"]][0]
        for line in log_lines(output)
        if "_aws" in line
        for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]
    }


def warnings(output: str) -> list[str]:
    return [line["message"] for line in log_lines(output) if line.get("level") == "WARNING"]


def test_each_group_gets_a_line_and_tells_how_old_the_newest_is(logs: Any, capsys: pytest.CaptureFixture[str]) -> None:
    for group in GROUPS:
        logs.create_log_group(logGroupName=group)
    requests = ran(logs, reply(FOUND), reply())
    assert requests == [("POST", "/cwl-*/_search")] * 2
    for group in GROUPS:
        assert written(logs, group) == [{"log": "cwl-shipper canary r-1", "canary": "r-1", "stream": canary.STREAM}]
    output = capsys.readouterr().out
    assert measured(output) == {
        ("/g/application", "canary_lines"): 1,
        ("/g/host", "canary_lines"): 1,
        ("/g/application", "canary_age_ms"): 60_000,
    }
    assert warnings(output) == ["canary not found"]


def test_a_group_that_is_missing_is_a_warning_and_the_others_get_theirs(
    logs: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.create_log_group(logGroupName="/g/host")
    ran(logs, reply())
    assert len(written(logs, "/g/host")) == 1
    output = capsys.readouterr().out
    assert measured(output) == {("/g/host", "canary_lines"): 1}
    assert warnings(output)[0] == "canary not written"


def test_a_domain_that_is_away_is_asked_once_and_has_no_age(logs: Any, capsys: pytest.CaptureFixture[str]) -> None:
    for group in GROUPS:
        logs.create_log_group(logGroupName=group)
    assert len(ran(logs, Answer(status=503, body=b"{}"))) == 1
    output = capsys.readouterr().out
    assert {name for _, name in measured(output)} == {"canary_lines"}
    assert warnings(output) == ["canary not looked for"]


def test_it_is_wired_from_its_environment(logs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIPPER_ENDPOINT", "https://search.example.com")
    monkeypatch.setenv(GROUPS_VARIABLE, ",".join(GROUPS))
    assert services().log_groups == GROUPS


def test_the_time_is_the_clocks(logs: Any) -> None:
    for group in GROUPS:
        logs.create_log_group(logGroupName=group)
    ran(logs, reply())
    (event,) = logs.filter_log_events(logGroupName="/g/host")["events"]
    assert event["timestamp"] == NOW_MS
