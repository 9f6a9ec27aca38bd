"""The handler from CloudFormation's event to its answer, over loopback."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shipper.aws.inbox import Inbox
from shipper.aws.telemetry import Telemetry
from shipper.handlers import domain_setup
from shipper.handlers.domain_setup import (
    BUCKET_VARIABLE,
    IDENTITY_VARIABLE,
    PHYSICAL_ID,
    QUEUE_VARIABLE,
    handler,
)
from shipper.setup_plan import Plan
from tests.loopback import Answer, Loopback
from tests.shipper.fakes import AWS_ENV, FakeContext, LocalAws, local_aws

pytestmark = pytest.mark.enable_socket

ROOT = Answer(body=b'{"version": {"number": "3.7.0", "distribution": "opensearch"}}')
MISSING = Answer(status=404, body=b'{"error": {"reason": "not found"}}')
WELL = Answer(body=b'{"acknowledged": true}')
NO_API = Answer(status=400, body=b'{"error": "no handler found for uri [x] and method [y]"}')


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    own = {IDENTITY_VARIABLE: "arn:setup", QUEUE_VARIABLE: "https://sqs/dead", BUCKET_VARIABLE: "failed-events"}
    for name, value in {**AWS_ENV, **own}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(Inbox, "_receive", lambda *_: [])


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


def details(type_: str) -> Answer:
    """The service's word of the collection `logs`, whose id is what the loopback's URL begins with."""
    found = {"collectionDetails": [{"id": "127", "name": "logs", "type": type_, "status": "ACTIVE"}]}
    return Answer(body=json.dumps(found).encode(), content_type="application/x-amz-json-1.0")


def handled_collection(monkeypatch: pytest.MonkeyPatch, type_: str) -> tuple[Any, Loopback, Loopback]:
    """(the answer to CloudFormation, the collection, the service) of an update."""
    with (
        Loopback([details(type_)]) as service,
        Loopback([MISSING, WELL, MISSING, WELL]) as collection,
        Loopback([Answer()]) as cloudformation,
    ):
        monkeypatch.setenv("AWS_ENDPOINT_URL_OPENSEARCHSERVERLESS", service.url)
        event = {
            "RequestType": "Update",
            "ResponseURL": cloudformation.url,
            "StackId": "arn:stack",
            "RequestId": "r-1",
            "LogicalResourceId": "SetupRun",
            "ResourceProperties": Plan(endpoint=collection.url, collection="logs", security=False).to_properties(),
        }
        handler(event, FakeContext([60_000]))
    (sent,) = cloudformation.requests
    return json.loads(sent.body), collection, service


def test_a_collection_is_set_up_with_requests_signed_for_its_service(monkeypatch: pytest.MonkeyPatch) -> None:
    answer, collection, service = handled_collection(monkeypatch, "SEARCH")
    assert answer["Status"] == "SUCCESS"
    assert answer["Data"]["Summary"].startswith("OpenSearch Serverless: component template, index template; not there")
    assert [json.loads(request.body) for request in service.requests] == [{"names": ["logs"]}]
    assert [(request.method, request.path) for request in collection.requests] == [
        ("GET", "/_component_template/cwl-custom"),
        ("PUT", "/_component_template/cwl-custom"),
        ("GET", "/_index_template/cwl"),
        ("PUT", "/_index_template/cwl"),
    ]
    assert all("/aoss/aws4_request" in request.headers["authorization"] for request in collection.requests)
    assert all("x-amz-content-sha256" in request.headers for request in collection.requests)


def test_a_collection_without_document_ids_rolls_the_deployment_back(monkeypatch: pytest.MonkeyPatch) -> None:
    answer, collection, _ = handled_collection(monkeypatch, "TIMESERIES")
    assert answer["Status"] == "FAILED"
    assert "of type TIMESERIES, which takes no document ids" in answer["Reason"]
    assert collection.requests == []


TEST_EVENT = json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": LocalAws.bucket})
RECEIVE = Inbox._receive
OTHERS = [TEST_EVENT.replace(LocalAws.bucket, "of-others"), '{"version": 1}', "no JSON"]


def take_away(monkeypatch: pytest.MonkeyPatch, sqs: Any, queue: str) -> None:
    monkeypatch.setattr(Inbox, "_receive", RECEIVE)
    monkeypatch.setattr(domain_setup, "boto3_client", lambda name: {"sqs": sqs}[name])
    env = {QUEUE_VARIABLE: queue, BUCKET_VARIABLE: LocalAws.bucket}
    domain_setup._delete_test_event(env, Telemetry("domain_setup", "INFO"))


def test_of_the_dead_letters_only_what_s3_tried_is_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    with local_aws() as aws:
        for body in (TEST_EVENT, *OTHERS):
            aws.sqs.send_message(QueueUrl=aws.dead_url, MessageBody=body)
        take_away(monkeypatch, aws.sqs, aws.dead_url)
        assert sorted(aws.bodies_in(aws.dead_url)) == sorted(OTHERS)


def test_a_queue_out_of_reach_fails_no_deployment(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with local_aws() as aws:
        take_away(monkeypatch, aws.sqs, aws.dead_url + "-not-there")
    assert [record.message for record in caplog.records if record.levelname == "WARNING"] == ["test event stays"]


def test_a_later_deployment_reads_no_dead_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(domain_setup, "Inbox", lambda *_: pytest.fail("it reads the queue"))
    answer, _ = handled("Update", ROOT, MISSING, WELL, MISSING, WELL, NO_API)
    assert answer["Status"] == "SUCCESS"


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
