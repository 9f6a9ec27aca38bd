"""Filters and sampling: which records are kept, by rules that are tried in order, the first match deciding.

A transaction is kept or left out as a whole: the decision is a hash of the trace id, the same in every service.
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal, get_args

from shipper import patterns
from shipper.model import Fields

LEVELS = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
ANY_LEVEL = "*"
"""In `rates`: every level that has no rate of its own, and records without one."""

Action = Literal["keep", "drop", "sample"]
MAX_NAME_CHARS = 64
"""A rule's name is a metric's dimension."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What becomes of the records that meet every condition; "" and () are no condition.

    `log_group`, `namespace` and `container` are globs, `pattern` is searched in the text, `levels` are canonical names.
    `rates` are the shares to keep, 0 to 1, by level, for the action `sample`; a level without a rate is kept.
    """

    name: str
    action: Action
    log_group: str = "*"
    namespace: str = ""
    container: str = ""
    levels: tuple[str, ...] = ()
    pattern: str = ""
    rates: tuple[tuple[str, float], ...] = ()


class Fate(Enum):
    """What becomes of one record."""

    KEEP = "keep"
    FILTERED = "filtered"
    SAMPLED = "sampled"


@dataclass(frozen=True, slots=True)
class Decision:
    """A record's fate and the name of the rule that decided it, "" where none did; `SAMPLED` means left out."""

    fate: Fate
    rule: str = ""


_KEPT = Decision(Fate.KEEP)


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A rule with its patterns compiled and its decisions made."""

    namespace: Callable[[str], object] | None
    container: Callable[[str], object] | None
    levels: frozenset[str]
    pattern: Callable[[str], object] | None
    rates: Mapping[str, float]
    matched: Decision
    left_out: Decision

    def matches(self, kubernetes: Mapping[str, Any], text: str, level: str) -> bool:
        """Whether the record meets every condition; the cheapest are looked at first."""
        return (
            (not self.levels or level in self.levels)
            and (not self.namespace or bool(self.namespace(_text_of(kubernetes, "namespace_name"))))
            and (not self.container or bool(self.container(_text_of(kubernetes, "container_name"))))
            and (not self.pattern or bool(self.pattern(text)))
        )


class Sieve:
    """The rules that apply to one log group, ready to be used for each of its records. It holds no state."""

    def __init__(self, rules: Iterable[Rule], log_group: str) -> None:
        self.rules = tuple(_compiled(rule) for rule in rules if fnmatch.fnmatchcase(log_group, rule.log_group))

    def decide(self, fields: Fields, text: str, *, level: str, trace_id: str, event_id: str) -> Decision:
        """The fate of one record; `level` and `trace_id` are "" where none was found."""
        kubernetes = fields.get("kubernetes")
        if not isinstance(kubernetes, dict):
            kubernetes = {}
        for rule in self.rules:
            if rule.matches(kubernetes, text, level):
                rate = rule.rates.get(level, rule.rates.get(ANY_LEVEL, 1.0))
                return rule.matched if is_kept(trace_id, event_id, rate) else rule.left_out
        return _KEPT


def is_kept(trace_id: str, event_id: str, rate: float) -> bool:
    """Whether a record is within the share `rate`, 0 to 1. What is kept at a rate is kept at every higher one."""
    if rate >= 1:
        return True
    # The low 64 bits are all that some services of a transaction know of its id (Datadog, short B3 ids).
    key = trace_id[-16:] if trace_id else event_id
    digest = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") < rate * 2**64


def _compiled(rule: Rule) -> _Compiled:
    return _Compiled(
        namespace=_glob(rule.namespace),
        container=_glob(rule.container),
        levels=frozenset(rule.levels),
        pattern=patterns.compile(rule.pattern).search if rule.pattern else None,
        rates=dict(rule.rates),
        matched=Decision(Fate.FILTERED if rule.action == "drop" else Fate.KEEP, rule.name),
        left_out=Decision(Fate.SAMPLED, rule.name),
    )


def _glob(glob: str) -> Callable[[str], object] | None:
    return re.compile(fnmatch.translate(glob)).match if glob else None


def _text_of(kubernetes: Mapping[str, Any], key: str) -> str:
    value = kubernetes.get(key)
    return value if isinstance(value, str) else ""


def rules_from_json(text: str) -> tuple[Rule, ...]:
    """Read a JSON list of rules; "" is none. Raises `ValueError` naming the rule's number, the key and the fault."""
    if not text.strip():
        return ()
    try:
        objects = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from None
    if not isinstance(objects, list):
        raise ValueError("must be a JSON list of rules")
    rules = tuple(_read_rule(number, value) for number, value in enumerate(objects, 1))
    names = [rule.name for rule in rules]
    for number, name in enumerate(names, 1):
        if (first := names.index(name) + 1) < number:
            raise ValueError(f"rule {number}: name: {name!r} is taken by rule {first}")
    return rules


