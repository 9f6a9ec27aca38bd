from __future__ import annotations

import shutil
import subprocess

import pytest
from click.testing import CliRunner

from shipper.cli.main import cli


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_a_shell_asks_this_program(shell: str) -> None:
    result = CliRunner().invoke(cli, ["completion", shell])
    assert result.exit_code == 0
    assert f"_CWL_SHIPPER_COMPLETE={shell}_complete" in result.stdout


def test_the_script_is_one_that_bash_takes() -> None:
    script = CliRunner().invoke(cli, ["completion", "bash"]).stdout
    bash = shutil.which("bash")
    assert bash is not None
    ran = subprocess.run([bash, "-n"], input=script, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize(
    ("words", "found"),
    [("cwl-shipper dlq re", "replay"), ("cwl-shipper dlq replay --to", "--to-string")],
)
def test_commands_and_options_are_completed(words: str, found: str) -> None:
    asked = {"_CWL_SHIPPER_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    result = CliRunner().invoke(cli, env=asked, prog_name="cwl-shipper")
    assert found in result.output


def test_another_shell_is_wrong_usage() -> None:
    assert CliRunner().invoke(cli, ["completion", "cmd"]).exit_code == 2
