"""Subscription filters of log groups. Every method raises `Refused`.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutSubscriptionFilter.html
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from shipper.subscribe import Filter


class Refused(Exception):
    """CloudWatch Logs did not do it; one line says for what and why."""


class SubscriptionFilters:
    """The filters of this account and Region."""

    def __init__(self, logs: Any) -> None:
        self._logs = logs

    def log_groups(self, prefix: str) -> list[str]:
        """Names that begin with `prefix`, of the class that can be subscribed to.

        https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch_Logs_Log_Classes.html
        """
        pages = self._logs.get_paginator("describe_log_groups")
        with _refusal_of(prefix):
            return [
                found["logGroupName"]
                for page in pages.paginate(logGroupNamePrefix=prefix, logGroupClass="STANDARD")
                for found in page["logGroups"]
            ]

    def of(self, log_group: str) -> list[Filter]:
        """All filters of a log group."""
        with _refusal_of(log_group):
            found = self._logs.describe_subscription_filters(logGroupName=log_group)["subscriptionFilters"]
        return [
            Filter(
                one["filterName"],
                one["destinationArn"],
                one.get("filterPattern", ""),
                tuple(one.get("emitSystemFields", ())),
            )
            for one in found
        ]

    def put(self, log_group: str, wanted: Filter) -> None:
        """Make a filter, or make the one of this name like it."""
        fields = {"emitSystemFields": list(wanted.system_fields)} if wanted.system_fields else {}
        with _refusal_of(log_group):
            self._logs.put_subscription_filter(
                logGroupName=log_group,
                filterName=wanted.name,
                filterPattern=wanted.pattern,
                destinationArn=wanted.destination,
                **fields,
            )


@contextmanager
def _refusal_of(what: str) -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise Refused(f"{what}: {error}") from error
