from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from local.errors import EndedEarly, LocalError
from local.pids import group_runs
from local.processes import Child, Run, free_port

pytestmark = pytest.mark.enable_socket

ROOT = Path(__file__).resolve().parents[2]
SAYS = "import time; print('ready', flush=True); time.sleep(60)"


def python(run: Run, code: str, name: str = "server") -> Child:
    return run.start(name, [sys.executable, "-c", code], env={})


def said(child: Child) -> bool:
    return "ready" in child.log.read_text()


def test_a_child_is_ready_and_ended_with_the_run(tmp_path: Path) -> None:
    with Run(tmp_path / "logs") as run:
        child = python(run, SAYS)
        child.wait_ready(lambda: said(child), timeout_s=10)
        folder = run.folder
        assert folder.is_dir()
        assert child.leader.runs()
    assert child.popen.returncode == -signal.SIGTERM
    assert not folder.exists()
    assert not (tmp_path / "logs").exists()


def test_one_that_ends_early_names_its_log_which_stays(tmp_path: Path) -> None:
    with pytest.raises(EndedEarly, match=r"server ended with status 3 .* see .*server\.log"), Run(tmp_path) as run:
        python(run, "print('no luck'); raise SystemExit(3)").wait_ready(lambda: False, timeout_s=10)
    assert (tmp_path / "server.log").read_text() == "no luck\n"


def test_one_that_is_late_names_its_log(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match=r"server was not ready within 0 s: see .*server\.log"), Run(tmp_path) as run:
        python(run, SAYS).wait_ready(lambda: False, timeout_s=0.2)


def test_lines_are_handed_over_while_it_runs(tmp_path: Path) -> None:
    lines: list[str] = []
    with Run(tmp_path) as run:
        assert (
            python(run, "print('a'); print('b'); print('half', end=''); raise SystemExit(4)").follow(lines.append, 10)
            == 4
        )
    assert lines == ["a", "b"]


def test_one_that_does_not_finish_is_said(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="did not finish within 0 s"), Run(tmp_path) as run:
        python(run, SAYS).follow(lambda _: None, timeout_s=0.2)


def test_a_single_child_can_be_ended_before_the_run(tmp_path: Path) -> None:
    with Run(tmp_path) as run:
        child = python(run, SAYS)
        run.end(child)
        assert not child.leader.runs()


def test_a_child_needs_a_run_that_began(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        python(Run(tmp_path), SAYS)


OUTER = """
import os, sys, time
from pathlib import Path
from local.processes import Run
with Run(Path(sys.argv[1])) as run:
    sleep = "import time; time.sleep(60)"
    code = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {sleep!r}]); {sleep}"
    child = run.start("server", [sys.executable, "-c", code], env={})
    print(child.leader.pid, run.folder, flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize(
    ("signum", "status"),
    [(signal.SIGINT, None), (signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGKILL, -signal.SIGKILL)],
    ids=["Ctrl-C", "terminated", "terminal closed", "killed: the guard ends them"],
)
def test_nothing_is_left_whatever_ends_the_run(tmp_path: Path, signum: int, status: int | None) -> None:
    command = [sys.executable, "-c", OUTER, str(tmp_path / "logs")]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as outer:
        assert outer.stdout
        pid, folder = outer.stdout.readline().split()
        outer.send_signal(signum)
        code = outer.wait(timeout=30)
    assert status is None or code == status
    deadline = time.monotonic() + 20
    while (group_runs(int(pid)) or Path(folder).exists()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not group_runs(int(pid))
    assert not Path(folder).exists()


def test_a_free_port_can_be_bound() -> None:
    with socket.create_server(("127.0.0.1", free_port())):
        pass


def test_no_free_port_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_address: tuple[str, int]) -> socket.socket:
        raise OSError(errno.EADDRNOTAVAIL, "")

    monkeypatch.setattr(socket, "create_server", refuse)
    with pytest.raises(LocalError, match=r"no port is free on 127\.0\.0\.1: Cannot assign"):
        free_port()
