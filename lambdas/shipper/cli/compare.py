"""`cwl-shipper compare`: are the documents of the AWS-generated function those that this one makes?"""

from __future__ import annotations

import json
import sys
from typing import Any

import click
from rich.progress import TaskProgressColumn

from shipper.audit import Window, slices
from shipper.aws.clock import SystemClock
from shipper.aws.log_groups import LogGroups
from shipper.aws.search import Index
from shipper.cli import deployment
from shipper.cli.auditing import source_of
from shipper.cli.moments import log_group_options
from shipper.cli.terminal import PARTLY_DONE, Failed, console, counted, escaped, progress_bar, safe, shortened
from shipper.compare import ABSENT, MAX_NAMED, Comparison, Difference, Verdict, documents
from shipper.times import iso

_SHOWN = 10
_VALUE_CHARS = 200
_WORDS = {
    Verdict.EQUAL: "documents are equal",
    Verdict.MEANT: "are equal but for what is meant",
    Verdict.DIFFERENT: "are different",
    Verdict.MISSING: "missing: the domain has no document of the event",
    Verdict.EXTRA: "extra: a document in the domain, and no event in CloudWatch",
}


@click.command("compare", short_help="Does the AWS-generated function make the same documents?")
@click.option("--endpoint", required=True, metavar="URL", help="The domain that the AWS-generated function writes to.")
@log_group_options
@click.option(
    "--settle",
    default=300,
    show_default=True,
    type=click.IntRange(0),
    metavar="SECONDS",
    help="Leave the last seconds out: the function may still be at work on them.",
)
@click.option(
    "--function",
    metavar="NAME",
    help="The AWS-generated function: only events that its filter's pattern matches are compared.",
)
@deployment.account_options
@click.option("--json", "as_json", is_flag=True, help=f"One JSON object; it names up to {MAX_NAMED:,} of a kind.")
def compare(
    endpoint: str,
    log_group: str,
    from_ms: int,
    to_ms: int,
    settle: int,
    function: str | None,
    region: str | None,
    profile: str | None,
    as_json: bool,
) -> None:
    """Are the documents of the AWS-generated function those that this one makes?

    Reads the events of a log group from CloudWatch, transforms them with the profile `incumbent`, and compares the
    result with the documents in the domain, by their ids. Nothing is written, and no stack is needed: it can be tried
    before anything is deployed, and again while both run.

    Exit codes: 0 all are alike, but for what is meant; 3 something differs; 1 failed; 2 wrong usage.

    \b
    Examples:
      cwl-shipper compare --endpoint https://search-old.example.com --from 1h --log-group NAME
      cwl-shipper compare --endpoint URL --from 1d --json --function FUNCTION --log-group NAME
    """
    now_ms = SystemClock().now_ms()
    to_ms = min(to_ms, now_ms - settle * 1000)
    if from_ms >= to_ms:
        raise click.UsageError("--from is not before --to, or not before the seconds that --settle leaves out")
    groups, index = deployment.outside(endpoint, region, profile)
    with deployment.aws_errors(""), deployment.search_errors():
        pattern = _pattern(groups, log_group, function)
        window = Window(source_of(groups, log_group), from_ms, to_ms, now_ms, look_back_ms=0)
        found = _compared(groups, index, window, pattern)
    if not found.counts:
        raise Failed("there are neither events nor documents in this time: nothing was compared")
    if as_json:
        click.echo(escaped(_dumps(_json(found, window))))
    else:
        _show(found, window)
    if not found.is_alike:
        sys.exit(PARTLY_DONE)


def _pattern(groups: LogGroups, log_group: str, function: str | None) -> str:
    """The pattern by which the function gets events, "" for all. Raises `Failed`."""
    if function is None:
        return ""
    subscription = groups.subscription(log_group, function)
    if subscription is None:
        raise Failed(f"no subscription filter of {log_group} leads to {function}")
    if subscription.pattern.lstrip().startswith("["):
        raise Failed(
            f"the filter {subscription.name} extracts fields, which CloudWatch keeps nowhere: let both write "
            "for a while, each to its own domain, and look at their documents"
        )
    return subscription.pattern


def _compared(groups: LogGroups, index: Index, window: Window, pattern: str) -> Comparison:
    found, log_group = Comparison(), window.source.log_group
    with progress_bar(TaskProgressColumn()) as progress:
        task = progress.add_task("comparing", total=window.to_ms - window.from_ms)
        for part in slices(groups.events(log_group, window.from_ms, window.to_ms, pattern), window):
            theirs = dict(index.documents(log_group, part.from_ms, part.to_ms))
            found.add(documents(part.events, window.source, window.settled_ms), theirs)
            progress.update(task, completed=part.to_ms - window.from_ms)
    return found


def _dumps(value: Any) -> bytes:
    """By the standard library: a domain may hold integers that `jsontext` does not write."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def _json(found: Comparison, window: Window) -> dict[str, Any]:
    return {
        "log_group": window.source.log_group,
        "from": iso(window.from_ms),
        "to": iso(window.to_ms),
        **{verdict.value: found.counts[verdict] for verdict in Verdict},
        "fields": dict(found.fields.most_common(MAX_NAMED)),
        "meant_differences": dict(found.meant),
        "differences": [
            {"id": one.id, "field": one.path, **{name: value for name, value in _sides(one) if value is not ABSENT}}
            for one in found.differences
        ],
        "missing_ids": found.missing,
        "extra_ids": found.extra,
    }


def _sides(difference: Difference) -> tuple[tuple[str, Any], tuple[str, Any]]:
    return ("ours", difference.ours), ("theirs", difference.theirs)


def _show(found: Comparison, window: Window) -> None:
    out = console()
    out.print(safe(window.source.log_group), style="bold", soft_wrap=True)
    out.print(f"from {iso(window.from_ms)} to {iso(window.to_ms)}", style="dim")
    for verdict, words in _WORDS.items():
        count = found.counts[verdict]
        out.print(f"{count:>11,}  {words}", style="bold red" if verdict is Verdict.DIFFERENT and count else "")
    for why, count in found.meant.items():
        out.print(f"{counted(count, 'document')}: {why}", style="dim", soft_wrap=True)
    _show_fields(found)
    for name, ids in (("missing", found.missing), ("extra", found.extra)):
        for id_ in ids[:_SHOWN]:
            out.print(f"{name}  {safe(id_)}", soft_wrap=True)
    if found.ids_differ:
        out.print("No event has the id of a document: are they of the same log group?", style="bold")
    elif not found.is_alike:
        out.print("--json names more of each.", style="dim")


def _show_fields(found: Comparison) -> None:
    """The fields that differ in most documents, each with one of these."""
    out, examples = console(), {one.path: one for one in reversed(found.differences)}
    for path, count in found.fields.most_common(_SHOWN):
        out.print(f"{safe(path)} differs in {counted(count, 'document')}", style="bold", soft_wrap=True)
        if path in examples:
            _show_example(examples[path])


def _show_example(difference: Difference) -> None:
    out = console()
    out.print(f"  {safe(difference.id)}", style="dim", soft_wrap=True)
    for name, value in _sides(difference):
        text = "(none)" if value is ABSENT else _dumps(shortened(value, _VALUE_CHARS)).decode()
        out.print(f"  {name:>6}  {safe(text)}", overflow="ellipsis", no_wrap=True)
