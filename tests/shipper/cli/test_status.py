from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result

from shipper.cli import deployment
from shipper.cli.main import cli
from tests.shipper.cli.conftest import HOSTILE
from tests.shipper.cli.site import GROUP, VARIABLES, FakeFunction, PlayedSite, play
from tests.shipper.fakes import local_aws

DISK = {"node": "node-1", "disk.used": "50", "disk.total": "100", "disk.avail": "53687091200"}


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[PlayedSite]:
    with local_aws() as aws:
        made = play(aws)
        made.index.disks = [DISK]
        monkeypatch.setenv("COLUMNS", "80")
        monkeypatch.setattr(deployment, "survey", lambda *_: made.site)
        yield made


def status(*args: str) -> Result:
    return CliRunner().invoke(cli, ["status", *args])


def lights() -> dict[str, str]:
    """The light of each figure."""
    return {reading["figure"]: reading["light"] for reading in json.loads(status("--json").stdout)["readings"]}


def test_one_page_for_a_person(site: PlayedSite) -> None:
    site.write("a")
    site.index_all()
    result = status()
    lines = result.stdout.splitlines()
    assert lines[0].startswith("amber  cwl-shipper-dev  ")
    assert f"  {GROUP}" in lines
    assert "settings of 2026-11-24T12:00:00.000+0000" in lines
    assert "  SHIPPER_MAX_TRIES=3" in lines
    assert not [line for line in lines if "SHIPPER_ENDPOINT" in line]
    assert max(map(len, lines)) <= 80


def test_one_object_for_a_program(site: PlayedSite) -> None:
    found = json.loads(status("--json").stdout)
    assert found["settings"] == VARIABLES
    assert {tuple(reading) for reading in found["readings"]} == {
        ("part", "of", "figure", "value", "light", "note", "what_to_do")
    }


def all_green(site: PlayedSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of traffic in the last hour moto knows nothing."""
    figures: dict[str, Any] = {"received": 100.0, "dead_lettered": 0.0, "requeued": 0.0}
    monkeypatch.setattr(
        "shipper.cli.vitals._figures", lambda _, asked, *__: {name: figures.get(name, 0.0) for name in asked}
    )


def test_the_exit_code_is_the_light(site: PlayedSite, monkeypatch: pytest.MonkeyPatch) -> None:
    all_green(site, monkeypatch)
    result = status()
    assert (result.exit_code, result.stdout.split()[0]) == (0, "green")
    site.index.status = "yellow"
    assert status().exit_code == 3
    site.index.status = "red"
    result = status()
    assert (result.exit_code, result.stdout.split()[0]) == (1, "red")
    assert "_cluster/allocation/explain" in result.stdout


def test_what_cannot_be_read_is_unknown_and_no_green(site: PlayedSite, monkeypatch: pytest.MonkeyPatch) -> None:
    all_green(site, monkeypatch)
    site.index.away = True
    result = status()
    assert result.exit_code == 3
    assert "unknown cluster" in result.stdout
    assert "the domain does not answer here" in " ".join(result.stdout.split())
    assert lights()["retry_letters"] == "green"


def test_settings_that_are_the_defaults_are_told(site: PlayedSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(VARIABLES, "SHIPPER_MAX_TRIES")
    assert "  all as by default" in status().stdout.splitlines()


def test_settings_that_cannot_be_read_hide_nothing_else(site: PlayedSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(VARIABLES, "SHIPPER_JOIN", "perhaps")
    assert lights()["behind_s"] == "green"
    denied = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetFunctionConfiguration")
    monkeypatch.setattr(FakeFunction, "get_function_configuration", lambda *_, **__: raised(denied))
    result = status()
    assert "  unknown: the function's configuration cannot be read" in result.stdout.splitlines()
    assert result.exit_code == 3
    assert json.loads(status("--json").stdout)["settings"] is None


def raised(error: Exception) -> None:
    raise error


@pytest.mark.parametrize("width", ["80", "160"])
def test_hostile_text_steers_no_terminal(site: PlayedSite, width: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", width)
    site.index.disks = [{**DISK, "node": HOSTILE}]
    monkeypatch.setitem(VARIABLES, "SHIPPER_STRIP", HOSTILE + "\uc8fc\ubb38")
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(status().output)
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(status("--json").output)
