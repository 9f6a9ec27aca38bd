from __future__ import annotations

import gzip
import json
import random
from pathlib import Path
from typing import Any

import pytest

from shipper import deadletter
from shipper.aws.inbox import Inbox
from shipper.aws.queue import QueueFailed
from shipper.cli.archive import Archive, Journal, Saved
from shipper.deadletter import MAX_ENVELOPE_BYTES
from tests.shipper.cli.conftest import Dlq, put, put_message, visible
from tests.shipper.fakes import REFUSED, SOURCE, LocalAws, doc

COUNT = 25


@pytest.fixture
def folder(tmp_path: Path, aws: LocalAws, dlq: Dlq) -> Path:
    """An export of so many letters."""
    for number in range(COUNT):
        put(aws, number)
    assert dlq("export", str(tmp_path / "letters"), "--yes").exit_code == 0
    return tmp_path / "letters"


def test_import_puts_each_letter_back_once(aws: LocalAws, dlq: Dlq, folder: Path) -> None:
    bodies = sorted(saved.body for saved in Archive(folder).letters())
    assert dlq("import", str(folder), "--yes").stdout.startswith("25 letters sent. Next: ")
    again = dlq("import", str(folder), "--yes")
    assert (again.exit_code, again.stdout) == (0, "")
    assert "send 0 letters to the dead-letter queue of cwl-shipper-dev; 25 sent before" in again.stderr
    assert sorted(aws.bodies_in(aws.dead_url)) == bodies


@pytest.mark.parametrize("args", [["--dry-run"], []])
def test_import_asks_first_and_a_dry_run_does_nothing(aws: LocalAws, dlq: Dlq, folder: Path, args: list[str]) -> None:
    result = dlq("import", str(folder), *args, answer="n\n")
    assert "send 25 letters to the dead-letter queue of cwl-shipper-dev; 0 sent before" in result.stderr
    assert visible(aws) == 0


MOMENTS = {
    "before it is noted": (Journal, "sending", False),
    "before it is sent": (Inbox, "put", False),
    "after it was sent": (Inbox, "put", True),
    "after it was noted": (Journal, "note_sent", True),
}


@pytest.mark.parametrize("batch", [1, 2, 3])
@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at_any_step_each_letter_is_sent_once(
    aws: LocalAws, dlq: Dlq, folder: Path, monkeypatch: pytest.MonkeyPatch, moment: str, batch: int
) -> None:
    """Row 51."""
    owner, name, after = MOMENTS[moment]
    original, calls = getattr(owner, name), 0

    def dying(self: Any, what: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == batch and not after:
            raise KeyboardInterrupt
        original(self, what)
        if calls == batch:
            raise KeyboardInterrupt

    bodies = sorted(saved.body for saved in Archive(folder).letters())
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, dying)
        assert dlq("import", str(folder), "--yes").exit_code == 1
    assert dlq("import", str(folder), "--yes").exit_code == 0
    assert sorted(aws.bodies_in(aws.dead_url)) == bodies


def test_of_letters_with_the_same_text_each_is_sent(aws: LocalAws, dlq: Dlq, tmp_path: Path) -> None:
    for _ in range(3):
        put_message(aws, "the same")
    dlq("export", str(tmp_path / "x"), "--yes")
    Archive(tmp_path / "x").journal().sending([saved.id for saved in Archive(tmp_path / "x").letters()])
    put_message(aws, "the same")
    assert dlq("import", str(tmp_path / "x"), "--yes").stdout.startswith("2 letters sent")
    assert aws.bodies_in(aws.dead_url) == ["the same"] * 3


def test_what_no_message_can_hold_goes_back_into_the_bucket(aws: LocalAws, dlq: Dlq, tmp_path: Path) -> None:
    noise = random.Random(1).randbytes(900_000).hex()
    letter = deadletter.of_documents([doc(1, noise)], REFUSED, SOURCE, failed_at="2026", attempts=1)
    archive = Archive(tmp_path)
    put_message(aws, deadletter.pack_pointer(letter, "letters/1.gz"))
    aws.s3.put_object(Bucket=aws.bucket, Key="letters/1.gz", Body=gzip.compress(letter.body))
    assert dlq("export", str(tmp_path), "--yes").exit_code == 0
    assert [len(saved.body) > MAX_ENVELOPE_BYTES for saved in archive.letters()] == [True]
    aws.s3.delete_object(Bucket=aws.bucket, Key="letters/1.gz")
    assert dlq("import", str(tmp_path), "--yes").exit_code == 0
    (body,) = aws.bodies_in(aws.dead_url)
    assert aws.keys() == [deadletter.pointer_of(body)]


def test_a_queue_that_takes_nothing_is_one_line_and_the_next_run_goes_on(
    aws: LocalAws, dlq: Dlq, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: Any) -> None:
        raise QueueFailed("the queue did not take 10 of 10 messages")

    with monkeypatch.context() as patch:
        patch.setattr(Inbox, "put", down)
        result = dlq("import", str(folder), "--yes")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith("cwl-shipper: 0 letters sent, then: the queue did not take")
    assert dlq("import", str(folder), "--yes").exit_code == 0
    assert visible(aws) == COUNT


def test_a_folder_without_an_export_is_one_line(dlq: Dlq, tmp_path: Path) -> None:
    result = dlq("import", str(tmp_path))
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)


def test_what_came_of_an_import_is_json(dlq: Dlq, folder: Path) -> None:
    asked = ("import", str(folder), "--json")
    outcomes = [json.loads(dlq(*asked, *more).stdout) for more in (["--dry-run"], ["--yes"], ["--yes"])]
    assert outcomes == [
        {"dry_run": True, "letters": COUNT, "sent": 0, "sent_before": 0},
        {"dry_run": False, "letters": COUNT, "sent": COUNT, "sent_before": 0},
        {"dry_run": False, "letters": 0, "sent": 0, "sent_before": COUNT},
    ]


def test_what_is_no_letter_of_ours_and_too_large_for_a_message_is_named(
    aws: LocalAws, dlq: Dlq, tmp_path: Path
) -> None:
    archive = Archive(tmp_path)
    archive.save([Saved("m-1", "2026-11-24T12:00:00Z", "x" * (MAX_ENVELOPE_BYTES + 1))])
    archive.close()
    result = dlq("import", str(tmp_path), "--yes")
    assert result.exit_code == 1
    assert "cwl-shipper: letter m-1 is too large for a message, and no letter of ours: " in result.stderr
    assert visible(aws) == 0
