"""Process ids that cannot be mistaken, and the end of process groups.

The system gives a process id to another process once it is free. A start time beside it tells the two apart.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

GRACE_S = 10.0
"""Time between the polite signal and the other one: a search engine closes its indices in it."""

_KILL_WAIT_S = 5.0
_POLL_S = 0.05
_PROC = Path("/proc")
_PS = "/bin/ps"
_ENDED_STATES = "ZX"


@dataclass(frozen=True, slots=True)
class Leader:
    """The first process of a group that we started: group id and process id are the same number."""

    pid: int
    started: str

    def runs(self) -> bool:
        """Whether the process id still is the process that we started."""
        return started_at(self.pid) == self.started


def started_at(pid: int) -> str | None:
    """When the process began, in the system's own words; None if it ended. An `exec` does not change it."""
    return _started_by_proc(pid) if _has_proc() else _started_by_ps(pid)


def end_groups(leaders: Iterable[Leader], *, grace_s: float = GRACE_S, orphans: bool = True) -> None:
    """End each group with all its processes: ask, wait `grace_s`, then kill.

    `orphans` ends also what a leader left behind when it died. Only who has watched the leader all the time may ask
    for that: with a leader from a file, the number may be another's by now.
    """
    groups = [leader.pid for leader in leaders if leader.runs() or (orphans and started_at(leader.pid) is None)]
    for signum, wait_s in ((signal.SIGTERM, grace_s), (signal.SIGKILL, _KILL_WAIT_S)):
        groups = [group for group in groups if _signal_group(group, signum)]
        deadline = time.monotonic() + wait_s
        while (groups := [group for group in groups if group_runs(group)]) and time.monotonic() < deadline:
            time.sleep(_POLL_S)


def group_runs(group: int) -> bool:
    """Whether a process of the group still runs. One that ended and that nobody waited for does not."""
    if _has_proc():
        return any(fields[2] == str(group) and fields[0] not in _ENDED_STATES for fields in _all_stats())
    return _signal_group(group, 0)


def _signal_group(group: int, signum: int) -> bool:
    """Send the signal; False if nobody is there. macOS says "not permitted" of a group of ended processes."""
    try:
        os.killpg(group, signum)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _has_proc() -> bool:
    return (_PROC / "self/stat").exists()


def _stat(folder: Path) -> list[str] | None:
    """The fields after the program's name (which may hold blanks and brackets): state, parent, group, ..."""
    try:
        return (folder / "stat").read_text("utf-8", "replace").rpartition(") ")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def _all_stats() -> Iterable[list[str]]:
    stats = (_stat(folder) for folder in _PROC.iterdir() if folder.name.isdigit())
    return (fields for fields in stats if fields)


def _started_by_proc(pid: int) -> str | None:
    fields = _stat(_PROC / str(pid))
    if not fields or fields[0] in _ENDED_STATES:
        return None
    boot = (_PROC / "sys/kernel/random/boot_id").read_text("utf-8").strip()
    return f"{boot} {fields[19]}"


def _started_by_ps(pid: int) -> str | None:
    """For systems without /proc (macOS); the time zone is fixed, since `ps` writes local time."""
    command = [_PS, "-o", "stat=,lstart=", "-p", str(pid)]
    env = {"LC_ALL": "C", "TZ": "UTC"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)  # noqa: S603 - a number only
    state, _, started = done.stdout.strip().partition(" ")
    return None if not state or state[0] in _ENDED_STATES else started.strip()
