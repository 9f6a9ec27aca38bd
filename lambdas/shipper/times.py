"""Times as text: ISO 8601 in UTC, as documents and letters have them."""

from __future__ import annotations

from datetime import UTC, datetime


def iso(moment_ms: int) -> str:
    """With seconds, of milliseconds since the epoch."""
    return f"{datetime.fromtimestamp(moment_ms // 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def milliseconds(timestamp: str) -> int:
    """Milliseconds since the epoch; 0 for what is no time."""
    try:
        return round(datetime.fromisoformat(timestamp).timestamp() * 1000)
    except (ValueError, OverflowError):
        return 0
