"""Makes the values of an array agree in type.

OpenSearch has no arrays: all values at one path are one field. A document in which a new field is of two types is
refused, whole and decimal numbers included (`mapper [v] cannot be changed from type [long] to [double]`).
"""

from __future__ import annotations

from types import NoneType
from typing import Any

from shipper import jsontext
from shipper.model import Fields

_Path = tuple[str, ...]

_NESTING = frozenset({dict, list})
_NUMBERS = frozenset({int, float})
_MAX_EXACT = 2**53
"""No decimal number holds every whole number beyond this."""


def agree(items: list[Any]) -> bool:
    """Whether the values at each path of the array, through arrays in it, are of one type; null is of any."""
    kinds = set(map(type, items))
    kinds.discard(NoneType)
    if _NESTING.isdisjoint(kinds):
        return len(kinds) < 2
    return not _Shape(items).mixed


def agreed(items: list[Any]) -> list[Any] | str:
    """The array with values that agree: numbers as decimals, all else as text, objects as JSON text.

    All of it becomes one JSON text where the name of a key is in the way: `a.b` beside a value `a`.
    """
    shape = _Shape(items)
    if not shape.implied.isdisjoint(shape.mixed):
        return jsontext.dumps(items).decode()
    return [shape.of_one_kind(item, ()) for item in items]


class _Shape:
    """What is where in an array: `mixed` are paths of several types, `implied` objects that dots in keys mean."""

    def __init__(self, items: list[Any]) -> None:
        self._kinds: dict[_Path, set[type]] = {}
        self._inexact: set[_Path] = set()
        self.implied: set[_Path] = set()
        for item in items:
            self._add(item, ())
        self.mixed = {path for path, kinds in self._kinds.items() if len(kinds) > 1}

    def _add(self, value: Any, path: _Path) -> None:
        if type(value) is list:
            for item in value:
                self._add(item, path)
        elif value is not None:
            self._kinds.setdefault(path, set()).add(type(value))
            if type(value) is int and abs(value) > _MAX_EXACT:
                self._inexact.add(path)
            if type(value) is dict:
                self._add_fields(value, path)

    def _add_fields(self, fields: Fields, path: _Path) -> None:
        for key, inner in fields.items():
            below = (*path, *key.split("."))
            for end in range(len(path) + 1, len(below)):
                self._kinds.setdefault(below[:end], set()).add(dict)
                self.implied.add(below[:end])
            self._add(inner, below)

    def of_one_kind(self, value: Any, path: _Path) -> Any:
        """The value, at its path, as the others there are."""
        if type(value) is list:
            return [self.of_one_kind(item, path) for item in value]
        if value is None:
            return None
        if path in self.mixed:
            if self._kinds[path] == _NUMBERS and path not in self._inexact:
                return float(value)
            return value if type(value) is str else jsontext.dumps(value).decode()
        if type(value) is dict:
            return {key: self.of_one_kind(inner, (*path, *key.split("."))) for key, inner in value.items()}
        return value
