"""What every command shares: errors of one line, exit codes, text that is safe to show."""

from __future__ import annotations

import re
from typing import IO, Any

import click
from rich.console import Console
from rich.text import Text

PARTLY_DONE = 3

_ESCAPES = re.compile(r"\x1b(?:\][^\x07\x1b]*(?:\x07|\x1b\\)?|[PX^_][^\x1b]*(?:\x1b\\)?|\[[0-?]*[ -/]*[@-~]|[@-Z\\-_])")

# All that JSON may hold as it is and a terminal may act on: DEL, 8-bit controls, what turns the direction of text.
_RAW_CONTROLS = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class Failed(click.ClickException):
    """The command could not do its work: one line on stderr, exit code 1."""

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"cwl-shipper: {safe(self.message)}", file=file, err=file is None)


def safe(text: str) -> str:
    """`text` without what could steer a terminal: escape sequences go, other controls show as U+FFFD."""
    plain = _ESCAPES.sub("", text)
    return "".join(char if char.isprintable() or char in "\n\t" else "\ufffd" for char in plain)


def escaped(json: bytes) -> str:
    """The same JSON with no control in it, for a terminal as well as for a pipe."""
    return _RAW_CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", json.decode())


def cell(text: object) -> Text:
    """A table cell: safe, and never read as markup."""
    return Text(safe(str(text)))


def counted(count: int, noun: str) -> str:
    """`1 letter`, `2 letters`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def console() -> Console:
    """Standard output as it is now (a test may have replaced it)."""
    return Console(highlight=False)


def progress_console() -> Console:
    """Standard error, where progress is shown so that output can be piped."""
    return Console(stderr=True, highlight=False)


def shortened(value: Any, max_chars: int) -> Any:
    """JSON with each text in it cut to `max_chars`, and a word of how long it was: a log line can have a megabyte."""
    match value:
        case str() if len(value) > max_chars:
            return f"{value[:max_chars]}\u2026 ({len(value):,} characters)"
        case dict():
            return {key: shortened(inner, max_chars) for key, inner in value.items()}
        case list():
            return [shortened(inner, max_chars) for inner in value]
        case _:
            return value
