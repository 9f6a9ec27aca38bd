"""`cwl-shipper dlq purge`: delete letters for good."""

from __future__ import annotations

from pathlib import Path

import click

from shipper.cli import deployment, filters, letters
from shipper.cli.archive import Archive
from shipper.cli.filters import EVERYTHING, Filter
from shipper.cli.reading import Reading, reading
from shipper.cli.terminal import Failed, console, counted, print_json, progress_console, safe, writing_options


@click.command("purge", short_help="Delete letters for good.")
@deployment.options
@filters.options
@click.option("--all", "everything", is_flag=True, help="All letters.")
@click.option(
    "--exported",
    metavar="DIR",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    help="Only letters that `dlq export --keep DIR` has put there.",
)
@writing_options(dry_run="Count them, and delete nothing.", yes="Do not ask; without --exported there is no way back.")
def purge(
    stack: str,
    region: str | None,
    profile: str | None,
    chosen: Filter,
    everything: bool,
    exported: Path | None,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Delete letters for good: those that the options choose, or --all of them.

    Export them first, and name the folder with --exported: then only what is in its files is deleted. Without it,
    --yes is needed.

    \b
    Examples:
      cwl-shipper dlq purge --reason bad_gzip --yes
      cwl-shipper dlq export ./letters --keep && cwl-shipper dlq purge --all --exported ./letters
    """
    if everything == (chosen != EVERYTHING):
        raise click.UsageError("say which: a filter (--reason, --field, --log-group, --since, --id), or --all")
    if exported is None and not (yes or dry_run):
        raise click.UsageError("export them first and say --exported DIR, or say --yes: there is no way back")
    found = deployment.find(stack, region, profile)
    on_disk = Archive(exported).ids() if exported else None
    if on_disk is not None and not on_disk:
        raise Failed(f"{exported} holds no exported letters")
    with deployment.aws_errors(stack):
        where = f" that are in {safe(str(exported))}" if exported else ""
        progress_console().print(
            f"delete {chosen.words}{where} from the queue of {stack}", style="bold", soft_wrap=True
        )
        if not (yes or dry_run):
            click.confirm("Delete them?", abort=True, err=True)
        with reading(found.inbox) as one:
            deleted, kept = _purge(found, chosen, on_disk, one, dry_run=dry_run)
    if as_json:
        print_json({"dry_run": dry_run, "letters": deleted, "left": kept})
        return
    verb = "would be deleted" if dry_run else "deleted"
    console().print(f"{counted(deleted, 'letter')} {verb}, {kept:,} left.")


def _purge(
    found: deployment.Deployment, chosen: Filter, on_disk: set[str] | None, one: Reading, *, dry_run: bool
) -> tuple[int, int]:
    """(deleted, others that were read)."""
    deleted = kept = 0
    for messages in one.runs():
        mine = [
            message
            for message in messages
            if chosen.matches(letters.headline(message, found)) and (on_disk is None or message.id in on_disk)
        ]
        undeleted = 0
        if not dry_run:
            undeleted = found.inbox.delete(mine)
            one.gone(mine)
        deleted += len(mine) - undeleted
        kept += len(messages) - len(mine) + undeleted
    return deleted, kept
