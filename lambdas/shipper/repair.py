"""Changes that make a refused document fit: drop a field, rename it, turn it into text. Paths are dotted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from shipper import jsontext
from shipper.model import Document, Fields

_MISSING = object()


class BadRepair(ValueError):
    """A repair that may not be done."""


@dataclass(frozen=True, slots=True)
class Repair:
    """What to change: paths to drop, (old, new) paths to rename, paths whose value becomes its JSON text."""

    drop: tuple[str, ...] = ()
    rename: tuple[tuple[str, str], ...] = ()
    to_string: tuple[str, ...] = ()

    def problems(self) -> list[str]:
        """Every path that may not be touched: the system fields say where a record came from, and when."""
        paths = [*self.drop, *self.to_string, *(path for pair in self.rename for path in pair)]
        found = [f"{path!r} is not a dotted path" for path in paths if not all(path.split("."))]
        return found + [f"{path}: system fields stay as they are" for path in paths if path.split(".")[0] in _KEPT]


NO_REPAIR = Repair()

_KEPT = frozenset({"@id", "@timestamp", "@message", "@owner", "@log_group", "@log_stream"})


def repaired(documents: Iterable[Document], repair: Repair) -> list[Document]:
    """The documents with the repair done; one that has none of the paths stays as it is."""
    if repair == NO_REPAIR:
        return list(documents)
    return [_repaired(document, repair) for document in documents]


def _repaired(document: Document, repair: Repair) -> Document:
    source: Fields = jsontext.loads(document.source)
    for path in repair.drop:
        _take(source, path.split("."))
    for old, new in repair.rename:
        _move(source, old, new, lambda value: value)
    for path in repair.to_string:
        _move(source, path, path, _text)
    return replace(document, source=jsontext.dumps(source))


def _move(source: Fields, old: str, new: str, change: Callable[[Any], Any]) -> None:
    value = _take(source, old.split("."))
    if value is not _MISSING:
        _put(source, new.split("."), change(value))


def _take(fields: Fields, path: list[str]) -> Any:
    *parents, last = path
    for key in parents:
        inner = fields.get(key)
        if not isinstance(inner, dict):
            return _MISSING
        fields = inner
    return fields.pop(last, _MISSING)


def _put(fields: Fields, path: list[str], value: Any) -> None:
    *parents, last = path
    for key in parents:
        inner = fields.setdefault(key, {})
        if not isinstance(inner, dict):
            raise BadRepair(f"{'.'.join(path)}: {key} is there already and no object")
        fields = inner
    if last in fields:
        raise BadRepair(f"{'.'.join(path)} is there already")
    fields[last] = value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else jsontext.dumps(value).decode()
