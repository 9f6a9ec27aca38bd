"""`cwl-shipper dlq export`: the queue into files, nothing deleted before it is on the disk."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from shipper import deadletter
from shipper.aws.inbox import Message
from shipper.aws.queue import QueueFailed
from shipper.cli import deployment, filters, letters
from shipper.cli.archive import Archive, Saved
from shipper.cli.deployment import Deployment
from shipper.cli.filters import Filter
from shipper.cli.reading import Reading, reading
from shipper.cli.terminal import PARTLY_DONE, console, counted, print_json, progress_console, safe, writing_options
from shipper.deadletter import BadEnvelope
from shipper.times import iso


@click.command("export", short_help="Move letters out of the queue into files.")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@deployment.options
@filters.options
@click.option("--keep", is_flag=True, help="Leave the letters in the queue, too.")
@writing_options(dry_run="Only say what would be done.")
def export(
    folder: Path,
    stack: str,
    region: str | None,
    profile: str | None,
    chosen: Filter,
    keep: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Move letters out of the queue into NDJSON files in DIR, with their bodies from the bucket.

    A letter is deleted from the queue only after it is safe on the disk. If a run was killed or stopped, run it again
    with the same DIR: it goes on, and no letter is in the files twice.

    Exit codes: 0 done; 3 some letters stay, as the bucket does not answer; 1 failed; 2 wrong usage.

    \b
    Examples:
      cwl-shipper dlq export ./letters
      cwl-shipper dlq export ./letters --reason mapper_parsing_exception --keep
      jq -r '.body | fromjson | .reason.message' ./letters/letters-*.ndjson | sort | uniq -c
    """
    found = deployment.find(stack, region, profile)
    with deployment.aws_errors(stack):
        visible, _ = found.inbox.depth()
        verb = "copy" if keep else "move"
        plan = f"{verb} {chosen.words}, about {visible} in the queue of {stack}, to {safe(str(folder))}"
        progress_console().print(plan, style="bold", soft_wrap=True)
        if dry_run:
            if as_json:
                print_json({"dry_run": True, "in_queue": visible})
            return
        if not keep and not yes:
            click.confirm("Move them?", abort=True, err=True)
        with reading(found.inbox) as one:
            saved, left = _export(found, Archive(folder), chosen, one, keep=keep)
    if as_json:
        print_json({"dry_run": False, "letters": saved, "left": left})
    else:
        _summary(saved, left, safe(str(folder)), keep=keep)
    if left:
        sys.exit(PARTLY_DONE if saved else 1)


def _summary(saved: int, left: int, folder: str, *, keep: bool) -> None:
    out = console()
    out.print(f"{counted(saved, 'letter')} of this run in {folder}.", soft_wrap=True)
    if left:
        out.print(f"{counted(left, 'letter')} left in the queue: the bucket does not answer. Run it again.")
    elif saved and not keep:
        out.print(f"Next: `cwl-shipper dlq import {folder}` puts them back.", soft_wrap=True)


def _export(found: Deployment, archive: Archive, chosen: Filter, one: Reading, *, keep: bool) -> tuple[int, int]:
    """(letters of this run that are in the files, letters that stay)."""
    on_disk = archive.ids()
    saved = left = 0
    try:
        for messages in one.runs():
            mine = [message for message in messages if chosen.matches(letters.headline(message, found))]
            new = [_saved(message, found) for message in mine if message.id not in on_disk]
            whole = [letter for letter in new if letter is not None]
            if whole:
                archive.save(whole)
            on_disk |= {letter.id for letter in whole}
            safe_now = [message for message in mine if message.id in on_disk]
            saved += len(safe_now)
            left += len(mine) - len(safe_now)
            if not keep:
                found.inbox.delete(safe_now)
                one.gone(safe_now)
    finally:
        archive.close()
    return saved, left


def _saved(message: Message, found: Deployment) -> Saved | None:
    """The letter with what lies in the bucket; None where that cannot be fetched. What is no letter stays as it is."""
    entry, body = letters.headline(message, found), message.body
    if entry.in_bucket:
        try:
            body = deadletter.pack(found.bodies.unpack(message.body))
        except QueueFailed:
            return None
        except BadEnvelope:
            pass  # a pointer to what is no letter: there is nothing to fetch
    return Saved(message.id, iso(message.sent_ms), body)
