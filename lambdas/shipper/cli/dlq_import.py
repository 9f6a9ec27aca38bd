"""`cwl-shipper dlq import`: exported letters back into the queue, each once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path

import click

from shipper import deadletter
from shipper.aws.queue import QueueFailed
from shipper.cli import deployment
from shipper.cli.archive import Archive, Journal, Saved
from shipper.cli.deployment import Deployment
from shipper.cli.reading import reading
from shipper.cli.terminal import Failed, console, counted, print_json, progress_console, writing_options
from shipper.deadletter import BadEnvelope

_BATCH = 10
"""Letters of one request to SQS, and so the most that a kill can leave in doubt."""


@click.command("import")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, exists=True, path_type=Path))
@deployment.options
@writing_options(dry_run="Only say what would be done.")
def import_(
    folder: Path, stack: str, region: str | None, profile: str | None, dry_run: bool, yes: bool, as_json: bool
) -> None:
    """Put exported letters back into the queue. The files stay; DIR/sent.ndjson notes what was sent.

    If a run was killed or stopped, run it again: what was sent is not sent again. The last batch before a kill is
    looked for in the queue first. Where somebody else is reading it just then, it is sent twice; a replay still makes
    one document of each.

    \b
    Examples:
      cwl-shipper dlq import ./letters --dry-run
      cwl-shipper dlq import ./letters --stack cwl-shipper-prod --yes
    """
    found, archive = deployment.find(stack, region, profile), Archive(folder)
    journal = archive.journal()
    before = len(journal.sent)
    count = sum(letter.id not in journal.sent for letter in archive.letters())
    plan = f"send {counted(count, 'letter')} to the dead-letter queue of {stack}; {before:,} sent before"
    progress_console().print(plan, style="bold", soft_wrap=True)
    sent = 0
    if count and not dry_run:
        if not yes:
            click.confirm("Send them?", abort=True, err=True)
        with deployment.aws_errors(stack):
            sent = _import(found, archive, journal)
        if not as_json:
            next_step = f"Next: `cwl-shipper dlq ls --stack {stack}`."
            console().print(f"{counted(sent, 'letter')} sent. {next_step}", soft_wrap=True)
    if as_json:
        print_json({"dry_run": dry_run, "letters": count, "sent": sent, "sent_before": before})


def _import(found: Deployment, archive: Archive, journal: Journal) -> int:
    sent = 0
    bodies = ((letter, _fitting(letter, found)) for letter in archive.letters() if letter.id not in journal.sent)
    if journal.doubtful:
        doubtful = {letter.id: _fitting(letter, found) for letter in archive.letters() if letter.id in journal.doubtful}
        if there := _there(found, doubtful):
            journal.note_sent(there)
    try:
        for batch in _batches(bodies):
            ids = [letter.id for letter, _ in batch]
            journal.sending(ids)
            found.inbox.put(body for _, body in batch)
            journal.note_sent(ids)
            sent += len(batch)
    except QueueFailed as error:
        raise Failed(f"{counted(sent, 'letter')} sent, then: {error}; run it again to go on") from None
    return sent


def _fitting(letter: Saved, found: Deployment) -> str:
    """The text as it fits a message: what is too large goes back into the bucket."""
    if len(letter.body.encode()) <= deadletter.MAX_ENVELOPE_BYTES:
        return letter.body
    try:
        return found.bodies.pack(found.bodies.unpack(letter.body))
    except BadEnvelope as error:
        raise Failed(f"letter {letter.id} is too large for a message, and no letter of ours: {error}") from None


def _there(found: Deployment, bodies: Mapping[str, str]) -> list[str]:
    """The IDs of those letters of which the queue has the text."""
    wanted = Counter(bodies.values())
    seen: Counter[str] = Counter()
    with reading(found.inbox) as one:
        for message in one.messages():
            if message.body in wanted:
                seen[message.body] += 1
            if seen == wanted:
                break
    there = []
    for id_, body in bodies.items():
        if seen[body] > 0:
            seen[body] -= 1
            there.append(id_)
    return there


def _batches(bodies: Iterable[tuple[Saved, str]]) -> Iterator[list[tuple[Saved, str]]]:
    rest = iter(bodies)
    while batch := list(islice(rest, _BATCH)):
        yield batch
