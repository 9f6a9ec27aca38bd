"""The soak among the tests, where there is time for it: `SOAK_MINUTES`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.cdk import ROOT
from tests.reliability.soak.schedule import Kind

MINUTES = os.environ.get("SOAK_MINUTES", "")
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.enable_socket,
    pytest.mark.skipif(not MINUTES, reason="it takes longer than all else: SOAK_MINUTES=1 runs it"),
]


def test_with_all_that_goes_wrong_each_line_is_there_once(tmp_path: Path) -> None:
    """A process of its own: it kills children of its own only."""
    command = [sys.executable, "-m", "tests.reliability.soak", "--minutes", MINUTES, "--folder", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert report["lines"] == sum(report["audit"][name] for name in ("present", "joined"))
    kinds = {kind.value for kind in Kind} - ({Kind.ENGINE_KILLED.value} if report["engine"] == "osmem" else set())
    assert set(report["faults"]) == kinds
    assert (tmp_path / "soak.png").exists()
