"""The topic, its key, and that every alarm and the dashboard are complete."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stacks.observability import _low_storage_mib
from stacks.stages import STAGES, StageConfig
from tests.stacks.built import DOMAIN, Built, attribute, built
from tests.stacks.test_domain_setup import EXISTING

TOPIC = "ObservabilityTopicFFC7823B"
KEY = "ObservabilityKey84D8AFE9"
BY_ALARMS_HERE = {
    "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}},
    "ArnLike": {
        "aws:SourceArn": {
            "Fn::Join": [
                "",
                [
                    *("arn:", {"Ref": "AWS::Partition"}, ":cloudwatch:", {"Ref": "AWS::Region"}, ":"),
                    *({"Ref": "AWS::AccountId"}, ":alarm:*"),
                ],
            ]
        }
    },
}


def by_cloudwatch(policy: dict[str, Any]) -> list[tuple[Any, Any]]:
    """(actions, condition) of what CloudWatch may do."""
    return [
        (statement["Action"], statement["Condition"])
        for statement in policy["Statement"]
        if statement["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    ]


@pytest.mark.parametrize("stage", STAGES)
def test_alarms_of_this_account_alone_may_use_the_encrypted_topic(stage: str) -> None:
    """With the key of SNS itself, an alarm would tell nobody."""
    stack = built(stage)
    assert stack.properties(TOPIC)["KmsMasterKeyId"] == attribute(KEY)
    policy = stack.only("AWS::SNS::TopicPolicy")["PolicyDocument"]
    assert by_cloudwatch(policy) == [("sns:Publish", BY_ALARMS_HERE)]
    key = stack.properties(KEY)
    assert by_cloudwatch(key["KeyPolicy"]) == [(["kms:Decrypt", "kms:GenerateDataKey"], BY_ALARMS_HERE)]
    assert key["EnableKeyRotation"]


def test_the_topic_refuses_what_is_not_tls() -> None:
    statements = built("dev").only("AWS::SNS::TopicPolicy")["PolicyDocument"]["Statement"]
    (denied,) = [statement for statement in statements if statement["Effect"] == "Deny"]
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_an_address_is_told_where_there_is_one() -> None:
    assert built("dev").of_type("AWS::SNS::Subscription") == {}
    found = built("dev", alarm_email="ops@example.com", **EXISTING).only("AWS::SNS::Subscription")
    assert found == {"Endpoint": "ops@example.com", "Protocol": "email", "TopicArn": {"Ref": TOPIC}}


def test_every_alarm_tells_the_topic_when_it_goes_off_and_when_it_is_over() -> None:
    for alarm in built("dev").of_type("AWS::CloudWatch::Alarm").values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": TOPIC}]


def dimensions(stack: Built, metric: str) -> dict[str, Any]:
    (alarm,) = [
        alarm for alarm in stack.of_type("AWS::CloudWatch::Alarm").values() if alarm.get("MetricName") == metric
    ]
    return {one["Name"]: one["Value"] for one in alarm["Dimensions"]}


def test_metrics_of_a_domain_that_exists_are_found_by_its_arn() -> None:
    assert dimensions(built("dev"), "ClusterStatus.red") == {
        "DomainName": {"Ref": DOMAIN},
        "ClientId": {"Ref": "AWS::AccountId"},
    }
    existing = built("dev", alarm_email="ops@example.com", **EXISTING)
    assert dimensions(existing, "ClusterStatus.red") == {"DomainName": "logs", "ClientId": "123456789012"}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        pytest.param(StageConfig(name="a", volume_gib=100), 25_600, id="a quarter of a volume"),
        pytest.param(StageConfig(name="a", **EXISTING), 20_480, id="a volume that is unknown"),
        pytest.param(StageConfig(name="a", low_storage_mib=7, **EXISTING), 7, id="as the stage says"),
    ],
)
def test_space_is_low_below(config: StageConfig, expected: float) -> None:
    assert _low_storage_mib(config) == expected


def titles(stack: Built) -> list[str]:
    body = stack.only("AWS::CloudWatch::Dashboard")["DashboardBody"]
    # What CloudFormation fills in does not matter here.
    text = "".join(part if isinstance(part, str) else "x" for part in body["Fn::Join"][1])
    return [widget["properties"]["title"] for widget in json.loads(text)["widgets"]]


def test_the_dashboard_asks_what_a_person_on_call_asks() -> None:
    shown = titles(built("dev"))
    assert shown == [
        "Do logs come? Events into each group",
        "Are they handed on?",
        "What CloudWatch Logs cannot hand on",
        "What became of them, subscriber",
        "What became of them, replay",
        "How old is the canary's newest line there? ms",
        "How old is the newest log that can be found? ms",
        "Bulk requests of an invocation, ms",
        "Messages in the queues",
        "Age of the oldest, s",
        "Functions",
        "Duration, ms",
        "Events between CloudWatch Logs and the subscriber",
        "Is the domain well?",
        "Load, %",
        "Free space of the fullest node, MiB",
        "Rejected since each node's start",
    ]
    without = {"How old is the canary's newest line there? ms", *shown[-4:]}
    assert titles(built("local")) == [title for title in shown if title not in without]
