"""`cwl-shipper status`: one page that says whether all is well."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from itertools import groupby
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from shipper.aws.clock import SystemClock
from shipper.cli import deployment
from shipper.cli.terminal import PARTLY_DONE, cell, console, print_json
from shipper.cli.vitals import Vitals, vitals
from shipper.health import Light, Reading, words, worst
from shipper.times import iso

_STYLES = {Light.GREEN: "green", Light.UNKNOWN: "dim", Light.AMBER: "yellow", Light.RED: "bold red"}
_EXIT_CODES = {Light.GREEN: 0, Light.AMBER: PARTLY_DONE, Light.RED: 1}
_LABELS = {
    "behind_s": "behind by",
    "retry_letters": "letters",
    "retry_age_s": "oldest",
    "dead_letters": "letters",
    "dead_age_s": "oldest",
    "dead_lettered_share": "dead-lettered",
    "requeued_share": "put off",
    "error_share": "errors",
    "throttles": "throttles",
    "cluster": "cluster",
    "disk_used_share": "disk used",
}
# Where the queues and the domain are says nothing about how they are set.
_NOT_SHOWN = ("SHIPPER_ENDPOINT", "SHIPPER_RETRY_QUEUE_URL", "SHIPPER_DEAD_LETTER_QUEUE_URL", "SHIPPER_BUCKET")


@click.command("status")
@deployment.options
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def status(stack: str, region: str | None, profile: str | None, as_json: bool) -> None:
    """Say on one page whether all is well.

    Shows how far each log group is behind (how long its first event that is not in the index has been waiting), the
    queues, what failed in the last hour, the functions, the domain and the settings. What cannot be read is unknown,
    with the reason, and makes the status amber.

    Exit codes: 0 green, 3 amber, 1 red or failed, 2 wrong usage.

    \b
    Examples:
      cwl-shipper status
      cwl-shipper status --stack cwl-shipper-prod --json
    """
    site = deployment.survey(stack, region, profile)
    now_ms = SystemClock().now_ms()
    found = vitals(site, stack, now_ms)
    light = worst(reading for readings in found.parts.values() for reading in readings)
    if as_json:
        print_json(_json(found, light, now_ms))
    else:
        _print(found, light, stack, now_ms)
    sys.exit(_EXIT_CODES[light])


def _json(found: Vitals, light: Light, now_ms: int) -> dict[str, Any]:
    return {
        "light": light.value,
        "at": iso(now_ms),
        "readings": [
            {
                "part": part,
                "of": reading.of,
                "figure": reading.figure,
                "value": reading.value,
                "light": reading.light.value,
                "note": reading.note,
                "what_to_do": reading.what_to_do,
            }
            for part, readings in found.parts.items()
            for reading in readings
        ],
        "settings": found.deployed.variables if found.deployed else None,
        "deployed_at": found.deployed.modified_at if found.deployed else None,
    }


def _print(found: Vitals, light: Light, stack: str, now_ms: int) -> None:
    out = console()
    out.print(Text.assemble((f"{light.value}  ", _STYLES[light]), (f"{stack}  {iso(now_ms)}", "bold")))
    for part, readings in found.parts.items():
        out.print(part, style="bold")
        for of, same in groupby(readings, key=lambda reading: reading.of):
            if of:
                out.print(cell(f"  {of}"))
            out.print(_table(same))
    _print_settings(found)


def _table(readings: Iterable[Reading]) -> Table:
    table = Table.grid(padding=(0, 1))
    table.add_column(width=2)
    table.add_column(width=7, no_wrap=True)
    table.add_column(width=13, no_wrap=True)
    table.add_column(overflow="fold")
    for reading in readings:
        said = cell(words(reading))
        if reading.what_to_do:
            said.append(f"\n{reading.what_to_do}", style="dim")
        table.add_row("", Text(reading.light.value, style=_STYLES[reading.light]), _LABELS[reading.figure], said)
    return table


def _print_settings(found: Vitals) -> None:
    out = console()
    if found.deployed is None:
        out.print("settings", style="bold")
        out.print("  unknown: the function's configuration cannot be read")
        return
    out.print(cell(f"settings of {found.deployed.modified_at}"), style="bold")
    changed = {name: value for name, value in found.deployed.variables.items() if name not in _NOT_SHOWN}
    for name, value in sorted(changed.items()):
        out.print(cell(f"  {name}={value}"))
    if not changed:
        out.print("  all as by default")
