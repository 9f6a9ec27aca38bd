"""What the check says of a manifest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

T = TypeVar("T")


class Severity(Enum):
    """What a mistake costs, the worst first. `NOTE`: no mistake, but to be known."""

    LOSS = "loses logs"
    BROKEN = "breaks records"
    OPERATIONS = "operations"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Spot:
    """Where it is: object (`ConfigMap logging/fluentd`), its file and line (from 1; "" and 0: none), what is there."""

    object: str
    file: str = ""
    line: int = 0
    at: str = ""


@dataclass(frozen=True, slots=True)
class Rule(Generic[T]):
    """A mistake, as data: `find` gives each place of it in a `T`."""

    name: str
    severity: Severity
    find: Callable[[T], Iterator[Spot]]
    wrong: str
    helps: str
    link: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake at one place."""

    rule: str
    severity: Severity
    spot: Spot
    wrong: str
    helps: str
    link: str


def findings(rules: tuple[Rule[T], ...], subject: T) -> Iterator[Finding]:
    """What these rules find."""
    for rule in rules:
        for spot in rule.find(subject):
            yield Finding(rule.name, rule.severity, spot, rule.wrong, rule.helps, rule.link)
