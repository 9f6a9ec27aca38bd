"""Whether this workstation reaches the domain: one in a VPC answers only inside it."""

from __future__ import annotations

import requests

_TIMEOUT_S = 3.0


def reachable(endpoint: str) -> bool:
    """Whether anything answers there; that it asks for a signature is an answer, too."""
    try:
        requests.head(endpoint, timeout=_TIMEOUT_S, allow_redirects=False)
    except requests.RequestException:
        return False
    return True
