"""Which log groups are subscribed to while nobody looks: a name under a prefix, and room for one more filter."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

MAX_FILTERS = 2
"""Of one log group; https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutSubscriptionFilter.html"""


@dataclass(frozen=True, slots=True)
class Filter:
    """A subscription filter: name, ARN of the function, pattern, names of the system fields that come with an event."""

    name: str
    destination: str
    pattern: str = ""
    system_fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be subscribed to: a filter pattern for each prefix, and names that are left out."""

    name: str
    destination: str
    patterns: Mapping[str, str]
    left_out: Collection[str] = ()
    system_fields: tuple[str, ...] = ()

    def filter_of(self, log_group: str) -> Filter | None:
        """The filter that a log group shall have, by the longest prefix of its name; None where it shall have none."""
        prefixes = [prefix for prefix in self.patterns if log_group.startswith(prefix)]
        if not prefixes or log_group in self.left_out:
            return None
        return Filter(self.name, self.destination, self.patterns[max(prefixes, key=len)], self.system_fields)


class Step(Enum):
    """What is to be done about a log group."""

    PUT = "subscribed"
    NONE = "already"
    FULL = "full"


def step(wanted: Filter, present: Sequence[Filter]) -> Step:
    """What makes a log group with the filters `present` one that is subscribed to, by any filter to the function.

    A filter of our own name is put right; one of another name is somebody's decision, and is let be.
    """
    own = [filter_ for filter_ in present if filter_.name == wanted.name]
    if own:
        return Step.NONE if own == [wanted] else Step.PUT
    if any(filter_.destination == wanted.destination for filter_ in present):
        return Step.NONE
    return Step.FULL if len(present) >= MAX_FILTERS else Step.PUT


def created(event: Any) -> str | None:
    """The log group that CloudTrail says was made, None for an event that names none: the schedule's, or a person's.

    https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-logs.html
    """
    match event:
        case {"detail": {"requestParameters": {"logGroupName": str(name)}}}:
            return name
    return None