def rules_to_json(rules: Iterable[Rule]) -> str:
    """The JSON from which `rules_from_json` makes these rules again; keys that hold a default are left out."""
    return json.dumps([_rule_json(rule) for rule in rules])


def _rule_json(rule: Rule) -> dict[str, Any]:
    texts = {key: getattr(rule, key) for key in ("log_group", "namespace", "container", "pattern")}
    written: dict[str, Any] = {"name": rule.name, "action": rule.action}
    written |= {key: text for key, text in texts.items() if text and (key, text) != ("log_group", "*")}
    if rule.levels:
        written["levels"] = list(rule.levels)
    if rule.rates:
        written["rates"] = dict(rule.rates)
    return written


def _read_rule(number: int, value: Any) -> Rule:
    if not isinstance(value, dict):
        raise ValueError(f"rule {number}: must be an object")
    if unknown := sorted(set(value) - set(_READERS)):
        raise ValueError(f"rule {number}: unknown key {', '.join(unknown)}; known are {', '.join(_READERS)}")
    if missing := [key for key in ("name", "action") if key not in value]:
        raise ValueError(f"rule {number}: {', '.join(missing)}: is missing")
    read: dict[str, Any] = {}
    for key, inner in value.items():
        try:
            read[key] = _READERS[key](inner)
        except ValueError as error:
            raise ValueError(f"rule {number}: {key}: {error}") from None
    if (read["action"] == "sample") != bool(read.get("rates")):
        raise ValueError(f"rule {number}: rates: belong to the action sample, and sample needs them")
    return Rule(**read)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"{json.dumps(value)} is not a text")
    return value


def _name(value: Any) -> str:
    if len(_text(value)) > MAX_NAME_CHARS or not value.isprintable():
        raise ValueError(f"must be printable and at most {MAX_NAME_CHARS} characters")
    return str(value)


def _action(value: Any) -> str:
    if value not in get_args(Action):
        raise ValueError(f"{json.dumps(value)} is none of {', '.join(get_args(Action))}")
    return str(value)


def _pattern(value: Any) -> str:
    pattern = _text(value)
    try:
        patterns.compile(pattern)
    except ValueError as error:
        raise ValueError(f"is no regular expression ({error})") from None
    return pattern


def _levels(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or any(level not in LEVELS for level in value):
        raise ValueError(f"must be a list of {', '.join(LEVELS)}")
    return tuple(value)


def _rates(value: Any) -> tuple[tuple[str, float], ...]:
    if not isinstance(value, dict) or not value:
        raise ValueError("must be an object of rates by level")
    for level, rate in value.items():
        if level not in (*LEVELS, ANY_LEVEL):
            raise ValueError(f"{level!r} is none of {', '.join(LEVELS)}, {ANY_LEVEL}")
        if not isinstance(rate, int | float) or isinstance(rate, bool) or not 0 <= rate <= 1:
            raise ValueError(f"{level}: {json.dumps(rate)} is not between 0 and 1")
    return tuple((level, float(rate)) for level, rate in value.items())


_READERS: dict[str, Callable[[Any], Any]] = {
    "name": _name,
    "action": _action,
    "log_group": _text,
    "namespace": _text,
    "container": _text,
    "levels": _levels,
    "pattern": _pattern,
    "rates": _rates,
}
