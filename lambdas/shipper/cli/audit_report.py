"""What an audit has found, as a person and as a program read it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from shipper.audit import MAX_NAMED, Event, Judged, Standing, Window
from shipper.cli.terminal import console, counted, safe
from shipper.model import Ledger
from shipper.times import iso

MAX_ERRORS = 5
_SHOWN = 10
_TEXT_CHARS = 200
_WORDS = {
    Standing.PRESENT: "in the index",
    Standing.JOINED: "in the index, joined into another",
    Standing.WAITING: "waiting in the dead-letter queue",
    Standing.FILTERED: "left out by a rule",
    Standing.PENDING: "too young to tell",
    Standing.MISSING: "missing",
}


@dataclass(slots=True)
class Report:
    """What was found; of the missing and the extra the first `MAX_NAMED` are named.

    `packed` counts the payloads made of the missing, the other numbers the letters that were not looked into: those of
    the retry queue, those that somebody else reads now, those that cannot be read.
    """

    counts: Counter[Standing] = field(default_factory=Counter)
    missing: list[Event] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    extra_count: int = 0
    packed: int = 0
    unreadable_letters: int = 0
    hidden_letters: int = 0
    retry_letters: int = 0

    @property
    def ids_differ(self) -> bool:
        """No event has the id of a document, but there are documents: to send events again would double them all."""
        return not self.counts[Standing.PRESENT] and self.extra_count > 0

    def add(self, judged: Judged) -> None:
        self.counts += judged.counts
        self.missing += [event for run in judged.missing for event in run][: MAX_NAMED - len(self.missing)]
        self.extra += judged.extra[: MAX_NAMED - len(self.extra)]
        self.extra_count += judged.extra_count


@dataclass(slots=True)
class Sent:
    """What became of payloads: the ledger of those that the function took, some errors of the others."""

    ledger: Ledger = field(default_factory=Ledger)
    taken: int = 0
    failed: int = 0
    errors: list[str] = field(default_factory=list)

    @property
    def words(self) -> str:
        """The ledger in a line."""
        ledger = self.ledger
        return (
            f"{ledger.received:,} events sent: {ledger.indexed:,} indexed, {ledger.joined:,} joined, "
            f"{ledger.duplicate:,} there already, {ledger.filtered + ledger.sampled:,} left out, "
            f"{ledger.requeued:,} to be tried again, {ledger.dead_lettered:,} refused"
        )


def json_of(report: Report, window: Window, sent: Sent | None) -> dict[str, Any]:
    """The report, and what became of what was sent, if anything was."""
    found = {
        "log_group": window.source.log_group,
        "from": iso(window.from_ms),
        "to": iso(window.to_ms),
        "events": report.counts.total(),
        **{standing.value: report.counts[standing] for standing in Standing},
        "extra": report.extra_count,
        "missing_events": [
            {"id": event.event.id, "timestamp": event.at_ms, "log_stream": event.log_stream} for event in report.missing
        ],
        "extra_ids": report.extra,
        "retry_queue_letters": report.retry_letters,
        "hidden_letters": report.hidden_letters,
        "unreadable_letters": report.unreadable_letters,
    }
    return found if sent is None else {**found, "sent": sent.ledger.terms(), "payloads_not_taken": sent.failed}


def show(report: Report, window: Window) -> None:
    """Print it."""
    out = console()
    out.print(safe(window.source.log_group), style="bold", soft_wrap=True)
    out.print(f"from {iso(window.from_ms)} to {iso(window.to_ms)}", style="dim")
    out.print(f"{report.counts.total():>11,}  events in CloudWatch")
    for standing, words in _WORDS.items():
        count = report.counts[standing]
        out.print(f"{count:>11,}  {words}", style="bold red" if standing is Standing.MISSING and count else "")
    out.print(f"{report.extra_count:>11,}  extra: in the index, but not in CloudWatch")
    _print_missing(report)
    _print_extra(report)
    if report.counts[Standing.MISSING]:
        for count, where in (
            (report.retry_letters, "in the retry queue"),
            (report.hidden_letters, "in the dead-letter queue, which somebody else reads now"),
            (report.unreadable_letters, "in the dead-letter queue, which cannot be read"),
        ):
            if count:
                out.print(f"The missing may be in {counted(count, 'letter')} {where}.", soft_wrap=True)
    if report.ids_differ:
        out.print("No event has the id of a document that is there: are they of the same log group?", style="bold")


def _print_missing(report: Report) -> None:
    out = console()
    if report.missing:
        out.print("missing", style="dim")
    for event in report.missing[:_SHOWN]:
        out.print(f"  {iso(event.at_ms)}  {safe(event.event.id)}", soft_wrap=True)
        out.print(f"    {safe(event.log_stream)}", style="dim", overflow="ellipsis", no_wrap=True)
        text = " ".join(safe(event.event.message[:_TEXT_CHARS]).split())
        out.print(f"    {text}", overflow="ellipsis", no_wrap=True)
    _print_others(report.counts[Standing.MISSING])


def _print_extra(report: Report) -> None:
    out = console()
    if report.extra:
        out.print("extra", style="dim")
    for id_ in report.extra[:_SHOWN]:
        out.print(f"  {safe(id_)}", soft_wrap=True)
    _print_others(report.extra_count)


def _print_others(count: int) -> None:
    if count > _SHOWN:
        console().print(f"  and {count - _SHOWN:,} more: --json names up to {MAX_NAMED:,}", style="dim")
