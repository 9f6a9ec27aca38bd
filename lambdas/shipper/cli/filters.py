"""Which letters a command means: the options, and whether a letter is one of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import wraps
from typing import Any

import click

from shipper.cli.letters import Entry
from shipper.cli.moments import HELP, MOMENT
from shipper.cli.terminal import combined, safe
from shipper.times import iso

_SECONDS_CHARS = len("2026-11-24T12:00:00")


@dataclass(frozen=True, slots=True)
class Filter:
    """What a letter has to be; "" takes any. `since` is ISO 8601 UTC, `log_group` may hold `*`."""

    letter_id: str = ""
    reason: str = ""
    field: str = ""
    log_group: str = ""
    since: str = ""

    def matches(self, entry: Entry) -> bool:
        letter = entry.letter
        failed_at = letter.failed_at or letter.first_failed_at
        return (
            entry.message.id.startswith(self.letter_id)
            and self.reason in ("", letter.reason.type)
            and self.field in ("", letter.reason.field)
            and (not self.log_group or fnmatchcase(letter.source.log_group, self.log_group))
            and failed_at[:_SECONDS_CHARS] >= self.since[:_SECONDS_CHARS]
        )

    @property
    def words(self) -> str:
        """What it takes, in words."""
        said = [
            f"{name} {value}"
            for name, value in (
                ("id", self.letter_id),
                ("reason", self.reason),
                ("field", self.field),
                ("log group", self.log_group),
                ("since", self.since),
            )
            if value
        ]
        return safe("letters with " + ", ".join(said)) if said else "all letters"


EVERYTHING = Filter()


_OPTIONS = combined(
    click.option("--id", "letter_id", default="", metavar="ID", help="Only the letter whose ID begins like this."),
    click.option("--reason", default="", metavar="TYPE", help="Only letters with this reason."),
    click.option("--field", default="", metavar="FIELD", help="Only letters refused for this field."),
    click.option("--log-group", default="", metavar="GLOB", help="Only letters of this log group; * stands for any."),
    click.option("--since", type=MOMENT, metavar="TIME", help=f"Only letters that failed since: {HELP}."),
)


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options; the command gets them as `chosen`, a `Filter`."""

    @wraps(command)
    def filtered(
        *args: Any, letter_id: str, reason: str, field: str, log_group: str, since: int | None, **others: Any
    ) -> Any:
        return command(
            *args, chosen=Filter(letter_id, reason, field, log_group, "" if since is None else iso(since)), **others
        )

    return _OPTIONS(filtered)
