"""Whoever holds the lock is alone, also among processes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from local.alone import alone
from local.cdk import ROOT

ANOTHER = """
import sys
from pathlib import Path
from local.alone import alone

with alone(Path(sys.argv[1])):
    print("in")
"""


def test_another_process_waits_until_the_lock_is_free(tmp_path: Path) -> None:
    lock = tmp_path / "cache" / ".lock"
    with alone(lock):
        another = subprocess.Popen([sys.executable, "-c", ANOTHER, str(lock)], cwd=ROOT, stdout=subprocess.PIPE)
        with pytest.raises(subprocess.TimeoutExpired):
            another.wait(timeout=0.5)
    said, _ = another.communicate(timeout=30)
    assert said == b"in\n"
