"""The whole shipper in a world that fails: the functions and the command line as they are, all around them in memory.

CloudWatch and Lambda are here, too: batches of a stream, delivery at least once and in any order, three attempts, and
what is given up goes to the bucket and is announced in the dead-letter queue.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from random import Random
from typing import Any, cast

from shipper import deadletter, jsontext
from shipper.aws.inbox import Inbox, Message
from shipper.aws.queue import Bodies, QueueFailed, SqsLetters
from shipper.cli.deployment import Deployment
from shipper.cli.replaying import Work
from shipper.decode import decode
from shipper.handlers import replay, subscriber
from shipper.handlers.services import Services
from shipper.model import Payload
from shipper.repair import NO_REPAIR
from shipper.settings import Settings
from shipper.ship import Denied
from shipper.times import iso
from tests.reliability import reference
from tests.reliability.outside import (
    BUCKET,
    DEAD_URL,
    FAULTS,
    MAX_RECEIVES,
    RETRY_URL,
    RETRY_VISIBILITY_MS,
    S3,
    Clock,
    Domain,
    Killed,
    Outside,
    Quiet,
    Sqs,
)
from tests.reliability.reference import Event, Expected, Kind
from tests.shipper.fakes import FakeContext, lambda_event

BEGINS_MS = 1_795_564_740_000
"""2026-11-24T23:59:00Z: midnight comes soon."""

STREAMS = ("cart-1_shop_cart", "pay-1_shop_pay")
_ATTEMPTS = 3
_MAX_AGE_MS = 6 * 3_600_000
_LIMIT_S = 60.0
_HOLD_S = 300
_MOST_LETTERS = 10
_BATCH_OF_LAMBDA = 5


@dataclass(eq=False)
class Invocation:
    """An event in Lambda's queue."""

    event: dict[str, Any]
    ids: frozenset[str]
    born_ms: int
    attempts: int = 0


