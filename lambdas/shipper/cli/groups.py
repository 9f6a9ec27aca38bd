"""Letters counted by what is wrong with them, in bounded memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from shipper.cli.letters import Entry

MAX_GROUPS = 1_000
"""Field names are as hostile as any text of a log: there may be one a letter."""


class Key(NamedTuple):
    """What the letters of a group have in common."""

    form: str
    reason: str
    field: str
    log_group: str


_OTHERS = Key("several", "other reasons", "", "")


@dataclass(slots=True)
class _Group:
    documents: int
    letters: int
    in_bucket: int
    first_failed_at: str
    last_failed_at: str


class Groups:
    """The groups so far; from the thousandth on, new ones count as one."""

    def __init__(self) -> None:
        self.letters = 0
        self._groups: dict[Key, _Group] = {}

    def add(self, entry: Entry) -> None:
        letter = entry.letter
        first, last = letter.first_failed_at, letter.failed_at or letter.first_failed_at
        key = Key(entry.form, letter.reason.type, letter.reason.field, letter.source.log_group)
        if key not in self._groups and len(self._groups) >= MAX_GROUPS:
            key = _OTHERS
        group = self._groups.setdefault(key, _Group(0, 0, 0, first, last))
        group.documents += letter.count
        group.letters += 1
        group.in_bucket += entry.in_bucket
        group.first_failed_at = min(group.first_failed_at, first)
        group.last_failed_at = max(group.last_failed_at, last)
        self.letters += 1

    def rows(self) -> Sequence[dict[str, Any]]:
        """A row a group, the one with the most documents first."""
        rows = [
            {
                "reason": key.reason,
                "field": key.field,
                "log_group": key.log_group,
                "form": key.form,
                "documents": group.documents,
                "letters": group.letters,
                "in_bucket": group.in_bucket,
                "first_failed_at": group.first_failed_at,
                "last_failed_at": group.last_failed_at,
            }
            for key, group in self._groups.items()
        ]
        return sorted(rows, key=lambda row: (-row["documents"], row["reason"], row["field"], row["log_group"]))
