"""The work of `cwl-shipper audit`: where to look, slice after slice, and the payloads of what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO

from rich.progress import Progress, TaskProgressColumn

from shipper import jsontext
from shipper.audit import Auditor, Found, Window, slices
from shipper.aws.clock import SystemClock
from shipper.aws.inbox import Inbox, Message
from shipper.aws.log_groups import LogGroups
from shipper.aws.search import Index
from shipper.aws.subscriber import Function, InvocationFailed
from shipper.cli import letters
from shipper.cli.audit_report import MAX_ERRORS, Report, Sent
from shipper.cli.deployment import Deployment, Site
from shipper.cli.reading import reading
from shipper.cli.terminal import Failed, progress_bar
from shipper.deadletter import BadEnvelope
from shipper.model import Document, Rejected, Source
from shipper.replay import opened
from shipper.resend import payloads
from shipper.times import milliseconds


class Stores:
    """Implements `audit.Places`: the index, and the letters of the dead-letter queue, read when first asked for."""

    def __init__(self, index: Index, found: Deployment, window: Window, progress: Progress) -> None:
        self.unreadable_letters = self.hidden_letters = 0
        self._index = index
        self._found = found
        self._window = window
        self._progress = progress
        self._waiting: Mapping[str, int] | None = None

    def between(self, from_ms: int, to_ms: int) -> Iterable[tuple[str, Found]]:
        return self._index.between(self._window.source.log_group, from_ms, to_ms)

    def with_ids(self, ids: Sequence[str]) -> Mapping[str, Found]:
        return self._index.with_ids(ids)

    def waiting(self) -> Mapping[str, int]:
        if self._waiting is None:
            self._progress.stop()  # reading shows a bar of its own
            with reading(self._found.inbox) as one:
                self.hidden_letters = one.hidden
                self._waiting = dict(self._in_letters(one.messages()))
            self._progress.start()
        return self._waiting

    def _in_letters(self, messages: Iterable[Message]) -> Iterator[tuple[str, int]]:
        """(id, events) of the documents in these letters that can be in the window."""
        now_ms = SystemClock().now_ms()
        for message in messages:
            entry = letters.headline(message, self._found)
            if entry.letter.source.log_group not in ("", self._window.source.log_group):
                continue
            try:
                entry = letters.in_full(message, self._found)
                inside = opened(entry.letter, self._found.deployed(), now_ms) if entry.readable else None
            except BadEnvelope:
                inside = None
            if inside is None or isinstance(inside, Rejected):
                self.unreadable_letters += 1
            elif inside.source.log_group == self._window.source.log_group:
                yield from filter(None, map(self._in_window, inside.documents))

    def _in_window(self, document: Document) -> tuple[str, int] | None:
        if not self._window.read_from_ms <= milliseconds(document.timestamp) < self._window.to_ms:
            return None
        lines = jsontext.loads(document.source).get("@lines", 1)
        return document.id, lines if isinstance(lines, int) else 1


def examine(site: Site, window: Window, pattern: str, spool: IO[bytes]) -> Report:
    """Judge the events of a window that a pattern takes; payloads of the missing ones go to `spool`, a line each.

    Raises what the stores raise, and `Failed`.
    """
    report, settings = Report(), site.found.deployed()
    first_ms = window.read_from_ms
    with progress_bar(TaskProgressColumn()) as progress:
        stores = Stores(site.index, site.found, window, progress)
        auditor = Auditor(window, settings, stores)
        task = progress.add_task("comparing", total=window.to_ms - first_ms)
        log_groups = LogGroups(site.client("logs"))
        events = log_groups.events(window.source.log_group, first_ms, window.to_ms, pattern)
        for part in slices(events, window):
            judged = auditor.judge(part)
            report.add(judged)
            for _, event in payloads(judged.missing, window.source, settings.max_join_gap_ms):
                spool.write(jsontext.dumps(event) + b"\n")
                report.packed += 1
            progress.update(task, completed=part.to_ms - first_ms)
    report.unreadable_letters, report.hidden_letters = stores.unreadable_letters, stores.hidden_letters
    # Not read, only counted: reading would hold up the replay function, and count as one of a letter's tries.
    report.retry_letters = sum(Inbox(site.client("sqs"), site.found.settings.retry_queue_url).depth())
    return report


def send(function: Function, count: int, spool: IO[bytes]) -> Sent:
    """Have the function take the `count` payloads in `spool`. Raises what boto3 raises."""
    sent = Sent()
    spool.seek(0)
    with progress_bar(TaskProgressColumn()) as progress:
        for line in progress.track(spool, total=count, description="sending"):
            try:
                sent.ledger += function.take(jsontext.loads(line))
                sent.taken += 1
            except InvocationFailed as error:
                sent.failed += 1
                if len(sent.errors) < MAX_ERRORS:
                    sent.errors.append(str(error))
    return sent


def source_of(groups: LogGroups, log_group: str) -> Source:
    """The account and the log group. Raises `Failed` where there is no such group, and what boto3 raises."""
    for group in groups.named(log_group):
        if group.name == log_group:
            return Source(group.owner, log_group, "")
    raise Failed(f"there is no log group {log_group} here")
