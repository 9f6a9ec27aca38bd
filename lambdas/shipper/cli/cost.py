"""`cwl-shipper cost`: what the chain costs in a month, and what would make it cheaper."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from shipper import jsontext
from shipper.cli.terminal import Failed, cell, console, escaped, progress_console
from shipper.cost import PRICES, Lever, Line, UnknownPrice, Workload, bill, levers, prices, problems, total

_COUNT = click.IntRange(1)


@click.command("cost")
@click.option("--gb-per-day", required=True, type=click.FloatRange(0, 1e6, min_open=True), help="GB of logs a day.")
@click.option("--log-days", default=30, show_default=True, type=_COUNT, help="CloudWatch keeps them so long.")
@click.option("--index-days", default=30, show_default=True, type=_COUNT, help="The domain keeps them so long.")
@click.option("--replicas", default=0, show_default=True, type=click.IntRange(0), help="Copies of each index.")
@click.option("--instance-type", default="t3.medium.search", show_default=True, metavar="TYPE", help="Data nodes.")
@click.option("--instances", default=1, show_default=True, type=_COUNT, help="How many of them.")
@click.option("--master-type", default="m7g.large.search", show_default=True, metavar="TYPE", help="Dedicated masters.")
@click.option("--masters", default=0, show_default=True, type=click.IntRange(0), help="How many of them.")
@click.option("--memory-mib", default=512, show_default=True, type=_COUNT, help="Memory of the function.")
@click.option("--event-bytes", default=475, show_default=True, type=_COUNT, help="Of an event, as CloudWatch counts.")
@click.option("--events-per-payload", default=100, show_default=True, type=_COUNT, help="Events an invocation gets.")
@click.option("--index-bytes", default=401, show_default=True, type=_COUNT, help="Of an event in the index.")
@click.option("--prices", "file", type=click.Path(dir_okay=False), metavar="FILE", help="JSON: price by name, in USD.")
@click.option("--price", "assignments", multiple=True, metavar="NAME=USD", help="Change one price; repeatable.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, with the prices that were used.")
def cost(file: str | None, assignments: Sequence[str], as_json: bool, **load: Any) -> None:
    """What does it cost in a month, and what would make it cheaper?

    By formulas, from how much is logged: nothing is looked up in an account. Prices are list prices of us-east-1;
    docs/cost.md says where each figure comes from, and what is not counted.

    \b
    Examples:
      cwl-shipper cost --gb-per-day 2
      cwl-shipper cost --gb-per-day 50 --instance-type or2.large.search --instances 3 --replicas 1
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
        click.echo(escaped(jsontext.dumps(_written(workload, lines, savings, usd))))
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
    except (OSError, ValueError) as error:
        raise Failed(f"{file} cannot be read: {error}") from None
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
        raise click.UsageError(f"{value!r} is no price of {name}: a number of US dollars")
    return usd


def _written(
    load: Workload, lines: Sequence[Line], savings: Sequence[Lever], usd: Mapping[str, float]
) -> dict[str, Any]:
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
    out = console()
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("a month")
    table.add_column("USD", justify="right")
    table.add_column("for", overflow="fold")
    for line in lines:
        table.add_row(cell(line.item), _money(line.usd), cell(line.how))
    table.add_row(cell("all"), _money(total(lines)), "", style="bold")
    out.print(table)
    out.print()
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("would save")
    table.add_column("USD", justify="right")
    table.add_column("but", overflow="fold")
    for lever in savings:
        table.add_row(cell(lever.change), _money(lever.usd), cell(lever.catch))
    out.print(table)


def _money(usd: float) -> str:
    return f"{usd:,.2f}"
