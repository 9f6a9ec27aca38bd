"""A search engine that answers."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Running:
    """Where it is and what it is."""

    name: str
    version: str
    url: str

    @property
    def address(self) -> str:
        """Host and port, as a domain's endpoint names them."""
        parts = urlsplit(self.url)
        return f"{parts.hostname}:{parts.port or 80}"
