"""Settings as text and back: how a variable of the environment spells each type."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from shipper import jsontext
from shipper.sample import Rule, rules_from_json, rules_to_json

Pairs = tuple[tuple[str, str], ...]
"""A JSON object of texts, as a value that can be hashed."""


@dataclass(frozen=True, slots=True)
class MultilineRule:
    """How the records of some log groups begin (`start`) or go on (`continues`); both are regular expressions.

    `log_group` is a glob. In JSON `continues` is called `continue`.
    """

    log_group: str
    start: str = ""
    continues: str = ""


@dataclass(frozen=True, slots=True)
class StripRule:
    """What is taken out of the records of some log groups, and what of that stays; `log_group` is a glob."""

    log_group: str
    strip: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()


def written(value: Any) -> str:
    """The text from which the reader of the value's type makes it again."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, tuple):
        return str(value)
    return _WRITERS[type(value[0]) if value else str](value)


def _write_pairs(pairs: Pairs) -> str:
    return json.dumps(dict(pairs))


def _write_multiline(rules: Iterable[MultilineRule]) -> str:
    return json.dumps([_multiline_rule_json(rule) for rule in rules])


def _write_strip_rules(rules: Iterable[StripRule]) -> str:
    return json.dumps([asdict(rule) for rule in rules])


_WRITERS: dict[type, Callable[[Any], str]] = {
    str: ",".join,
    tuple: _write_pairs,
    MultilineRule: _write_multiline,
    StripRule: _write_strip_rules,
    Rule: rules_to_json,
}


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
    return tuple(_read_multiline_rule(number, rule) for number, rule in enumerate(_list(text), 1))


def read_strip_rules(text: str) -> tuple[StripRule, ...]:
    """The rules of a JSON list; blank text is none. Raises `ValueError`."""
    return tuple(_read_strip_rule(number, rule) for number, rule in enumerate(_list(text), 1))


def read_pairs(text: str) -> Pairs:
    """The texts of a JSON object by name; blank text is none. Raises `ValueError`."""
    pairs = _json(text) if text.strip() else {}
    if not isinstance(pairs, dict) or not all(isinstance(value, str) for value in pairs.values()):
        raise ValueError("must be a JSON object of strings")
    return tuple(pairs.items())


def read_names(text: str) -> tuple[str, ...]:
    """As `read_list`; `off` is none."""
    return () if text.strip() == "off" else read_list(text)


def _list(text: str) -> list[Any]:
    rules = _json(text) if text.strip() else []
    if not isinstance(rules, list):
        raise ValueError("must be a JSON list of rules")
    return rules


def _json(text: str) -> Any:
    try:
        return jsontext.loads(text)
    except ValueError as error:
        raise ValueError(f"not JSON: {error}") from None


def _read_strip_rule(number: int, rule: Any) -> StripRule:
    if not isinstance(rule, dict) or set(rule) - {"log_group", "strip", "keep"}:
        raise ValueError(f"rule {number} must be an object of log_group, strip and keep")
    lists = [rule.get(key, []) for key in ("strip", "keep")]
    if not isinstance(rule.get("log_group", "*"), str) or not all(map(_is_texts, lists)):
        raise ValueError(f"rule {number}: log_group is a text, strip and keep are lists of texts")
    return StripRule(rule.get("log_group", "*"), *map(tuple, lists))


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def _multiline_rule_json(rule: MultilineRule) -> dict[str, str]:
    texts = asdict(rule)
    texts["continue"] = texts.pop("continues")
    return {key: text for key, text in texts.items() if text or key == "log_group"}


def _read_multiline_rule(number: int, rule: Any) -> MultilineRule:
    known = {"log_group", "start", "continue"}
    if not isinstance(rule, dict) or not all(isinstance(text, str) for text in rule.values()):
        raise ValueError(f"rule {number} must be an object of strings")
    if unknown := sorted(set(rule) - known):
        raise ValueError(f"rule {number} has unknown keys {', '.join(unknown)}; known are {', '.join(sorted(known))}")
    return MultilineRule(rule.get("log_group", "*"), rule.get("start", ""), rule.get("continue", ""))


READER_OF_TYPE: dict[str, Callable[[str], Any]] = {
    "str": str,
    "bool": read_bool,
    "int": read_number(int),
    "float": read_number(float),
    "tuple[str, ...]": read_names,
    "tuple[MultilineRule, ...]": read_multiline,
    "tuple[StripRule, ...]": read_strip_rules,
    "tuple[Rule, ...]": rules_from_json,
    "Pairs": read_pairs,
}
"""How each type of `Settings` is read."""
