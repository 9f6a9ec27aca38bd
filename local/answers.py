"""What a server of the run answers; never through a proxy, since all of them are on loopback."""

from __future__ import annotations

from typing import Any

import requests

_TIMEOUT_S = 5.0


def answer(url: str) -> dict[str, Any] | None:
    """The JSON object at `url`; None if nobody is there yet, or if it is something else."""
    with requests.Session() as session:
        session.trust_env = False
        try:
            reply = session.get(url, timeout=_TIMEOUT_S, allow_redirects=False)
            found = reply.json() if reply.ok else None
        except (requests.RequestException, ValueError):
            return None
    return found if isinstance(found, dict) else None


def version(url: str) -> str | None:
    """The version that a search engine at `url` says it has."""
    return str(((answer(url) or {}).get("version") or {}).get("number", "")) or None
