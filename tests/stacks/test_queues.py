"""Queues and bucket: encrypted, TLS only, kept as long as the services keep anything."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk.assertions import Template

from shipper.aws.queue import KEY_PREFIX as LETTERS
from stacks.log_shipping import LogShipping
from stacks.stack import LogShippingStack
from stacks.stages import STAGES
from tests.stacks.built import DEAD_LETTERS, FAILED_EVENTS, RETRIES, app, attribute, below, built

_FOURTEEN_DAYS_S = 1_209_600
_NOT_TLS = {"Bool": {"aws:SecureTransport": "false"}}


def test_the_retry_queue_gives_up_into_the_dead_letter_queue() -> None:
    dev = built("dev")
    assert dev.properties(RETRIES) == {
        "MessageRetentionPeriod": _FOURTEEN_DAYS_S,
        "RedrivePolicy": {"deadLetterTargetArn": attribute(DEAD_LETTERS), "maxReceiveCount": 100},
        "SqsManagedSseEnabled": True,
        "VisibilityTimeout": 720,
    }
    assert dev.properties(DEAD_LETTERS) == {"MessageRetentionPeriod": _FOURTEEN_DAYS_S, "SqsManagedSseEnabled": True}


def test_an_outage_of_six_hours_uses_up_fewer_tries_than_there_are() -> None:
    """Promise 5: an outage heals by itself. A message is tried once a visibility timeout."""
    for stage in ("dev", "prod"):
        retries = built(stage).properties(RETRIES)
        assert retries["VisibilityTimeout"] * retries["RedrivePolicy"]["maxReceiveCount"] > 6 * 3600


def test_local_retries_in_seconds() -> None:
    assert built("local").properties(RETRIES)["VisibilityTimeout"] == 5


def _policy(stage: str, queue: str) -> tuple[str, list[dict[str, Any]]]:
    """(logical id, statements) of the policy of a queue."""
    (found,) = (
        (key, properties["PolicyDocument"]["Statement"])
        for key, properties in built(stage).of_type("AWS::SQS::QueuePolicy").items()
        if properties["Queues"] == [{"Ref": queue}]
    )
    return found


def _refuses_what_is_not_tls(queue: str) -> dict[str, Any]:
    return {
        "Action": "sqs:*",
        "Condition": _NOT_TLS,
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Resource": attribute(queue),
    }


@pytest.mark.parametrize("stage", STAGES)
def test_the_retry_queue_refuses_what_is_not_tls_and_lets_nobody_else_in(stage: str) -> None:
    assert _policy(stage, RETRIES)[1] == [_refuses_what_is_not_tls(RETRIES)]


@pytest.mark.parametrize("stage", STAGES)
def test_of_others_only_the_bucket_of_this_stack_writes_to_the_dead_letters(stage: str) -> None:
    assert _policy(stage, DEAD_LETTERS)[1] == [
        _refuses_what_is_not_tls(DEAD_LETTERS),
        {
            "Action": "sqs:SendMessage",
            "Condition": {
                "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}},
                "ArnLike": {
                    "aws:SourceArn": {
                        "Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, f":s3:::cwl-shipper-{stage}*"]]
                    }
                },
            },
            "Effect": "Allow",
            "Principal": {"Service": "s3.amazonaws.com"},
            "Resource": attribute(DEAD_LETTERS),
        },
    ]


def test_a_long_stack_name_is_matched_where_cloudformation_shortens_it() -> None:
    stack = LogShippingStack(app(), config=replace(STAGES["dev"], name="a-name-of-thirty-characters-xx"))
    assert ":s3:::cwl-shipper-a-name-o*" in json.dumps(Template.from_stack(stack).to_json())


def test_the_bucket_of_a_stack_with_capitals_is_matched() -> None:
    """CloudFormation makes its name of small letters."""
    stack = Stack(app(), "ShopLogs")
    LogShipping(stack, "Logs", config=STAGES["dev"])
    assert ":s3:::shoplogs*" in json.dumps(Template.from_stack(stack).to_json())


@pytest.mark.parametrize("stage", STAGES)
def test_each_record_of_lambda_is_announced_to_the_dead_letters_and_no_body_is(stage: str) -> None:
    """Row 45: one inbox for all that failed for good."""
    rules = [{"Name": "prefix", "Value": "aws/lambda/async/"}]
    assert built(stage).properties(FAILED_EVENTS)["NotificationConfiguration"] == {
        "QueueConfigurations": [
            {
                "Event": "s3:ObjectCreated:*",
                "Filter": {"S3Key": {"Rules": rules}},
                "Queue": attribute(DEAD_LETTERS),
            }
        ]
    }
    assert not LETTERS.startswith("aws/lambda/async/")


@pytest.mark.parametrize("stage", STAGES)
def test_the_bucket_waits_until_it_may_announce(stage: str) -> None:
    policy, _ = _policy(stage, DEAD_LETTERS)
    assert policy in built(stage).resources[FAILED_EVENTS]["DependsOn"]


@pytest.mark.parametrize("stage", STAGES)
def test_the_bucket_is_closed_encrypted_and_versioned(stage: str) -> None:
    bucket = built(stage).properties(FAILED_EVENTS)
    assert bucket["PublicAccessBlockConfiguration"] == dict.fromkeys(
        ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True
    )
    rules = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rules == [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    assert "BucketName" not in bucket


def test_the_bucket_refuses_what_is_not_tls() -> None:
    statements = built("dev").only("AWS::S3::BucketPolicy")["PolicyDocument"]["Statement"]
    everything = [attribute(FAILED_EVENTS), below(FAILED_EVENTS, "/*")]
    assert {"Effect": "Deny", "Action": "s3:*", "Principal": {"AWS": "*"}, "Resource": everything} in [
        {key: value for key, value in statement.items() if key != "Condition"} for statement in statements
    ]
    conditions = [statement["Condition"] for statement in statements]
    assert conditions == [_NOT_TLS, {"NumericLessThan": {"s3:TlsVersion": 1.2}}]


def test_bodies_outlive_the_letters_that_point_at_them() -> None:
    (rule,) = built("dev").properties(FAILED_EVENTS)["LifecycleConfiguration"]["Rules"]
    assert rule["Status"] == "Enabled"
    assert rule["ExpirationInDays"] * 86_400 > _FOURTEEN_DAYS_S


@pytest.mark.parametrize(
    ("fields", "logical_id", "name", "value"),
    [
        ({"queue_retention_days": 7}, DEAD_LETTERS, "MessageRetentionPeriod", 604_800),
        ({"retry_visibility_s": 900}, RETRIES, "VisibilityTimeout", 900),
    ],
    ids=["retention", "visibility"],
)
def test_the_stage_decides(fields: dict[str, Any], logical_id: str, name: str, value: int) -> None:
    assert built("dev", **fields).properties(logical_id)[name] == value
