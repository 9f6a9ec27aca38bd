"""How long to wait before the next try."""

from __future__ import annotations

BASE_DELAY_S = 0.2
MAX_DELAY_S = 5.0


def delay_s(tries: int, jitter: float) -> float:
    """Seconds to wait after `tries` failed tries: exponential with full jitter, `jitter` being in [0, 1).

    Full jitter spreads the callers best (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
    """
    ceiling: float = min(MAX_DELAY_S, BASE_DELAY_S * 2 ** (tries - 1))
    return ceiling * jitter


def postponed_s(receives: int, base_s: int, max_s: int, jitter: float) -> int:
    """Whole seconds for which a queue hides a message that was received `receives` times in vain.

    Half of it is certain, so that a domain that is away is not asked at once again, and half is chance.
    """
    ceiling: int = min(max_s, base_s * 2 ** min(receives - 1, 16))
    return round(ceiling * (1 + jitter) / 2)
