from __future__ import annotations

import pytest

from shipper import resend
from shipper.audit import Event
from shipper.decode import decode
from shipper.model import Payload
from shipper.resend import payloads
from tests.shipper.fakes import SOURCE
from tests.shipper.test_audit import PLAIN, RECORD, WINDOW, event


def test_payloads_are_those_of_a_subscription() -> None:
    ((count, sent),) = payloads([RECORD], WINDOW.source, 60_000)
    payload = decode(sent, max_decoded_bytes=10**6)
    assert isinstance(payload, Payload)
    assert (count, payload.source) == (4, SOURCE)
    assert [one.id for one in payload.events] == ["id-1", "id-2", "id-3", "id-4"]
    assert payload.events[0] == RECORD[0].event


@pytest.mark.parametrize(
    ("runs", "sizes"),
    [
        ([], []),
        ([[event(1)], [event(3)]], [1, 1]),
        ([[event(1)], [event(90)]], [2]),
        ([[event(1)], [event(1, stream="pod-2")]], [1, 1]),
        ([[event(1), event(2)], [event(90)], [event(91)]], [3, 1]),
    ],
    ids=["none", "near each other", "too far to be joined", "two streams", "all of it"],
)
def test_what_stood_apart_comes_apart(runs: list[list[Event]], sizes: list[int]) -> None:
    assert [count for count, _ in payloads(runs, WINDOW.source, 60_000)] == sizes


def test_a_payload_is_bounded_in_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resend, "MAX_PAYLOAD_CHARS", 11)
    assert [count for count, _ in payloads([PLAIN], WINDOW.source, 60_000)] == [2, 1]
