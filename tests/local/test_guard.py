from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

from local.guard import Guard, watch
from local.pids import Leader, started_at


def sleeper() -> tuple[subprocess.Popen[bytes], Leader]:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    return process, Leader(process.pid, started_at(process.pid) or "")


def test_an_end_without_release_ends_all_and_removes_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    process, leader = sleeper()
    watch(io.StringIO(json.dumps([leader.pid, leader.started]) + "\n"), folder)
    assert process.wait(timeout=5) != 0
    assert not folder.exists()


def test_a_released_guard_leaves_all_alone(tmp_path: Path) -> None:
    process, leader = sleeper()
    guard = Guard(tmp_path)
    guard.watch(leader)
    guard.release()
    assert process.poll() is None
    assert tmp_path.exists()
    process.kill()
    process.wait()
