"""The demo as a person runs it: two at once, one of them stopped in the middle by Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="looks for processes in /proc"),
]

ROOT = Path(__file__).resolve().parents[2]


def start(folder: Path) -> subprocess.Popen[bytes]:
    """A demo whose files, and so the working folders of all its processes, are in `folder`."""
    folder.mkdir(mode=0o755)
    env = {**os.environ, "TMPDIR": str(folder), "PYTHONUNBUFFERED": "1"}
    env = {name: value for name, value in env.items() if name not in ("ENGINE", "OPENSEARCH_URL")}
    with (folder / "output").open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "local.demo"],
            cwd=ROOT,
            env=env,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def output(folder: Path) -> str:
    return (folder / "output").read_text("utf-8", "replace")


def left_over(folder: Path) -> list[str]:
    """The processes that have to do with this folder."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                traces = os.readlink(process / "cwd") + (process / "cmdline").read_text("utf-8", "replace")
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
            if str(folder) in traces:
                found.append(traces)
    return found


def test_a_demo_goes_on_beside_one_that_is_interrupted_and_neither_leaves_a_process(tmp_path: Path) -> None:
    stays, leaves = start(tmp_path / "stays"), start(tmp_path / "leaves")
    try:
        deadline = time.monotonic() + 120
        while "cdk deploy" not in output(tmp_path / "leaves"):
            assert leaves.poll() is None, output(tmp_path / "leaves")
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert left_over(tmp_path / "leaves")
        os.kill(leaves.pid, signal.SIGINT)
        assert leaves.wait(60) == 1
        assert "interrupted" in output(tmp_path / "leaves").splitlines()[-1]
        assert left_over(tmp_path / "leaves") == []
        assert stays.wait(240) == 0, output(tmp_path / "stays")
        assert "done, all checked" in output(tmp_path / "stays")
        assert left_over(tmp_path / "stays") == []
    finally:
        for one in (stays, leaves):
            if one.poll() is None:
                os.kill(one.pid, signal.SIGTERM)
                one.wait(60)
