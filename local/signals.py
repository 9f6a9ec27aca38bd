"""Ctrl-C, SIGTERM and a closed terminal as exceptions, so that every `with` block cleans up.

A signal that comes while a child is being started or ended waits until that is done: no child is forgotten.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Signals:
    """Raises `KeyboardInterrupt` for Ctrl-C and `SystemExit(128 + number)` for the others, unless held."""

    def __init__(self) -> None:
        self._before: dict[int, Any] = {}
        self._depth = 0
        self._waiting: int | None = None

    def install(self) -> None:
        """Take over the signals; outside of the main thread Python allows none of that, and nothing happens."""
        if threading.current_thread() is threading.main_thread():
            self._before = {signum: signal.signal(signum, self._arrived) for signum in _SIGNALS}

    def restore(self) -> None:
        """Give the signals back."""
        for signum, handler in self._before.items():
            signal.signal(signum, handler)
        self._before = {}

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let signals wait; the last of them is raised at the end, unless another exception is under way."""
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
        if self._waiting is not None and not self._depth:
            signum, self._waiting = self._waiting, None
            self._raise(signum)

    def _arrived(self, signum: int, _frame: FrameType | None) -> None:
        if self._depth:
            self._waiting = signum
        else:
            self._raise(signum)

    @staticmethod
    def _raise(signum: int) -> None:
        if signum == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + signum)
