"""`cwl-shipper dlq ls`: what is in the queue, by reason."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import click
from rich.table import Table

from shipper.cli import deployment, filters, letters
from shipper.cli.filters import Filter
from shipper.cli.groups import Groups
from shipper.cli.reading import reading
from shipper.cli.terminal import cell, console, counted, print_json, shortened

_LIMIT = 100_000
"""SQS hands out 120,000 messages at a time, and no more until some come back;
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html"""

_MAX_NAME_CHARS = 200

_FORMS = {
    "documents": "of documents",
    "payload": "with an event as it came",
    "lambda_record": "from Lambda itself",
    "unreadable": "that cannot be read",
}
"""Of `letters.Entry.form`, in words."""

_AGES = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


@click.command("ls")
@deployment.options
@filters.options
@click.option(
    "--limit", default=_LIMIT, show_default=True, type=click.IntRange(1, _LIMIT), help="Read at most so many."
)
@click.option("--json", "as_json", is_flag=True, help="JSON lines, one a group.")
def ls(stack: str, region: str | None, profile: str | None, chosen: Filter, limit: int, as_json: bool) -> None:
    """List what is in the queue, grouped by reason, field and log group. Reading removes nothing.

    What is read is hidden from other readers meanwhile, and given back.

    \b
    Examples:
      cwl-shipper dlq ls
      cwl-shipper dlq ls --log-group '/aws/containerinsights/*/application' --since 2h
      cwl-shipper dlq ls --stack cwl-shipper-prod --json
    """
    found = deployment.find(stack, region, profile)
    groups, count = Groups(), 0
    with deployment.aws_errors(stack), reading(found.inbox) as one:
        for message in one.messages():
            entry = letters.headline(message, found)
            if chosen.matches(entry):
                groups.add(entry)
            count += 1
            if count == limit:
                break
    if as_json:
        for row in groups.rows():
            print_json(row)
    else:
        _print(groups.rows(), count, one.visible, one.hidden)


def _print(rows: Sequence[dict[str, Any]], count: int, visible: int, hidden: int) -> None:
    """`visible` and `hidden` are what the queue had before this reader, as it counts."""
    out = console()
    if rows:
        out.print(_table(rows))
    total = max(visible + hidden, count)
    out.print(f"{count:,} of about {total:,} messages read; a queue can only be sampled.", style="dim")
    if hidden:
        out.print(f"About {hidden:,} are hidden: somebody reads them now, or a run was killed.", style="dim")
    if count < total:
        out.print("`cwl-shipper dlq export DIR` puts all of it into files.", style="dim")


def _table(rows: Sequence[dict[str, Any]]) -> Table:
    """A few lines a group, so that nothing is cut at 80 columns."""
    table = Table(box=None, header_style="dim")
    table.add_column("documents", justify="right", no_wrap=True)
    table.add_column("reason, field, log group", overflow="fold")
    table.add_column("failed first, last", no_wrap=True)
    now_s = int(time.time())
    for row in rows:
        what = [shortened(row[name], _MAX_NAME_CHARS) for name in ("reason", "field", "log_group") if row[name]]
        when = [row["first_failed_at"], row["last_failed_at"], _age(row["first_failed_at"], now_s)]
        table.add_row(
            cell(f"{row['documents']:,}"),
            cell("\n".join([*what, _held(row)])),
            cell("\n".join(text[:24] for text in when)),
        )
    return table


def _held(row: dict[str, Any]) -> str:
    said = f"{counted(row['letters'], 'letter')} {_FORMS.get(row['form'], '')}".rstrip()
    return said + (f", {row['in_bucket']:,} in S3" if row["in_bucket"] else "")


def _age(since: str, now_s: int) -> str:
    try:
        seconds = max(0, now_s - int(datetime.fromisoformat(since).timestamp()))
    except (ValueError, OverflowError):
        return ""
    size, unit = next(((size, unit) for size, unit in _AGES if seconds >= size), _AGES[-1])
    return f"oldest {seconds // size} {unit} ago"
