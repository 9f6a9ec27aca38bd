from __future__ import annotations

import json
from pathlib import Path

import pytest

from shipper.model import Reason
from tests.shipper.cli.conftest import Dlq, ids_waiting, put, visible
from tests.shipper.fakes import LocalAws


@pytest.fixture
def inbox(aws: LocalAws) -> LocalAws:
    for number in range(12):
        put(aws, number)
    put(aws, 12, reason=Reason("other", "m"))
    return aws


def test_purge_deletes_what_the_filter_takes(inbox: LocalAws, dlq: Dlq) -> None:
    result = dlq("purge", "--reason", "other", "--yes")
    assert (result.exit_code, result.stdout) == (0, "1 letter deleted, 12 left.\n")
    assert "id-12" not in ids_waiting(inbox)


def test_purge_deletes_all_when_told_so(inbox: LocalAws, dlq: Dlq) -> None:
    assert dlq("purge", "--all", "--yes").stdout == "13 letters deleted, 0 left.\n"
    assert inbox.bodies_in(inbox.dead_url) == []


def test_after_an_export_only_what_is_on_the_disk_is_deleted(inbox: LocalAws, dlq: Dlq, tmp_path: Path) -> None:
    dlq("export", str(tmp_path), "--keep")
    put(inbox, 99)
    result = dlq("purge", "--all", "--exported", str(tmp_path), answer="y\n")
    assert result.stdout == "13 letters deleted, 1 left.\n"
    assert ids_waiting(inbox) == ["id-99"]


@pytest.mark.parametrize(
    ("args", "code"),
    [
        pytest.param([], 2, id="nothing is said"),
        pytest.param(["--yes"], 2, id="neither a filter nor all"),
        pytest.param(["--all", "--reason", "other", "--yes"], 2, id="both"),
        pytest.param(["--all"], 2, id="neither exported nor yes"),
        pytest.param(["--reason", "other"], 2, id="a filter, neither exported nor yes"),
        pytest.param(["--all", "--exported", "nowhere"], 2, id="a folder that is not there"),
        pytest.param(["--all", "--exported", "."], 1, id="a folder without an export"),
        pytest.param(["--all", "--dry-run"], 0, id="a dry run"),
    ],
)
def test_purge_deletes_nothing_that_was_not_asked_for(
    inbox: LocalAws, dlq: Dlq, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, args: list[str], code: int
) -> None:
    monkeypatch.chdir(tmp_path)
    assert dlq("purge", *args).exit_code == code
    assert visible(inbox) == 13


def test_purge_asks_after_an_export(inbox: LocalAws, dlq: Dlq, tmp_path: Path) -> None:
    dlq("export", str(tmp_path), "--keep")
    result = dlq("purge", "--all", "--exported", str(tmp_path), answer="n\n")
    assert "Delete them? [y/N]" in result.stderr
    assert visible(inbox) == 13


def test_what_came_of_a_purge_is_json(inbox: LocalAws, dlq: Dlq) -> None:
    asked = ("purge", "--reason", "other", "--json")
    assert json.loads(dlq(*asked, "--dry-run").stdout) == {"dry_run": True, "letters": 1, "left": 12}
    assert json.loads(dlq(*asked, "--yes").stdout) == {"dry_run": False, "letters": 1, "left": 12}
    assert visible(inbox) == 12
