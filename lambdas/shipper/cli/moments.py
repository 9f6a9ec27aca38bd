"""Times as they are typed: `now`, `90m` ago, `2026-11-24T12:00`."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from typing import Any

import click

from shipper.cli.terminal import combined

_AGO = re.compile(r"(\d{1,6})([smhd])")
_UNITS_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


class Moment(click.ParamType[int]):
    """Makes milliseconds since the epoch of a time; UTC where it has no zone."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        now_ms = time.time_ns() // 1_000_000
        if value == "now":
            return now_ms
        if ago := _AGO.fullmatch(value):
            return now_ms - int(ago[1]) * _UNITS_S[ago[2]] * 1_000
        try:
            moment = datetime.fromisoformat(value)
            return int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * 1_000)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is neither like 2h nor like 2026-11-24T12:00", param, ctx)


MOMENT = Moment()
HELP = "90m, 2h or 7d (ago), or 2026-11-24T12:00 (UTC)"

log_group_options = combined(
    click.option("--log-group", required=True, metavar="NAME", help="The log group."),
    click.option("--from", "from_ms", required=True, type=MOMENT, metavar="TIME", help=f"Start: {HELP}."),
    click.option("--to", "to_ms", default="now", show_default=True, type=MOMENT, metavar="TIME", help="End, likewise."),
)
"""A log group, and a time of it."""
