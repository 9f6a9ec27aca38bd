"""`cwl-shipper dlq replay`: send letters to the domain once more, repaired if so asked."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict

import click

from shipper.cli import deployment, filters
from shipper.cli.deployment import Deployment
from shipper.cli.filters import Filter
from shipper.cli.preview import as_fields, previewed, show
from shipper.cli.reach import reachable
from shipper.cli.reading import reading
from shipper.cli.replaying import Totals, Work, picked, run
from shipper.cli.terminal import (
    PARTLY_DONE,
    Failed,
    console,
    counted,
    print_json,
    progress_console,
    safe,
    writing_options,
)
from shipper.repair import Repair

_HOLD_S = 60


@click.command("replay")
@deployment.options
@filters.options
@click.option("--limit", default=0, type=click.IntRange(0), metavar="N", help="At most so many letters; 0 is all.")
@click.option("--drop", multiple=True, metavar="FIELD", help="Take this field out of each document; repeatable.")
@click.option("--rename", multiple=True, metavar="OLD=NEW", help="Rename this field; repeatable.")
@click.option("--to-string", multiple=True, metavar="FIELD", help="Turn this field into text; repeatable.")
@click.option("--index", default="", metavar="NAME", help="Write to this index, one of cwl-*; the ids stay.")
@click.option(
    "--via",
    type=click.Choice(["direct", "function"]),
    help="Send from here, or by the replay function, as for a domain in a VPC.  [default: direct if that is possible]",
)
@click.option(
    "--rate",
    default=0,
    type=click.IntRange(0),
    metavar="N",
    help="At most so many documents a second, on average; 0 is no limit.",
)
@click.option(
    "--hold",
    default=_HOLD_S,
    show_default=True,
    type=click.IntRange(2, 43_200),
    metavar="SECONDS",
    help="How long others do not see the letters of this run, and a second more for each 250 in the queue. After a "
    "kill they come back by then.",
)
@writing_options(dry_run="Show what would change in the documents, and send nothing.")
def replay(
    stack: str,
    region: str | None,
    profile: str | None,
    chosen: Filter,
    limit: int,
    drop: Sequence[str],
    rename: Sequence[str],
    to_string: Sequence[str],
    index: str,
    via: str | None,
    rate: int,
    hold: int,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Send letters to the domain once more, repaired if so asked.

    A letter is deleted only after the domain has confirmed each of its documents or, by way of the replay function,
    after it is safe in the retry queue. What is refused again comes back with its new reason and its history, and is
    not taken again in the same run. Run twice, run by two people at once or killed, it makes no doubles: ids stay the
    same. (After a kill, repeat --index, too.)

    Exit codes: 0 all is in the index or in the retry queue; 3 some of it; 1 nothing, or failed; 2 wrong usage.

    \b
    Examples:
      cwl-shipper dlq replay --dry-run
      cwl-shipper dlq replay --reason mapper_parsing_exception --to-string log_processed.order
      cwl-shipper dlq replay --rename log_processed.user=log_processed.user_name --yes
      cwl-shipper dlq replay --log-group '*/application' --since 2h --rate 200
    """
    repair = _repair(drop, rename, to_string, index)
    found = deployment.find(stack, region, profile)
    with deployment.aws_errors(stack):
        if dry_run:
            _preview(found, chosen, repair, limit, as_json=as_json)
            return
        directly = _directly(via, found.settings.endpoint)
        is_empty = _plan(found, chosen, repair, directly=directly, stack=stack)
        total, hidden = Totals(), 0
        if yes or not is_empty:
            if not yes:
                click.confirm("Replay them?", abort=True, err=True)
            with reading(found.inbox, hide_s=hold, lanes=1 if rate else None) as one:
                total = run(Work(found, repair, directly, hold), chosen, one, limit=limit, rate=rate)
            _, hidden = found.inbox.depth()
    for letter_id, error in total.errors:
        click.echo(f"cwl-shipper: letter {letter_id}: {safe(error)}", err=True)
    if total.failure:
        click.echo(f"cwl-shipper: {safe(total.failure)}", err=True)
    if as_json:
        print_json({"dry_run": False, **asdict(total), "errors": dict(total.errors), "hidden": hidden})
    else:
        _summary(total, hidden, stack)
    if total.left or total.ledger.dead_lettered or total.failure or total.interrupted:
        done = total.ledger.indexed or total.ledger.duplicate or total.moved
        sys.exit(PARTLY_DONE if done else 1)


