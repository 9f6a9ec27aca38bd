from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from rich.console import Console

from shipper.aws.inbox import Inbox
from shipper.cli import terminal
from shipper.cli.reading import reading
from tests.shipper.fakes import LocalAws, local_aws


@pytest.fixture
def aws() -> Iterator[LocalAws]:
    with local_aws() as made:
        yield made


@pytest.fixture
def inbox(aws: LocalAws) -> Inbox:
    made = Inbox(aws.sqs, aws.dead_url)
    made.put(f"letter {number}" for number in range(25))
    return made


def test_a_pass_reads_each_letter_once_and_gives_all_back(inbox: Inbox) -> None:
    with reading(inbox) as one:
        assert (one.visible, one.hidden) == (25, 0)
        assert sorted(message.body for message in one.messages()) == sorted(f"letter {n}" for n in range(25))
        assert inbox.depth() == (0, 25)
    assert inbox.depth() == (25, 0)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("crash")], ids=["Ctrl-C", "crash"])
def test_a_pass_that_is_stopped_gives_back_what_it_has(inbox: Inbox, error: BaseException) -> None:
    def stopped() -> None:
        with reading(inbox) as one:
            next(one.messages())
            raise error

    with pytest.raises(type(error)):
        stopped()
    assert inbox.depth() == (25, 0)


def test_what_is_deleted_is_gone(inbox: Inbox) -> None:
    with reading(inbox) as one:
        run = next(one.runs())
        inbox.delete(run)
        one.gone(run)
    assert inbox.depth() == (15, 0)


def test_what_came_after_the_start_is_left_for_the_next_pass(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Inbox, "now_ms", lambda _: int(time.time() * 1000) - 60_000)
        with reading(inbox) as one:
            assert list(one.messages()) == []
    with reading(inbox) as one:
        assert len(list(one.messages())) == 25


@pytest.mark.parametrize(
    ("visible", "asked_s", "hide_s", "lanes"),
    [(25, 60, 60, 1), (25, 5, 5, 1), (41, 60, 60, 4), (100_000, 60, 460, 4), (100_000_000, 60, 43_200, 4)],
)
def test_letters_are_hidden_for_as_long_as_it_takes(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch, visible: int, asked_s: int, hide_s: int, lanes: int
) -> None:
    asked: dict[str, int] = {}

    def runs(_: Inbox, **how: int) -> Iterator[list[object]]:
        asked.update(how)
        return iter(())

    monkeypatch.setattr(Inbox, "depth", lambda _: (visible, 0))
    monkeypatch.setattr(Inbox, "runs", runs)
    with reading(inbox, hide_s=asked_s) as one:
        assert list(one.messages()) == []
    assert asked == {"hide_s": hide_s, "lanes": lanes}


@pytest.mark.parametrize("is_terminal", [True, False], ids=["terminal", "pipe"])
def test_progress_is_shown_on_a_terminal_only(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], is_terminal: bool
) -> None:
    shown = Console(stderr=True, force_terminal=is_terminal, width=80)
    monkeypatch.setattr(terminal, "progress_console", lambda: shown)
    with reading(inbox) as one:
        list(one.messages())
    out, err = capsys.readouterr()
    assert out == ""
    assert bool(re.search(r"reading the queue.*25/25", err)) is is_terminal
