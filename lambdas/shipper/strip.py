"""Takes keys out of a record by dotted path, so that they cost no storage and break no mapping."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from shipper import jsontext
from shipper.model import Fields

_GLOB = frozenset("*?[")
_ALL = ("*",)

Path = tuple[str, ...]


class Taken(NamedTuple):
    """What was taken out: its path and how many bytes of JSON it was, with its key and a comma."""

    path: str
    size_bytes: int


class Stripper:
    """Deletes what a path of `strip` leads to, unless one of `keep` leads there or into it.

    A step of a path is a key or a glob of keys (`kubernetes.labels.*`, `kubernetes.*_id`). Holds no state.
    """

    def __init__(self, strip: Iterable[str], keep: Iterable[str] = ()) -> None:
        self._strip = [tuple(path.split(".")) for path in strip]
        self._keep = [tuple(path.split(".")) for path in keep]
        # Without a glob in front, the keys that may be affected are known before the record is seen.
        heads = dict.fromkeys(path[0] for path in self._strip)
        self._heads = None if any(map(_GLOB.intersection, heads)) else tuple(heads)

    def strip(self, fields: Fields) -> list[Taken]:
        """Delete in place; an object left empty goes too."""
        taken: list[Taken] = []
        for key in list(fields) if self._heads is None else self._heads:
            if key in fields:
                _strip_key(fields, key, self._strip, self._keep, (), taken)
        return taken


def _strip_key(fields: Fields, key: str, strip: list[Path], keep: list[Path], above: Path, taken: list[Taken]) -> None:
    strip, keep = _after(strip, key), _after(keep, key)
    if not strip or () in keep:
        return
    inner: Any = fields[key]
    if () in strip:
        if not keep or not inner or not isinstance(inner, dict):
            del fields[key]
            taken.append(Taken(".".join((*above, key)), _size_bytes(key, inner)))
            return
        strip = [_ALL]
    if isinstance(inner, dict) and inner:
        for inner_key in list(inner):
            _strip_key(inner, inner_key, strip, keep, (*above, key), taken)
        if not inner:
            del fields[key]
            path, size_bytes = taken[-1]
            taken[-1] = Taken(path, size_bytes + _size_bytes(key, inner) - 1)  # one comma less than it had keys


def _size_bytes(key: str, value: Any) -> int:
    """Of `"key":value,`: the comma stands for one of the two braces."""
    return len(jsontext.dumps({key: value})) - 1


def _after(paths: list[Path], key: str) -> list[Path]:
    """What is left of the paths whose first step fits the key."""
    return [path[1:] for path in paths if path and (path[0] == key or fnmatchcase(key, path[0]))]
