from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from local import cdk, deploy
from local.aws import LocalAws
from local.deploy import Deployer
from local.errors import LocalError
from local.processes import Run

ECHOES = "import sys; print(*sys.argv[1:])"
FAILS = "print('✨ fine'); print('cwl-shipper: stage: no such'); print('bye'); raise SystemExit(1)"


@pytest.fixture
def fake_cdk(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def install(code: str) -> None:
        monkeypatch.setattr(cdk, "command", lambda _: [sys.executable, "-c", code])

    return install


def test_the_words_for_the_cdk_are_for_this_run_alone(tmp_path: Path, fake_cdk: Callable[[str], None]) -> None:
    fake_cdk(ECHOES)
    lines: list[str] = []
    with Run(tmp_path) as run:
        deployer = Deployer(run, LocalAws("http://127.0.0.1:1"), {"PATH": ""}, on_line=lines.append)
        deployer.bootstrap()
        deployer.deploy("local", run.folder / "outputs.json", cluster="shop")
    assert lines[0] == "bootstrap --no-notices --no-color aws://000000000000/us-east-1"
    assert "--context=stage=local --context=cluster=shop" in lines[1]
    assert f"--output {run.folder}/cdk.out" in lines[1]


def test_a_failure_gives_the_telling_line_and_the_log(tmp_path: Path, fake_cdk: Callable[[str], None]) -> None:
    fake_cdk(FAILS)
    line = r"^cdk deploy failed: cwl-shipper: stage: no such \(see .*cdk-deploy\.log\)$"
    with pytest.raises(LocalError, match=line), Run(tmp_path) as run:
        Deployer(run, LocalAws("http://127.0.0.1:1"), {}, on_line=lambda _: None).deploy("x", run.folder / "o.json")


def test_silence_is_said(tmp_path: Path) -> None:
    (tmp_path / "log").touch()
    assert deploy._reason(tmp_path / "log") == "it said nothing"