def _repair(drop: Sequence[str], rename: Sequence[str], to_string: Sequence[str], index: str) -> Repair:
    pairs = [pair.partition("=") for pair in rename]
    if bad := [pair for pair, (old, _, new) in zip(rename, pairs, strict=True) if not (old and new)]:
        raise click.UsageError(f"--rename takes OLD=NEW, not {bad[0]!r}")
    repair = Repair(tuple(drop), tuple((old, new) for old, _, new in pairs), tuple(to_string), index)
    if problems := repair.problems():
        raise click.UsageError("; ".join(problems))
    return repair


def _directly(via: str | None, endpoint: str) -> bool:
    if via == "function":
        return False
    if reachable(endpoint):
        return True
    if via == "direct":
        raise Failed(f"the domain {endpoint} does not answer here: go where it does, or use --via function")
    progress_console().print("The domain does not answer here, so the replay function has to do it.")
    return False


def _plan(found: Deployment, chosen: Filter, repair: Repair, *, directly: bool, stack: str) -> bool:
    """Say what is about to be done; returns whether the queue is empty, as far as SQS counts."""
    out = progress_console()
    visible, hidden = found.inbox.depth()
    way = "from here to the domain" if directly else "by the replay function"
    out.print(f"{chosen.words}, about {visible} in the queue: {way} of {stack}", style="bold", soft_wrap=True)
    for change in repair.changes:
        out.print(f"  {safe(change)}", soft_wrap=True)
    return not (visible or hidden)


def _preview(found: Deployment, chosen: Filter, repair: Repair, limit: int, *, as_json: bool) -> None:
    with reading(found.inbox) as one:
        preview = previewed(found, picked(found, chosen, one, limit), repair)
    if as_json:
        print_json({"dry_run": True, **as_fields(preview)})
        return
    out = console()
    for change in repair.changes:
        out.print(safe(change), style="bold")
    for letter_id, error in preview.errors:
        out.print(f"letter {letter_id} would stay here: {safe(error)}", soft_wrap=True)
    for letter_id, before, after in preview.examples:
        show(out, letter_id, before, after)
    read = f"{counted(preview.letters, 'letter')}, {counted(preview.documents, 'document')}"
    out.print(f"{read}, {preview.changed:,} of them changed; nothing was sent.", style="bold")


def _summary(total: Totals, hidden: int, stack: str) -> None:
    """Say what came of it, and what to do next."""
    out, ledger = console(), total.ledger
    if not total.letters:
        progress_console().print("Nothing to replay.")
    elif total.moved:
        moved = f"{counted(total.moved, 'letter')} with {counted(total.documents, 'document')}"
        out.print(f"Safe in the retry queue, and no longer here: {moved}.", soft_wrap=True)
        out.print("The replay function sends them; what is refused comes back with its new reason.", soft_wrap=True)
    else:
        out.print(
            f"{ledger.indexed} indexed, {ledger.duplicate} there already, "
            f"{ledger.dead_lettered} refused again, {ledger.requeued} not taken now",
            soft_wrap=True,
        )
    for word in _words(total, stack):
        out.print(word, soft_wrap=True)
    if hidden:
        out.print(f"About {counted(hidden, 'letter')} hidden: another run has them, or was killed; they come back.")


def _words(total: Totals, stack: str) -> Iterator[str]:
    """What else is to be said, the next step last."""
    if total.rescued:
        yield f"{total.rescued} of them did not fit the mapping: their fields are in @unmapped."
    if total.undeleted:
        yield f"{counted(total.undeleted, 'letter')} could not be deleted: a replay of them makes no doubles."
    if total.errors:
        yield "`cwl-shipper dlq show ID` shows a letter that stays."
    if next_step := _next_step(total, stack):
        yield next_step


def _next_step(total: Totals, stack: str) -> str:
    look = f"Next: `cwl-shipper dlq ls --stack {stack}`"
    if total.interrupted:
        return "Stopped: nothing is lost. Run the same command again to go on."
    if total.failure:
        return "Stopped: what was not sent stays where it was."
    if total.waiting:
        return f"The domain did not take all: {safe(total.waiting)}. Those letters stay; run this again."
    if total.moved:
        return f"{look} in some minutes."
    return f"{look}, then replay with a repair." if total.ledger.dead_lettered else ""
