from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner, Result

from shipper.aws.clock import SystemClock
from shipper.cli import deployment
from shipper.cli.main import cli
from tests.shipper.cli.conftest import HOSTILE
from tests.shipper.cli.site import FakeIndex, play
from tests.shipper.fakes import INDEX, NOW_MS, local_aws

KEYWORD = {"type": "keyword"}
OPEN: dict[str, Any] = {
    "dynamic": "true",
    "properties": {
        "kubernetes": {"properties": {"labels": {"dynamic": "true", "properties": {"app": KEYWORD}}}},
        "log_processed": {"properties": dict.fromkeys("abcd", KEYWORD)},
    },
}
FROZEN = ("dynamic", {"": "false", "kubernetes.labels": "false"})
GROWING = ("dynamic", {"": "true", "kubernetes.labels": "true"})


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeIndex]:
    with local_aws() as aws:
        made = play(aws)
        made.index.mappings = {INDEX: dict(OPEN), "cwl-2026.11.23": {"dynamic": "strict"}}
        monkeypatch.setenv("COLUMNS", "80")
        monkeypatch.setattr(deployment, "survey", lambda *_: made.site)
        monkeypatch.setattr(SystemClock, "now_ms", lambda _: NOW_MS)
        yield made.index


def run(*args: str, answer: str | None = None) -> Result:
    return CliRunner().invoke(cli, ["mapping", *args], input=answer)


def shown(*args: str) -> dict[str, Any]:
    return dict(json.loads(run("show", "--json", *args).stdout))


def test_the_fields_of_today_and_the_objects_that_have_most_of_them(index: FakeIndex) -> None:
    assert run("show").stdout.splitlines() == [
        f"{INDEX}  8 of 8 fields; full, new ones are refused",
        "       4  in log_processed",
        "       2  at the top",
        "       1  in kubernetes",
        "       1  in kubernetes.labels",
    ]
    index.mappings[INDEX] = {}
    assert run("show").stdout == f"{INDEX}  0 of 8 fields; new ones are mapped\n"


def test_other_days_one_after_the_other(index: FakeIndex) -> None:
    found = [json.loads(line) for line in run("show", "cwl-2026.11.23", INDEX, "--json").stdout.splitlines()]
    assert [(one["index"], one["fields"]) for one in found] == [("cwl-2026.11.23", 0), (INDEX, 8)]
    assert found[0] == {
        "index": "cwl-2026.11.23",
        "fields": 0,
        "limit": 8,
        "dynamic": {"": "strict"},
        "objects": {},
    }
    assert "new ones by the rule strict" in run("show", "cwl-2026.11.23").stdout
    assert index.mappings[INDEX] == OPEN


def test_an_index_is_frozen_and_thawed_as_it_was(index: FakeIndex) -> None:
    assert run("freeze", "--yes").stdout == f"{INDEX}: new fields are kept and not mapped.\n"
    assert FROZEN in shown().items()
    assert "frozen, new ones are kept and not mapped" in run("show").stdout
    assert run("freeze", "--undo", "--yes").stdout == f"{INDEX}: new fields are mapped again.\n"
    assert GROWING in shown().items()
    assert index.mappings[INDEX]["_meta"] == {}


def test_a_freeze_says_what_it_will_do_and_asks(index: FakeIndex) -> None:
    result = run("freeze", answer="n\n")
    assert result.exit_code == 1
    assert f"{INDEX}  8 of 8 fields; full, new ones are refused" in result.stderr
    assert "  freeze it: new fields are kept and not mapped" in result.stderr.splitlines()
    assert "Freeze 1 mapping? [y/N]" in result.stderr
    assert index.mappings[INDEX] == OPEN
    assert run("freeze", INDEX, "cwl-2026.11.23", answer="y\n").exit_code == 0
    assert FROZEN in shown().items()
    assert shown("cwl-2026.11.23")["dynamic"] == {"": "false"}


@pytest.mark.parametrize(
    ("args", "said"),
    [
        pytest.param(["--dry-run"], "freeze it", id="a dry run"),
        pytest.param(["--undo", "--yes"], "nothing to thaw", id="what was not frozen"),
    ],
)
def test_nothing_is_changed_that_need_not_be(index: FakeIndex, args: list[str], said: str) -> None:
    result = run("freeze", *args)
    assert (result.exit_code, result.stdout) == (0, "Nothing was changed.\n")
    assert said in result.stderr
    assert index.mappings[INDEX] == OPEN


def test_what_is_frozen_already_is_told_and_left_alone(index: FakeIndex) -> None:
    run("freeze", "--yes")
    before = index.mappings[INDEX]
    result = run("freeze")
    assert (result.exit_code, result.stdout) == (0, "Nothing was changed.\n")
    assert "frozen, new ones are kept and not mapped\n" in result.stderr
    assert "  nothing to freeze" in result.stderr.splitlines()
    assert index.mappings[INDEX] is before


@pytest.mark.parametrize("name", ["other", "cwl-*", "cwl-a,other", "cwl-", "cwl-../other", ".opendistro_security"])
@pytest.mark.parametrize("command", ["show", "freeze"])
def test_only_the_indices_of_logs_are_touched(index: FakeIndex, command: str, name: str) -> None:
    result = run(command, name)
    assert result.exit_code == 2
    assert "is no cwl-* index" in result.stderr
    assert index.mappings[INDEX] == OPEN


@pytest.mark.usefixtures("index")
@pytest.mark.parametrize("command", ["show", "freeze"])
def test_a_day_without_an_index_is_named(command: str) -> None:
    result = run(command, "cwl-2026.11.01")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "cwl-shipper: there is no index cwl-2026.11.01: name a day that has logs, like cwl-2026.11.24 (UTC)\n"
    )


def test_a_domain_that_is_away_is_one_line(index: FakeIndex) -> None:
    index.away = True
    result = run("freeze", "--yes")
    assert (result.exit_code, result.stderr) == (1, "cwl-shipper: the domain does not answer here\n")


def test_a_hostile_field_steers_no_terminal(index: FakeIndex) -> None:
    index.mappings[INDEX] = {"properties": {HOSTILE: {"properties": {"a": KEYWORD}}}}
    for args in (["show"], ["show", "--json"], ["freeze", "--dry-run"]):
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(run(*args).output)


def test_what_came_of_a_freeze_is_json(index: FakeIndex) -> None:
    outcomes = [json.loads(run("freeze", "--json", *more).stdout) for more in (["--dry-run"], ["--yes"], ["--yes"])]
    assert outcomes == [
        {"dry_run": True, "freeze": [INDEX]},
        {"dry_run": False, "freeze": [INDEX]},
        {"dry_run": False, "freeze": []},
    ]
    assert FROZEN in shown().items()
