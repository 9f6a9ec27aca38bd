"""Settings as text and back: how a variable of the environment spells each type."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from shipper import jsontext


@dataclass(frozen=True, slots=True)
class MultilineRule:
    """How the records of some log groups begin (`start`) or go on (`continues`); both are regular expressions.

    `log_group` is a glob. In JSON `continues` is called `continue`.
    """

    log_group: str
    start: str = ""
    continues: str = ""


def written(value: Any) -> str:
    """The text from which the reader of the value's type makes it again."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple) and value and isinstance(value[0], MultilineRule):
        return json.dumps([_rule_json(rule) for rule in value])
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value)


def read_bool(text: str) -> bool:
    """`true` or `false`, in any case. Raises `ValueError`."""
    if text.lower() not in {"true", "false"}:
        raise ValueError(f"{text!r} is neither true nor false")
    return text.lower() == "true"


def read_number(kind: type[int] | type[float]) -> Callable[[str], float]:
    """A reader of numbers of this kind, which raises `ValueError`."""

    def read(text: str) -> float:
        try:
            return kind(text)
        except ValueError:
            raise ValueError(f"{text!r} is not a number") from None

    return read


def read_list(text: str) -> tuple[str, ...]:
    """The parts between commas that are not blank."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def read_multiline(text: str) -> tuple[MultilineRule, ...]:
    """The rules of a JSON list; blank text is none. Raises `ValueError`."""
    if not text.strip():
        return ()
    try:
        rules = jsontext.loads(text)
    except ValueError as error:
        raise ValueError(f"not JSON: {error}") from None
    if not isinstance(rules, list):
        raise ValueError("must be a JSON list of rules")
    return tuple(_read_rule(number, rule) for number, rule in enumerate(rules, 1))


def _rule_json(rule: MultilineRule) -> dict[str, str]:
    texts = asdict(rule)
    texts["continue"] = texts.pop("continues")
    return {key: text for key, text in texts.items() if text or key == "log_group"}


def _read_rule(number: int, rule: Any) -> MultilineRule:
    known = {"log_group", "start", "continue"}
    if not isinstance(rule, dict) or not all(isinstance(text, str) for text in rule.values()):
        raise ValueError(f"rule {number} must be an object of strings")
    if unknown := sorted(set(rule) - known):
        raise ValueError(f"rule {number} has unknown keys {', '.join(unknown)}; known are {', '.join(sorted(known))}")
    return MultilineRule(rule.get("log_group", "*"), rule.get("start", ""), rule.get("continue", ""))
