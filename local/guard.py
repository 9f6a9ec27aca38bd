"""Ends a run's processes if the run itself was killed (SIGKILL), which no handler of the run's own can see.

A process of its own: it reads the leaders from a pipe whose other end only the run holds, and an end of file without
the word "release" before it means that the run is gone. Works alike on Linux and macOS, and for grandchildren too.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import IO

from local.pids import Leader, end_groups

_RELEASE = "release"
_ROOT = Path(__file__).resolve().parent.parent


class Guard:
    """The run's end of the pipe."""

    def __init__(self, folder: Path) -> None:
        # A session of its own, so that a Ctrl-C in the terminal does not end the guard before the run.
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", "local.guard", str(folder)],
            cwd=_ROOT,
            env={"PYTHONPATH": str(_ROOT), "PATH": os.environ.get("PATH", os.defpath)},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )

    def watch(self, leader: Leader) -> None:
        """End this group too, should the run be killed."""
        self._send(json.dumps([leader.pid, leader.started]))

    def release(self) -> None:
        """The run has ended its processes, or leaves them running on purpose."""
        self._send(_RELEASE)
        self._process.communicate()

    def _send(self, line: str) -> None:
        pipe = self._process.stdin
        if pipe is not None and self._process.poll() is None:
            pipe.write(line + "\n")
            pipe.flush()


def watch(lines: IO[str], folder: Path) -> None:
    """Until the run releases us or is gone; then end what it left, with its temporary folder."""
    leaders = []
    for line in lines:
        if line.strip() == _RELEASE:
            return
        pid, started = json.loads(line)
        leaders.append(Leader(pid, started))
    end_groups(leaders)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    watch(sys.stdin, Path(sys.argv[1]))
