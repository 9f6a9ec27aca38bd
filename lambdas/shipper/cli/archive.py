"""A folder of exported letters: NDJSON, a line a letter. No letter counts as saved before it is on the disk.

`letters-00001.ndjson` and so on hold `{"id", "sent_at", "body"}`: the message's ID in the queue that it came from, when
it came there, and its text, with everything in it that lay in the bucket. `sent.ndjson` notes what was imported again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from shipper import jsontext
from shipper.cli.terminal import Failed

_MAX_FILE_BYTES = 64 * 1024 * 1024
_FOLDER_MODE = 0o700
_FILE_MODE = 0o600
"""Logs are for those who may read them."""

_JOURNAL = "sent.ndjson"


@dataclass(frozen=True, slots=True)
class Saved:
    """One exported letter."""

    id: str
    sent_at: str
    body: str


class Archive:
    """The folder. All methods raise `Failed` where it cannot be read or written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: IO[bytes] | None = None

    def letters(self) -> Iterator[Saved]:
        """Every letter once, in the order of their export."""
        seen: set[str] = set()
        for file in self._files():
            for line in _lines(file):
                saved = _saved(line, file)
                if saved.id not in seen:
                    seen.add(saved.id)
                    yield saved

    def ids(self) -> set[str]:
        """The IDs of the letters that are on the disk for certain."""
        for file in self._files():
            _sync(file)
        return {saved.id for saved in self.letters()}

    def save(self, letters: Sequence[Saved]) -> None:
        """Write letters; when this returns they are on the disk."""
        lines = [jsontext.dumps({"id": one.id, "sent_at": one.sent_at, "body": one.body}) + b"\n" for one in letters]
        try:
            file = self._open()
            file.writelines(lines)
            file.flush()
            os.fsync(file.fileno())
        except OSError as error:
            raise Failed(f"{self._folder}: {error.strerror}") from None

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def journal(self) -> Journal:
        """What was sent from here."""
        if not self._files():
            raise Failed(f"{self._folder} holds no exported letters")
        return Journal(self._folder / _JOURNAL)

    def _open(self) -> IO[bytes]:
        """The file to write to, always one of our own: the last line of another may have been cut off by a kill."""
        if self._file is not None and self._file.tell() >= _MAX_FILE_BYTES:
            self.close()
        if self._file is None:
            self._folder.mkdir(_FOLDER_MODE, parents=True, exist_ok=True)
            number = 1 + max((int(file.stem.rpartition("-")[2]) for file in self._files()), default=0)
            path = self._folder / f"letters-{number:05}.ndjson"
            self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE), "wb")
            _sync(self._folder)
        return self._file

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("letters-[0-9]*.ndjson"))


class Journal:
    """Notes before and after each sending, so that a kill between the two leaves no more than one batch in doubt."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.sent: set[str] = set()
        self.doubtful: set[str] = set()
        if path.exists():
            self._read()

    def sending(self, ids: Sequence[str]) -> None:
        """These are about to be sent."""
        self._note({"sending": ids})
        self.doubtful |= set(ids)

    def note_sent(self, ids: Sequence[str]) -> None:
        """These are safe in the queue."""
        self._note({"sent": ids})
        self.sent |= set(ids)
        self.doubtful -= self.sent

    def _read(self) -> None:
        for line in _lines(self._path):
            try:
                note = jsontext.loads(line)
            except ValueError:
                raise Failed(f"{self._path} is no journal of an import") from None
            self.doubtful |= set(note.get("sending", ()))
            self.sent |= set(note.get("sent", ()))
        self.doubtful -= self.sent

    def _note(self, note: Mapping[str, Any]) -> None:
        try:
            is_new = not self._path.exists()
            with os.fdopen(os.open(self._path, os.O_RDWR | os.O_CREAT, _FILE_MODE), "r+b") as file:
                file.truncate(_whole_lines_bytes(file))
                file.seek(0, os.SEEK_END)
                file.write(jsontext.dumps(note) + b"\n")
                file.flush()
                os.fsync(file.fileno())
            if is_new:
                _sync(self._path.parent)
        except OSError as error:
            raise Failed(f"{self._path}: {error.strerror}") from None


def _lines(file: Path) -> Iterator[bytes]:
    """The whole lines of a file: what a kill has cut off was never said to be there."""
    try:
        with file.open("rb") as lines:
            yield from (line for line in lines if line.endswith(b"\n"))
    except OSError as error:
        raise Failed(f"{file}: {error.strerror}") from None


def _whole_lines_bytes(file: IO[bytes]) -> int:
    """Where the last whole line ends."""
    end = file.seek(0, os.SEEK_END)
    while end:
        file.seek(end - 1)
        if file.read(1) == b"\n":
            break
        end -= 1
    return end


def _saved(line: bytes, file: Path) -> Saved:
    try:
        fields = jsontext.loads(line)
        saved = Saved(fields["id"], fields["sent_at"], fields["body"])
    except (ValueError, KeyError, TypeError):
        raise Failed(f"{file} holds a line that is no exported letter") from None
    if not all(isinstance(text, str) for text in (saved.id, saved.sent_at, saved.body)):
        raise Failed(f"{file} holds a line that is no exported letter")
    return saved


def _sync(path: Path) -> None:
    """Have a file, or the names in a folder, on the disk."""
    try:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise Failed(f"{path}: {error.strerror}") from None
