"""`cwl-shipper dlq`: what could not be indexed, why, and how to get it in after all."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import click
from rich.table import Table

from shipper import jsontext
from shipper.aws.clock import SystemClock
from shipper.aws.queue import QueueFailed
from shipper.cli import deployment, letters
from shipper.cli.deployment import Deployment
from shipper.cli.letters import Entry
from shipper.cli.terminal import PARTLY_DONE, Failed, cell, console, escaped, progress_console, safe
from shipper.deadletter import BadEnvelope
from shipper.model import Ledger
from shipper.repair import BadRepair, Repair
from shipper.replay import Replayed, replay
from shipper.ship import Denied

_LOOK_HIDE_S = 30
_REPLAY_HIDE_S = 300
_LOOK_LIMIT = 1000
_PATIENCE_S = 60.0
"""For one letter, whatever wait the domain asks for."""


@click.group()
def dlq() -> None:
    """Look into the dead-letter queue and replay it."""


@dlq.command("ls")
@deployment.options
@click.option("--limit", default=_LOOK_LIMIT, show_default=True, type=click.IntRange(1), help="Read at most so many.")
@click.option("--json", "as_json", is_flag=True, help="JSON lines, one a group.")
def ls_command(stack: str, region: str | None, profile: str | None, limit: int, as_json: bool) -> None:
    """List what is in the queue, grouped by reason, field and log group. Reading removes nothing.

    \b
    Examples:
      cwl-shipper dlq ls
      cwl-shipper dlq ls --stack cwl-shipper-prod --json
    """
    found = deployment.find(stack, region, profile)
    with deployment.aws_errors(stack):
        entries = _look(found, limit)
        visible, hidden = found.inbox.depth()
    groups = letters.grouped(entries)
    if as_json:
        for group in groups:
            click.echo(escaped(jsontext.dumps(group)))
        return
    if groups:
        console().print(_listing(groups))
    total = max(visible + hidden, len(entries))
    console().print(f"{len(entries)} of about {total} messages read; a queue can only be sampled.", style="dim")


@dlq.command("show")
@click.argument("letter_id", required=False, metavar="[ID]")
@deployment.options
@click.option("--reason", "reason_type", metavar="TYPE", help="The first letter with this reason.")
@click.option("--json", "as_json", is_flag=True, help="The letter with its documents as JSON.")
def show_command(
    letter_id: str | None,
    stack: str,
    region: str | None,
    profile: str | None,
    reason_type: str | None,
    as_json: bool,
) -> None:
    """Show one letter in full, by its message ID (or the beginning of it) or by --reason.

    \b
    Examples:
      cwl-shipper dlq show 5f2c1a9b
      cwl-shipper dlq show --reason mapper_parsing_exception --json
    """
    if not letter_id and not reason_type:
        raise click.UsageError("say which: an ID, or --reason TYPE")
    found = deployment.find(stack, region, profile)
    with deployment.aws_errors(stack):
        entries = letters.pick(_look(found, _LOOK_LIMIT), letter_id, reason_type)
    if not entries:
        wanted = letter_id or f"with reason {reason_type}"
        raise Failed(f"no letter {wanted} among those that could be read: see `cwl-shipper dlq ls`")
    facts = letters.facts(entries[0])
    documents = letters.content(entries[0], found)
    if as_json:
        click.echo(escaped(jsontext.dumps({**facts, "content": documents})))
        return
    table = Table(box=None, show_header=False)
    for name, value in facts.items():
        table.add_row(cell(name.replace("_", " ")), cell(value))
    console().print(table)
    _print_documents(documents)


@dlq.command("replay")
@deployment.options
@click.option("--id", "letter_id", metavar="ID", help="Only the letter whose message ID begins like this.")
@click.option("--reason", "reason_type", metavar="TYPE", help="Only letters with this reason.")
@click.option("--limit", default=_LOOK_LIMIT, show_default=True, type=click.IntRange(1), help="Read at most so many.")
@click.option("--drop", multiple=True, metavar="FIELD", help="Take this field out of each document; repeatable.")
@click.option("--rename", multiple=True, metavar="OLD=NEW", help="Rename this field; repeatable.")
@click.option("--to-string", multiple=True, metavar="FIELD", help="Turn this field into text; repeatable.")
@click.option("--dry-run", is_flag=True, help="Show the documents as they would be sent, and send nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def replay_command(
    stack: str,
    region: str | None,
    profile: str | None,
    letter_id: str | None,
    reason_type: str | None,
    limit: int,
    drop: Sequence[str],
    rename: Sequence[str],
    to_string: Sequence[str],
    dry_run: bool,
    yes: bool,
) -> None:
    """Send letters to the domain once more, repaired if so asked.

    A letter is deleted only after the domain has confirmed each of its documents. What is refused again comes back
    with its new reason. Running it twice, or killing it, does no harm: ids stay the same.

    \b
    Examples:
      cwl-shipper dlq replay --dry-run
      cwl-shipper dlq replay --reason mapper_parsing_exception --to-string log_processed.order
      cwl-shipper dlq replay --rename log_processed.user=log_processed.user_name --yes
    """
    repair = _repair(drop, rename, to_string)
    found = deployment.find(stack, region, profile)
    results: list[_Result] = []
    with deployment.aws_errors(stack):
        entries = letters.read(found, limit, hide_s=_REPLAY_HIDE_S)
        try:
            chosen = letters.pick(entries, letter_id, reason_type)
            _plan(chosen, repair, stack)
            if dry_run:
                for entry in chosen:
                    console().print(f"letter {entry.message.id}", style="bold")
                    _print_documents(letters.content(entry, found, repair))
            elif chosen and (yes or click.confirm("Replay them?", err=True)):
                results = [_replay(entry, found, repair) for entry in chosen]
        finally:
            gone = {result.entry.message.id for result in results if result.replayed and result.replayed.done}
            letters.release(found, [entry for entry in entries if entry.message.id not in gone])
    if results:
        _summary(results, stack)


@dataclass(frozen=True, slots=True)
class _Result:
    entry: Entry
    replayed: Replayed | None
    error: str = ""


def _listing(groups: Sequence[dict[str, Any]]) -> Table:
    """Three lines a group, so that nothing is cut at 80 columns."""
    table = Table(box=None, header_style="dim")
    table.add_column("documents", justify="right", no_wrap=True)
    table.add_column("reason, field, log group", overflow="fold")
    table.add_column("failed first, last", no_wrap=True)
    for group in groups:
        what = "\n".join(group[key] for key in ("reason", "field", "log_group") if group[key])
        table.add_row(
            cell(group["documents"]), cell(what), cell(f"{group['first_failed_at']}\n{group['last_failed_at']}")
        )
    return table


def _look(found: Deployment, limit: int) -> list[Entry]:
    entries = letters.read(found, limit, hide_s=_LOOK_HIDE_S)
    letters.release(found, entries)
    return entries


def _repair(drop: Sequence[str], rename: Sequence[str], to_string: Sequence[str]) -> Repair:
    pairs = [pair.partition("=") for pair in rename]
    if bad := [pair for pair, (old, _, new) in zip(rename, pairs, strict=True) if not (old and new)]:
        raise click.UsageError(f"--rename takes OLD=NEW, not {bad[0]!r}")
    repair = Repair(tuple(drop), tuple((old, new) for old, _, new in pairs), tuple(to_string))
    if problems := repair.problems():
        raise click.UsageError("; ".join(problems))
    return repair


def _plan(chosen: Sequence[Entry], repair: Repair, stack: str) -> None:
    out = progress_console()
    if not chosen:
        out.print("Nothing to replay.")
        return
    documents = sum(entry.letter.count for entry in chosen)
    out.print(f"{len(chosen)} letters with {documents} documents to the domain of {stack}", style="bold", markup=False)
    changes = [f"drop {path}" for path in repair.drop]
    changes += [f"rename {old} to {new}" for old, new in repair.rename]
    changes += [f"turn {path} into text" for path in repair.to_string]
    for change in changes:
        out.print(f"  {change}", markup=False)


def _print_documents(documents: Sequence[object]) -> None:
    for document in documents:
        console().print_json(safe(jsontext.dumps(document).decode()))


def _replay(entry: Entry, found: Deployment, repair: Repair) -> _Result:
    """Deliver one letter, and delete it only when every document of it is settled."""
    if not entry.readable:
        return _Result(entry, None, entry.letter.reason.message)
    # A person waits, and can run it again: better a quick answer than a long wait for a domain that is away.
    settings = replace(found.settings, max_tries=2)
    clock = SystemClock.until(_PATIENCE_S + settings.reserve_s)
    try:
        replayed = replay(entry.letter, found.sink, found.letters, clock, settings, repair)
    except (BadEnvelope, BadRepair, Denied, QueueFailed) as error:
        return _Result(entry, None, str(error))
    if replayed.done:
        found.inbox.delete(entry.message)
    return _Result(entry, replayed)


def _summary(results: Sequence[_Result], stack: str) -> None:
    """Say what came of it, and what to do next; exits with 1 or 3 where anything is left."""
    total = Ledger()
    waiting = ""
    for result in results:
        if result.replayed is None:
            click.echo(f"cwl-shipper: letter {result.entry.message.id}: {safe(result.error)}", err=True)
            continue
        total += result.replayed.ledger
        waiting = waiting or next((o.reason.message for o in result.replayed.delivery.waiting if o.reason), "")
    out = console()
    out.print(
        f"{total.indexed} indexed, {total.duplicate} there already, "
        f"{total.dead_lettered} refused again, {total.requeued} not taken now"
    )
    if rescued := sum(result.replayed.delivery.rescued for result in results if result.replayed):
        out.print(f"{rescued} of them did not fit the mapping: their fields are in @unmapped.", markup=False)
    if waiting:
        out.print(f"The domain did not take all: {safe(waiting)}. Those letters stay; run this again.", markup=False)
    if total.dead_lettered:
        out.print(f"Next: `cwl-shipper dlq ls --stack {stack}`, then replay with a repair.", markup=False)
    if total.dead_lettered or total.requeued or any(result.replayed is None for result in results):
        sys.exit(PARTLY_DONE if total.indexed or total.duplicate else 1)
