"""One run of the embedded servers: starts children, waits for them, and ends every one of them with the run.

    with Run(logs) as run:
        child = run.start("server", [...], env={...})
        child.wait_ready(probe, timeout_s=30)

Leaving the block, by whatever way, ends the children in reverse order; `run.keep(state)` leaves them running.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from local.errors import EndedEarly, LocalError
from local.guard import Guard
from local.pids import Leader, end_groups, started_at
from local.signals import Signals
from local.state import Kept, Server, remember

FOLDER_PREFIX = "cwl-shipper-"
LOOPBACK = "127.0.0.1"
_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Account:
    """Whom a child runs as, where root is refused."""

    uid: int
    gid: int


@dataclass(slots=True)
class Child:
    """A process that we started, the leader of a group of its own; its output is in `log`."""

    name: str
    log: Path
    leader: Leader
    popen: subprocess.Popen[bytes] = field(repr=False)

    def wait_ready(self, probe: Callable[[], bool], timeout_s: float) -> None:
        """Return once `probe` says yes. Raises `EndedEarly`, or `LocalError` after `timeout_s`."""
        deadline = time.monotonic() + timeout_s
        while not probe():
            if (status := self.popen.poll()) is not None:
                raise EndedEarly(f"{self.name} ended with status {status} before it was ready: see {self.log}")
            if time.monotonic() > deadline:
                raise LocalError(f"{self.name} was not ready within {timeout_s:.0f} s: see {self.log}")
            time.sleep(_POLL_S)

    def follow(self, on_line: Callable[[str], None], timeout_s: float) -> int:
        """Hand over each line of the log until the child ends by itself; its status. Raises `LocalError` when late."""
        deadline = time.monotonic() + timeout_s
        rest = b""
        with self.log.open("rb") as log:
            while True:
                status = self.popen.poll()  # before reading: what it wrote last is then read, too
                *lines, rest = (rest + log.read()).split(b"\n")
                for line in lines:
                    on_line(line.decode("utf-8", "replace").rstrip("\r"))
                if status is not None:
                    return status
                if time.monotonic() > deadline:
                    raise LocalError(f"{self.name} did not finish within {timeout_s:.0f} s: see {self.log}")
                time.sleep(_POLL_S)


class Run:
    """Owns the children, the temporary folder and the signals of one run; logs stay after a failure."""

    def __init__(self, logs: Path) -> None:
        self.logs = logs
        self.folder = Path()
        self._children: list[Child] = []
        self._signals = Signals()
        self._guard: Guard | None = None

    def __enter__(self) -> Self:
        self.logs.mkdir(parents=True, exist_ok=True)
        self._signals.install()
        with self._signals.held():
            self.folder = Path(tempfile.mkdtemp(prefix=FOLDER_PREFIX)).resolve()
            self._guard = Guard(self.folder)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        try:
            with self._signals.held():
                self._end_all()
                if kind is None:
                    shutil.rmtree(self.logs, ignore_errors=True)
        except (KeyboardInterrupt, SystemExit):
            if error is None:
                raise
        finally:
            self._signals.restore()

    def start(
        self,
        name: str,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path | None = None,
        account: Account | None = None,
    ) -> Child:
        """Start a child in a session of its own: a Ctrl-C in the terminal reaches us alone, and we end it in order."""
        if self._guard is None:
            raise RuntimeError("a run starts children only inside its `with` block")
        log = self.logs / f"{name}.log"
        with self._signals.held(), log.open("wb") as output:
            popen = subprocess.Popen(  # noqa: S603 - the callers' own commands
                list(command),
                env=dict(env),
                cwd=cwd or self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
            )
            leader = Leader(popen.pid, started_at(popen.pid) or "")
            child = Child(name, log, leader, popen)
            self._children.append(child)
            self._guard.watch(leader)
        return child

    def end(self, child: Child) -> None:
        """End this child now."""
        with self._signals.held():
            self._end([child])
            self._children.remove(child)

    def keep(self, state: Path) -> None:
        """Leave the children running after this run, and write down what `local.state.end_kept` needs to end them."""
        with self._signals.held():
            servers = [Server(child.name, child.leader, child.log) for child in self._children]
            remember(state, Kept(self.folder, self.logs, servers))
            self._children = []
            self._release()

    def _end_all(self) -> None:
        if self._guard is None:
            return
        self._end(self._children[::-1])
        self._children = []
        self._release()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _end(self, children: Sequence[Child]) -> None:
        for child in children:
            end_groups([child.leader])
            child.popen.wait()

    def _release(self) -> None:
        if self._guard is not None:
            self._guard.release()
            self._guard = None


def free_port() -> int:
    """A port of the loopback that nobody listens on now. Another may take it first: whoever binds it tries again."""
    try:
        with socket.create_server((LOOPBACK, 0)) as server:
            port: int = server.getsockname()[1]
            return port
    except OSError as error:
        raise LocalError(f"no port is free on {LOOPBACK}: {os.strerror(error.errno or 0)}") from error
