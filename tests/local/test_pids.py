from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import pids
from local.pids import Leader, end_groups, group_runs, started_at

SLEEPS = "import time; time.sleep(60)"
IGNORES_TERM = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
)
HAS_A_CHILD = """
import subprocess, sys
subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])
print(1, flush=True)
"""


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[bytes]]]:
    processes: list[subprocess.Popen[bytes]] = []
    yield processes
    for process in processes:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def spawn(started: list[subprocess.Popen[bytes]], code: str, *, ready: bool = False) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", code], start_new_session=True, stdout=subprocess.PIPE)
    started.append(process)
    if ready and process.stdout:
        process.stdout.readline()
    return process


def leader(process: subprocess.Popen[bytes]) -> Leader:
    return Leader(process.pid, started_at(process.pid) or "")


def test_two_processes_have_two_identities_and_one_keeps_its_own(started: list[subprocess.Popen[bytes]]) -> None:
    process = spawn(started, SLEEPS)
    assert leader(process).runs()
    assert started_at(process.pid) != started_at(os.getpid())


def test_ps_tells_the_same_where_there_is_no_proc(
    started: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(pids, "_PROC", tmp_path)
    process = spawn(started, SLEEPS)
    assert leader(process).runs()
    assert str(time.gmtime().tm_year) in (started_at(process.pid) or "")
    end_groups([leader(process)], grace_s=1)
    process.wait()
    assert started_at(process.pid) is None
    assert not group_runs(process.pid)


def test_one_that_ended_and_was_not_waited_for_does_not_run(started: list[subprocess.Popen[bytes]]) -> None:
    process = spawn(started, "")
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert started_at(process.pid) is None
    assert not group_runs(process.pid)


def test_one_that_ignores_the_polite_signal_is_killed(started: list[subprocess.Popen[bytes]]) -> None:
    process = spawn(started, IGNORES_TERM, ready=True)
    end_groups([leader(process)], grace_s=0.2)
    assert process.wait() == -signal.SIGKILL


def test_what_a_dead_leader_left_behind_is_ended(started: list[subprocess.Popen[bytes]]) -> None:
    process = spawn(started, HAS_A_CHILD, ready=True)
    process.wait()
    assert group_runs(process.pid)
    end_groups([Leader(process.pid, "then")], grace_s=2)
    assert not group_runs(process.pid)


@pytest.mark.parametrize("orphans", [True, False])
def test_a_process_id_that_is_another_process_now_is_left_alone(
    started: list[subprocess.Popen[bytes]], orphans: bool
) -> None:
    process = spawn(started, SLEEPS)
    end_groups([Leader(process.pid, "long ago")], grace_s=0.2, orphans=orphans)
    assert process.poll() is None


def test_orphans_of_a_leader_from_a_file_are_left_alone(started: list[subprocess.Popen[bytes]]) -> None:
    process = spawn(started, HAS_A_CHILD, ready=True)
    process.wait()
    end_groups([Leader(process.pid, "then")], grace_s=0.2, orphans=False)
    assert group_runs(process.pid)
    end_groups([Leader(process.pid, "then")], grace_s=2)
