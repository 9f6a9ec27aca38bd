"""Log groups, filters, and the one permission that lets CloudWatch Logs invoke."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stacks.stages import LOG_GROUPS, STAGES
from tests.stacks.built import INVOKE_BY_LOGS, SUBSCRIBER, Built, attribute, built, example, of_config


def _filters(stack: Built) -> dict[str, dict[str, Any]]:
    return stack.of_type("AWS::Logs::SubscriptionFilter")


@pytest.mark.parametrize("stage", STAGES)
def test_there_are_the_three_groups_of_container_insights(stage: str) -> None:
    groups = [
        group["LogGroupName"]
        for group in built(stage).of_type("AWS::Logs::LogGroup").values()
        if "LogGroupName" in group
    ]
    assert groups == [f"/aws/containerinsights/{STAGES[stage].cluster}/{kind}" for kind in LOG_GROUPS]


def test_each_group_has_a_filter_to_the_subscriber() -> None:
    stack = built("dev")
    named = {key for key, group in stack.of_type("AWS::Logs::LogGroup").items() if "LogGroupName" in group}
    assert {properties["LogGroupName"]["Ref"] for properties in _filters(stack).values()} == named
    for properties in _filters(stack).values():
        assert properties["DestinationArn"] == attribute(SUBSCRIBER)
        assert properties["FilterPattern"] == ""


def test_a_pattern_reaches_every_filter() -> None:
    patterns = [
        properties["FilterPattern"] for properties in _filters(built("dev", filter_pattern="?ERROR ?canary")).values()
    ]
    assert patterns == ["?ERROR ?canary"] * 3


def test_groups_that_exist_are_subscribed_to_and_not_made() -> None:
    stack = built("dev", create_log_groups=False, cluster="shop")
    assert not any("LogGroupName" in group for group in stack.of_type("AWS::Logs::LogGroup").values())
    subscribed = [properties["LogGroupName"] for properties in _filters(stack).values()]
    assert subscribed == [f"/aws/containerinsights/shop/{kind}" for kind in LOG_GROUPS]


def test_each_group_may_have_a_pattern_of_its_own() -> None:
    patterns = {
        json.dumps(properties["LogGroupName"]): properties["FilterPattern"]
        for properties in _filters(of_config(example("more-log-groups"))).values()
    }
    assert patterns == {
        '{"Ref": "SubscriptionsApplication1A632ED3"}': "",
        '{"Ref": "SubscriptionsDataplane00689613"}': "",
        '{"Ref": "SubscriptionsHostD2E9398A"}': "?error ?fail ?canary",
        '"/aws/rds/instance/shop/postgresql"': "?ERROR ?FATAL",
    }


def test_another_log_group_has_alarms_and_may_invoke_before_it_has_a_filter() -> None:
    stack = of_config(example("more-log-groups"))
    (filter_,) = [
        key for key, value in _filters(stack).items() if value["LogGroupName"] == "/aws/rds/instance/shop/postgresql"
    ]
    (permission,) = [
        key
        for key, value in stack.of_type("AWS::Lambda::Permission").items()
        if str(value.get("SourceArn")).endswith("':log-group:*']]}")
    ]
    assert permission in stack.resources[filter_]["DependsOn"]
    alarms = [key for key in stack.of_type("AWS::CloudWatch::Alarm") if "AwsRdsInstanceShopPostgresql" in key]
    assert len(alarms) == 3
    assert '"/aws/rds/instance/shop/postgresql"' in json.dumps(stack.only("AWS::CloudWatch::Dashboard")).replace(
        "\\", ""
    )


def test_filters_of_copies_say_where_an_event_comes_from() -> None:
    for properties in _filters(of_config(example("central-account"))).values():
        assert properties["EmitSystemFields"] == ["@aws.account", "@aws.region"]
    assert not [properties for properties in _filters(built("dev")).values() if "EmitSystemFields" in properties]


def test_one_permission_lets_the_logs_of_this_account_invoke() -> None:
    assert built("dev", cluster="shop").properties(INVOKE_BY_LOGS) == {
        "Action": "lambda:InvokeFunction",
        "FunctionName": attribute(SUBSCRIBER),
        "Principal": "logs.amazonaws.com",
        "SourceAccount": {"Ref": "AWS::AccountId"},
        "SourceArn": {
            "Fn::Join": [
                "",
                [
                    "arn:",
                    {"Ref": "AWS::Partition"},
                    ":logs:",
                    {"Ref": "AWS::Region"},
                    ":",
                    {"Ref": "AWS::AccountId"},
                    ":log-group:/aws/containerinsights/shop/*:*",
                ],
            ]
        },
    }


@pytest.mark.parametrize("existing", [False, True])
def test_filters_wait_for_the_permission(existing: bool) -> None:
    """CloudWatch invokes the function when a filter is made, and refuses the filter where it may not."""
    stack = built("dev", create_log_groups=not existing)
    assert len(_filters(stack)) == 3
    for key in _filters(stack):
        assert INVOKE_BY_LOGS in stack.resources[key]["DependsOn"], key


def test_the_functions_own_logs_are_not_subscribed_to() -> None:
    """A function that ships its own logs feeds itself for ever."""
    stack = built("prod")
    own = {key for key, group in stack.of_type("AWS::Logs::LogGroup").items() if "LogGroupName" not in group}
    assert len(own) == 7
    assert not own & {properties["LogGroupName"]["Ref"] for properties in _filters(stack).values()}
