from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from local import cdk
from local.errors import LocalError


def program(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


def test_the_pinned_version_is_an_exact_one() -> None:
    assert all(part.isdigit() for part in cdk._pinned().split("."))


def test_another_version_is_installed_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "bin", "node", "echo v22.1.0")
    program(tmp_path / "bin", "npm", f'echo "$@" > {tmp_path}/npm-was-asked')
    monkeypatch.setattr(cdk, "_installed", lambda: "2.0.0")
    node, script = cdk.command({"PATH": f"{tmp_path}/bin:/bin:/usr/bin"})
    assert (tmp_path / "npm-was-asked").read_text() == "ci --silent\n"
    assert node == f"{tmp_path}/bin/node"
    assert script.endswith("node_modules/aws-cdk/bin/cdk")


def test_a_failed_installation_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "bin", "node", "echo v22.1.0")
    program(tmp_path / "bin", "npm", "echo 'npm error network' >&2; exit 1")
    monkeypatch.setattr(cdk, "_installed", lambda: "")
    with pytest.raises(LocalError, match=r"^npm could not install the CDK: npm error network$"):
        cdk.command({"PATH": f"{tmp_path}/bin:/bin:/usr/bin"})


def test_no_node_is_one_line() -> None:
    with pytest.raises(LocalError, match=r"^Node\.js is missing: install version 20 or later$"):
        cdk.command({"PATH": ""})


def test_an_old_node_is_one_line(tmp_path: Path) -> None:
    program(tmp_path / "bin", "node", "echo v18.20.4")
    with pytest.raises(LocalError, match=r"^Node\.js v18\.20\.4 is too old: install version 20 or later$"):
        cdk.command({"PATH": f"{tmp_path}/bin"})


def test_no_npm_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "bin", "node", "echo v22.1.0")
    monkeypatch.setattr(cdk, "_installed", lambda: "")
    with pytest.raises(LocalError, match=r"^npm is missing"):
        cdk.command({"PATH": f"{tmp_path}/bin"})


def test_the_app_runs_in_this_python_and_nothing_is_reported() -> None:
    env = cdk.environment({"PATH": "/usr/bin", "HOME": "/home/me"})
    assert env["PATH"].split(":")[0] == str(Path(sys.executable).parent)
    assert env["CDK_DISABLE_CLI_TELEMETRY"] == "true"
    assert env["HOME"] == "/home/me"


def test_the_command_line_takes_the_place_of_ours_in_the_apps_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[object] = []
    monkeypatch.setattr(cdk, "command", lambda _: ["/bin/node", "cdk"])
    monkeypatch.setattr(os, "execve", lambda program, words, env: taken.extend((program, words, Path.cwd())))
    monkeypatch.setattr(sys, "argv", ["local.cdk", "synth", "-c", "stage=dev"])
    monkeypatch.chdir(tmp_path)
    cdk.main()
    assert taken == ["/bin/node", ["/bin/node", "cdk", "--no-notices", "synth", "-c", "stage=dev"], cdk.ROOT]


def test_what_is_missing_for_it_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SystemExit, match=r"^cwl-shipper: Node\.js is missing: install version 20 or later$"):
        cdk.main()
