"""The real clock of an invocation."""

from __future__ import annotations

import random
import time
from collections.abc import Callable


class SystemClock:
    """Wall time for stamps, the invocation's own countdown for deadlines; implements `ship.Clock`."""

    def __init__(self, remaining_ms: Callable[[], float] | None = None) -> None:
        self._remaining_ms = remaining_ms

    @classmethod
    def until(cls, seconds: float) -> SystemClock:
        """A clock whose time is up in so many seconds, where no invocation sets an end."""
        end_s = time.monotonic() + seconds
        return cls(lambda: (end_s - time.monotonic()) * 1000)

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def remaining_s(self) -> float:
        return float("inf") if self._remaining_ms is None else self._remaining_ms() / 1000

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def jitter(self) -> float:
        return random.random()  # noqa: S311 - spreads retries, guards nothing
