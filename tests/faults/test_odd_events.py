"""Rows 7 to 21 and 46: whatever an event holds, its document is sent, and what was done to it is marked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shipper.model import Ledger
from tests.faults.chain import deliver, event_at, event_of
from tests.faults.odd import ODD, Odd
from tests.shipper.fakes import INDEX, FakeLetters, FakeSink, ids_in, sources_in


def sent(odd: Odd) -> bytes:
    """The one bulk request for these events, which nothing is refused of."""
    sink, letters = FakeSink(), FakeLetters()
    shipped = deliver(event_of(odd.events), sink, letters)
    assert shipped.ledger == Ledger(received=len(odd.events), indexed=len(odd.events))
    assert (letters.retried, letters.buried) == ([], [])
    (body,) = sink.bodies
    return body


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_what_was_done_is_marked_and_nothing_is_lost(odd: Odd) -> None:
    body = sent(odd)
    assert [tuple(source.get("@shipper", {}).get("fixed", ())) for source in sources_in(body)] == [
        odd.fixed for _ in odd.events
    ]
    assert odd.holds in body.decode()
    body.decode().encode("utf-8", "strict")


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_each_event_keeps_an_id_of_its_own(odd: Odd) -> None:
    """Row 20, and at each delivery the same."""
    ids = ids_in(sent(odd))
    assert len(set(ids)) == len(odd.events)
    assert ids_in(sent(odd)) == ids


def test_a_batch_across_midnight_goes_to_two_indices() -> None:
    """Row 21."""
    actions: list[Any] = [json.loads(line) for line in sent(ODD["21 across midnight"]).split(b"\n")[:-1:2]]
    assert [action["create"]["_index"] for action in actions] == [INDEX, "cwl-2026.11.23"]


def test_what_a_warm_sandbox_did_before_makes_no_difference() -> None:
    """Row 46."""
    forwards = {name: sent(odd) for name, odd in ODD.items()}
    backwards = {name: sent(odd) for name, odd in reversed(ODD.items())}
    assert forwards == backwards


def test_an_empty_key_of_a_line_without_a_text_of_its_own_is_kept() -> None:
    """Row 15."""
    (source,) = sources_in(sent(Odd((event_at(0, '{"": "kept", "b": 1}'),))))
    assert source.get("_") == "kept"
