"""`cwl-shipper cost`: what the chain costs in a month, and what would make it cheaper."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from shipper.cli.terminal import Failed, cell, console, print_json, progress_console
from shipper.cost import PRICES, Lever, Line, UnknownPrice, Workload, bill, levers, prices, problems, total

_GB = click.FloatRange(0, 1e6, min_open=True)
_COUNT = click.IntRange(1)
_NO_OR_MORE = click.IntRange(0)
_STANDARD = Workload(gb_per_day=1)


def _standard(option: str, type_: click.ParamType[Any], metavar: str, words: str) -> Callable[..., Any]:
    """An option for a field of `Workload`, whose default it has."""
    default = getattr(_STANDARD, option.removeprefix("--").replace("-", "_"))
    return click.option(option, type=type_, metavar=metavar, default=default, show_default=True, help=words)


@click.command("cost")
@click.option("--gb-per-day", required=True, metavar="GB", type=_GB, help="Logs that CloudWatch takes in a day.")
@_standard("--log-days", _COUNT, "DAYS", "How long CloudWatch keeps the logs.")
@_standard("--index-days", _COUNT, "DAYS", "How long the domain keeps them.")
@_standard("--replicas", _NO_OR_MORE, "N", "Replicas of each index.")
@_standard("--instance-type", click.STRING, "TYPE", "Type of the data nodes.")
@_standard("--instances", _COUNT, "N", "Data nodes.")
@_standard("--master-type", click.STRING, "TYPE", "Type of the dedicated masters.")
@_standard("--masters", _NO_OR_MORE, "N", "Dedicated masters.")
@_standard("--memory-mib", _COUNT, "MIB", "Memory of the function.")
@_standard("--event-bytes", _COUNT, "BYTES", "Size of an event as CloudWatch counts it.")
@_standard("--events-per-payload", _COUNT, "N", "Events that an invocation gets.")
@_standard("--index-bytes", _COUNT, "BYTES", "Size of an event in the index, one copy.")
@click.option("--prices", "file", type=click.Path(dir_okay=False), metavar="FILE", help="JSON: USD by name of price.")
@click.option("--price", "assignments", multiple=True, metavar="NAME=USD", help="Change or add one; repeatable.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, with the prices used.")
def cost(file: str | None, assignments: Sequence[str], as_json: bool, **load: Any) -> None:
    """What does it cost in a month, and what would make it cheaper?

    Computed from how much is logged; nothing is looked up in an account. Prices are list prices of us-east-1.
    docs/cost.md says where each figure comes from, and what is not counted.

    \b
    Examples:
      cwl-shipper cost --gb-per-day 2 --instance-type t3.medium.search
      cwl-shipper cost --gb-per-day 50 --instances 3 --replicas 1 --masters 3
      cwl-shipper cost --gb-per-day 10 --price logs_ingest=0.76 --json
    """
    if math.isnan(load["gb_per_day"]):
        raise click.UsageError("--gb-per-day is no number")
    workload = Workload(**load)
    try:
        usd = prices({**_from_file(file), **_assigned(assignments)})
        lines, savings = bill(workload, usd), levers(workload, usd)
    except UnknownPrice as error:
        raise click.UsageError(str(error)) from None
    if as_json:
        print_json(_json(workload, lines, savings, usd))
    else:
        _show(lines, savings)
    for problem in problems(workload):
        progress_console().print(f"Not possible: {problem}.", style="bold", soft_wrap=True)


def _from_file(file: str | None) -> dict[str, float]:
    """The prices in a file. Raises `Failed`."""
    if file is None:
        return {}
    try:
        found = json.loads(Path(file).read_bytes())
    except OSError as error:
        raise Failed(f"{file}: {error.strerror}") from None
    except ValueError as error:
        raise Failed(f"{file} is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise Failed(f"{file} holds no JSON object of prices by name")
    return {name: _usd(name, value) for name, value in found.items()}


def _assigned(assignments: Sequence[str]) -> dict[str, float]:
    pairs = (assignment.partition("=") for assignment in assignments)
    return {name.strip(): _usd(name, value) for name, _, value in pairs}


def _usd(name: str, value: Any) -> float:
    try:
        usd = -1.0 if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        usd = -1.0
    if not 0 <= usd < float("inf"):
        raise click.UsageError(f"{value!r} is no price of {name}: give a number of US dollars, {name}=0.5")
    return usd


def _json(load: Workload, lines: Sequence[Line], savings: Sequence[Lever], usd: Mapping[str, float]) -> dict[str, Any]:
    return {
        "workload": asdict(load),
        "problems": problems(load),
        "usd_per_month": round(total(lines), 2),
        "lines": [{"item": one.item, "usd": round(one.usd, 2), "how": one.how} for one in lines],
        "levers": [{"change": one.change, "saves_usd": round(one.usd, 2), "catch": one.catch} for one in savings],
        "prices": {
            name: {"usd": value, **({"per": PRICES[name].unit, "page": PRICES[name].page} if name in PRICES else {})}
            for name, value in usd.items()
        },
    }


def _show(lines: Sequence[Line], savings: Sequence[Lever]) -> None:
    table = _table("a month", "for", lines)
    table.add_row(cell("all"), _money(total(lines)), "", style="bold")
    console().print(table)
    console().print()
    console().print(_table("would save", "but", savings))


def _table(what: str, about: str, rows: Iterable[tuple[str, float, str]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column(what)
    table.add_column("USD", justify="right")
    table.add_column(about, overflow="fold")
    for name, usd, words in rows:
        table.add_row(cell(name), _money(usd), cell(words))
    return table


def _money(usd: float) -> str:
    return f"{usd:,.2f}"
