"""What every command shares: errors of one line, exit codes, text that is safe to show."""

from __future__ import annotations

import re
from typing import IO, Any

import click
from rich.console import Console
from rich.text import Text

PARTLY_DONE = 3

_ESCAPES = re.compile(r"\x1b(?:\][^\x07\x1b]*(?:\x07|\x1b\\)?|[PX^_][^\x1b]*(?:\x1b\\)?|\[[0-?]*[ -/]*[@-~]|[@-Z\\-_])")


class Failed(click.ClickException):
    """The command could not do its work: one line on stderr, exit code 1."""

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"cwl-shipper: {safe(self.message)}", file=file, err=file is None)


def safe(text: str) -> str:
    """`text` without what could steer a terminal: escape sequences go, other controls show as U+FFFD."""
    plain = _ESCAPES.sub("", text)
    return "".join(char if char.isprintable() or char in "\n\t" else "\ufffd" for char in plain)


def cell(text: object) -> Text:
    """A table cell: safe, and never read as markup."""
    return Text(safe(str(text)))


def console() -> Console:
    """Standard output as it is now (a test may have replaced it)."""
    return Console(highlight=False)


def progress_console() -> Console:
    """Standard error, where progress is shown so that output can be piped."""
    return Console(stderr=True, highlight=False)
