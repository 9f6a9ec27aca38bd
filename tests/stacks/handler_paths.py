"""What the functions call: each handler runs through all that it can do, with the environment of the template."""

from __future__ import annotations

import gzip
import json
import os
import random
from collections.abc import Callable
from typing import Any
from unittest import mock
from uuid import uuid4

from moto import mock_aws

from shipper import deadletter
from shipper.bulk import BulkReply
from shipper.handlers import canary, domain_setup, replay, subscribe, subscriber
from shipper.handlers.services import from_environment
from shipper.model import DeadLetter
from shipper.subscribe import Step as FilterStep
from tests.shipper.fakes import (
    AWS_ENV,
    REFUSED,
    REGION,
    SOURCE,
    FakeContext,
    FakeSink,
    Step,
    accept,
    aws_client,
    doc,
    lambda_event,
    payload_of,
    refusing,
)
from tests.stacks.built import DEAD_LETTERS, FAILED_EVENTS
from tests.stacks.calls import Recorder, Reply, new_domain
from tests.stacks.policies import Call, Deployed

WATCHED = "/aws/eks/"
"""The prefix of the log groups that a stack subscribes as they come."""

# Just above the reserve: there is time for one request and none to wait.
_ONE_REQUEST = [5_001]
_DOWN = BulkReply(503)
LARGE = random.Random(0).randbytes(1_000_000).hex()
"""As JSON in gzip in base64 still more than a message may hold."""


def subscriber_paths(recorder: Recorder, _: Deployed) -> None:
    wired = from_environment(f"subscriber-{uuid4()}")

    def run(event: Any, *script: Step, then: Step = accept) -> None:
        recorder.sink = FakeSink(*script, then=then)
        subscriber.run(event, FakeContext(list(_ONE_REQUEST)), wired)

    event = lambda_event(payload_of("one", "two"))
    run(event)
    run(event, BulkReply(403))  # new credentials
    run(event, then=refusing("event-0"))
    run(event, then=_DOWN)
    run({"awslogs": {"data": LARGE}})


def replay_paths(recorder: Recorder, deployed: Deployed) -> None:
    wired = from_environment(f"replay-{uuid4()}")
    aws_client("s3").put_object(
        Bucket=deployed.name(FAILED_EVENTS), Key="letters/1.gz", Body=gzip.compress(letter(LARGE).body)
    )
    small = deadletter.pack(letter("x"))
    large = deadletter.pack_pointer(letter(LARGE), "letters/1.gz")

    def run(body: str, then: Step = accept, receives: int = 1) -> None:
        recorder.sink = FakeSink(then=then)
        attributes = {"ApproximateReceiveCount": str(receives)}
        record = {"messageId": "m", "receiptHandle": "r", "attributes": attributes, "body": body}
        replay.run({"Records": [record]}, FakeContext(list(_ONE_REQUEST)), wired, max_receives=100)

    for body in (small, large):
        run(body)
        run(body, then=refusing("id-1"))
        run(body, then=_DOWN)
        run(body, then=_DOWN, receives=100)


def letter(text: str) -> DeadLetter:
    return deadletter.of_documents([doc(1, text)], REFUSED, SOURCE, failed_at="2026", attempts=1)


def setup_paths(recorder: Recorder, deployed: Deployed) -> None:
    for body in (json.dumps({"Event": "s3:TestEvent", "Bucket": deployed.name(FAILED_EVENTS)}), "a letter"):
        aws_client("sqs").send_message(QueueUrl=deployed.value({"Ref": DEAD_LETTERS}), MessageBody=body)
    (run,) = (one["Properties"] for one in deployed.resources.values() if one["Type"] == "Custom::DomainSetup")
    # Its role may do what any plan asks for.
    plan = {**deployed.value(run), "Adopt": "true"}
    for kind, domain in (("Create", new_domain), ("Update", _set_up_before), ("Create", _elasticsearch)):
        recorder.domain = domain
        event = {"RequestType": kind, "ResourceProperties": plan}
        # CloudFormation's own address is signed beforehand, and takes no right.
        with mock.patch.object(domain_setup, "answer") as answer:
            domain_setup.handler(event, FakeContext())
        assert "failure" not in answer.call_args.kwargs, answer.call_args


def _set_up_before(method: str, path: str) -> Reply:
    found = {"policy": {"description": "of the last version"}, "_seq_no": 1, "_primary_term": 1}
    return (200, found) if method == "GET" and path != "/" else new_domain(method, path)


def _elasticsearch(method: str, path: str) -> Reply:
    return (200, {"version": {"number": "7.10.2"}}) if path == "/" else _set_up_before(method, path)


def canary_paths(recorder: Recorder, deployed: Deployed) -> None:
    recorder.domain = lambda *_: (200, {"hits": {"hits": [], "total": {"value": 0}}})
    canary.handler({}, FakeContext())


def subscribe_paths(_: Recorder, deployed: Deployed) -> None:
    aws_client("logs").create_log_group(logGroupName=f"{WATCHED}one/cluster")
    for event in ({}, {"detail": {"requestParameters": {"logGroupName": f"{WATCHED}one/cluster"}}}):
        assert subscribe.handler(event, FakeContext()) == {FilterStep.PUT.value: 1}


PATHS: dict[str, Callable[[Recorder, Deployed], None]] = {
    f"shipper.handlers.{module}.handler": paths
    for module, paths in {
        "subscriber": subscriber_paths,
        "replay": replay_paths,
        "domain_setup": setup_paths,
        "canary": canary_paths,
        "subscribe": subscribe_paths,
    }.items()
}
"""What runs each handler through all that it can do."""

_ANSWERS: dict[str, dict[str, Any]] = {
    "BatchGetCollection": {
        "collectionDetails": [{"id": "07tjusf2h91cunochc", "name": "logs", "type": "SEARCH", "status": "ACTIVE"}]
    },
    # moto makes a filter only for a function that it can invoke.
    "DescribeSubscriptionFilters": {"subscriptionFilters": []},
    "PutSubscriptionFilter": {},
}


def called(deployed: Deployed, function: str, target: str) -> frozenset[Call]:
    """What the code of a function calls; `target` is the ARN of the domain or the collection."""
    own = deployed.resources[function]["Properties"]
    recorder = Recorder(target, answers=_ANSWERS)
    with mock_aws(), mock.patch.dict(os.environ, {**AWS_ENV, **deployed.value(own["Environment"]["Variables"])}):
        _make(deployed)
        with recorder.listening():
            PATHS[own["Handler"]](recorder, deployed)
    return frozenset(recorder.calls)


def _make(deployed: Deployed) -> None:
    """The template's queues, bucket and log groups, on moto."""
    location = {"LocationConstraint": REGION}
    makes: dict[str, Callable[[str], Any]] = {
        "AWS::SQS::Queue": lambda name: aws_client("sqs").create_queue(QueueName=name),
        "AWS::S3::Bucket": lambda name: aws_client("s3").create_bucket(Bucket=name, CreateBucketConfiguration=location),
        "AWS::Logs::LogGroup": lambda name: aws_client("logs").create_log_group(logGroupName=name),
    }
    for logical_id, resource in deployed.resources.items():
        if make := makes.get(resource["Type"]):
            make(deployed.name(logical_id))