class World:
    """Everything, in one process. The methods up to `rest` are what can happen."""

    def __init__(self, seed: int) -> None:
        self.outside = Outside(BEGINS_MS, Random(seed))
        self.domain = Domain(self.outside)
        self.sqs = Sqs(self.outside)
        self.s3 = S3(self.outside, {})
        self.streams: dict[str, list[Event]] = {name: [] for name in STREAMS}
        self.invocations: list[Invocation] = []
        self.past: list[Invocation] = []
        self.reading: list[list[Message]] = []
        self.expected: dict[str, Expected] = {}
        self.left_out: set[str] = set()
        self.events = self.records = 0
        self.services = self._services(Settings.from_text({"filters": reference.FILTERS, "max_in_flight": "1"}))
        self._ids_in = lru_cache(maxsize=None)(self._ids_of_body)

    def write(self, kinds: Sequence[Kind], stream: int) -> None:
        """A container writes some records; what it writes to stdout comes between its lines on stderr."""
        lines: dict[str, list[Event]] = {"stdout": [], "stderr": []}
        for kind in kinds:
            self.outside.now_ms += 10
            for event in reference.written(kind, self.records, self.events, self.outside.now_ms):
                lines[event.stream].append(event)
                self.events += 1
            self.records += 1
        while waiting := [events for events in lines.values() if events]:
            self.streams[STREAMS[stream % len(STREAMS)]].append(self.outside.random.choice(waiting).pop(0))

    def batch(self, stream: int, most: int) -> None:
        """CloudWatch hands a part of a stream on, wherever it cuts it."""
        name = STREAMS[stream % len(STREAMS)]
        events, self.streams[name] = self.streams[name][:most], self.streams[name][most:]
        if not events:
            return
        expected = {one.source["@id"]: one for one in reference.documents(events, name)}
        self.expected |= expected
        self.left_out |= reference.left_out(events)
        event = lambda_event(reference.payload(events, name))
        self.invocations.append(Invocation(event, frozenset(expected), self.outside.now_ms))

    def deliver_again(self, which: int) -> None:
        """What was delivered already comes once more."""
        if self.past:
            one = self.past[which % len(self.past)]
            self.invocations.append(replace(one, born_ms=self.outside.now_ms, attempts=0))

    def invoke(self, which: int, steps: int | None = None) -> None:
        """Lambda runs the subscriber on one of the waiting events; the process has so many steps to live."""
        if not self.invocations:
            return
        one = self.invocations[which % len(self.invocations)]
        one.attempts += 1
        with_life = self._life(steps)
        if with_life(lambda: subscriber.run(one.event, FakeContext(), self.services)):
            self.invocations.remove(one)
            self.past.append(one)
        elif one.attempts >= _ATTEMPTS or self.outside.now_ms - one.born_ms > _MAX_AGE_MS:
            self._give_up(one)

    def replay(self, steps: int | None = None) -> None:
        """Lambda runs the replay function on what is visible in the retry queue."""
        messages = self.sqs.receive(RETRY_URL, _BATCH_OF_LAMBDA, RETRY_VISIBILITY_MS)
        if not messages:
            return
        event = {"Records": [message.as_event() for message in messages]}
        answers: list[dict[str, Any]] = []
        with_life = self._life(steps)
        if with_life(lambda: answers.append(replay.run(event, FakeContext(), self.services, MAX_RECEIVES))):
            stays = {failure["itemIdentifier"] for failure in answers[0]["batchItemFailures"]}
            self.sqs.settle(RETRY_URL, [message.receipt for message in messages if message.id not in stays])

    def read_letters(self) -> None:
        """A person's replay takes letters of the dead-letter queue; several may be under way."""
        got = self.sqs.receive(DEAD_URL, _MOST_LETTERS, _HOLD_S * 1000)
        if got:
            self.reading.append([Message(one.id, one.receipt, one.body) for one in got])

    def replay_letters(self, which: int, steps: int | None = None, *, directly: bool = True) -> None:
        """One of these replays does its work, itself or by handing the letters to the replay function, and ends."""
        if not self.reading:
            return
        messages = self.reading.pop(which % len(self.reading))
        if len(self.reading) > 0:
            self.outside.happened["two replays at once"] += 1
        self.outside.happened["handed to the replay function"] += not directly
        work = Work(self._deployment(), NO_REPAIR, directly=directly, hold_s=_HOLD_S, clock=self._clock_of)
        self._life(steps)(lambda: work(messages))

    def pass_time(self, seconds: int) -> None:
        """Time passes: what was hidden comes again."""
        day = self.outside.now_ms // 86_400_000
        self.outside.now_ms += seconds * 1000
        self.outside.happened["midnight"] += self.outside.now_ms // 86_400_000 - day

    def begin_fault(self, fault: str) -> None:
        """Something goes wrong from now on, beside what did so far."""
        self.outside.faults.add(fault)

    def end_faults(self) -> None:
        """All is well again."""
        self.outside.faults.clear()

    def change_mapping(self) -> None:
        """The mapping takes what it refused, or the other way round."""
        self.domain.object_n = not self.domain.object_n
        self.outside.happened["mapping change"] += 1

    def change_settings(self) -> None:
        """A deployment: requests of one document each, or of many."""
        small = self.services.settings.max_body_bytes < 1_000
        self.services = self._services(self.services.settings.with_values(max_body_bytes=5_000_000 if small else 1))
        self.outside.happened["settings change"] += 1

    def check(self) -> None:
        """At any moment there is a copy of every record, and no document is there twice."""
        copies = self.domain.ids() | self._queued()
        lost = self.expected.keys() - copies
        assert not lost, f"no copy is left of {sorted(lost)}"
        twice = len(self.domain.documents) - len(self.domain.ids())
        assert not twice, f"{twice} documents are there twice"

    def rest(self) -> None:
        """All faults end and all work gets done; then each event is in exactly one place, as the reference has it."""
        self.outside.faults.clear()
        for stream, name in enumerate(STREAMS):
            self.batch(stream, len(self.streams[name]))
        self._settle()
        poison = {id_ for id_, one in self.expected.items() if "poison" in one.source["@message"]}
        assert self._buried() == poison, "not just what is refused for good is in the dead-letter queue"
        assert self.domain.ids() == self.expected.keys() - poison, "not all else is in the index"
        self.domain.strict = False
        self._settle()
        assert self._buried() == set()
        self._compare()

    def _compare(self) -> None:
        days = {id_: one.index for id_, one in self.expected.items()}
        assert {id_: index for index, id_ in self.domain.documents} == days, "a document is not in the index of its day"
        for (_, id_), found in self.domain.documents.items():
            expected = self.expected[id_].source
            if "@unmapped" in found:
                notes = found.pop("@shipper")
                assert notes["error"]["type"]
                found["@unmapped"] = json.loads(found["@unmapped"])
                expected = reference.aside(expected)
            assert found == expected, "a document is not that of the reference"
        in_documents = [id_ for one in self.expected.values() for id_ in one.event_ids]
        assert len(in_documents) == len(set(in_documents))
        assert set(in_documents) | self.left_out == {f"e-{number}" for number in range(self.events)}
        assert not self.left_out & set(in_documents)

    def _settle(self) -> None:
        while self.invocations:
            self.invoke(0)
        while self.sqs.queues[RETRY_URL]:
            self.replay()
            self.pass_time(RETRY_VISIBILITY_MS // 1000)
        self.reading.clear()
        for _ in range(2):  # what is refused once more is a new letter
            self.pass_time(_HOLD_S)
            for _ in range(len(self.sqs.queues[DEAD_URL]) // _MOST_LETTERS + 1):
                self.read_letters()
            while self.reading:
                self.replay_letters(0)
        assert not self.sqs.queues[RETRY_URL]

    def _life(self, steps: int | None) -> Callable[[Callable[[], Any]], bool]:
        def lived(work: Callable[[], Any]) -> bool:
            self.outside.steps_left = steps
            try:
                work()
            except (Killed, QueueFailed, Denied):
                return False
            finally:
                self.outside.steps_left = None
            return True

        return lived

    def _give_up(self, one: Invocation) -> None:
        """https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html ."""
        self.outside.happened["given up by Lambda"] += 1
        self.invocations.remove(one)
        key = f"aws/lambda/async/subscriber/{len(self.s3.objects)}"
        record = {
            "timestamp": iso(self.outside.now_ms),
            "requestContext": {"condition": "RetriesExhausted", "approximateInvokeCount": one.attempts},
            "requestPayload": one.event,
        }
        self.s3.objects[key] = json.dumps(record).encode()
        announced = {"eventSource": "aws:s3", "s3": {"bucket": {"name": BUCKET}, "object": {"key": key}}}
        self.sqs.put(DEAD_URL, json.dumps({"Records": [announced]}))

    def _queued(self) -> set[str]:
        ids = {id_ for one in self.invocations for id_ in one.ids}
        for body in self._bodies():
            ids |= self._ids_in(body)
        return ids

    def _buried(self) -> set[str]:
        return {id_ for one in self.sqs.queues[DEAD_URL].values() for id_ in self._ids_in(one.body)}

    def _bodies(self) -> Iterator[str]:
        for queue in self.sqs.queues.values():
            for message in queue.values():
                yield message.body

    def _ids_of_body(self, body: str) -> frozenset[str]:
        """The ids of a letter's documents, or of its payload's events; the bucket is asked past all faults."""
        letter = Bodies(lambda: S3(Outside(0, Random(0)), self.s3.objects), BUCKET).unpack(body)
        if letter.kind == "documents":
            return frozenset(document.id for document in deadletter.documents_in(letter))
        payload = decode(jsontext.loads(letter.body), max_decoded_bytes=1_000_000)
        assert isinstance(payload, Payload)
        return frozenset(event.id for event in payload.events)

    def _services(self, settings: Settings) -> Services:
        bodies = Bodies(lambda: self.s3, BUCKET)
        return Services(
            settings,
            cast("Any", self.domain),
            self._letters(),
            bodies,
            cast("Any", Quiet()),
            clock=lambda _: self._clock_of(_LIMIT_S),
        )

    def _letters(self) -> SqsLetters:
        return SqsLetters(lambda: self.sqs, lambda: self.s3, retry_url=RETRY_URL, dead_url=DEAD_URL, bucket=BUCKET)

    def _deployment(self) -> Deployment:
        wired = self.services
        settings = replace(wired.settings, bucket=BUCKET)
        return Deployment(
            settings, wired.sink, wired.letters, wired.bodies, Inbox(self.sqs, DEAD_URL), deployed=lambda: settings
        )

    def _clock_of(self, limit_s: float) -> Clock:
        return Clock(self.outside, limit_s)


HAPPENINGS = (
    *FAULTS,
    *("killed", "redriven by the queue", "stale receipt", "given up by Lambda", "two replays at once"),
    "handed to the replay function",
    *(
        "refused for good",
        "refused for its fields",
        "midnight",
        "mapping change",
        "settings change",
        "body in the bucket",
    ),
)
"""All that has to have happened before a run says anything."""
