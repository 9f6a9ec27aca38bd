from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shipper import deadletter
from shipper.aws.inbox import Inbox
from shipper.cli.archive import Archive
from shipper.model import Reason
from tests.shipper.cli.conftest import Dlq, put, put_message, visible
from tests.shipper.fakes import REFUSED, SOURCE, LocalAws, doc
from tests.shipper.test_failures import KEY, notification, record


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "letters"


def test_export_moves_letters_to_files_as_they_are(aws: LocalAws, dlq: Dlq, folder: Path) -> None:
    ids = {put(aws, number) for number in range(12)} | {put_message(aws, "rubbish")}
    result = dlq("export", str(folder), "--yes")
    assert result.exit_code == 0
    assert result.stdout.startswith("13 letters of this run in ")
    assert Archive(folder).ids() == ids
    bodies = [saved.body for saved in Archive(folder).letters()]
    assert "rubbish" in bodies
    assert {deadletter.unpack(body).count for body in bodies if body != "rubbish"} == {1}
    assert aws.bodies_in(aws.dead_url) == []


def test_what_lies_in_the_bucket_is_in_the_files(aws: LocalAws, dlq: Dlq, folder: Path) -> None:
    large = deadletter.of_documents([doc(7)], REFUSED, SOURCE, failed_at="2026", attempts=1)
    aws.s3.put_object(Bucket=aws.bucket, Key="letters/1.gz", Body=gzip.compress(large.body))
    put_message(aws, deadletter.pack_pointer(large, "letters/1.gz"))
    aws.s3.put_object(Bucket=aws.bucket, Key=KEY, Body=json.dumps(record()).encode())
    put_message(aws, json.dumps(notification()))
    assert dlq("export", str(folder), "--yes").exit_code == 0
    letters = [deadletter.unpack(saved.body) for saved in Archive(folder).letters()]
    assert {(letter.kind, letter.reason.type) for letter in letters} == {
        ("documents", REFUSED.type),
        ("payload", "lambda_failure"),
    }
    assert large in letters


def test_what_cannot_be_fetched_stays_and_the_others_go(aws: LocalAws, dlq: Dlq, folder: Path) -> None:
    gone = deadletter.of_documents([doc(7)], REFUSED, SOURCE, failed_at="2026", attempts=1)
    put_message(aws, deadletter.pack_pointer(gone, "letters/none"))
    put(aws, 1)
    result = dlq("export", str(folder), "--yes")
    assert result.exit_code == 3
    assert "1 letter left in the queue" in result.stdout
    assert (len(Archive(folder).ids()), visible(aws)) == (1, 1)


def test_keep_leaves_the_queue_as_it_is(aws: LocalAws, dlq: Dlq, folder: Path) -> None:
    put(aws, 1)
    for _ in range(2):
        assert dlq("export", str(folder), "--keep").exit_code == 0
    assert (len(list(Archive(folder).letters())), visible(aws)) == (1, 1)


def test_only_the_chosen_are_exported(aws: LocalAws, dlq: Dlq, folder: Path) -> None:
    put(aws, 1)
    other = put(aws, 2, reason=Reason("other", "m"))
    dlq("export", str(folder), "--reason", "other", "--yes")
    assert (Archive(folder).ids(), visible(aws)) == ({other}, 1)


@pytest.mark.parametrize("args", [["--dry-run"], []])
def test_export_asks_first_and_a_dry_run_does_nothing(aws: LocalAws, dlq: Dlq, folder: Path, args: list[str]) -> None:
    put(aws, 1)
    result = dlq("export", str(folder), *args, answer="n\n")
    assert "move all letters, about 1 in the queue of cwl-shipper-dev" in result.stderr
    assert (folder.exists(), visible(aws)) == (False, 1)


def dying(original: Callable[..., Any], at: int) -> Callable[..., Any]:
    """The same, but for its n-th call, at which the process ends."""
    calls = 0

    def die(*args: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == at:
            raise KeyboardInterrupt
        return original(*args)

    return die


@pytest.mark.parametrize("call", [1, 2])
@pytest.mark.parametrize(("owner", "name"), [(os, "fsync"), (Inbox, "delete")], ids=["fsync", "delete"])
def test_killed_at_any_step_no_letter_is_lost_and_none_is_in_the_files_twice(
    aws: LocalAws, dlq: Dlq, folder: Path, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, call: int
) -> None:
    """Row 51, and the defect of a peer that deletes its store after the first good batch."""
    ids = {put(aws, number) for number in range(25)}
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, dying(getattr(owner, name), call))
        assert dlq("export", str(folder), "--yes").exit_code == 1
    assert len(Archive(folder).ids()) + visible(aws) >= 25
    assert dlq("export", str(folder), "--yes").exit_code == 0
    assert Archive(folder).ids() == ids
    lines = [line for file in folder.iterdir() for line in file.read_bytes().splitlines()]
    assert len(lines) == 25
    assert aws.bodies_in(aws.dead_url) == []


def test_what_came_of_an_export_is_json(aws: LocalAws, dlq: Dlq, folder: Path) -> None:
    put(aws, 1)
    assert json.loads(dlq("export", str(folder), "--dry-run", "--json").stdout) == {"dry_run": True, "in_queue": 1}
    result = dlq("export", str(folder), "--yes", "--json")
    assert json.loads(result.stdout) == {"dry_run": False, "letters": 1, "left": 0}


def test_a_pointer_to_what_is_no_letter_is_exported_as_it_is(aws: LocalAws, dlq: Dlq, folder: Path) -> None:
    letter = deadletter.of_documents([doc(7)], REFUSED, SOURCE, failed_at="2026", attempts=1)
    pointer = deadletter.pack_pointer(letter, "letters/1.gz")
    aws.s3.put_object(Bucket=aws.bucket, Key="letters/1.gz", Body=b"rubbish")
    put_message(aws, pointer)
    assert dlq("export", str(folder), "--yes").exit_code == 0
    assert [saved.body for saved in Archive(folder).letters()] == [pointer]
    assert visible(aws) == 0
