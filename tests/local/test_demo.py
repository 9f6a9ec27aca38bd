"""How the demo ends: what it says where something is missing, what it leaves with --keep. tests/e2e runs its steps."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from local import demo
from local.aws import LocalAws
from local.errors import LocalError
from local.running import Running
from local.stack import Deployed
from local.state import end_kept
from local.steps import Missing

Play = Callable[..., Any]

STATE, ENVIRONMENT = "running.json", "env"


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Play:
    """Runs the demo on a stack that is none: `deploys` and `plays` raise, or do nothing."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(demo, "ROOT", tmp_path)
    monkeypatch.setattr(demo, "STATE", tmp_path / STATE)
    monkeypatch.setattr(demo, "ENVIRONMENT", tmp_path / ENVIRONMENT)

    def run(*words: str, deploys: BaseException | None = None, plays: BaseException | None = None) -> Result:
        def deployed(run: Any, env: Any, say: Callable[[str], None], on_line: Callable[[str], None]) -> Deployed:
            say("starting the search engine")
            on_line("\x1b[2JCREATE_COMPLETE [/aws/lambda]")
            on_line("")
            if deploys:
                raise deploys
            engine = Running("osmem", "3", "http://127.0.0.1:1")
            return Deployed(engine, None, LocalAws("http://127.0.0.1:2"), {})  # type: ignore[arg-type]

        class Demo:
            def __init__(self, *_: object) -> None:
                pass

            def play(self) -> None:
                if plays:
                    raise plays

        monkeypatch.setattr(demo, "deployed", deployed)
        monkeypatch.setattr(demo, "Demo", Demo)
        return CliRunner().invoke(demo.main, words)

    return run


def logs_of(tmp_path: Path) -> list[Path]:
    return list(tmp_path.glob("cwl-shipper-logs-*"))


ENDS: dict[str, tuple[dict[str, BaseException], str]] = {
    "Node.js is missing": ({"deploys": LocalError("Node.js is missing")}, "cwl-shipper: Node.js is missing"),
    "a step does not hold": ({"plays": Missing("found nothing")}, "cwl-shipper: found nothing"),
    "Ctrl-C": (
        {"deploys": KeyboardInterrupt()},
        "cwl-shipper: interrupted; everything that was started has been ended",
    ),
}


@pytest.mark.parametrize(("raises", "line"), ENDS.values(), ids=ENDS)
def test_what_is_missing_is_the_last_line_and_the_logs_stay(
    play: Play, tmp_path: Path, raises: dict[str, BaseException], line: str
) -> None:
    done = play(*["--keep"], **raises)
    assert (done.exit_code, done.output.splitlines()[-1]) == (1, line)
    assert logs_of(tmp_path)
    assert not (tmp_path / STATE).exists()


def test_a_demo_that_holds_says_so_and_leaves_nothing(play: Play, tmp_path: Path) -> None:
    done = play()
    assert done.exit_code == 0
    assert [line.split(" s  ")[1] for line in done.output.splitlines()] == [
        "starting the search engine",
        "deployed",
        "done, all checked",
    ]
    assert list(tmp_path.iterdir()) == []


def test_one_that_is_kept_says_where_everything_is_and_how_to_end_it(play: Play, tmp_path: Path) -> None:
    done = play("--keep")
    assert done.exit_code == 0
    for said in (
        "OpenSearch http://127.0.0.1:1, AWS http://127.0.0.1:2",
        "source env; cwl-shipper dlq ls",
        "make stop",
    ):
        assert said in done.output
    assert "export OPENSEARCH_ENDPOINT='http://127.0.0.1:1'\n" in (tmp_path / ENVIRONMENT).read_text()
    assert (tmp_path / STATE).exists()
    end_kept(tmp_path / STATE)
    assert logs_of(tmp_path) == []
