"""Which fault happens when: drawn from a seed, so that a run can be played again."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from math import ceil


class Kind(Enum):
    """What goes wrong."""

    ENGINE_KILLED = "engine killed"
    ENGINE_PAUSED = "engine paused"
    NETWORK_CUT = "network cut"
    NETWORK_FLAPS = "network flaps"
    NETWORK_SLOW = "network slow"
    DISK_FULL = "disk full"
    WRITE_BLOCK = "write block"
    FIELD_CLASHES = "a field clashes"
    FIELDS_REFUSED = "fields refused"
    FUNCTIONS_KILLED = "functions killed"
    DELIVERED_TWICE = "delivered twice"


OF_THE_ENGINE = (
    Kind.ENGINE_KILLED,
    Kind.ENGINE_PAUSED,
    Kind.NETWORK_CUT,
    Kind.NETWORK_FLAPS,
    Kind.NETWORK_SLOW,
    Kind.DISK_FULL,
    Kind.WRITE_BLOCK,
    Kind.FIELD_CLASHES,
    Kind.FIELDS_REFUSED,
)
"""One after the other; those of the functions go on beside them."""

OF_THE_FUNCTIONS = (Kind.FUNCTIONS_KILLED, Kind.DELIVERED_TWICE)

_SLOT_S = 20.0
_BUSY = 0.9
"""Of the time; the rest is quiet, so that the report shows what follows the last fault."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault and its time: seconds since the start, and how long."""

    kind: Kind
    at_s: float
    for_s: float


def schedule(seed: int, seconds: float, kinds: Sequence[Kind]) -> list[Fault]:
    """Faults that do not overlap, within `seconds`; each kind happens, and none happens two times more than another."""
    rng = random.Random(f"{seed} {kinds}")
    count = max(len(kinds), round(_BUSY * seconds / _SLOT_S))
    slot_s = _BUSY * seconds / count
    rounds = ceil(count / len(kinds))
    order = [kind for _ in range(rounds) for kind in rng.sample(kinds, len(kinds))][:count]
    return [
        Fault(kind, (number + rng.uniform(0.1, 0.3)) * slot_s, rng.uniform(0.3, 0.6) * slot_s)
        for number, kind in enumerate(order)
    ]
