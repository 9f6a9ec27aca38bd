"""`cwl-shipper transform` over payloads of which it is known what the AWS-generated function made of them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from shipper.cli.main import cli
from shipper.settings import PROFILES

CASES = {
    file.stem: json.loads(file.read_bytes())
    for file in (Path(__file__).parents[2] / "golden" / "incumbent").glob("*.json")
}
CLASH = {"@message": "x", "@id": "y", "@timestamp": 1, "@owner": "z"}

# What profile `incumbent` does otherwise, each on purpose; for all else the documents are the same.
KEPT_ASIDE = {"json_system_clash": CLASH}
SURVIVES = {"ts_bad"}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("SHIPPER_")]:
        monkeypatch.delenv(name)


def ran(name: str, *args: str) -> Result:
    return CliRunner().invoke(cli, ["transform", *args, "-"], input=json.dumps(CASES[name]["payload"]))


def documents(name: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """(action, source) of each document that profile `incumbent` makes."""
    result = ran(name, "--profile", "incumbent")
    assert (result.exit_code, result.stderr, result.exception) == (0, "", None)
    lines = [json.loads(line) for line in result.stdout.split("\n")[:-1]]
    return list(zip(lines[::2], lines[1::2], strict=True))


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", sorted(CASES))
def test_every_payload_is_transformed_and_explained(name: str, profile: str) -> None:
    for args in ([], ["--explain"], ["--explain", "--json"]):
        result = ran(name, "--profile", profile, *args)
        assert (result.exit_code, result.stderr, result.exception) == (0, "", None)


@pytest.mark.parametrize("name", sorted(name for name in CASES if "bulk" in CASES[name]["expect"]))
def test_the_documents_are_those_of_the_incumbent(name: str) -> None:
    made = [(action["create"], source) for action, source in documents(name)]
    expected = [(action["index"], source) for action, source in CASES[name]["expect"]["bulk"]]
    if name in KEPT_ASIDE:
        expected = [(action, {**source, "@fields": KEPT_ASIDE[name]}) for action, source in expected]
    assert made == expected


@pytest.mark.parametrize("name", sorted(name for name in CASES if "control" in CASES[name]["expect"]))
def test_a_control_message_makes_no_document(name: str) -> None:
    assert documents(name) == []


@pytest.mark.parametrize("name", sorted(name for name in CASES if "error" in CASES[name]["expect"]))
def test_what_kills_the_incumbents_batch_costs_no_event(name: str) -> None:
    assert name in SURVIVES
    made = documents(name)
    events = CASES[name]["payload"]["logEvents"]
    assert [source["@message"] for _, source in made] == [event["message"] for event in events]
    assert made[1][1]["@shipper"] == {"fixed": ["clock"]}


def test_there_are_payloads() -> None:
    assert len(CASES) >= 44
