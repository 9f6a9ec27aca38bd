"""What is well and what is not: figures of a deployment against a table of rules."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Light(Enum):
    """How bad it is. `UNKNOWN`: it could not be read, so nobody may take it for green."""

    GREEN = "green"
    UNKNOWN = "unknown"
    AMBER = "amber"
    RED = "red"


_ORDER = tuple(Light)


@dataclass(frozen=True, slots=True)
class Rule:
    """From `amber` on it is amber, from `red` on it is red; `what_to_do` helps with either."""

    amber: float
    red: float
    what_to_do: str


RULES: dict[str, Rule] = {
    # CloudWatch hands over within seconds, the template's refresh adds 30 s.
    "behind_s": Rule(300, 900, "`cwl-shipper audit --log-group NAME --from 1h` names what is missing"),
    # The first letters of an outage are normal; they go by themselves once the domain answers.
    "retry_letters": Rule(100, 10_000, "the domain does not take everything now; it heals by itself"),
    "retry_age_s": Rule(900, 3_600, "the domain does not take everything now; it heals by itself"),
    "dead_letters": Rule(1, 1_000, "`cwl-shipper dlq ls` says why"),
    # Of 14 days that a queue keeps its messages.
    "dead_age_s": Rule(86_400, 864_000, "`cwl-shipper dlq export DIR` before the queue forgets them"),
    "dead_lettered_share": Rule(0.0001, 0.01, "`cwl-shipper dlq ls` says why"),
    "requeued_share": Rule(0.05, 0.5, "the domain does not take everything now"),
    # A function that raises has lost nothing yet: Lambda tries again, then keeps the event in the bucket.
    "error_share": Rule(0.0001, 0.05, "look into the function's log"),
    "throttles": Rule(1, 100, "raise the function's concurrency"),
    "cluster": Rule(1, 2, "`_cluster/allocation/explain` says which shard has no place"),
    # The service blocks writes below 20 % of free space:
    # https://docs.aws.amazon.com/opensearch-service/latest/developerguide/handling-errors.html
    "disk_used_share": Rule(0.7, 0.8, "delete old indices or enlarge the volumes"),
}
"""Thresholds by the figure's name, whose last part is its unit."""

CLUSTER = {"green": 0.0, "yellow": 1.0, "red": 2.0}
"""The engine's own word as a figure."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One figure of one thing, for example the age of the retry queue; `value` None: unknown, and `note` says why."""

    figure: str
    of: str
    value: float | None
    note: str = ""

    @property
    def light(self) -> Light:
        """The rule's answer."""
        if self.value is None:
            return Light.UNKNOWN
        rule = RULES[self.figure]
        if self.value >= rule.red:
            return Light.RED
        return Light.AMBER if self.value >= rule.amber else Light.GREEN

    @property
    def what_to_do(self) -> str:
        """What helps, "" where nothing is wrong or nobody knows."""
        return RULES[self.figure].what_to_do if self.light in (Light.AMBER, Light.RED) else ""


def worst(readings: Iterable[Reading]) -> Light:
    """The light of all together; what is unknown makes it amber at the least."""
    light = max((reading.light for reading in readings), key=_ORDER.index, default=Light.UNKNOWN)
    return Light.AMBER if light is Light.UNKNOWN else light


def share(part: float | None, whole: float | None) -> float | None:
    """A part of a whole; 0 where there was nothing to fail."""
    if whole is None:
        return None
    return (part or 0.0) / whole if whole else 0.0


def duration(seconds: float) -> str:
    """Seconds in words."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}" if seconds < 10 * size else f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def words(reading: Reading) -> str:
    """The figure as a person reads it."""
    if reading.value is None:
        return reading.note or "unknown"
    unit = reading.figure.rpartition("_")[2]
    if unit == "s":
        said = duration(reading.value)
    elif unit == "share":
        said = f"{reading.value * 100:.2g} %"
    elif reading.figure == "cluster":
        said = next(name for name, value in CLUSTER.items() if value == reading.value)
    else:
        said = f"{reading.value:,.0f}"
    return f"{said}, {reading.note}" if reading.note else said
