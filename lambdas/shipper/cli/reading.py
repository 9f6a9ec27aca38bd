"""One pass through the dead-letter queue: each letter there at its start is read once, and given back if it is left."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from rich.progress import MofNCompleteColumn, Progress

from shipper.aws.inbox import Inbox, Message
from shipper.cli.terminal import progress_bar

LANES = 4
_FEW = 40
_HIDE_S = 60
_READ_PER_S = 250
"""A third of what was seen with `LANES`. What comes back before all is read would be read again and again."""

_MAX_HIDE_S = 43_200


class Reading:
    """The pass. What came after its start, by the queue's clock, is left for the next.

    So what is refused again is not taken again in the same run, whoever put it back.
    """

    def __init__(self, inbox: Inbox, progress: Progress, *, hide_s: int, lanes: int | None) -> None:
        self.visible, self.hidden = inbox.depth()
        self.lanes = lanes or (LANES if self.visible > _FEW else 1)
        self._inbox = inbox
        self._began_ms = inbox.now_ms()
        self._hide_s = min(_MAX_HIDE_S, hide_s + self.visible // _READ_PER_S)
        self._progress = progress
        self._task = progress.add_task("reading the queue", total=max(self.visible, 1))
        # Without bodies: of each of 100,000 letters only the receipt stays.
        self._held: dict[str, Message] = {}

    def runs(self) -> Iterator[list[Message]]:
        """The messages as they come, up to ten a lane."""
        for run in self._inbox.runs(hide_s=self._hide_s, lanes=self.lanes):
            self._held.update({message.id: replace(message, body="") for message in run})
            self._progress.advance(self._task, len(run))
            if mine := [message for message in run if message.sent_ms <= self._began_ms]:
                yield mine

    def messages(self) -> Iterator[Message]:
        """The same, one by one."""
        for run in self.runs():
            yield from run

    def gone(self, messages: Iterable[Message]) -> None:
        """These are deleted: nothing of them is to be given back."""
        for message in messages:
            self._held.pop(message.id, None)

    def give_back(self) -> None:
        """Let others see what is left."""
        self._inbox.show_again(self._held.values())


@contextmanager
def reading(inbox: Inbox, *, hide_s: int = _HIDE_S, lanes: int | None = None) -> Iterator[Reading]:
    """A pass that gives back what is left however it ends; progress is shown where standard error is a terminal.

    Killed, its letters come back after `hide_s` seconds and the time that it takes to read all.
    """
    with progress_bar(MofNCompleteColumn()) as progress:
        one = Reading(inbox, progress, hide_s=hide_s, lanes=lanes)
        try:
            yield one
        finally:
            one.give_back()
