"""Log groups as CloudWatch keeps them: their events, and which of them are subscribed to.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from shipper import jsontext
from shipper.audit import Event
from shipper.model import LogEvent

_SAID_CHARS = 200


@dataclass(frozen=True, slots=True)
class LogGroup:
    """A log group; `owner` is the account's number."""

    name: str
    owner: str


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription filter, or the policy of the account; a `pattern` of "" takes every event."""

    name: str
    pattern: str
    is_policy: bool = False


class UnknownCriteria(Exception):
    """A policy chooses log groups in a form that is not known here."""


class LogGroups:
    """The log groups of an account. All methods raise what boto3 raises."""

    def __init__(self, logs: Any) -> None:
        self._logs = logs

    def named(self, prefix: str) -> Iterator[LogGroup]:
        """Log groups whose names begin like this."""
        for page in self._logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix):
            for group in page["logGroups"]:
                yield LogGroup(group["logGroupName"], group["arn"].split(":")[4])

    def subscription(self, log_group: str, function: str) -> Subscription | None:
        """The filter by which a function gets the events of a log group."""
        for found in self._logs.describe_subscription_filters(logGroupName=log_group)["subscriptionFilters"]:
            if _function(found["destinationArn"]) == function:
                return Subscription(found["filterName"], found.get("filterPattern", ""))
        return None

    def account_subscription(self, log_group: str, function: str) -> Subscription | None:
        """The policy of the account by which a function gets the events of a log group. Raises `UnknownCriteria`."""
        for found in self._policies:
            policy = jsontext.loads(found["policyDocument"])
            is_ours = _function(policy.get("DestinationArn", "")) == function
            if is_ours and _takes(found.get("selectionCriteria", ""), log_group):
                return Subscription(found["policyName"], policy.get("FilterPattern", ""), is_policy=True)
        return None

    @cached_property
    def _policies(self) -> list[dict[str, Any]]:
        """Those that subscribe: an account has one in a Region, so that there is no second page.

        https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeAccountPolicies.html
        """
        reply = self._logs.describe_account_policies(policyType="SUBSCRIPTION_FILTER_POLICY")
        return list(reply["accountPolicies"])

    def events(self, log_group: str, from_ms: int, to_ms: int, pattern: str = "") -> Iterator[Event]:
        """Events of all streams from the one time to before the other, sorted by their times, then as they came."""
        pages = self._logs.get_paginator("filter_log_events").paginate(
            logGroupName=log_group,
            startTime=max(0, from_ms),
            endTime=to_ms - 1,  # the end belongs to the range
            interleaved=True,  # AWS always does
            **({"filterPattern": pattern} if pattern else {}),
        )
        for page in pages:
            for raw in page["events"]:
                event = LogEvent(raw["eventId"], raw["timestamp"], raw["message"])
                yield Event(event, raw["logStreamName"], raw.get("ingestionTime", 0))

    def last_event_ms(self, log_group: str) -> int:
        """When the last event was, as CloudWatch noted, which may take it an hour; 0 where there is none."""
        reply = self._logs.describe_log_streams(
            logGroupName=log_group, orderBy="LastEventTime", descending=True, limit=1
        )
        return max((int(stream.get("lastEventTimestamp", 0)) for stream in reply["logStreams"]), default=0)


def _function(arn: str) -> str:
    """The name of a destination's function, whatever its alias; of another destination no such name."""
    return arn.rpartition(":function:")[2].partition(":")[0]


def _takes(criteria: str, log_group: str) -> bool:
    """Whether a policy takes a log group: all, or all but those that it names."""
    if not criteria.strip():
        return True
    left_out = re.fullmatch(r"\s*LogGroupName\s+NOT\s+IN\s*\[(.*)\]\s*", criteria, re.DOTALL)
    if left_out is None:
        raise UnknownCriteria(f"its selection criteria are {criteria[:_SAID_CHARS]!r}")
    return f'"{log_group}"' not in left_out[1]
