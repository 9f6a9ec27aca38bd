"""The bare client sends what the function sends: else its speed would be no ceiling."""

from __future__ import annotations

import gzip

import pytest

from tests.bench import loads, worker
from tests.faults.chain import deliver
from tests.shipper.fakes import FakeLetters, FakeSink


@pytest.mark.parametrize("load", loads.LOADS)
def test_the_requests_made_ready_are_those_of_the_function(load: str) -> None:
    made, sink = worker.invocation(load, 200, 1_000), FakeSink()
    shipped = deliver(made.event, sink, FakeLetters(), settings=worker.SETTINGS)
    assert [gzip.decompress(body) for body in made.bodies] == sink.bodies
    assert shipped.ledger.indexed == made.documents


def test_no_two_payloads_hold_the_same_event() -> None:
    ids = [event["id"] for first in (0, 50) for event in loads.payload("fluentd", 50, first)["logEvents"]]
    assert len(set(ids)) == 100
