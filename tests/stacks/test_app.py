"""The app: stage and overrides from the context, every fault in one line, the command of cdk.json."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import aws_sqs as sqs

import app as cdk_app
from app import configuration, main
from stacks import asset
from stacks.log_shipping import BadConfiguration
from stacks.stages import STAGES
from tests.stacks.built import ROOT, app, flags

PROVIDER = "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE"


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        ({}, STAGES["dev"]),
        ({"stage": "prod"}, STAGES["prod"]),
        ({"stage": ""}, STAGES["dev"]),
        ({"cluster": "shop"}, replace(STAGES["dev"], cluster="shop")),
        ({"cluster": 7}, replace(STAGES["dev"], cluster="7")),
        ({"log_groups": "existing"}, replace(STAGES["dev"], create_log_groups=False)),
        ({"fluentd_identity": "none"}, replace(STAGES["dev"], fluentd_identity="none")),
        (
            {"fluentd_identity": "irsa", "oidc_provider_arn": PROVIDER},
            replace(STAGES["dev"], fluentd_identity="irsa", oidc_provider_arn=PROVIDER),
        ),
        ({"log_groups": "new"}, STAGES["dev"]),
        (
            {"stage": "local", "cluster": "a", "log_groups": "existing"},
            replace(STAGES["local"], cluster="a", create_log_groups=False),
        ),
    ],
    ids=str,
)
def test_the_context_chooses(context: dict[str, Any], expected: object) -> None:
    assert configuration(app(**context)) == expected


@pytest.mark.parametrize(
    ("context", "message"),
    [
        ({"stage": "nope"}, "stage: 'nope' is none of local, dev, prod, nor a table of the configuration"),
        ({"cluster": ""}, "stage dev: cluster: '' is no EKS cluster name (letters, digits, - and _)"),
        (
            {"stage": "prod", "cluster": "a/b", "log_groups": "old"},
            (
                "stage prod: log_groups: 'old' is none of new, existing; "
                "cluster: 'a/b' is no EKS cluster name (letters, digits, - and _)"
            ),
        ),
    ],
    ids=["stage", "cluster", "both"],
)
def test_every_fault_is_named_in_one_message(context: dict[str, Any], message: str) -> None:
    with pytest.raises(BadConfiguration) as failure:
        configuration(app(**context))
    assert str(failure.value) == message


def test_a_file_configures_the_stage_and_single_values_win(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[prod]\ncluster = "a"\nmemory_mib = 2048\n[dev]\ncluster = "b"\n', "utf-8")
    expected = replace(STAGES["prod"], cluster="shop", memory_mib=2048)
    assert configuration(app(stage="prod", cluster="shop", config=str(file))) == expected


def test_the_context_configures_the_stage_too() -> None:
    assert configuration(app(config={"dev": {"memory_mib": 2048}})) == replace(STAGES["dev"], memory_mib=2048)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"dev": {"memory": 1, "memory_mib": 1}}, "stage dev: memory: no such field; memory_mib: 1 is not between"),
        ({"stage": {}}, "config: 'stage' is none of local, dev, prod"),
    ],
    ids=["fields", "stages"],
)
def test_what_the_configuration_has_wrong_is_named(config: dict[str, Any], message: str) -> None:
    with pytest.raises(BadConfiguration) as failure:
        configuration(app(config=config))
    assert str(failure.value).startswith(message)


def _run(*arguments: str, cwd: Path, **context: str) -> subprocess.CompletedProcess[str]:
    env = {
        **os.environ,
        "CDK_CONTEXT_JSON": json.dumps({**flags(), **context}),
        "CDK_OUTDIR": str(cwd / "out"),
        "PYTHONPATH": str(ROOT),
    }
    return subprocess.run([sys.executable, *arguments], cwd=cwd, env=env, capture_output=True, text=True, check=False)


def _own(stderr: str) -> str:
    """Without the box in which jsii says what it thinks of this version of Node.js."""
    return "".join(line for line in stderr.splitlines(keepends=True) if not line.startswith("b'!!"))


def test_a_bad_configuration_is_one_line_and_status_1(tmp_path: Path) -> None:
    done = _run(str(ROOT / "app.py"), cwd=tmp_path, stage="prod", cluster="a b", log_groups="old")
    assert done.returncode == 1
    assert done.stdout == ""
    assert _own(done.stderr) == (
        "cwl-shipper: stage prod: log_groups: 'old' is none of new, existing; "
        "cluster: 'a b' is no EKS cluster name (letters, digits, - and _)\n"
    )
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_importing_the_app_does_nothing(tmp_path: Path) -> None:
    done = _run("-B", "-c", "import app", cwd=tmp_path, stage="nope")
    assert (done.returncode, done.stdout, _own(done.stderr)) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


def test_a_failed_bundling_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pins = tmp_path / "requirements.txt"
    pins.write_text("/no/such/file.whl\n", "utf-8")
    monkeypatch.setattr(asset, "REQUIREMENTS", pins)
    monkeypatch.setattr(asset, "CACHE", tmp_path / "cache")
    with pytest.raises(SystemExit, match=r"\Acwl-shipper: pip could not bundle the functions for arm64: ERROR: .*\Z"):
        main(app(tmp_path / "out", **{"aws:cdk:bundling-stacks": ["**"]}))


def test_an_unmet_rule_is_a_message_and_no_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build = cdk_app.build

    def build_with_open_queue(made: Any) -> None:
        sqs.Queue(build(made), "Open")

    monkeypatch.setattr(cdk_app, "build", build_with_open_queue)
    with pytest.raises(SystemExit, match=r"(?s)\Acwl-shipper: .*SQS4.*validation-report\.json\Z"):
        main(app(tmp_path))


def test_a_fault_of_our_own_is_no_unmet_rule() -> None:
    class Broken:
        def synth(self) -> None:
            raise RuntimeError("kernel is gone")

    with pytest.raises(RuntimeError, match="kernel is gone"):
        cdk_app.synthesise(Broken())  # type: ignore[arg-type]


def _fake_python(folder: Path, says: str) -> None:
    folder.mkdir(parents=True)
    program = folder / "python3"
    program.write_text(f'#!/bin/sh\necho "{says} $@"\n', "utf-8")
    program.chmod(0o755)


@pytest.mark.parametrize(
    ("has_venv", "said"), [(True, "venv app.py\n"), (False, "active app.py\n")], ids=["venv", "activated elsewhere"]
)
def test_cdk_json_starts_the_right_python(tmp_path: Path, has_venv: bool, said: str) -> None:
    project = tmp_path / "a project"
    project.mkdir()
    if has_venv:
        _fake_python(project / ".venv" / "bin", "venv")
    _fake_python(tmp_path / "active", "active")
    command = json.loads((ROOT / "cdk.json").read_text("utf-8"))["app"]
    done = subprocess.run(
        command,
        shell=True,
        cwd=project,
        env={"PATH": f"{tmp_path / 'active'}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == said
