"""How many bytes one delivery adds to the largest size of this process: python -m tests.bench.peak EVENT.json."""

from __future__ import annotations

import json
import re
import resource
import sys
from pathlib import Path

from tests.bench.loads import lambda_event, payload
from tests.bench.transform import to_body

_STATUS = Path("/proc/self/status")


def largest_bytes() -> int:
    """The largest size so far. Linux counts that of the parent in `ru_maxrss`, macOS has no `VmHWM`."""
    if _STATUS.exists() and (found := re.search(r"VmHWM:\s*(\d+) kB", _STATUS.read_text("ascii"))):
        return int(found[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    to_body(lambda_event(payload("fluentd", 10)))  # what is built once
    event = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    before = largest_bytes()
    to_body(event)
    sys.stdout.write(f"{largest_bytes() - before}\n")
