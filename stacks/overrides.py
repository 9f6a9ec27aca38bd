"""A stage's fields from a file or from the context, read strictly: what is unknown or of another type is named."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any

from shipper.settings import Settings, SettingsError, env_texts
from stacks.stages import STAGES, StageConfig

_BY_STACK = frozenset({"endpoint", "service", "retry_queue_url", "dead_letter_queue_url", "bucket"})
"""Settings that the stack writes: what somebody else says of them would be lost."""

_LIKE = "like"
"""Names the stage of ours that a table of another name begins with."""


class Unreadable(ValueError):
    """The configuration cannot be read as a whole; the message says why."""


def configured(source: Any, stage: str) -> tuple[StageConfig, list[str]]:
    """The stage with what `source` (None: nothing) says of it, and every fault of that.

    A stage of the source's own says which of ours it is `like`. Raises `Unreadable`.
    """
    changes = {} if source is None else dict(read(source, stage))
    like = changes.pop(_LIKE, stage)
    if str(like) not in STAGES:
        raise Unreadable(f"stage: {stage!r} is none of {', '.join(STAGES)}, nor a table of the configuration")
    return apply(replace(STAGES[like], name=stage), changes)


def read(source: Any, stage: str) -> Mapping[str, Any]:
    """The fields of a stage; `source` is the path of a TOML file, or its table of stages. Raises `Unreadable`."""
    tables = source if isinstance(source, Mapping) else _load(str(source))
    for name, table in tables.items():
        if not isinstance(table, Mapping):
            raise Unreadable(f"config: {name} is not a table of fields")
        if str(table.get(_LIKE, name)) not in STAGES:
            raise Unreadable(f"config: {name!r} is none of {', '.join(STAGES)}: say which of them it is `{_LIKE}`")
    fields_of_stage: Mapping[str, Any] = tables.get(stage, {})
    return fields_of_stage


def _load(path: str) -> dict[str, Any]:
    try:
        return tomllib.loads(Path(path).read_text("utf-8"))
    except OSError as error:
        raise Unreadable(f"config: {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise Unreadable(f"config: {path} is no TOML: {error}") from error


def apply(config: StageConfig, changes: Mapping[str, Any]) -> tuple[StageConfig, list[str]]:
    """`config` with the fields of `changes` that can be read, and every fault of the others as `field: what is wrong`.

    Whether the whole can be deployed is for `StageConfig.problems` to say.
    """
    values: dict[str, Any] = {}
    problems: list[str] = []
    for name, value in changes.items():
        try:
            values[name] = _settings(config.settings, value) if name == "settings" else _value(name, value)
        except _Wrong as error:
            problems += [f"{name}{fault}" for fault in error.faults]
    return replace(config, **values), problems


class _Wrong(ValueError):
    def __init__(self, *faults: str) -> None:
        super().__init__(*faults)
        self.faults = faults


def _value(name: str, value: Any) -> Any:
    if name not in _TYPES or name == "name":
        raise _Wrong(": no such field")
    fits, what, made = _KINDS[_TYPES[name]]
    if not fits(value):
        raise _Wrong(f": {value!r} is not {what}")
    return made(value)


def _settings(settings: Settings, changes: Any) -> Settings:
    """`settings` with some changed; lists of rules are given as such, and not as JSON in a text."""
    if not isinstance(changes, Mapping):
        raise _Wrong(f": {changes!r} is not a table of settings")
    if written := sorted(_BY_STACK & set(changes)):
        raise _Wrong(*(f".{name}: is written by the stack" for name in written))
    texts = {name: _text(value) for name, value in changes.items()}
    if faults := [fault for name, text in texts.items() if (fault := _fault(name, text))]:
        raise _Wrong(*faults)
    return Settings.from_text({**env_texts(settings.to_env()), **texts})


def _fault(name: str, text: str) -> str:
    try:
        Settings.from_text({name: text})
    except SettingsError as error:
        return f".{error}"
    return ""


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if _is_texts(value):
        return ",".join(value)
    return json.dumps(value)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _is_table_of(kind: type, value: Any) -> bool:
    # Not `isinstance`: to Python a truth value is a number too.
    return isinstance(value, Mapping) and all(type(each) is kind for each in value.values())


def _same(value: Any) -> Any:
    return value


def _pairs(table: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple(table.items())


_KINDS: dict[str, tuple[Callable[[Any], bool], str, Callable[[Any], Any]]] = {
    "str": (lambda value: type(value) is str, "a text", _same),
    "int": (lambda value: type(value) is int, "a whole number", _same),
    "int | None": (lambda value: value is None or type(value) is int, "a whole number", _same),
    "bool": (lambda value: type(value) is bool, "true or false", _same),
    "tuple[str, ...]": (_is_texts, "a list of texts", tuple),
    "tuple[tuple[str, str], ...]": (partial(_is_table_of, str), "a table of texts", _pairs),
    "tuple[tuple[str, int], ...]": (partial(_is_table_of, int), "a table of whole numbers", _pairs),
}
"""By the type of a field: what a value must be, in words, and what is made of it."""

_TYPES = {each.name: "str" if str(each.type).startswith("Literal") else str(each.type) for each in fields(StageConfig)}
