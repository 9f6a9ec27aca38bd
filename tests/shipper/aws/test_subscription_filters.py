from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from shipper.aws.subscription_filters import Refused, SubscriptionFilters
from shipper.subscribe import Filter
from tests.shipper.fakes import aws_client

GROUP = "/g/one"
WANTED = Filter("ours", "arn:aws:lambda:eu-west-1:123456789012:function:f", "ERROR", ("@aws.account",))


class PlayedLogs:
    """A client of CloudWatch Logs; moto takes a filter only to a function that it has, and keeps no system fields."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []

    def put_subscription_filter(self, **request: Any) -> None:
        self.requests.append(request)

    def describe_subscription_filters(self, **_: Any) -> dict[str, Any]:
        return {"subscriptionFilters": self.requests}


@mock_aws
def test_the_groups_under_a_prefix_are_those_that_can_be_subscribed_to() -> None:
    logs = aws_client("logs")
    for number in range(60):  # more than a page
        logs.create_log_group(logGroupName=f"/g/{number:02}")
    logs.create_log_group(logGroupName="/other")
    assert SubscriptionFilters(logs).log_groups("/g/") == [f"/g/{number:02}" for number in range(60)]


def test_only_the_standard_class_is_asked_for() -> None:
    class Asked:
        def get_paginator(self, _: str) -> Any:
            return self

        def paginate(self, **request: Any) -> list[Any]:
            self.request = request
            return []

    logs = Asked()
    SubscriptionFilters(logs).log_groups("/g/")
    assert logs.request == {"logGroupNamePrefix": "/g/", "logGroupClass": "STANDARD"}


@pytest.mark.parametrize("wanted", [WANTED, Filter("ours", "arn:f")], ids=["with system fields", "without"])
def test_a_filter_comes_back_as_it_was_put(wanted: Filter) -> None:
    logs = PlayedLogs()
    filters = SubscriptionFilters(logs)
    filters.put(GROUP, wanted)
    assert filters.of(GROUP) == [wanted]
    assert logs.requests[0]["logGroupName"] == GROUP
    assert ("emitSystemFields" in logs.requests[0]) is bool(wanted.system_fields)


@mock_aws
@pytest.mark.parametrize("call", ["of", "put"])
def test_a_refusal_is_one_line_that_names_the_group(call: str) -> None:
    filters = SubscriptionFilters(aws_client("logs"))
    with pytest.raises(Refused, match=r"^/nowhere: .*ResourceNotFound"):
        filters.of("/nowhere") if call == "of" else filters.put("/nowhere", WANTED)


def test_a_refused_list_names_the_prefix() -> None:
    class Refusing:
        def get_paginator(self, _: str) -> Any:
            return self

        def paginate(self, **_: Any) -> Any:
            raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "DescribeLogGroups")

    with pytest.raises(Refused, match=r"^/g/: .*AccessDenied"):
        SubscriptionFilters(Refusing()).log_groups("/g/")
