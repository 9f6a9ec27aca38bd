"""`cwl-shipper trace`: one transaction through all services, in the order of time."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

import click
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from shipper import timeline
from shipper.aws.search import Index
from shipper.cli import deployment
from shipper.cli.moments import HELP, MOMENT
from shipper.cli.terminal import Failed, console, print_json, progress_console, safe
from shipper.timeline import Line
from shipper.times import milliseconds

_MAX_RECORDS = 10_000
"""What one search answers at the most."""

_POLL_S = 2.0
_OVERLAP_MS = 300_000
"""Records come late, and not in order: so far back each further search looks."""

_SHOWN_LINES = 6
_LINE_CHARS = 500
_WIDE_CHARS = 120
"""A narrower terminal gets a record's text below what else is known of it."""

_SERVICE_CHARS = 18
_GAP_CHARS = len("-59 min 59 s")
_PALETTE = ("cyan", "green", "magenta", "yellow", "blue", "bright_cyan", "bright_green", "bright_magenta")
_LEVEL_STYLES = {"WARN": "yellow", "ERROR": "bold red", "FATAL": "bold red"}


@click.command("trace", short_help="Show one transaction through all services.")
@click.argument("id_", metavar="ID")
@deployment.options
@click.option("--from", "from_ms", type=MOMENT, metavar="TIME", help=f"Start: {HELP}.")
@click.option("--to", "to_ms", type=MOMENT, metavar="TIME", help="End, likewise.")
@click.option(
    "--limit",
    default=1_000,
    show_default=True,
    type=click.IntRange(1, _MAX_RECORDS),
    metavar="N",
    help="At most so many records.",
)
@click.option("--follow", is_flag=True, help="Go on with new records as they come, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="JSON lines, one a record.")
def trace(
    id_: str,
    stack: str,
    region: str | None,
    profile: str | None,
    from_ms: int | None,
    to_ms: int | None,
    limit: int,
    follow: bool,
    as_json: bool,
) -> None:
    """Show one transaction through all services, with the time between its records.

    ID is a trace id in any form: 32 hex digits, Datadog's 16 hex digits or decimal number, X-Ray's 1-...-..., a
    traceparent. Anything else, and an id that no `@trace_id` holds, is searched for in the texts of the logs.

    Exit codes: 0 found, 1 failed or nothing found, 2 wrong usage.

    \b
    Examples:
      cwl-shipper trace 4bf92f3577b34da6a3ce929d0e0e4736
      cwl-shipper trace 1-5759e988-bd862e3fe1be46a994272793 --from 2h
      cwl-shipper trace O-550192 --follow
    """
    site = deployment.survey(stack, region, profile)
    screen = _Screen(as_json=as_json)
    with deployment.aws_errors(stack), deployment.search_errors():
        hits, total = _found(site.index, id_, from_ms, to_ms, limit)
        if not hits and not follow:
            raise Failed(f"no record has {id_}: is it younger than half a minute, or older than the indices?")
        screen.show(hits)
        if total > len(hits):
            progress_console().print(f"The first {len(hits):,} of {total:,} records; --limit or --from show others.")
        if follow:
            _follow(site.index, id_, from_ms, hits, screen)


def _found(
    index: Index, text: str, from_ms: int | None, to_ms: int | None, limit: int
) -> tuple[list[dict[str, Any]], int]:
    """(records, number of all): those with the id, else those whose text has it."""
    if ids := timeline.forms(text):
        hits, total = index.search(timeline.page(timeline.by_trace_id(ids, from_ms, to_ms), limit))
        if hits:
            return hits, total
    return index.search(timeline.page(timeline.by_text(text, from_ms, to_ms), limit))


def _follow(index: Index, text: str, from_ms: int | None, hits: Iterable[Mapping[str, Any]], screen: _Screen) -> None:
    """Show what comes; ends by Ctrl-C."""
    seen, newest_ms = {hit["_id"] for hit in hits}, screen.newest_ms
    try:
        while True:
            time.sleep(_POLL_S)
            since_ms = from_ms if newest_ms is None else newest_ms - _OVERLAP_MS
            found, _ = _found(index, text, since_ms, None, _MAX_RECORDS)
            screen.show([hit for hit in found if hit["_id"] not in seen])
            # All that the next search can find again: its time begins no earlier.
            seen, newest_ms = {hit["_id"] for hit in found}, screen.newest_ms
    except KeyboardInterrupt:
        progress_console().print()


class _Screen:
    """Standard output; remembers the last record's time and the services' colours."""

    def __init__(self, *, as_json: bool) -> None:
        self.newest_ms: int | None = None
        self._as_json = as_json
        self._before_ms: int | None = None
        self._day = ""
        self._colours: dict[str, str] = {}

    def show(self, hits: Iterable[Mapping[str, Any]]) -> None:
        for day, lines in _by_day(timeline.lines(hits, self._before_ms)):
            if self._as_json:
                for line in lines:
                    print_json(asdict(line))
            else:
                self._print(day, lines)
            self._before_ms = milliseconds(lines[-1].at)
            self.newest_ms = max(self.newest_ms or 0, *(milliseconds(line.at) for line in lines))

    def _print(self, day: str, lines: Iterable[Line]) -> None:
        if day != self._day:
            console().print(safe(f"{day} UTC"), style="bold")
            self._day = day
        out = console()
        if out.width < _WIDE_CHARS:
            for line in lines:
                facts = Text(" ").join(self._facts(line))
                facts.rstrip()
                out.print(facts)
                out.print(Padding(_words(line.text), (0, 0, 0, 4)))
            return
        table = Table.grid(padding=(0, 1))
        for _ in range(4):
            table.add_column(no_wrap=True)
        table.add_column(overflow="fold", ratio=1)
        for line in lines:
            table.add_row(*self._facts(line), _words(line.text))
        out.print(table)

    def _facts(self, line: Line) -> list[Text]:
        """Time, gap, service and level, each as wide as in every other line."""
        service = Text(_flat(line.service), style=self._colour(line.service))
        service.truncate(_SERVICE_CHARS, overflow="ellipsis", pad=True)
        return [
            Text(safe(line.at[11:23]).ljust(12)),
            Text(timeline.gap(line.gap_ms).rjust(_GAP_CHARS), style="dim"),
            service,
            Text(_flat(line.level).ljust(5), style=_LEVEL_STYLES.get(line.level, "")),
        ]

    def _colour(self, service: str) -> str:
        return self._colours.setdefault(service, _PALETTE[len(self._colours) % len(_PALETTE)])


def _by_day(lines: Iterable[Line]) -> Iterator[tuple[str, list[Line]]]:
    day, same = "", list[Line]()
    for line in lines:
        if same and line.at[:10] != day:
            yield day, same
            same = []
        day = line.at[:10]
        same.append(line)
    if same:
        yield day, same


def _flat(text: str) -> str:
    return " ".join(safe(text).split())


def _words(text: str) -> Text:
    """The first lines of a record's text, and of each of them the beginning: one line can have a megabyte."""
    all_lines = text.rstrip("\n").split("\n")
    shown = [
        safe(line[:_LINE_CHARS]) + ("\u2026" if len(line) > _LINE_CHARS else "") for line in all_lines[:_SHOWN_LINES]
    ]
    words = Text("\n".join(shown).expandtabs(4))
    if len(all_lines) > _SHOWN_LINES:
        words.append(f"\n\u2026 {len(all_lines) - _SHOWN_LINES:,} more lines", style="dim")
    return words
