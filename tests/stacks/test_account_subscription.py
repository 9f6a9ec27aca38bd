"""One policy for the account in place of filters, which leaves out whatever it would feed on."""

from __future__ import annotations

import json
import re

from tests.stacks.built import INVOKE_BY_LOGS, SUBSCRIBER, Built, attribute, built

NOISE = "/shop/noise"
INVOKE_BY_OTHERS = "SubscriptionsInvokeByOtherLogs275906F8"


def _stack() -> Built:
    return built("prod", subscription="account", excluded_log_groups=(NOISE,), filter_pattern="?E ?canary")


def test_there_is_one_policy_to_the_subscriber_and_no_filter() -> None:
    policy = _stack().only("AWS::Logs::AccountPolicy")
    assert (policy["PolicyName"], policy["PolicyType"], policy["Scope"]) == (
        "cwl-shipper-prod",
        "SUBSCRIPTION_FILTER_POLICY",
        "ALL",
    )
    begin, function, end = policy["PolicyDocument"]["Fn::Join"][1]
    assert function == attribute(SUBSCRIBER)
    assert json.loads(f"{begin}ARN{end}") == {"DestinationArn": "ARN", "FilterPattern": "?E ?canary"}
    assert not _stack().of_type("AWS::Logs::SubscriptionFilter")


def test_it_leaves_out_every_log_group_that_the_stack_writes_itself() -> None:
    """Functions, slow logs of the domain: whatever a delivery makes a line in."""
    parts = _stack().only("AWS::Logs::AccountPolicy")["SelectionCriteria"]["Fn::Join"][1]
    text = "".join(part if isinstance(part, str) else part["Ref"] for part in parts)
    match = re.fullmatch(r"LogGroupName NOT IN (\[.*\])", text)
    assert match
    own = {key for key, group in _stack().of_type("AWS::Logs::LogGroup").items() if "LogGroupName" not in group}
    assert {*json.loads(match[1])} == own | {NOISE}
    assert len(own) > 3


def test_every_log_group_of_the_account_may_invoke_and_the_policy_waits_for_that() -> None:
    stack = _stack()
    permission = stack.properties(INVOKE_BY_OTHERS)
    assert permission["SourceAccount"] == {"Ref": "AWS::AccountId"}
    assert permission["SourceArn"]["Fn::Join"][1][-1] == ":log-group:*"
    (policy,) = [key for key, value in stack.resources.items() if value["Type"] == "AWS::Logs::AccountPolicy"]
    assert INVOKE_BY_OTHERS in stack.resources[policy]["DependsOn"]


def test_the_permission_for_the_cluster_is_the_one_that_was_there_before() -> None:
    """A change to it would replace it, and what may not invoke meanwhile is skipped."""
    assert _stack().resources[INVOKE_BY_LOGS] == built("prod").resources[INVOKE_BY_LOGS]


def test_alarms_that_need_a_filter_are_not_there_and_those_on_late_logs_are() -> None:
    names = list(_stack().of_type("AWS::CloudWatch::Alarm"))
    assert not [name for name in names if "Handed" in name]
    assert len([name for name in names if "LogsComeLate" in name]) == 3
    assert "DeliveryErrors" not in json.dumps(_stack().only("AWS::CloudWatch::Dashboard"))
