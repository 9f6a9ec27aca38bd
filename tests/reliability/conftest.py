from __future__ import annotations

import pytest

from shipper import deadletter


@pytest.fixture
def small_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Letters that go to the bucket are common."""
    monkeypatch.setattr(deadletter, "MAX_ENVELOPE_BYTES", 1_200)
