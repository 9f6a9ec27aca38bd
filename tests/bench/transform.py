"""How fast the transform is, side by side with a yardstick in Node.js, how much memory it takes, how it grows."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from shipper import bulk
from shipper.decode import decode
from shipper.model import Batch, Payload
from shipper.pipeline import transform
from shipper.settings import Settings
from tests.bench import loads
from tests.bench.hostile import HOSTILE

SIZES = (10, 1_000, 10_000)
_HERE = Path(__file__).parent
_ROUNDS = 3
_SETTINGS = Settings()

COLUMNS = {
    "speed": {
        "load": "load",
        "events": "events",
        "events_per_s": "events/s",
        "mb_per_s": "MB/s",
        "decode_per_s": "decode",
        "transform_per_s": "transform",
        "encode_per_s": "encode",
        "times_yardstick": "x Node",
        "peak_times_decoded": "x memory",
    },
    "growth": {"hostile": "hostile input", "s": "seconds", "growth": "growth at twice the size"},
}


def per_second(work: Callable[[], object], seconds: float) -> float:
    """How often `work` runs in a second, over at least `seconds`."""
    work()
    times, began = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - began) < seconds:
        work()
        times += 1
    return times / elapsed


def to_payload(event: Any) -> Payload:
    payload = decode(event, max_decoded_bytes=_SETTINGS.max_decoded_bytes)
    if not isinstance(payload, Payload):
        raise TypeError(f"the load is refused: {payload}")
    return payload


def to_batch(payload: Payload) -> Batch:
    return transform(payload, _SETTINGS, loads.FIRST_MS)


def to_body(event: Any) -> bytes:
    return bulk.encode(to_batch(to_payload(event)).documents)


def measure(load: str, count: int, seconds: float) -> dict[str, Any]:
    """Events a second of each stage, of the whole, and of the yardstick in turns with it; bytes at the peak."""
    decoded = loads.payload(load, count)
    event = loads.lambda_event(decoded)
    payload = to_payload(event)
    batch = to_batch(payload)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "event.json"
        file.write_text(json.dumps(event), "utf-8")
        rounds = [
            (count * per_second(lambda: to_body(event), seconds), yardstick(file, seconds)) for _ in range(_ROUNDS)
        ]
        memory = peak(file)
    ours, theirs = (max(column) for column in zip(*rounds, strict=True))
    decoded_bytes = len(json.dumps(decoded).encode())
    return {
        "load": load,
        "events": count,
        "events_per_s": round(ours),
        "mb_per_s": round(ours / count * decoded_bytes / 1e6, 1),
        "decode_per_s": round(count * per_second(lambda: to_payload(event), seconds / 2)),
        "transform_per_s": round(count * per_second(lambda: to_batch(payload), seconds / 2)),
        "encode_per_s": round(count * per_second(lambda: bulk.encode(batch.documents), seconds / 2)),
        "yardstick_per_s": round(theirs),
        "times_yardstick": round(ours / theirs, 2) if theirs else 0,
        "peak_bytes": memory,
        "peak_times_decoded": round(memory / decoded_bytes, 1),
    }


def yardstick(file: Path, seconds: float) -> float:
    """Events a second of the same payload in Node.js; 0 where there is none."""
    node = shutil.which("node")
    if not node:
        return 0.0
    command = [node, str(_HERE / "incumbent.mjs"), str(file), str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout)["events_per_s"])


def peak(file: Path) -> int:
    """Bytes that one delivery adds to the largest size of a fresh process."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.peak", str(file)],
        cwd=_HERE.parents[1],
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout)


def growth(name: str) -> dict[str, Any]:
    """Seconds for a hostile payload and for one of twice its size: 2 is linear."""
    small, large = (loads.lambda_event(loads.of_messages(HOSTILE[name](times))) for times in (1, 2))
    once, twice = (1 / per_second(lambda event=event: to_body(event), 0.5) for event in (small, large))  # type: ignore[misc]
    return {"hostile": name, "s": round(once, 3), "s_twice_the_size": round(twice, 3), "growth": round(twice / once, 2)}


def tables(seconds: float, tell: Callable[[str], None]) -> dict[str, list[dict[str, Any]]]:
    """Both tables; `tell` hears what is being measured."""
    speed = []
    for load in loads.LOADS:
        for count in SIZES:
            tell(f"{load}, {count:,} events")
            speed.append(measure(load, count, seconds))
    hostile = []
    for name in HOSTILE:
        tell(f"growth: {name}")
        hostile.append(growth(name))
    return {"speed": speed, "growth": hostile}
