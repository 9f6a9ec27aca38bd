"""What `make demo KEEP=1` left running: written to a file, ended from it."""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.errors import LocalError
from local.pids import Leader, end_groups


@dataclass(frozen=True, slots=True)
class Server:
    """One process left running."""

    name: str
    leader: Leader
    log: Path


@dataclass(frozen=True, slots=True)
class Kept:
    """One run left running, with its temporary folder and its logs."""

    folder: Path
    logs: Path
    servers: list[Server]


def remember(state: Path, kept: Kept) -> None:
    """Add a run to the file; another run may be doing the same."""
    with _locked(state):
        _write(state, [*_read(state), kept])


def end_kept(state: Path) -> list[str]:
    """End all runs in the file, last started first, with their folders; the names of the servers that still ran."""
    with _locked(state):
        ended = []
        for kept in _read(state):
            for server in reversed(kept.servers):
                if server.leader.runs():
                    end_groups([server.leader], orphans=False)
                    ended.append(server.name)
            for folder in (kept.folder, kept.logs):
                shutil.rmtree(folder, ignore_errors=True)
        state.unlink(missing_ok=True)
    return ended


@contextmanager
def _locked(state: Path) -> Iterator[None]:
    state.parent.mkdir(parents=True, exist_ok=True)
    with state.with_suffix(".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _write(state: Path, runs: list[Kept]) -> None:
    raw = [
        {"folder": str(kept.folder), "logs": str(kept.logs), "servers": [_raw(server) for server in kept.servers]}
        for kept in runs
    ]
    part = state.with_suffix(".part")
    part.write_text(json.dumps({"runs": raw}, indent=2) + "\n", "utf-8")
    part.replace(state)


def _raw(server: Server) -> dict[str, Any]:
    leader = server.leader
    return {"name": server.name, "pid": leader.pid, "started": leader.started, "log": str(server.log)}


def _read(state: Path) -> list[Kept]:
    if not state.exists():
        return []
    try:
        raw = json.loads(state.read_text("utf-8"))
        return [
            Kept(
                Path(kept["folder"]),
                Path(kept["logs"]),
                [Server(one["name"], Leader(one["pid"], one["started"]), Path(one["log"])) for one in kept["servers"]],
            )
            for kept in raw["runs"]
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise LocalError(f"{state} cannot be read ({error!r}): end its processes yourself and remove it") from error
