"""Whether time grows with the size alone, and not with its square: no test asserts a time as such."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

_NOTHING_S = 0.02
"""So little tells nothing: what grows with the square takes longer at the sizes that tests give."""

_TRIES = 3
_LEEWAY = 4.0


def assert_grows_with_size(work: Callable[[Any], object], whole: Sequence[Any]) -> None:
    """Fails where `work` on `whole` takes much more than eight times the CPU time that its first eighth takes."""
    if _cpu_s(work, whole) < _NOTHING_S:
        return
    whole_s, eighth_s = (min(_cpu_s(work, part) for _ in range(_TRIES)) for part in (whole, whole[: len(whole) // 8]))
    assert whole_s < 8 * _LEEWAY * eighth_s + _NOTHING_S, f"{eighth_s:.4f} s for an eighth, {whole_s:.4f} s for all"


def _cpu_s(work: Callable[[Any], object], part: Sequence[Any]) -> float:
    before = time.process_time()
    work(part)
    return time.process_time() - before
