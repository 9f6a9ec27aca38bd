from __future__ import annotations

from click.testing import CliRunner

from shipper.cli.main import cli


def test_the_group_names_its_command() -> None:
    assert "check" in CliRunner().invoke(cli, ["k8s", "--help"]).stdout
