"""The function that subscribes log groups: at the event of a new one, and all that it finds on a schedule."""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.config import Config

from shipper.aws.subscription_filters import Refused, SubscriptionFilters
from shipper.aws.telemetry import Telemetry
from shipper.handlers.services import boto3_client
from shipper.subscribe import MAX_FILTERS, Filter, Step, Wanted, created, step

NAME_VARIABLE = "CWL_FILTER_NAME"
DESTINATION_VARIABLE = "CWL_DESTINATION"
PATTERNS_VARIABLE = "CWL_PATTERNS"
"""JSON: a filter pattern for each prefix."""

LEFT_OUT_VARIABLE = "CWL_LEFT_OUT"
"""Names of log groups, separated by commas: no name can hold one."""

SYSTEM_FIELDS_VARIABLE = "CWL_SYSTEM_FIELDS"
"""Comma-separated; may be empty."""

SERVICE = "subscribe"
_TRIES = 10
"""An account is allowed few reads of filters a second, and there may be thousands of groups."""


@dataclass(frozen=True, slots=True)
class Services:
    """What it is wired with."""

    wanted: Wanted
    filters: SubscriptionFilters
    telemetry: Telemetry


class Unsubscribed(Exception):
    """Some log groups could not be subscribed; Lambda tries again, and so does the schedule."""


def services() -> Services:
    """Built anew at each invocation, of which there are few."""
    logs = boto3_client("logs", config=Config(retries={"mode": "standard", "total_max_attempts": _TRIES}))
    return Services(_wanted(os.environ), SubscriptionFilters(logs), Telemetry(SERVICE, "INFO"))


def _wanted(env: Mapping[str, str]) -> Wanted:
    return Wanted(
        name=env[NAME_VARIABLE],
        destination=env[DESTINATION_VARIABLE],
        patterns=json.loads(env[PATTERNS_VARIABLE]),
        left_out=frozenset(env[LEFT_OUT_VARIABLE].split(",")),
        system_fields=tuple(name for name in env[SYSTEM_FIELDS_VARIABLE].split(",") if name),
    )


def handler(event: Any, _context: Any) -> dict[str, int]:
    """Subscribe the log group that the event names, or all under the prefixes; answers how many of each `Step`."""
    return run(event, services())


def run(event: Any, wired: Services) -> dict[str, int]:
    """`handler` with its services passed in. Raises `Unsubscribed` when all others are done."""
    done: Counter[str] = Counter()
    failed: list[str] = []
    for log_group, wanted in _to_subscribe(created(event), wired, failed):
        try:
            done[_subscribe(log_group, wanted, wired).value] += 1
        except Refused as error:
            failed.append(str(error))
    wired.telemetry.logger.info("subscribed", extra={"log_groups": dict(done)})
    if failed:
        wired.telemetry.refused("not subscribed", errors=failed)
        raise Unsubscribed(f"{len(failed)} failed, the first: {failed[0]}")
    return dict(done)


def _to_subscribe(name: str | None, wired: Services, failed: list[str]) -> Iterator[tuple[str, Filter]]:
    """Log groups with the filter of each: the one of this name, or all. What cannot be listed goes to `failed`."""
    log_groups: set[str] = set()
    for prefix in wired.wanted.patterns if name is None else (name,):
        try:
            log_groups.update(wired.filters.log_groups(prefix))
        except Refused as error:
            failed.append(str(error))
    # A run may be cut off: in a fixed order the last ones would never have their turn.
    for log_group in random.sample(sorted(log_groups), len(log_groups)):
        wanted = wired.wanted.filter_of(log_group)
        if wanted and name in {None, log_group}:
            yield log_group, wanted


def _subscribe(log_group: str, wanted: Filter, wired: Services) -> Step:
    """Do what is to be done about one log group."""
    todo = step(wanted, wired.filters.of(log_group))
    if todo is Step.PUT:
        wired.filters.put(log_group, wanted)
    if todo is Step.FULL:
        wired.telemetry.refused(f"{MAX_FILTERS} filters already, and no room for ours", log_group=log_group)
    return todo
