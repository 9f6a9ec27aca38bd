from __future__ import annotations

from pathlib import Path

import pytest

from local import stop
from tests.local.test_state import kept_run


def test_it_says_what_it_ended_and_removes_the_endpoints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state, environment = tmp_path / "state.json", tmp_path / "env"
    environment.touch()
    _, child = kept_run(tmp_path, state, "osmem")
    assert stop.main(state, environment) == 0
    child.popen.wait()
    assert capsys.readouterr().out == "ended: osmem\n"
    assert not environment.exists()
    assert stop.main(state, environment) == 0
    assert capsys.readouterr().out == "nothing was left running\n"


def test_a_broken_file_is_one_line_and_a_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = tmp_path / "state.json"
    state.write_text("?")
    assert stop.main(state, tmp_path / "env") == 1
    assert capsys.readouterr().err.count("\n") == 1
