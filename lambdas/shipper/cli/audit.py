"""`cwl-shipper audit`: are all events of CloudWatch in the index?"""

from __future__ import annotations

import sys
import tempfile

import click

from shipper import jsontext
from shipper.audit import MAX_NAMED, Standing, Window
from shipper.aws.clock import SystemClock
from shipper.aws.events import LogGroups
from shipper.aws.subscriber import Function
from shipper.cli import deployment
from shipper.cli.audit_quick import compare
from shipper.cli.audit_report import Report, Sent, show, written
from shipper.cli.auditing import examine, send, source_of
from shipper.cli.moments import HELP, MOMENT
from shipper.cli.terminal import PARTLY_DONE, Failed, counted, escaped, progress_console, safe


@click.command("audit")
@deployment.options
@click.option("--log-group", required=True, metavar="NAME", help="The log group.")
@click.option("--from", "from_ms", required=True, type=MOMENT, metavar="TIME", help=f"From then on: {HELP}.")
@click.option("--to", "to_ms", default="now", show_default=True, type=MOMENT, metavar="TIME", help="Until before then.")
@click.option(
    "--settle",
    default=60,
    show_default=True,
    type=click.IntRange(0),
    metavar="SECONDS",
    help="What came to CloudWatch less than so long ago is not missed yet.",
)
@click.option("--quick", is_flag=True, help="Compare only what CloudWatch's metrics count.")
@click.option("--repair", is_flag=True, help="Send the missing events through the subscriber, with their ids.")
@click.option("--dry-run", is_flag=True, help="With --repair: say what would be sent, and send nothing.")
@click.option("--yes", is_flag=True, help="With --repair: do not ask.")
@click.option("--json", "as_json", is_flag=True, help=f"One JSON object; it names up to {MAX_NAMED:,} ids of a kind.")
def audit(
    stack: str,
    region: str | None,
    profile: str | None,
    log_group: str,
    from_ms: int,
    to_ms: int,
    settle: int,
    quick: bool,
    repair: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Are all events of CloudWatch in the index?

    Each event of the log group is looked for: in the index, joined into another one's document there, in the letters
    of the dead-letter queue, among what the rules leave out. What is nowhere is missing. A document of which CloudWatch
    has no event is extra: CloudWatch may have forgotten the event since. What the subscription's pattern does not take
    is not asked for.

    Exit codes: 0 nothing is missing, or all of it was sent; 3 something is missing; 1 failed; 2 wrong usage.

    \b
    Examples:
      cwl-shipper audit --from 2h --log-group /aws/containerinsights/demo/application
      cwl-shipper audit --from 2026-11-24 --to 2026-11-25 --json --log-group NAME
      cwl-shipper audit --from 1d --repair --log-group NAME
      cwl-shipper audit --from 7d --quick --log-group NAME
    """
    _check(repair=repair, quick=quick, dry_run=dry_run, yes=yes, is_empty=from_ms >= to_ms)
    site = deployment.survey(stack, region, profile)
    now_ms = SystemClock().now_ms()
    to_ms = min(to_ms, now_ms)
    with deployment.aws_errors(stack), deployment.search_errors(), tempfile.TemporaryFile() as spool:
        groups = LogGroups(site.client("logs"))
        window = Window(source_of(groups, log_group), from_ms, to_ms, now_ms - settle * 1000)
        subscription = groups.subscription(log_group, site.outputs["SubscriberFunction"])
        if quick:
            compare(site, window, subscription, as_json=as_json)
            return
        if subscription is None:
            progress_console().print("No subscription filter of this log group leads to the subscriber.", style="bold")
        report = examine(site, window, subscription.pattern if subscription else "", spool)
        if not as_json:
            show(report, window)
        sent = None
        if repair and report.packed and _agreed(report, stack, dry_run=dry_run, yes=yes):
            function = Function(site.client("lambda"), site.outputs["SubscriberFunction"])
            sent = send(function, report.packed, spool)
    if as_json:
        click.echo(escaped(jsontext.dumps(written(report, window, sent))))
    _end(report, sent, stack, repair=repair)


def _check(*, repair: bool, quick: bool, dry_run: bool, yes: bool, is_empty: bool) -> None:
    if (dry_run or yes) and not repair:
        raise click.UsageError("--dry-run and --yes belong to --repair")
    if quick and repair:
        raise click.UsageError("--quick does not know which events are missing: leave it out to --repair")
    if is_empty:
        raise click.UsageError("--from is not before --to")


def _agreed(report: Report, stack: str, *, dry_run: bool, yes: bool) -> bool:
    """Say what is about to be sent, and ask. Raises `Failed` where it could make doubles."""
    if report.ids_differ:
        raise Failed(
            "no event has the id of a document that is there, so to send them again could double all of them: "
            "choose a time in which some are present"
        )
    out, count = progress_console(), report.counts[Standing.MISSING]
    out.print(
        f"{counted(count, 'missing event')} in {counted(report.packed, 'payload')}, by the subscriber of {stack}",
        style="bold",
        soft_wrap=True,
    )
    if dry_run:
        out.print("Nothing was sent.")
        return False
    if not yes:
        click.confirm("Send them?", abort=True, err=True)
    return True


def _end(report: Report, sent: Sent | None, stack: str, *, repair: bool) -> None:
    """Say what to do next; exits with 1 or 3 where anything is still missing."""
    out = progress_console()
    if not report.counts[Standing.MISSING]:
        return
    if sent is None:
        if not repair:
            out.print("Next: the same command with --repair sends them again, with the same ids.")
        sys.exit(PARTLY_DONE)
    for error in sent.errors:
        click.echo(f"cwl-shipper: {safe(error)}", err=True)
    out.print(sent.words, soft_wrap=True)
    if sent.ledger.dead_lettered:
        out.print(f"Next: `cwl-shipper dlq ls --stack {stack}`.", markup=False, soft_wrap=True)
    if sent.failed:
        out.print(f"Not taken: {counted(sent.failed, 'payload')}. Run this again, it makes no doubles.")
        sys.exit(PARTLY_DONE if sent.taken else 1)
