"""Whether time grows with the size alone, and not with its square: no test asserts a speed."""

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
    whole_s, eighth_s = _best_s(work, whole), _best_s(work, whole[: len(whole) // 8])
    assert whole_s < 8 * _LEEWAY * eighth_s, f"{eighth_s:.4f} s for an eighth, {whole_s:.4f} s for all"


def assert_costs_as_much(work: Callable[[Any], object], odd: Any, plain: Any) -> None:
    """Fails where `work` on what is odd takes many times the CPU time that it takes on something plain of its size."""
    odd_s, plain_s = _best_s(work, odd), _best_s(work, plain)
    assert odd_s < max(_NOTHING_S, 10 * plain_s), f"{plain_s:.4f} s for the plain, {odd_s:.4f} s for the odd"


def _best_s(work: Callable[[Any], object], part: Any) -> float:
    return min(_cpu_s(work, part) for _ in range(_TRIES))


def _cpu_s(work: Callable[[Any], object], part: Any) -> float:
    before = time.process_time()
    work(part)
    return time.process_time() - before
