from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from local.errors import LocalError
from local.pids import Leader, end_groups, started_at
from local.processes import Child, Run
from local.state import Kept, Server, end_kept, remember

SLEEPS = "import time; time.sleep(60)"


def kept_run(tmp_path: Path, state: Path, name: str) -> tuple[Path, Child]:
    with Run(tmp_path / f"logs-{name}") as run:
        child = run.start(name, [sys.executable, "-c", SLEEPS], env={})
        run.keep(state)
    return run.folder, child


def test_two_kept_runs_go_on_and_end_later(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    runs = [kept_run(tmp_path, state, name) for name in ("one", "two")]
    assert all(child.leader.runs() and folder.is_dir() for folder, child in runs)
    assert end_kept(state) == ["one", "two"]
    assert [child.popen.wait() for _, child in runs] == [-signal.SIGTERM, -signal.SIGTERM]
    assert not any(folder.exists() for folder, _ in runs)
    assert not state.exists()
    assert end_kept(state) == []


def test_a_process_id_that_another_process_has_now_is_not_ended(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    other = subprocess.Popen([sys.executable, "-c", SLEEPS], start_new_session=True)
    try:
        server = Server("gone", Leader(other.pid, "before the last boot"), tmp_path / "gone.log")
        remember(state, Kept(tmp_path / "folder", tmp_path / "logs", [server]))
        assert end_kept(state) == []
        assert other.poll() is None
    finally:
        end_groups([Leader(other.pid, started_at(other.pid) or "")])
        other.wait()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"runs": [{}]}', '{"runs": [1]}'])
def test_a_broken_file_is_one_line(tmp_path: Path, text: str) -> None:
    state = tmp_path / "state.json"
    state.write_text(text)
    with pytest.raises(LocalError, match=r"state\.json cannot be read"):
        end_kept(state)
