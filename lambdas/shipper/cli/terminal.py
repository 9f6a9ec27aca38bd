"""What commands share: errors of one line, exit codes, options of those that write, text that is safe to show."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import reduce
from typing import IO, Any, TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from shipper import jsontext

PARTLY_DONE = 3

_Command = TypeVar("_Command", bound=Callable[..., Any])

_ESCAPES = re.compile(r"\x1b(?:\][^\x07\x1b]*(?:\x07|\x1b\\)?|[PX^_][^\x1b]*(?:\x1b\\)?|\[[0-?]*[ -/]*[@-~]|[@-Z\\-_])")

# All that JSON may hold as it is and a terminal may act on: DEL, 8-bit controls, what turns the direction of text.
_RAW_CONTROLS = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def combined(*options: Callable[[Any], Any]) -> Callable[[_Command], _Command]:
    """Options as one decorator, in the order in which --help has them."""
    return lambda command: reduce(lambda made, option: option(made), reversed(options), command)


def writing_options(*, dry_run: str, yes: str = "Do not ask.") -> Callable[[_Command], _Command]:
    """The options of a command that writes; the texts say what two of them mean there."""
    return combined(
        click.option("--dry-run", is_flag=True, help=dry_run),
        click.option("--yes", is_flag=True, help=yes),
        click.option("--json", "as_json", is_flag=True, help="Say what came of it as JSON."),
    )


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
    """Standard output as it is now (a test may have replaced it). No text is read as markup: it may quote a log."""
    return Console(highlight=False, markup=False)


def progress_console() -> Console:
    """Standard error, where progress, plans and questions go, so that output can be piped."""
    return Console(stderr=True, highlight=False, markup=False)


def progress_bar(amount: ProgressColumn) -> Progress:
    """A bar on standard error, where that is a terminal; `amount` shows how much is done."""
    out = progress_console()
    columns = (TextColumn("{task.description}"), BarColumn(), amount, TimeRemainingColumn())
    return Progress(*columns, console=out, transient=True, disable=not out.is_terminal)


def print_json(value: Any) -> None:
    """Print a value as one line of JSON that is safe for a terminal as well as for a pipe."""
    click.echo(escaped(jsontext.dumps(value)))


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
