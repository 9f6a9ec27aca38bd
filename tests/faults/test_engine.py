"""The rows that a search engine decides, on the embedded one, and what a network in front of it can spoil."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from local.cdk import ROOT
from local.engine import Embedded
from local.gate import Gate
from local.processes import Run
from shipper.aws.clock import SystemClock
from shipper.index_template import NAME, index_template
from shipper.model import Ledger
from shipper.replay import replay
from shipper.ship import ship
from tests.faults.chain import Domain, dead, deliver, event_at, event_of, lines, waiting
from tests.faults.child import ONE_BY_ONE
from tests.faults.node import Node
from tests.faults.odd import ODD, Odd
from tests.faults.proxy import Fault, Proxy
from tests.shipper.fakes import INDEX, SETTINGS, FakeClock, FakeLetters, batch_of, doc

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with Run(tmp_path_factory.mktemp("logs")) as run:
        node = Node(Embedded().start(run).url)
        node.ask("PUT", f"_index_template/{NAME}", index_template(replicas=0))
        yield node


@pytest.fixture
def node(started: Node, no_proxy: None) -> Node:
    started.empty()
    return started


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_each_odd_event_is_taken_as_it_is_sent(node: Node, odd: Odd) -> None:
    letters = FakeLetters()
    shipped = deliver(event_of(odd.events), Domain(node.url).sink, letters)
    assert shipped.ledger == Ledger(received=len(odd.events), indexed=len(odd.events))
    assert (shipped.delivery.rescued, letters.retried, letters.buried) == (0, [], [])
    assert len(node.held()) == len(odd.events)


def test_what_is_delivered_again_is_there_once(node: Node) -> None:
    """Row 28."""
    for ledger in (Ledger(received=3, indexed=3), Ledger(received=3, duplicate=3)):
        assert deliver(lines(3), Domain(node.url).sink, FakeLetters()).ledger == ledger
    assert len(node.held()) == 3


def test_what_is_delivered_at_the_same_time_is_there_once(node: Node) -> None:
    """Row 44."""
    with ThreadPoolExecutor(4) as pool:
        each = [
            pool.submit(deliver, lines(100), Domain(node.url).sink, FakeLetters(), settings=ONE_BY_ONE)
            for _ in range(4)
        ]
        ledgers = [one.result().ledger for one in each]
    assert sum(ledger.indexed for ledger in ledgers) == 100
    assert sum(ledger.duplicate for ledger in ledgers) == 300
    assert len(node.held()) == 100


CONFLICTS = {
    "18 an object, then a value": ('{"clash": {"id": 1}}', '{"clash": "text"}'),
    "18 a value, then an object": ('{"clash": 1}', '{"clash": {"id": 1}}'),
    "18 a date, then a word": ('{"clash": "2026-11-24"}', '{"clash": "soon"}'),
    "18 a boolean, then a word": ('{"clash": true}', '{"clash": "perhaps"}'),
    "29 a number, then a word": ('{"clash": 7}', '{"clash": "seven"}'),
}


@pytest.mark.parametrize("clashing", CONFLICTS.values(), ids=CONFLICTS)
def test_what_clashes_with_the_mapping_is_there_and_found_by_its_text(node: Node, clashing: tuple[str, str]) -> None:
    letters = FakeLetters()
    for number, line in enumerate(clashing):
        event = event_of([event_at(number, line)])
        assert deliver(event, Domain(node.url).sink, letters).ledger == Ledger(received=1, indexed=1)
    assert [document["@message"] for document in node.held().values()] == list(clashing)
    assert (letters.retried, letters.buried) == ([], [])


def test_a_document_that_spoils_its_request_is_narrowed_down(node: Node) -> None:
    """Row 30: for an id of more than 512 bytes the engine refuses all of the request."""
    documents, letters = [doc(0), replace(doc(1), id="x" * 513), doc(2)], FakeLetters()
    ledger, _ = ship(batch_of(documents), lines(3), Domain(node.url).sink, letters, FakeClock(), SETTINGS)
    ledger.assert_balanced()
    assert ledger == Ledger(received=3, indexed=2, dead_lettered=1)
    assert (sorted(node.held()), dead(letters)) == (["id-0", "id-2"], ["x" * 513])


def test_what_waited_while_its_index_was_deleted_makes_it_again(node: Node) -> None:
    """Row 56."""
    letters = FakeLetters()
    with Gate(*node.address) as gate:
        domain = Domain(f"http://{gate.address}")
        assert deliver(lines(1), domain.sink, letters).ledger == Ledger(received=1, indexed=1)
        gate.close()
        later = event_of([event_at(1, "later"), event_at(2, "last")])
        assert deliver(later, domain.sink, letters).ledger == Ledger(received=2, requeued=2)
        node.empty()
        gate.open()
        (letter,) = letters.retried
        replayed = replay(letter, domain.sink, letters, FakeClock(), SETTINGS)
    replayed.ledger.assert_balanced()
    assert (replayed.done, replayed.ledger) == (True, Ledger(received=2, indexed=2))
    assert set(node.held()) == {"event-1", "event-2"}
    assert node.ask("GET", INDEX).keys() == {INDEX}


SPOILED = {
    "33 the reply is cut short": (Fault.CUT_REPLY, Ledger(received=3, duplicate=3)),
    "38 reset in the middle of the request": (Fault.CUT_REQUEST, Ledger(received=3, indexed=3)),
    "38 written, then reset": (Fault.LOSE_REPLY, Ledger(received=3, duplicate=3)),
}


@pytest.mark.parametrize(("fault", "ledger"), SPOILED.values(), ids=SPOILED)
def test_what_a_network_spoils_is_sent_again_and_there_once(node: Node, fault: Fault, ledger: Ledger) -> None:
    letters = FakeLetters()
    with Proxy(*node.address, fault, Fault.NONE) as proxy:
        shipped = deliver(lines(3), Domain(proxy.url).sink, letters)
        assert proxy.connections == 2
    assert (shipped.ledger, dict(shipped.delivery.retried)) == (ledger, {"unreachable": 3})
    assert (letters.retried, letters.buried) == ([], [])
    assert sorted(node.held()) == ["event-0", "event-1", "event-2"]


def test_a_reply_that_drips_past_the_end_leaves_time_for_the_queue(node: Node) -> None:
    """Row 39: they are written all the same, and duplicates when they come back."""
    end, letters = time.monotonic() + 2, FakeLetters()
    clock = SystemClock(lambda: (end - time.monotonic()) * 1000)
    with Proxy(*node.address, Fault.DRIP) as proxy:
        settings = SETTINGS.with_values(reserve_s=1)
        shipped = deliver(lines(3), Domain(proxy.url).sink, letters, clock=clock, settings=settings)
    assert end - time.monotonic() > 0.1
    assert shipped.ledger == Ledger(received=3, requeued=3)
    assert waiting(letters) == ["event-0", "event-1", "event-2"]
    again = replay(letters.retried[0], Domain(node.url).sink, letters, FakeClock(), SETTINGS).ledger
    again.assert_balanced()
    assert again == Ledger(received=3, duplicate=3)


def test_a_connection_that_was_cut_while_the_sandbox_was_frozen_is_made_anew(node: Node) -> None:
    """Row 40."""
    letters = FakeLetters()
    with Gate(*node.address) as gate:
        domain = Domain(f"http://{gate.address}")
        deliver(lines(3), domain.sink, letters)
        gate.close()
        gate.open()
        assert deliver(lines(4), domain.sink, letters).ledger == Ledger(received=4, indexed=1, duplicate=3)
    assert (letters.retried, letters.buried) == ([], [])
    assert len(node.held()) == 4


def test_what_a_killed_process_had_not_done_is_done_by_the_next(node: Node) -> None:
    """Rows 41 and 42: Lambda delivers the same event again."""
    command = [sys.executable, "-m", "tests.faults.child", node.url, "900"]
    with subprocess.Popen(command, cwd=ROOT) as child:
        while not node.held():
            assert child.poll() is None
        child.kill()
    before = len(node.held())
    assert 0 < before < 900
    letters = FakeLetters()
    ledger = deliver(lines(900), Domain(node.url).sink, letters).ledger
    # A request of the dead process may be written after it was counted.
    assert ledger.duplicate in (before, before + 1)
    assert ledger == Ledger(received=900, indexed=900 - ledger.duplicate, duplicate=ledger.duplicate)
    assert len(node.held()) == 900
    assert (dead(letters), waiting(letters)) == ([], [])
