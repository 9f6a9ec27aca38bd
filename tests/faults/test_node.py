"""The rows that only a real node can show: blocks, limits, breakers, full queues, mappings, a node away and back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from local.processes import Run
from shipper import deadletter
from shipper.aws.clock import SystemClock
from shipper.aws.opensearch import OpenSearchSink
from shipper.handlers import replay
from shipper.index_template import NAME, index_template
from shipper.model import Ledger
from shipper.repair import Repair
from shipper.replay_many import replay_many
from tests.engines import real
from tests.faults.chain import Domain, dead, deliver, event_at, event_of, waiting
from tests.faults.node import Ask, Live, Node
from tests.faults.node_faults import (
    asked,
    cluster,
    little_room_in_flight,
    much_under_way,
    of_index,
    paused,
    until,
    without_its_shard,
)
from tests.faults.odd import ODD, Odd
from tests.shipper.fakes import (
    AWS_ENV,
    INDEX,
    NOW_MS,
    SETTINGS,
    FakeClock,
    FakeContext,
    FakeLetters,
    FakeSink,
    wired_with,
)

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

_MIB = 1_048_576
SMALL = {
    "thread_pool.write.size": 1,
    "thread_pool.write.queue_size": 4,
    "http.max_content_length": "3mb",
    "indexing_pressure.memory.limit": "6mb",
}
"""What a node can be told at its start only, so little that a test can have it all."""

ONE_TRY = SETTINGS.with_values(max_tries=1)
EACH_ALONE = SETTINGS.with_values(max_body_bytes=1)
DAY_BEFORE = "cwl-2026.11.23"
EVENT = event_of([event_at(0, "a"), event_at(1, "b"), event_at(2, "c", timestamp=NOW_MS - 86_400_000)])
"""Two lines of a day, and one of the day before."""

IDS = ["event-0", "event-1", "event-2"]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with Run(tmp_path_factory.mktemp("logs")) as run:
        prepared = real(SMALL).prepared(run)
        made = Live(run, prepared, prepared.start(run))
        made.node.ask("PUT", f"_index_template/{NAME}", index_template(replicas=0))
        yield made


@pytest.fixture
def node(live: Live, no_proxy: None, monkeypatch: pytest.MonkeyPatch) -> Node:
    for name, value in AWS_ENV.items():
        monkeypatch.setenv(name, value)
    made = live.node
    made.empty()
    return made


def replayed(letters: FakeLetters, sink: OpenSearchSink) -> int:
    """Hand all letters of the retry queue to the replay function once; how many of them stay there."""
    records = [
        {"messageId": str(number), "receiptHandle": "r", "body": deadletter.pack(letter)}
        for number, letter in enumerate(letters.retried)
    ]
    wired = replace(wired_with(FakeSink(), letters, settings=ONE_TRY), sink=sink)
    stay = replay.run({"Records": records}, FakeContext(), wired)["batchItemFailures"]
    letters.retried = [letters.retried[int(item["itemIdentifier"])] for item in stay]
    return len(stay)


def heal(letters: FakeLetters, sink: OpenSearchSink) -> None:
    """Replay until nothing stays: a node that comes back has still to do what it was asked before."""
    until(lambda: replayed(letters, sink) == 0)
    assert letters.buried == []


@dataclass(frozen=True)
class Waits:
    """A fault, its end, the error that the node gives, and how many lines it takes all the same."""

    make: Sequence[Ask]
    cure: Ask
    type: str
    taken: int = 1


def _block(name: str) -> Waits:
    return Waits([of_index(name, True)], of_index(name, None), "cluster_block_exception")


def _cluster_block(name: str) -> Waits:
    return Waits([cluster(name, True)], cluster(name, None), "cluster_block_exception", taken=0)


WAITING: dict[str, Waits] = {
    "23 a circuit breaker": Waits(
        [cluster("indices.breaker.total.limit", "10mb")],
        cluster("indices.breaker.total.limit", None),
        "circuit_breaking_exception",
        taken=0,
    ),
    "24 a disk at its flood stage": _block("index.blocks.read_only_allow_delete"),
    "24 a write block": _block("index.blocks.write"),
    "24 an index that is read-only": _block("index.blocks.read_only"),
    "24 a cluster at its flood stage": _cluster_block("cluster.blocks.read_only_allow_delete"),
    "24 a cluster that is read-only": _cluster_block("cluster.blocks.read_only"),
    "24 the limit of shards": Waits(
        [("DELETE", INDEX, None), cluster("cluster.max_shards_per_node", 1)],
        cluster("cluster.max_shards_per_node", None),
        "validation_exception",
    ),
    "27 the index is not made": Waits(
        [("DELETE", INDEX, None), cluster("action.auto_create_index", "false")],
        cluster("action.auto_create_index", None),
        "index_not_found_exception",
    ),
    "56 closed": Waits([("POST", f"{INDEX}/_close", None)], ("POST", f"{INDEX}/_open", None), "index_closed_exception"),
    "56 deleted": Waits([of_index("index.blocks.write", True)], ("DELETE", INDEX, None), "cluster_block_exception"),
}


@pytest.mark.parametrize("fault", WAITING.values(), ids=WAITING)
def test_what_a_node_does_not_take_now_waits_and_is_there_once(node: Node, fault: Waits) -> None:
    sink, letters = Domain(node.url).sink, FakeLetters()
    for index in (INDEX, DAY_BEFORE):
        node.ask("PUT", index)
    with asked(node, fault.make, fault.cure):
        left = 3 - fault.taken
        shipped = deliver(EVENT, sink, letters)
        assert shipped.ledger == Ledger(received=3, indexed=fault.taken, requeued=left)
        assert dict(shipped.delivery.retried) == {fault.type: left * (SETTINGS.max_tries - 1)}
        assert waiting(letters) == IDS[:left]
        assert replayed(letters, sink) == 1
    assert replayed(letters, sink) == 0
    assert sorted(node.held()) == IDS
    assert deliver(EVENT, sink, letters).ledger == Ledger(received=3, duplicate=3)
    assert letters.buried == []


def test_what_waits_for_a_closed_index_goes_to_another_one_where_somebody_says_so(node: Node) -> None:
    """Row 56."""
    sink, letters = Domain(node.url).sink, FakeLetters()
    node.ask("PUT", INDEX)
    with asked(node, [("POST", f"{INDEX}/_close", None)], ("POST", f"{INDEX}/_open", None)):
        assert deliver(EVENT, sink, letters).ledger == Ledger(received=3, indexed=1, requeued=2)
        settled = replay_many(letters.retried, sink, letters, FakeClock(), SETTINGS, Repair(index="cwl-late"))
    settled.ledger.assert_balanced()
    assert (settled.done, settled.ledger) == ([0], Ledger(received=2, indexed=2))
    assert sorted(node.held()) == IDS


class Ending(FakeClock):
    """Ends the fault in the first pause."""

    def __init__(self, fault: ExitStack) -> None:
        super().__init__()
        self._fault = fault

    def sleep(self, seconds: float) -> None:
        self._fault.close()
        super().sleep(seconds)


CROWDED: dict[str, tuple[Callable[[Node], AbstractContextManager[None]], str]] = {
    "23 too many bytes in flight": (little_room_in_flight, "circuit_breaking_exception"),
    "23 too many bytes under way": (much_under_way, "rejected_execution_exception"),
}


@pytest.mark.parametrize(("crowd", "type_"), CROWDED.values(), ids=CROWDED)
def test_only_the_request_that_finds_no_room_is_sent_again(
    node: Node, crowd: Callable[[Node], AbstractContextManager[None]], type_: str
) -> None:
    event = event_of([event_at(0, "small"), event_at(1, "large " + "x" * 600_000), event_at(2, "small")])
    letters = FakeLetters()
    with ExitStack() as fault:
        fault.enter_context(crowd(node))
        shipped = deliver(event, Domain(node.url).sink, letters, clock=Ending(fault), settings=EACH_ALONE)
    assert (shipped.ledger, dict(shipped.delivery.retried)) == (Ledger(received=3, indexed=3), {type_: 1})
    assert set(IDS) <= node.held().keys()
    assert (letters.retried, letters.buried) == ([], [])


def eight_shards(node: Node) -> None:
    """One request is then eight tasks: more than the node works on and queues."""
    node.ask("PUT", INDEX, {"settings": {"index.number_of_shards": 8}})


def heavy(first: int) -> Any:
    return event_of([event_at(number, "word " * 1_000) for number in range(first, first + 200)])


def test_only_the_items_that_find_the_queue_full_are_sent_again(node: Node) -> None:
    """Row 22."""
    eight_shards(node)
    letters = FakeLetters()
    shipped = deliver(heavy(0), Domain(node.url).sink, letters)
    assert shipped.ledger == Ledger(received=200, indexed=200)
    assert shipped.delivery.retried.keys() == {"rejected_execution_exception"}
    assert 0 < shipped.delivery.retried.total() < 200
    assert len(node.held()) == 200
    assert (letters.retried, letters.buried) == ([], [])


def test_more_deliveries_than_the_node_can_queue_are_there_once(node: Node) -> None:
    """Row 22."""
    eight_shards(node)
    letters = FakeLetters()
    with ThreadPoolExecutor(6) as pool:
        each = [pool.submit(deliver, heavy(200 * n), Domain(node.url).sink, letters) for n in range(6)]
        shipped = [one.result() for one in each]
    total = sum((one.ledger for one in shipped), Ledger())
    assert total == Ledger(received=1_200, indexed=total.indexed, requeued=1_200 - total.indexed)
    assert {type_ for one in shipped for type_ in one.delivery.retried} == {"rejected_execution_exception"}
    heal(letters, Domain(node.url).sink)
    assert len(node.held()) == 1_200


def test_what_is_too_large_for_a_request_goes_in_more_of_them(node: Node) -> None:
    """Row 26."""
    letters = FakeLetters()
    event = event_of([event_at(number, "x" * size) for number, size in enumerate((_MIB, _MIB, _MIB, 3 * _MIB, 1))])
    shipped = deliver(event, Domain(node.url).sink, letters, settings=SETTINGS.with_values(max_body_bytes=10 * _MIB))
    assert shipped.ledger == Ledger(received=5, indexed=4, dead_lettered=1)
    assert (sorted(node.held()), dead(letters)) == (["event-0", "event-1", "event-2", "event-4"], ["event-3"])


BAD_FOR_ENGINES = {name: odd for name, odd in ODD.items() if "08" <= name < "19"}


@pytest.mark.parametrize("odd", BAD_FOR_ENGINES.values(), ids=BAD_FOR_ENGINES)
def test_each_odd_event_is_taken_by_a_real_node(node: Node, odd: Odd) -> None:
    letters = FakeLetters()
    shipped = deliver(event_of(odd.events), Domain(node.url).sink, letters)
    assert shipped.ledger == Ledger(received=len(odd.events), indexed=len(odd.events))
    assert (shipped.delivery.rescued, letters.retried, letters.buried) == (0, [], [])
    assert len(node.held()) == len(odd.events)


@dataclass(frozen=True)
class Misfit:
    """Lines of which the last does not fit the index, how the node says it, and what the index is made with."""

    lines: Sequence[dict[str, Any]]
    type: str
    body: dict[str, Any] = field(default_factory=dict)


STRICT_VALUES = {"index.mapping.ignore_malformed": False}
"""An index that somebody made without our template's lenience."""

