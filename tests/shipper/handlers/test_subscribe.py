"""The function that subscribes log groups, on moto, which takes a filter only to a function that it has."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from shipper.aws.subscription_filters import Refused, SubscriptionFilters
from shipper.handlers.subscribe import (
    DESTINATION_VARIABLE,
    LEFT_OUT_VARIABLE,
    NAME_VARIABLE,
    PATTERNS_VARIABLE,
    SYSTEM_FIELDS_VARIABLE,
    Unsubscribed,
    handler,
)
from tests.shipper.fakes import AWS_ENV, aws_client

OURS = "cwl-shipper-dev"


def event_of(log_group: str) -> dict[str, Any]:
    """As EventBridge hands on what CloudTrail saw."""
    return {
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.logs",
        "detail": {"eventName": "CreateLogGroup", "requestParameters": {"logGroupName": log_group}},
    }


@pytest.fixture
def logs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    with mock_aws():
        for name, value in AWS_ENV.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv(NAME_VARIABLE, OURS)
        monkeypatch.setenv(DESTINATION_VARIABLE, function("shipper"))
        monkeypatch.setenv(PATTERNS_VARIABLE, json.dumps({"/shop/": "", "/shop/cart": "ERROR"}))
        monkeypatch.setenv(LEFT_OUT_VARIABLE, "/shop/own,/own")
        monkeypatch.setenv(SYSTEM_FIELDS_VARIABLE, "")
        yield aws_client("logs")


def function(name: str) -> str:
    """A function on moto; its ARN."""
    role = aws_client("iam").create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("f.py", "")
    made = aws_client("lambda").create_function(
        FunctionName=name, Runtime="python3.13", Role=role, Handler="f.f", Code={"ZipFile": code.getvalue()}
    )
    return str(made["FunctionArn"])


def make(logs: Any, *log_groups: str) -> None:
    for log_group in log_groups:
        logs.create_log_group(logGroupName=log_group)


def subscribed(logs: Any) -> dict[str, str]:
    """The patterns of our filters by log group."""
    return {
        group["logGroupName"]: found["filterPattern"]
        for group in logs.describe_log_groups()["logGroups"]
        for found in logs.describe_subscription_filters(logGroupName=group["logGroupName"])["subscriptionFilters"]
        if found["filterName"] == OURS
    }


def warnings(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [vars(record) for record in caplog.records if record.levelname == "WARNING"]


def test_the_schedule_subscribes_all_under_the_prefixes_and_a_second_time_none(logs: Any) -> None:
    make(logs, "/shop/a", "/shop/cart-1", "/shop/own", "/other")
    assert handler({}, None) == {"subscribed": 2}
    assert subscribed(logs) == {"/shop/a": "", "/shop/cart-1": "ERROR"}
    assert handler({}, None) == {"already": 2}


def test_a_new_group_is_subscribed_by_its_event_alone(logs: Any) -> None:
    make(logs, "/shop/a", "/shop/a-2", "/shop/own", "/other")
    assert handler(event_of("/shop/a"), None) == {"subscribed": 1}
    assert subscribed(logs) == {"/shop/a": ""}
    for log_group in ("/shop/own", "/other", "/shop/gone"):
        assert handler(event_of(log_group), None) == {}
    assert subscribed(logs) == {"/shop/a": ""}


def test_a_pattern_that_changed_is_put_right(logs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    make(logs, "/shop/a")
    handler({}, None)
    monkeypatch.setenv(PATTERNS_VARIABLE, json.dumps({"/shop/": "?WARN"}))
    assert handler({}, None) == {"subscribed": 1}
    assert subscribed(logs) == {"/shop/a": "?WARN"}


def test_a_group_without_room_is_named_and_left(logs: Any, caplog: pytest.LogCaptureFixture) -> None:
    make(logs, "/shop/a")
    other = function("other")
    for name in ("one", "two"):
        logs.put_subscription_filter(logGroupName="/shop/a", filterName=name, filterPattern="", destinationArn=other)
    assert handler({}, None) == {"full": 1}
    (warning,) = warnings(caplog)
    assert warning["log_group"] == "/shop/a"
    assert "2 filters already" in warning["msg"]


def test_what_fails_keeps_nobody_else_waiting_and_is_raised_at_last(
    logs: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    make(logs, "/shop/a", "/shop/b")
    monkeypatch.setenv(DESTINATION_VARIABLE, "arn:aws:lambda:eu-west-1:123456789012:function:gone")
    with pytest.raises(Unsubscribed, match=r"2 failed, the first: /shop/[ab]: .*InvalidParameter"):
        handler({}, None)
    (warning,) = warnings(caplog)
    assert sorted(error.partition(":")[0] for error in warning["errors"]) == ["/shop/a", "/shop/b"]


def test_a_prefix_that_is_not_told_keeps_the_others_not_waiting(
    logs: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    make(logs, "/shop/a")
    monkeypatch.setenv(PATTERNS_VARIABLE, json.dumps({"/shop/": "", "/*not a name*/": ""}))
    told = SubscriptionFilters.log_groups

    def log_groups(self: SubscriptionFilters, prefix: str) -> Any:
        if prefix != "/shop/":
            raise Refused(f"{prefix}: throttled")
        return told(self, prefix)

    monkeypatch.setattr(SubscriptionFilters, "log_groups", log_groups)
    with pytest.raises(Unsubscribed, match=r"1 failed, the first: .*throttled"):
        handler({}, None)
    assert subscribed(logs) == {"/shop/a": ""}
