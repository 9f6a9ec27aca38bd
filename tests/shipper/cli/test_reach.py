from __future__ import annotations

import pytest

from shipper.cli.reach import reachable
from tests.loopback import Answer, Loopback

pytestmark = pytest.mark.enable_socket


def test_whatever_answers_is_reached() -> None:
    """Without a signature a domain refuses: that is an answer."""
    with Loopback([Answer(403, b"")]) as server:
        assert reachable(server.url)


def test_what_does_not_answer_is_not_reached() -> None:
    with Loopback([Answer()]) as server:
        url = server.url
    assert not reachable(url)
