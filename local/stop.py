"""`make stop`: end what `make demo KEEP=1` left running."""

from __future__ import annotations

import sys
from pathlib import Path

from local.cdk import ROOT
from local.errors import LocalError
from local.state import end_kept

STATE = ROOT / ".local" / "running.json"
ENVIRONMENT = STATE.with_name("env")


def main(state: Path = STATE, environment: Path = ENVIRONMENT) -> int:
    """End the servers, remove the file with their endpoints, say what was ended."""
    try:
        ended = end_kept(state)
    except LocalError as error:
        sys.stderr.write(f"cwl-shipper: {error}\n")
        return 1
    environment.unlink(missing_ok=True)
    sys.stdout.write(f"ended: {', '.join(ended)}\n" if ended else "nothing was left running\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
