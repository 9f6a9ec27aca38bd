"""The stack as a whole: identities that must not change, outputs, and what roles may do."""

from __future__ import annotations

import json
from dataclasses import replace

import aws_cdk as cdk
import pytest

from stacks.log_shipping import BadConfiguration, LogShipping
from stacks.stages import STAGES
from tests.stacks.built import (
    DEAD_LETTERS,
    DOMAIN,
    FAILED_EVENTS,
    REPLAY,
    RETRIES,
    SETUP_ROLE,
    SUBSCRIBER,
    app,
    built,
    words,
)

FLUENTD = {"FluentdRoleArn"}


@pytest.mark.parametrize(
    ("logical_id", "kind"),
    [
        (DOMAIN, "AWS::OpenSearchService::Domain"),
        (DEAD_LETTERS, "AWS::SQS::Queue"),
        (RETRIES, "AWS::SQS::Queue"),
        (FAILED_EVENTS, "AWS::S3::Bucket"),
        ("SubscriptionsApplication1A632ED3", "AWS::Logs::LogGroup"),
        ("SubscriptionsDataplane00689613", "AWS::Logs::LogGroup"),
        ("SubscriptionsHostD2E9398A", "AWS::Logs::LogGroup"),
        # Master of the domain: another role would have no rights in it.
        (SETUP_ROLE, "AWS::IAM::Role"),
        # No state, but logs are skipped while a filter's function or permission is replaced.
        (SUBSCRIBER, "AWS::Lambda::Function"),
        (REPLAY, "AWS::Lambda::Function"),
        ("SubscriptionsInvokeByLogsA5D281A7", "AWS::Lambda::Permission"),
    ],
)
@pytest.mark.parametrize("stage", STAGES)
def test_a_logical_id_never_changes(stage: str, logical_id: str, kind: str) -> None:
    """A changed id is a new resource: an empty domain, an empty queue."""
    assert built(stage).resources[logical_id]["Type"] == kind


@pytest.mark.parametrize(("stage", "more"), [("local", set()), ("dev", FLUENTD), ("prod", FLUENTD)])
def test_outputs_say_where_everything_is(stage: str, more: set[str]) -> None:
    assert set(built(stage).outputs) == more | {
        "DomainEndpoint",
        "RetryQueueUrl",
        "DeadLetterQueueUrl",
        "FailedEventsBucket",
        "SubscriberFunction",
        "ReplayFunction",
        "SubscriberLogGroup",
        "ReplayLogGroup",
        "LogGroupPrefix",
        "MetricsNamespace",
        "AlarmTopic",
        "Dashboard",
        "DomainSetup",
        "DomainSetupRole",
    }


def test_outputs_lead_to_the_resources() -> None:
    outputs = built("dev", cluster="shop").outputs
    assert outputs["RetryQueueUrl"]["Value"] == {"Ref": RETRIES}
    assert outputs["DeadLetterQueueUrl"]["Value"] == {"Ref": DEAD_LETTERS}
    assert outputs["FailedEventsBucket"]["Value"] == {"Ref": FAILED_EVENTS}
    assert outputs["SubscriberFunction"]["Value"] == {"Ref": SUBSCRIBER}
    assert outputs["ReplayFunction"]["Value"] == {"Ref": REPLAY}
    assert outputs["LogGroupPrefix"]["Value"] == "/aws/containerinsights/shop/"


_BOTH = {
    "es:ESHttpPost",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "s3:PutObject",
    "sqs:SendMessage",
}
RIGHTS = {
    "FunctionsSubscriberRole": _BOTH | {"s3:ListBucket"},
    "FunctionsReplayRole": _BOTH
    | {
        *("s3:GetObject", "sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage"),
        # Of Lambda's own poller.
        *("sqs:GetQueueAttributes", "sqs:GetQueueUrl"),
    },
    "SetupRole": {
        *("es:ESHttpGet", "es:ESHttpPost", "es:ESHttpPut", "logs:CreateLogStream", "logs:PutLogEvents"),
        *("sqs:ReceiveMessage", "sqs:ChangeMessageVisibility", "sqs:DeleteMessage"),
    },
}


@pytest.mark.parametrize("role", RIGHTS)
@pytest.mark.parametrize("stage", STAGES)
def test_a_role_may_do_just_this(stage: str, role: str) -> None:
    allowed = {
        action
        for policy, statement in built(stage).statements()
        if policy.startswith(role)
        for action in words(statement["Action"])
    }
    assert allowed == RIGHTS[role]


@pytest.mark.parametrize("stage", STAGES)
def test_every_right_names_its_resource(stage: str) -> None:
    for policy, statement in built(stage).statements():
        assert statement["Effect"] == "Allow"
        assert not any("*" in action for action in words(statement["Action"])), policy
        resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        for resource in resources:
            assert not isinstance(resource, str), f"{policy}: {resource}"
            if "*" in json.dumps(resource):
                assert any(known in json.dumps(resource) for known in (FAILED_EVENTS, "/cwl-*", ":log-group:")), policy


def test_the_replay_reads_no_more_than_bodies() -> None:
    (statement,) = (
        statement for _, statement in built("dev").statements() if "s3:GetObject" in words(statement["Action"])
    )
    assert '"/letters/*"' in json.dumps(statement["Resource"])


def test_the_shipping_makes_no_resource_itself() -> None:
    children = {child.node.id for child in built("dev").stack.shipping.node.children}
    parts = {"Setup", "Search", "Queues", "Functions", "Subscriptions", "ClusterAccess", "Canary", "Observability"}
    assert children == parts


def test_a_wrong_configuration_makes_nothing_and_names_every_fault() -> None:
    stack = cdk.Stack(app(), "Own")
    with pytest.raises(BadConfiguration) as failure:
        LogShipping(stack, "Logs", config=replace(STAGES["dev"], cluster="", log_retention_days=8))
    assert str(failure.value) == (
        "stage dev: cluster: '' is no EKS cluster name (letters, digits, - and _); "
        "log_retention_days: 8 is no number of days that CloudWatch offers"
    )
    (shipping,) = stack.node.children
    assert shipping.node.children == []


def test_a_nested_stack_is_refused_as_its_name_is_not_known() -> None:
    nested = cdk.NestedStack(cdk.Stack(app(), "Own"), "Nested")
    with pytest.raises(BadConfiguration, match="a nested stack has no name at synthesis"):
        LogShipping(nested, "Logs", config=STAGES["dev"])
