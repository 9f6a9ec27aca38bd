"""Makes each fault for as long as it lasts, and notes when it did."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import requests

from local import story
from tests.reliability.soak.delivery import Delivery
from tests.reliability.soak.schedule import Fault, Kind
from tests.reliability.soak.site import Site
from tests.reliability.soak.writers import Odd

_SLOW_S = 0.3
_ASKED_WITHIN_S = 120.0
_BLOCKS = {Kind.DISK_FULL: "index.blocks.read_only_allow_delete", Kind.WRITE_BLOCK: "index.blocks.write"}


@dataclass(frozen=True, slots=True)
class Happened:
    """A fault as it was: seconds since the start."""

    kind: Kind
    from_s: float
    to_s: float


class Faults:
    """The faults of one run; `happened` has those that are over."""

    def __init__(self, site: Site, delivery: Delivery, odd: Odd, seed: int) -> None:
        self.happened: list[Happened] = []
        self.killed_functions = 0
        self._site, self._delivery, self._odd = site, delivery, odd
        self._rng = random.Random(f"{seed} faults")
        self._late = story.strict_day(int(time.time() * 1000))
        self._begun = time.monotonic()
        self._number = 0
        self._errors: list[Exception] = []

    def prepare(self) -> None:
        """The index of a day long ago: what does not fit it can be marked neither, and is refused for good."""
        index, body = self._late
        body["mappings"]["properties"]["log_processed"]["dynamic"] = "true"
        self._site.engine.ask("PUT", index, body)

    def play(self, *tracks: Sequence[Fault]) -> None:
        """The faults of each track at their times, or once the one before has ended. Raises what one of them raised."""
        self._begun = time.monotonic()
        threads = [threading.Thread(target=self._play, args=(track,), daemon=True) for track in tracks]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self._errors:
            raise self._errors[0]

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self._begun

    def _play(self, track: Sequence[Fault]) -> None:
        try:
            for fault in track:
                time.sleep(max(0.0, fault.at_s - self.seconds))
                from_s = self.seconds
                self._make(fault.kind, fault.for_s)
                self.happened.append(Happened(fault.kind, from_s, self.seconds))
        except Exception as error:  # noqa: BLE001 - raised in `play`, in the thread that waits for this one
            self._errors.append(error)

    def _make(self, kind: Kind, for_s: float) -> None:
        match kind:
            case Kind.NETWORK_FLAPS:
                self._repeat(for_s, self._flap)
            case Kind.FUNCTIONS_KILLED:
                self._repeat(for_s, self._kill_functions)
            case _:
                with self._lasting(kind):
                    time.sleep(for_s)

    def _lasting(self, kind: Kind) -> AbstractContextManager[None]:
        if kind in _BLOCKS:
            return self._blocked(_BLOCKS[kind])
        return {
            Kind.ENGINE_KILLED: self._engine_away,
            Kind.ENGINE_PAUSED: self._engine_paused,
            Kind.NETWORK_CUT: self._network_cut,
            Kind.NETWORK_SLOW: self._network_slow,
            Kind.FIELD_CLASHES: self._field_clashes,
            Kind.FIELDS_REFUSED: self._fields_refused,
            Kind.DELIVERED_TWICE: self._delivered_twice,
        }[kind]()

    def _repeat(self, for_s: float, act: Callable[[], None]) -> None:
        until = time.monotonic() + for_s
        while time.monotonic() < until:
            act()

    def _flap(self) -> None:
        """So short that requests are cut on their way, or their replies."""
        self._site.gate.close()
        time.sleep(self._rng.uniform(0.02, 0.2))
        self._site.gate.open()
        time.sleep(self._rng.uniform(0.1, 0.6))

    def _kill_functions(self) -> None:
        for pid in self._site.workers():
            with suppress(ProcessLookupError):  # it ended by itself in between
                os.kill(pid, signal.SIGKILL)
                self.killed_functions += 1
        time.sleep(self._rng.uniform(0.5, 2.5))

    @contextmanager
    def _engine_away(self) -> Iterator[None]:
        self._site.engine.kill()
        yield
        self._site.engine.start()
        self._site.gate.target = self._site.engine.address

    @contextmanager
    def _engine_paused(self) -> Iterator[None]:
        self._site.engine.signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._site.engine.signal(signal.SIGCONT)

    @contextmanager
    def _network_cut(self) -> Iterator[None]:
        self._site.gate.close()
        yield
        self._site.gate.open()

    @contextmanager
    def _network_slow(self) -> Iterator[None]:
        self._site.gate.delay_s = _SLOW_S
        yield
        self._site.gate.delay_s = 0.0

    @contextmanager
    def _delivered_twice(self) -> Iterator[None]:
        self._delivery.twice = True
        yield
        self._delivery.twice = False

    @contextmanager
    def _blocked(self, setting: str) -> Iterator[None]:
        self._ask("PUT", "cwl-*/_settings", {setting: True})
        yield
        self._ask("PUT", "cwl-*/_settings", {setting: None})

    @contextmanager
    def _field_clashes(self) -> Iterator[None]:
        """A field is an object in the mapping and a text in the lines: they are indexed with their fields set aside."""
        self._number += 1
        name = f"shape_{self._number}"
        shape = {"type": "object", "properties": {"side": {"type": "long"}}}
        fields = {"type": "object", "properties": {name: shape}}
        self._ask("PUT", "cwl-*/_mapping", {"properties": {"log_processed": fields}})
        self._odd.now = {name: "round"}
        yield
        self._odd.now = {}

    @contextmanager
    def _fields_refused(self) -> Iterator[None]:
        """The index of a day long ago takes no new fields: lines that have some become dead letters."""
        index, _ = self._late
        self._number += 1
        self._ask("PUT", f"{index}/_mapping", _dynamic("strict"))
        self._odd.late = {f"new_{self._number}": 1}
        yield
        self._odd.late = {}

    def heal(self) -> None:
        """What an operator does about refused fields: allow them."""
        index, _ = self._late
        self._ask("PUT", f"{index}/_mapping", _dynamic("true"))

    def _ask(self, method: str, path: str, body: Any) -> None:
        """Ask the engine; one that has just come back takes a moment."""
        until = time.monotonic() + _ASKED_WITHIN_S
        while True:
            try:
                self._site.engine.ask(method, path, body)
            except requests.RequestException:
                if time.monotonic() > until:
                    raise
                time.sleep(0.5)
            else:
                return


def _dynamic(value: str) -> dict[str, Any]:
    """A mapping in which an application's own fields are taken, or only those that are known."""
    return {"properties": {"log_processed": {"type": "object", "dynamic": value}}}
