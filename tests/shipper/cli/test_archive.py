from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from shipper.cli import archive as module
from shipper.cli.archive import Archive, Saved
from shipper.cli.terminal import Failed


def saved(number: int) -> Saved:
    return Saved(f"m-{number}", "2026-11-24T12:00:00Z", f"letter {number}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "letters"


def filled(folder: Path, *numbers: int) -> None:
    archive = Archive(folder)
    try:
        archive.save([saved(number) for number in numbers])
    finally:
        archive.close()


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_what_is_saved_is_read_back_in_order(folder: Path) -> None:
    filled(folder, 1, 2)
    filled(folder, 3)
    assert list(Archive(folder).letters()) == [saved(1), saved(2), saved(3)]
    assert Archive(folder).ids() == {"m-1", "m-2", "m-3"}
    assert names(folder) == ["letters-00001.ndjson", "letters-00002.ndjson"]


def test_a_line_is_json_that_other_tools_read(folder: Path) -> None:
    filled(folder, 1)
    (line,) = (folder / "letters-00001.ndjson").read_bytes().splitlines()
    assert json.loads(line) == {"id": "m-1", "sent_at": "2026-11-24T12:00:00Z", "body": "letter 1"}


def test_a_letter_that_was_saved_twice_is_one(folder: Path) -> None:
    filled(folder, 1)
    filled(folder, 1, 2)
    assert list(Archive(folder).letters()) == [saved(1), saved(2)]


def test_an_empty_or_missing_folder_has_no_letters(folder: Path) -> None:
    assert (Archive(folder).ids(), list(Archive(folder).letters())) == (set(), [])


def test_logs_are_for_their_owner(folder: Path) -> None:
    filled(folder, 1)
    Archive(folder).journal().sending(["m-1"])
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {(folder / name).stat().st_mode & 0o777 for name in names(folder)} == {0o600}


def test_a_file_that_is_large_is_followed_by_another(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_FILE_BYTES", 100)
    archive = Archive(folder)
    for number in range(4):
        archive.save([saved(number)])
    archive.close()
    assert names(folder) == ["letters-00001.ndjson", "letters-00002.ndjson"]
    assert len(list(Archive(folder).letters())) == 4


@pytest.mark.parametrize("cut", range(1, 20, 6))
def test_a_line_that_a_kill_has_cut_off_is_none_and_the_next_run_goes_on(folder: Path, cut: int) -> None:
    filled(folder, 1, 2)
    file = folder / "letters-00001.ndjson"
    file.write_bytes(file.read_bytes()[:-cut])
    assert Archive(folder).ids() == {"m-1"}
    filled(folder, 2)
    assert list(Archive(folder).letters()) == [saved(1), saved(2)]


@pytest.mark.parametrize("line", ["rubbish", "[]", '{"id":"1"}', '{"id":"1","sent_at":"","body":5}'])
def test_a_file_that_is_no_export_is_named(folder: Path, line: str) -> None:
    filled(folder, 1)
    (folder / "letters-00001.ndjson").write_text(line + "\n")
    with pytest.raises(Failed, match=r"letters-00001\.ndjson holds a line that is no exported letter"):
        Archive(folder).ids()


def test_what_was_saved_is_on_the_disk_before_it_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append(os.fstat(handle).st_ino))
    filled(folder, 1)
    assert synced == [folder.stat().st_ino, (folder / "letters-00001.ndjson").stat().st_ino]
    synced.clear()
    Archive(folder).ids()
    assert synced == [(folder / "letters-00001.ndjson").stat().st_ino]


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Failed, match="file"):
        filled(tmp_path / "file" / "letters", 1)


def test_a_file_that_cannot_be_read_is_named(folder: Path) -> None:
    (folder / "letters-00001.ndjson").mkdir(parents=True)
    with pytest.raises(Failed, match=r"letters-00001\.ndjson: Is a directory"):
        list(Archive(folder).letters())


def test_a_full_disk_is_one_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    filled(folder, 1)
    monkeypatch.setattr(os, "fsync", full)
    for act in (lambda: filled(folder, 2), lambda: Archive(folder).journal().sending(["m-1"]), Archive(folder).ids):
        with pytest.raises(Failed, match="No space left on device"):
            act()


def test_the_journal_knows_what_was_sent_and_what_is_in_doubt(folder: Path) -> None:
    filled(folder, 1, 2, 3, 4)
    journal = Archive(folder).journal()
    journal.sending(["m-1", "m-2"])
    journal.note_sent(["m-1", "m-2"])
    journal.sending(["m-3"])
    for known in (journal, Archive(folder).journal()):
        assert (known.sent, known.doubtful) == ({"m-1", "m-2"}, {"m-3"})


@pytest.mark.parametrize("cut", [1, 5])
def test_a_note_that_a_kill_has_cut_off_is_none_and_the_next_is_whole(folder: Path, cut: int) -> None:
    filled(folder, 1, 2)
    journal = Archive(folder).journal()
    journal.sending(["m-1"])
    journal.note_sent(["m-1"])
    file = folder / "sent.ndjson"
    file.write_bytes(file.read_bytes()[:-cut])
    again = Archive(folder).journal()
    assert (again.sent, again.doubtful) == (set(), {"m-1"})
    again.note_sent(["m-1"])
    assert Archive(folder).journal().sent == {"m-1"}
    assert file.read_text() == '{"sending":["m-1"]}\n{"sent":["m-1"]}\n'


def test_there_is_no_journal_without_letters(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="holds no exported letters"):
        Archive(tmp_path).journal()


def test_a_journal_that_is_none_is_named(folder: Path) -> None:
    filled(folder, 1)
    (folder / "sent.ndjson").write_text("rubbish\n")
    with pytest.raises(Failed, match="no journal of an import"):
        Archive(folder).journal()
