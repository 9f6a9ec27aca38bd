"""Takes keys out of a record by dotted path, so that they cost no storage and break no mapping."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shipper.model import Fields


def strip(fields: Fields, paths: Sequence[Sequence[str]]) -> list[str]:
    """Delete each path that is there; an object left empty goes too. Returns the paths that were deleted."""
    return [".".join(path) for path in paths if _delete(fields, path)]


def _delete(fields: Fields, path: Sequence[str]) -> bool:
    head, rest = path[0], path[1:]
    if head not in fields:
        return False
    inner: Any = fields[head]
    if rest and not (isinstance(inner, dict) and _delete(inner, rest)):
        return False
    if not rest or not inner:
        del fields[head]
    return True
