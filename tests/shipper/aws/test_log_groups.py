from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from moto import mock_aws

from shipper.aws.log_groups import LogGroup, LogGroups, Subscription, UnknownCriteria
from tests.shipper.fakes import NOW_MS, aws_client

GROUP = "/aws/containerinsights/demo/application"
FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:subscriber"


@pytest.fixture
def logs() -> Iterator[Any]:
    with mock_aws():
        made = aws_client("logs")
        made.create_log_group(logGroupName=GROUP)
        yield made


def put(logs: Any, stream: str, *times_ms: int) -> None:
    logs.create_log_stream(logGroupName=GROUP, logStreamName=stream)
    events = [{"timestamp": at_ms, "message": f"{stream} at {at_ms}"} for at_ms in times_ms]
    logs.put_log_events(logGroupName=GROUP, logStreamName=stream, logEvents=events)


class PlayedLogs:
    """A client of CloudWatch Logs with subscription filters, which moto makes only for what it can invoke."""

    def __init__(self, *filters: dict[str, Any], policies: Sequence[dict[str, Any]] = ()) -> None:
        self.asked: list[dict[str, Any]] = []
        self._filters = list(filters)
        self._policies = list(policies)

    def describe_subscription_filters(self, **_: Any) -> dict[str, Any]:
        return {"subscriptionFilters": self._filters}

    def describe_account_policies(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(asked)
        return {"accountPolicies": self._policies}


def now_ms() -> int:
    return int(time.time() * 1000) - 60_000


def test_a_group_knows_its_owner(logs: Any) -> None:
    groups = LogGroups(logs)
    assert list(groups.named("/aws/containerinsights/")) == [LogGroup(GROUP, "123456789012")]
    assert list(groups.named("/other")) == []


def test_events_of_all_streams_come_in_the_order_of_time(logs: Any) -> None:
    at_ms = now_ms()
    put(logs, "a", at_ms, at_ms + 20)
    put(logs, "b", at_ms + 10, at_ms + 30)
    events = list(LogGroups(logs).events(GROUP, at_ms, at_ms + 30))
    assert [(event.log_stream, event.at_ms - at_ms) for event in events] == [("a", 0), ("b", 10), ("a", 20)]
    assert all(event.event.id and event.ingested_at_ms >= at_ms for event in events)


def test_what_a_pattern_does_not_take_is_not_read(logs: Any) -> None:
    at_ms = now_ms()
    put(logs, "a", at_ms)
    put(logs, "b", at_ms)
    assert [event.log_stream for event in LogGroups(logs).events(GROUP, 0, NOW_MS * 2, "b")] == ["b"]


def test_when_the_last_event_was(logs: Any) -> None:
    assert LogGroups(logs).last_event_ms(GROUP) == 0
    at_ms = now_ms()
    put(logs, "a", at_ms, at_ms + 20)
    assert LogGroups(logs).last_event_ms(GROUP) == at_ms + 20


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ([], None),
        ([{"filterName": "f", "destinationArn": FUNCTION, "filterPattern": "ERROR"}], Subscription("f", "ERROR")),
        ([{"filterName": "f", "destinationArn": FUNCTION + ":live"}], Subscription("f", "")),
        ([{"filterName": "f", "destinationArn": FUNCTION + "-2", "filterPattern": ""}], None),
        ([{"filterName": "k", "destinationArn": "arn:aws:kinesis:eu-west-1:1:stream/s", "filterPattern": ""}], None),
    ],
    ids=["none", "with a pattern", "of an alias", "of another function", "of a stream"],
)
def test_the_filter_that_leads_to_a_function(filters: list[dict[str, Any]], expected: Subscription | None) -> None:
    assert LogGroups(PlayedLogs(*filters)).subscription(GROUP, "subscriber") == expected


def policy(criteria: str | None, arn: str = FUNCTION, **document: str) -> dict[str, Any]:
    """The account's policy as the service tells it; without criteria it takes all."""
    told = {"policyName": "cwl", "policyDocument": json.dumps({"DestinationArn": arn, **document})}
    return told if criteria is None else {**told, "selectionCriteria": criteria}


OURS = Subscription("cwl", "", is_policy=True)


@pytest.mark.parametrize(
    ("policies", "expected"),
    [
        pytest.param([], None, id="none"),
        pytest.param([policy(None)], OURS, id="of all log groups"),
        pytest.param(
            [policy("", FilterPattern="?E ?canary")], replace(OURS, pattern="?E ?canary"), id="with a pattern"
        ),
        pytest.param([policy(None, FUNCTION + ":live")], OURS, id="of an alias"),
        pytest.param([policy(None, FUNCTION + "-2")], None, id="of another function"),
        pytest.param([policy(None, "arn:aws:kinesis:eu-west-1:1:stream/s")], None, id="of a stream"),
        pytest.param([policy('LogGroupName NOT IN ["/a", "/b"]')], OURS, id="that leaves out others"),
        pytest.param(
            [policy(f'LogGroupName NOT IN ["{GROUP}-2","x{GROUP}"]')], OURS, id="that leaves out longer names"
        ),
        pytest.param([policy(f'LogGroupName NOT IN ["/a","{GROUP}"]')], None, id="that leaves it out"),
    ],
)
def test_the_accounts_policy_that_leads_to_a_function(
    policies: list[dict[str, Any]], expected: Subscription | None
) -> None:
    logs = PlayedLogs(policies=policies)
    groups = LogGroups(logs)
    assert [groups.account_subscription(GROUP, "subscriber") for _ in range(2)] == [expected] * 2
    assert logs.asked == [{"policyType": "SUBSCRIPTION_FILTER_POLICY"}]


@pytest.mark.parametrize("criteria", [f' LogGroupName not in ["{GROUP}"]', 'LogGroupNamePrefix IN ["/a"]'])
def test_of_criteria_in_another_form_nothing_is_claimed(criteria: str) -> None:
    with pytest.raises(UnknownCriteria, match=r"^its selection criteria are '.*LogGroupName"):
        LogGroups(PlayedLogs(policies=[policy(criteria)])).account_subscription(GROUP, "subscriber")
