"""`cwl-shipper transform` over the golden payloads: what it prints are the documents of the core."""

from __future__ import annotations

import json
import os

import pytest
from click.testing import CliRunner, Result

from shipper.cli.main import cli
from shipper.settings import PROFILES, Settings
from tests.shipper.test_golden import INCUMBENT, STANDARD, made_of

PAYLOADS = {name: case["payload"] for name, case in {**INCUMBENT, **STANDARD}.items()}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("SHIPPER_")]:
        monkeypatch.delenv(name)


def ran(name: str, *args: str) -> Result:
    result = CliRunner().invoke(cli, ["transform", *args, "-"], input=json.dumps(PAYLOADS[name]))
    assert (result.exit_code, result.stderr, result.exception) == (0, "", None)
    return result


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", sorted(PAYLOADS))
def test_every_payload_is_explained(name: str, profile: str) -> None:
    for args in (["--explain"], ["--explain", "--json"]):
        ran(name, "--profile", profile, *args)


@pytest.mark.parametrize("name", sorted(set(INCUMBENT) - {"ts_bad"}))
def test_what_is_printed_are_the_documents_of_the_core(name: str) -> None:
    lines = [json.loads(line) for line in ran(name, "--profile", "incumbent").stdout.split("\n")[:-1]]
    expected = made_of(PAYLOADS[name], Settings.for_profile("incumbent"))
    assert lines == [line for document in expected for line in document]


def test_a_bad_time_is_not_the_end_of_its_batch() -> None:
    messages = [json.loads(line).get("@message") for line in ran("ts_bad").stdout.split("\n")[1:-1:2]]
    assert messages == ["ok", "bad"]


@pytest.mark.parametrize("name", sorted(name for name in STANDARD if name not in INCUMBENT))
def test_every_standard_payload_is_printed(name: str) -> None:
    settings = [f"{key}={value}" for key, value in STANDARD[name]["settings"].items()]
    printed = ran(name, *(part for one in settings for part in ("--set", one))).stdout
    assert printed.count("\n") == 2 * len(STANDARD[name]["documents"])
