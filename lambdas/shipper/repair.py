"""Changes that make a refused document fit: drop a field, rename it, turn it into text, take another index.

Paths are dotted, as the engine names fields: `a.b` is `b` in the object `a`, in each object of the list `a`, and the
key `a.b`, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from shipper import jsontext
from shipper.document import INDEX_PATTERN, INDEX_PREFIX
from shipper.envelope import SYSTEM_FIELDS
from shipper.model import Document, Fields


class BadRepair(ValueError):
    """A repair that may not be done."""


@dataclass(frozen=True, slots=True)
class Repair:
    """What to change: paths to drop, (old, new) paths to rename, paths whose value becomes its JSON text.

    `index` is the index to go to, "" for the document's own; the id stays, so that a second replay makes no double.
    """

    drop: tuple[str, ...] = ()
    rename: tuple[tuple[str, str], ...] = ()
    to_string: tuple[str, ...] = ()
    index: str = ""

    def problems(self) -> list[str]:
        """What may not be: the system fields say where a record came from, and only our own indices are written."""
        paths = [*self.drop, *self.to_string, *(path for pair in self.rename for path in pair)]
        found = [f"{path!r} is not a dotted path" for path in paths if not all(path.split("."))]
        found += [f"{path}: system fields stay as they are" for path in paths if path.split(".")[0] in SYSTEM_FIELDS]
        if self.index and not _INDEX.fullmatch(self.index):
            found.append(f"{self.index!r} is no {INDEX_PATTERN} index")
        return found

    @property
    def changes(self) -> list[str]:
        """Each change in words."""
        return [
            *(f"drop {path}" for path in self.drop),
            *(f"rename {old} to {new}" for old, new in self.rename),
            *(f"turn {path} into text" for path in self.to_string),
            *([f"write to {self.index}"] if self.index else []),
        ]


NO_REPAIR = Repair()

_INDEX = re.compile(INDEX_PREFIX + r"[a-z0-9._-]{1,200}")


def repaired(documents: Iterable[Document], repair: Repair) -> list[Document]:
    """The documents with the repair done; one that has none of the paths stays as it is."""
    if repair == NO_REPAIR:
        return list(documents)
    return [_repaired(document, repair) for document in documents]


def _repaired(document: Document, repair: Repair) -> Document:
    if repair.index:
        document = replace(document, index=repair.index)
    if not (repair.drop or repair.rename or repair.to_string):
        return document
    source: Fields = jsontext.loads(document.source)
    for path in repair.drop:
        for fields, key in list(places(source, path)):
            del fields[key]
    for old, new in repair.rename:
        _rename(source, old, new)
    for path in repair.to_string:
        for fields, key in list(places(source, path)):
            fields[key] = _text(fields[key])
    return replace(document, source=_written(source))


def places(source: Fields, path: str) -> Iterator[tuple[Fields, str]]:
    """(object, key) of each value that the path names."""
    names = path.split(".")
    pending: list[tuple[Any, int]] = [(source, 0)]
    while pending:
        value, at = pending.pop()
        if isinstance(value, list):
            pending += [(inner, at) for inner in value]
        elif isinstance(value, dict):
            for end in range(at + 1, len(names) + 1):
                key = ".".join(names[at:end])
                if key in value and end == len(names):
                    yield value, key
                elif key in value:
                    pending.append((value[key], end))


def _rename(source: Fields, old: str, new: str) -> None:
    old_parent, _, old_name = old.rpartition(".")
    new_parent, _, new_name = new.rpartition(".")
    found = list(places(source, old))
    if old_parent == new_parent:
        for fields, key in found:
            _put(fields, [key.removesuffix(old_name) + new_name], fields.pop(key))
    elif len(found) == 1:
        fields, key = found[0]
        _put(source, new.split("."), fields.pop(key))
    elif found:
        raise BadRepair(f"{old} is there {len(found)} times: it can only be renamed within {old_parent}")


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
    return value if isinstance(value, str) else _written(value).decode()


def _written(value: Any) -> bytes:
    try:
        return jsontext.dumps(value)
    except ValueError as error:
        raise BadRepair(str(error)) from None
