"""`cwl-shipper dlq show`: one letter in full, its reason in words, and what helps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click
from rich.table import Table

from shipper import jsontext
from shipper.cli import cures, deployment, letters
from shipper.cli.deployment import Deployment
from shipper.cli.filters import Filter
from shipper.cli.letters import Entry
from shipper.cli.reading import reading
from shipper.cli.terminal import Failed, cell, console, print_json, safe, shortened

_MAX_SHOWN = 5
_MAX_VALUE_CHARS = 2_000


@click.command("show", short_help="Show one letter in full, and what helps.")
@click.argument("letter_id", required=False, metavar="[ID]")
@deployment.options
@click.option("--reason", metavar="TYPE", help="The first letter with this reason.")
@click.option("--json", "as_json", is_flag=True, help="The letter with all its documents as JSON.")
def show(
    letter_id: str | None, stack: str, region: str | None, profile: str | None, reason: str | None, as_json: bool
) -> None:
    """Show one letter in full, by its message ID (or the beginning of it) or by --reason, and what most likely helps.

    \b
    Examples:
      cwl-shipper dlq show 5f2c1a9b
      cwl-shipper dlq show --reason mapper_parsing_exception --json
    """
    if not letter_id and not reason:
        raise click.UsageError("say which: an ID, or --reason TYPE")
    found = deployment.find(stack, region, profile)
    with deployment.aws_errors(stack):
        entry = _first(found, Filter(letter_id=letter_id or "", reason=reason or ""))
    if entry is None:
        wanted = letter_id or f"with reason {reason}"
        raise Failed(f"no letter {wanted} among those that could be read: see `cwl-shipper dlq ls`")
    facts, documents = letters.facts(entry), letters.content(entry, found)
    advised = cures.advice(entry.letter.reason, documents)
    if as_json:
        advice = {"words": advised.words, "cure": advised.cure, "command": advised.command}
        print_json({**facts, "advice": advice, "content": documents})
        return
    _print(facts, advised, documents)


def _first(found: Deployment, wanted: Filter) -> Entry | None:
    with reading(found.inbox) as one:
        for message in one.messages():
            if wanted.matches(letters.headline(message, found)):
                return letters.in_full(message, found)
    return None


def _print(facts: dict[str, Any], advised: cures.Advice, documents: Sequence[Any]) -> None:
    out = console()
    table = Table(box=None, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    history = facts.pop("history")
    for name, value in facts.items():
        if value != "" and (name, value) != ("kind", facts["form"]):
            table.add_row(cell(name.replace("_", " ")), cell(value))
    for failure in history:
        table.add_row(cell("before"), cell(f"{failure['at']}  {failure['reason']}: {failure['message']}"))
    table.add_row()
    table.add_row(cell("what is wrong"), cell(advised.words))
    table.add_row(cell("what helps"), cell(advised.cure))
    if advised.command:
        table.add_row(cell("for example"), cell(advised.command))
    out.print(table)
    for document in documents[:_MAX_SHOWN]:
        out.print()
        out.print_json(safe(jsontext.dumps(shortened(document, _MAX_VALUE_CHARS)).decode()))
    if len(documents) > _MAX_SHOWN:
        out.print(f"and {len(documents) - _MAX_SHOWN} documents more: --json has all of them.", style="dim")
