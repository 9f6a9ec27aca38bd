"""The handler from CloudFormation's event to its answer, over loopback."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shipper.handlers.domain_setup import IDENTITY_VARIABLE, PHYSICAL_ID, handler
from shipper.setup_plan import Plan
from tests.shipper.fakes import AWS_ENV, Answer, FakeContext, Loopback

pytestmark = pytest.mark.enable_socket

ROOT = Answer(body=b'{"version": {"number": "3.7.0", "distribution": "opensearch"}}')
MISSING = Answer(status=404, body=b'{"error": {"reason": "not found"}}')
WELL = Answer(body=b'{"acknowledged": true}')
NO_API = Answer(status=400, body=b'{"error": "no handler found for uri [x] and method [y]"}')


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**AWS_ENV, IDENTITY_VARIABLE: "arn:setup"}.items():
        monkeypatch.setenv(name, value)


def handled(kind: str, *script: Answer, remaining_ms: int = 60_000) -> tuple[Any, list[tuple[str, str]]]:
    """(the answer to CloudFormation, the requests to the domain) of an invocation."""
    with Loopback(script) as domain, Loopback([Answer()]) as cloudformation:
        event = {
            "RequestType": kind,
            "ResponseURL": cloudformation.url,
            "StackId": "arn:stack",
            "RequestId": "r-1",
            "LogicalResourceId": "SetupRun",
            "ResourceProperties": Plan(endpoint=domain.url, security=False).to_properties(),
        }
        handler(event, FakeContext([remaining_ms]))
    (sent,) = cloudformation.requests
    return json.loads(sent.body), [(request.method, request.path) for request in domain.requests]


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_the_domain_is_set_up(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    answer, asked = handled(kind, ROOT, MISSING, WELL, MISSING, WELL, NO_API)
    assert answer["Status"] == "SUCCESS"
    assert answer["Data"]["Summary"] == (
        "OpenSearch 3.7: component template, index template; "
        "not there, so left out: retention policy, Dashboards objects"
    )
    assert ("PUT", "/_index_template/cwl") in asked
    (line,) = [record for record in caplog.records if record.message == "domain set up"]
    assert vars(line)["skipped"] == ["retention policy", "Dashboards objects"]


def test_a_deletion_leaves_everything_as_it_is() -> None:
    answer, asked = handled("Delete", WELL)
    assert (answer["Status"], asked) == ("SUCCESS", [])


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        pytest.param(
            [Answer(status=403, body=b"denied", content_type="text/plain")], "Map arn:setup to the role", id="denied"
        ),
        pytest.param([Answer(body=b'{"version": {"number": "6.8.0"}}')], "upgrade it", id="too old"),
        pytest.param(
            [ROOT, MISSING, WELL, Answer(body=b'{"index_templates": [{"name": "cwl", "index_template": {}}]}')],
            "not ours",
            id="taken",
        ),
    ],
)
def test_a_failure_rolls_the_deployment_back_with_what_to_do(script: list[Answer], reason: str) -> None:
    answer, _ = handled("Create", *script, remaining_ms=15_000)
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("The domain is not set up. ")
    assert reason in answer["Reason"]


def test_the_resource_is_the_same_for_good() -> None:
    answers = [handled("Create", ROOT, MISSING, NO_API, remaining_ms=15_000)[0], handled("Delete", WELL)[0]]
    assert {answer["PhysicalResourceId"] for answer in answers} == {PHYSICAL_ID}
