"""`cwl-shipper audit`: are all events of CloudWatch in the index?"""

from __future__ import annotations

import sys
import tempfile

import click

from shipper.audit import MAX_NAMED, Standing, Window
from shipper.aws.clock import SystemClock
from shipper.aws.log_groups import LogGroups
from shipper.aws.subscriber import Function
from shipper.cli import deployment
from shipper.cli.audit_quick import compare_counts
from shipper.cli.audit_report import Report, Sent, json_of, show
from shipper.cli.auditing import examine, send, source_of
from shipper.cli.moments import log_group_options
from shipper.cli.subscribed import subscribed
from shipper.cli.terminal import PARTLY_DONE, Failed, counted, print_json, progress_console, safe


@click.command("audit")
@deployment.options
@log_group_options
@click.option(
    "--settle",
    default=60,
    show_default=True,
    type=click.IntRange(0),
    metavar="SECONDS",
    help="An event that came to CloudWatch this recently does not count as missing yet.",
)
@click.option("--quick", is_flag=True, help="Compare only the counts of CloudWatch's metrics; it is cheap.")
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

    Looks for each event of the log group: in the index, on its own or joined into another one's document; in the
    letters of the dead-letter queue; among what the rules leave out. What is nowhere is missing. A document without an
    event in CloudWatch is extra: its event may have expired. Events that the subscription's pattern does not match are
    not looked for.

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
        subscription, unsure = subscribed(groups, log_group, site.outputs["SubscriberFunction"])
        if quick:
            compare_counts(site, window, subscription, unsure, as_json=as_json)
            return
        if subscription is None:
            said = f"No subscription filter of this log group leads to the subscriber{safe(unsure) or '.'}"
            progress_console().print(said, style="bold", soft_wrap=True)
        report = examine(site, window, subscription.pattern if subscription else "", spool)
        if not as_json:
            show(report, window)
        sent = None
        if repair and report.packed and _agreed(report, stack, dry_run=dry_run, yes=yes):
            function = Function(site.client("lambda"), site.outputs["SubscriberFunction"])
            sent = send(function, report.packed, spool)
    if as_json:
        print_json(json_of(report, window, sent))
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
            "no event has the id of a document that is there, so that sending them again could double all of them: "
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
        out.print(f"Next: `cwl-shipper dlq ls --stack {stack}`.", soft_wrap=True)
    if sent.failed:
        out.print(f"Not taken: {counted(sent.failed, 'payload')}. Run this again, it makes no doubles.")
        sys.exit(PARTLY_DONE if sent.taken else 1)