MISFITS: dict[str, Misfit] = {
    "17 the limit of fields": Misfit(
        [{}, {f"k{number}": number for number in range(80)}],
        "illegal_argument_exception",
        {"settings": {"index.mapping.total_fields.limit": 60}},
    ),
    "18 an object, then a value": Misfit([{"clash": {"id": 1}}, {"clash": "text"}], "mapper_parsing_exception"),
    "18 a value, then an object": Misfit(
        [{"clash": "text"}, {"clash": {"id": 1}}], "mapper_parsing_exception", {"settings": STRICT_VALUES}
    ),
    "18 a date was guessed": Misfit(
        [{"day": "2026-11-24"}, {"day": "soon"}],
        "mapper_parsing_exception",
        {"settings": STRICT_VALUES, "mappings": {"date_detection": True}},
    ),
    "29 a strict mapping": Misfit(
        [{}, {"new": 1}], "strict_dynamic_mapping_exception", {"mappings": {"dynamic": "strict"}}
    ),
    "29 an immense term": Misfit(
        [{"term": "x"}, {"term": "x" * 40_000}],
        "illegal_argument_exception",
        {"mappings": {"properties": {"term": {"type": "keyword"}}}},
    ),
}


@pytest.mark.parametrize("misfit", MISFITS.values(), ids=MISFITS)
def test_what_does_not_fit_a_real_mapping_is_there_and_found_by_its_text(node: Node, misfit: Misfit) -> None:
    node.ask("PUT", INDEX, misfit.body)
    letters = FakeLetters()
    events = [event_at(n, json.dumps({"log": f"needle{n}", **line})) for n, line in enumerate(misfit.lines)]
    shipped = deliver(event_of(events), Domain(node.url).sink, letters)
    assert (shipped.ledger, shipped.delivery.rescued) == (Ledger(received=2, indexed=2), 1)
    assert (letters.retried, letters.buried) == ([], [])
    assert node.held().keys() == {"event-0", "event-1"}
    ((id_, found),) = node.held({"match": {"@message": "needle1"}}).items()
    assert (id_, found["@shipper"]["error"]["type"]) == ("event-1", misfit.type)
    assert json.loads(found["@unmapped"]) == misfit.lines[-1]


