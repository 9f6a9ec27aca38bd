"""A delivery in a process of its own, to be killed: python -m tests.faults.child URL COUNT."""

from __future__ import annotations

import sys

from tests.faults.chain import Domain, deliver, lines
from tests.shipper.fakes import SETTINGS, FakeLetters

ONE_BY_ONE = SETTINGS.with_values(max_body_bytes=1)
"""A request a document."""


def main(url: str, count: str) -> None:
    """Deliver so many lines to the domain."""
    deliver(lines(int(count)), Domain(url).sink, FakeLetters(), settings=ONE_BY_ONE)


if __name__ == "__main__":
    main(*sys.argv[1:])
