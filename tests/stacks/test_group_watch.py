"""The function that subscribes log groups under prefixes: when it starts, what it is told, what it may do."""

from __future__ import annotations

import json
from typing import Any

from shipper.handlers import subscribe
from tests.stacks.built import SUBSCRIBER, Built, attribute, built, example, of_config, words

WATCH = "GroupWatchFunction7E0B5DED"
OWN_LOG = "GroupWatchLogE16AA4BE"
PREFIXES = ["/aws/lambda/shop-", "/nginx/"]


def _stack() -> Built:
    return of_config(example("more-log-groups"))


def _variables(stack: Built) -> dict[str, Any]:
    variables: dict[str, Any] = stack.properties(WATCH)["Environment"]["Variables"]
    return variables


def _rules(stack: Built) -> list[dict[str, Any]]:
    rules = stack.of_type("AWS::Events::Rule").values()
    return [rule for rule in rules if rule["Targets"][0]["Arn"] == attribute(WATCH)]


def test_it_starts_for_every_new_group_of_its_prefixes_and_once_an_hour() -> None:
    """Without a word of the partition: CloudTrail's detail-type is another in China."""
    by_event, by_hour = sorted(_rules(_stack()), key=lambda rule: "EventPattern" not in rule)
    assert by_event["EventPattern"] == {
        "source": ["aws.logs"],
        "detail": {
            "eventName": ["CreateLogGroup"],
            "requestParameters": {"logGroupName": [{"prefix": prefix} for prefix in PREFIXES]},
        },
    }
    assert by_hour["ScheduleExpression"] == "rate(1 hour)"


def test_it_is_told_what_to_subscribe_to_and_how() -> None:
    variables = _variables(_stack())
    assert variables[subscribe.NAME_VARIABLE] == "cwl-shipper-dev"
    assert variables[subscribe.DESTINATION_VARIABLE] == attribute(SUBSCRIBER)
    assert json.loads(variables[subscribe.PATTERNS_VARIABLE]) == {
        "/aws/lambda/shop-": '{ $.level = "ERROR" || $.level = "WARN" }',
        "/nginx/": "[ip, user, time, request, status, bytes]",
    }
    assert variables[subscribe.SYSTEM_FIELDS_VARIABLE] == ""
    copies = _variables(of_config(example("central-account")))
    assert copies[subscribe.SYSTEM_FIELDS_VARIABLE] == "@aws.account,@aws.region"


def test_it_leaves_out_every_log_group_that_the_stack_writes_itself() -> None:
    stack = _stack()
    parts = _variables(stack)[subscribe.LEFT_OUT_VARIABLE]["Fn::Join"][1]
    text = "".join(part if isinstance(part, str) else part["Ref"] for part in parts)
    own = {key for key, group in stack.of_type("AWS::Logs::LogGroup").items() if "LogGroupName" not in group}
    assert {*text.split(",")} == own | {"/aws/lambda/shop-warmup"}
    assert OWN_LOG in own


def test_its_role_puts_filters_on_the_log_groups_of_its_prefixes_alone() -> None:
    allowed = {
        tuple(words(statement["Action"])): statement["Resource"]
        for policy, statement in _stack().statements()
        if policy.startswith("GroupWatchRole")
    }
    filters = allowed[("logs:DescribeSubscriptionFilters", "logs:PutSubscriptionFilter")]
    assert [resource["Fn::Join"][1][-1] for resource in filters] == [f":log-group:{prefix}*" for prefix in PREFIXES]
    assert allowed[("logs:DescribeLogGroups",)]["Fn::Join"][1][-1] == ":log-group:*"
    assert set(allowed) == {
        ("logs:CreateLogStream", "logs:PutLogEvents"),
        ("logs:DescribeLogGroups",),
        ("logs:DescribeSubscriptionFilters", "logs:PutSubscriptionFilter"),
    }


def test_its_failures_are_an_alarm() -> None:
    alarms = _stack().of_type("AWS::CloudWatch::Alarm").values()
    watched = [
        alarm for alarm in alarms if {"Name": "FunctionName", "Value": {"Ref": WATCH}} in alarm.get("Dimensions", [])
    ]
    assert {alarm["MetricName"] for alarm in watched} == {"Errors", "Throttles"}


def test_it_is_found_by_an_output() -> None:
    assert _stack().outputs["GroupWatchFunction"]["Value"] == {"Ref": WATCH}


def test_without_prefixes_there_is_none() -> None:
    assert "GroupWatchFunction" not in built("dev").outputs
    assert not [key for key in built("dev").resources if key.startswith("GroupWatch")]


def test_one_bad_period_is_an_alarm_of_what_starts_once_an_hour() -> None:
    found = {
        key: alarm["DatapointsToAlarm"]
        for key, alarm in _stack().of_type("AWS::CloudWatch::Alarm").items()
        if "AFunctionFails" in key
    }
    assert {("GroupWatch" in key, needed) for key, needed in found.items()} == {(True, 1), (False, 2)}