HANGING: dict[str, Callable[[Live], AbstractContextManager[None]]] = {
    "39 the node is paused": paused,
    "39 a shard is on no node": lambda live: without_its_shard(live.node),
}


@pytest.mark.parametrize("hang", HANGING.values(), ids=HANGING)
def test_what_a_node_may_write_long_after_nobody_waits_any_more_is_there_once(
    live: Live, node: Node, hang: Callable[[Live], AbstractContextManager[None]]
) -> None:
    sink, letters = Domain(node.url).sink, FakeLetters()
    with hang(live):
        settings = SETTINGS.with_values(reserve_s=1)
        shipped = deliver(EVENT, sink, letters, clock=SystemClock.until(1.5), settings=settings)
    assert shipped.ledger == Ledger(received=3, requeued=3)
    heal(letters, Domain(node.url).sink)
    assert sorted(node.held()) == IDS


def test_a_node_killed_in_the_middle_of_a_stream_has_each_line_once_when_it_is_back(live: Live, node: Node) -> None:
    """Row 42."""
    letters = FakeLetters()
    with ThreadPoolExecutor(2) as pool:
        events = [event_of([event_at(20 * n + k, f"line {k}") for k in range(20)]) for n in range(100)]
        each = [pool.submit(deliver, event, Domain(node.url).sink, letters) for event in events]
        wait(each[10:], return_when=FIRST_COMPLETED)
        live.kill()
        total = sum((one.result().ledger for one in each), Ledger())
    live.start()
    assert total == Ledger(received=2_000, indexed=total.indexed, requeued=2_000 - total.indexed)
    assert 0 < total.indexed < 2_000
    heal(letters, Domain(live.node.url).sink)
    assert len(live.node.held()) == 2_000
