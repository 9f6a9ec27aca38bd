"""`make bench`: what the shipper costs. Prints a table for each part, writes JSON.

PART is one of `transform`, how fast and large it is beside a yardstick in Node.js; `price`, the requests that each
fault costs; `delivery`, the function in front of a real OpenSearch beside what that takes at most; `storage`, what
documents take on its disk and how fast it takes them. All, if none is named. Machines differ and are shared: compare
the ratios.

\b
  python -m tests.bench                       all parts, about ten minutes
  python -m tests.bench price                 in a second
  python -m tests.bench delivery --limit 600  more rounds than the few of three minutes, in storage, too
  python -m tests.bench transform --seconds 0.2
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from local.errors import LocalError
from tests.bench import delivery, price, storage, transform

_PARTS = ("transform", "price", "delivery", "storage")
_COLUMNS = transform.COLUMNS | price.COLUMNS | delivery.COLUMNS | storage.COLUMNS


def _measured(part: str, seconds: float, limit_s: float, tell: Callable[[str], None]) -> dict[str, Any]:
    """The rows of each table of a part."""
    match part:
        case "transform":
            return transform.tables(seconds, tell)
        case "price":
            return price.tables()
        case "delivery":
            return delivery.tables(limit_s, tell)
        case _:
            return storage.tables(limit_s, tell)


def _table(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> Table:
    table = Table(box=None, header_style="dim")
    for heading in columns.values():
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(*(f"{row[name]:,}" if isinstance(row[name], int) else str(row[name]) for name in columns))
    return table


@click.command(help=__doc__)
@click.argument("parts", metavar="[PART]...", nargs=-1, type=click.Choice(_PARTS))
@click.option(
    "--seconds",
    default=1.0,
    show_default=True,
    type=click.FloatRange(0.05),
    help="For each measurement of the transform.",
)
@click.option(
    "--limit",
    "limit_s",
    default=180.0,
    show_default=True,
    type=click.FloatRange(1),
    help="Seconds after which the delivery begins no further measurement, the storage no fourth round.",
)
@click.option("--folder", default=".local", show_default=True, type=click.Path(path_type=Path), help="For the JSON.")
def main(parts: Sequence[str], seconds: float, limit_s: float, folder: Path) -> None:
    """Measure and show."""
    console = Console()
    folder.mkdir(parents=True, exist_ok=True)
    for part in parts or _PARTS:
        try:
            with console.status(part) as status:
                measured = _measured(part, seconds, limit_s, lambda what, status=status: status.update(what))  # type: ignore[misc]
        except LocalError as error:
            raise click.ClickException(str(error)) from error
        for name, rows in measured.items():
            console.print(_table(rows, _COLUMNS[name]))
        file = folder / f"bench-{part}.json"
        file.write_text(json.dumps(measured, indent=2) + "\n", "utf-8")
        console.print(f"written to {file}")


if __name__ == "__main__":
    main()
