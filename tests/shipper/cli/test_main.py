from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from shipper.cli.main import cli, main


def commands(group: click.Group, *path: str) -> list[tuple[str, ...]]:
    """Every command of a group and of the groups in it."""
    found: list[tuple[str, ...]] = [path]
    for name, command in group.commands.items():
        found += commands(command, *path, name) if isinstance(command, click.Group) else [(*path, name)]
    return found


@pytest.mark.parametrize("path", commands(cli), ids=" ".join)
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_every_command_explains_itself(path: tuple[str, ...], option: str) -> None:
    result = CliRunner().invoke(cli, [*path, option])
    assert result.exit_code == 0
    assert result.output.startswith("Usage: ")
    assert max(map(len, result.output.splitlines())) <= 100


def test_the_version_is_the_packages() -> None:
    result = CliRunner().invoke(cli, ["--version"])
    assert (result.exit_code, result.output) == (0, f"cwl-shipper, version {version('cwl-shipper')}\n")


@pytest.mark.parametrize("args", [["nonsense"], ["--nonsense"], ["dlq", "nonsense"], ["transform"], ["dlq", "show"]])
def test_wrong_usage_is_exit_code_2_without_a_traceback(args: list[str]) -> None:
    result = CliRunner().invoke(cli, args)
    assert result.exit_code == 2
    assert "Error: " in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize(("args", "code"), [(["--version"], 0), (["nonsense"], 2), (["transform", "no such file"], 1)])
def test_the_script_exits_with_the_commands_code(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, args: list[str], code: int
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["cwl-shipper", *args])
    with pytest.raises(SystemExit) as raised:
        main()
    assert raised.value.code == code
