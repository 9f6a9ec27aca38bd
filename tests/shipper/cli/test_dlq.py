"""`cwl-shipper dlq` as a whole: what holds for every command."""

from __future__ import annotations

from typing import Any

import pytest

from shipper.bulk import BulkReply
from shipper.model import Document, Reason
from tests.shipper.cli.conftest import (
    HOSTILE,
    Dlq,
    hostile_letter,
    ids_waiting,
    put,
    put_documents,
    put_message,
    visible,
)
from tests.shipper.fakes import FakeSink, LocalAws, answering, refusing


@pytest.mark.parametrize(
    "command",
    [["ls"], ["show"], ["replay", "--dry-run"], ["replay", "--yes"]],
    ids=" ".join,
)
def test_control_sequences_never_reach_a_terminal(aws: LocalAws, dlq: Dlq, command: list[str]) -> None:
    id_ = hostile_letter(aws)
    put_message(aws, HOSTILE)
    sink = FakeSink(then=BulkReply(503, {"error": {"type": HOSTILE, "reason": HOSTILE}}))
    result = dlq(*command, *([id_] if command == ["show"] else []), sink=sink)
    assert "red" in result.output
    assert all(char.isprintable() or char == "\n" for char in result.output)


@pytest.mark.parametrize("command", ["ls", "show"])
def test_control_sequences_are_escaped_in_json(aws: LocalAws, dlq: Dlq, command: str) -> None:
    id_ = hostile_letter(aws)
    result = dlq(command, "--json", *([id_] if command == "show" else []))
    assert "\x1b" not in result.stdout
    assert "\u009b" not in result.stdout


@pytest.mark.parametrize("kill", [KeyboardInterrupt(), RuntimeError("out of memory")], ids=["Ctrl-C", "crash"])
@pytest.mark.parametrize("step", range(3))
def test_killed_at_any_request_it_loses_nothing_and_can_be_run_again(
    aws: LocalAws, dlq: Dlq, step: int, kill: BaseException
) -> None:
    """Row 52, and the defect of a peer that deletes its store after the first good batch."""
    for number in range(30):
        put(aws, number)
    sink = FakeSink(*[answering(201)] * step, kill)
    killed = dlq("replay", "--yes", sink=sink)
    assert killed.exit_code == (3 if step and isinstance(kill, KeyboardInterrupt) else 1)
    assert visible(aws) == 30 - 10 * step
    again = dlq("replay", "--yes", sink=sink)
    assert again.exit_code == 0
    assert sink.stored == {f"id-{number}" for number in range(30)}
    assert aws.bodies_in(aws.dead_url) == []


def test_killed_before_a_letter_is_deleted_it_is_only_sent_twice(
    aws: LocalAws, dlq: Dlq, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(aws, 1)
    sink = FakeSink()

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("shipper.aws.inbox.Inbox.delete", killed)
        assert dlq("replay", "--yes", sink=sink).exit_code == 1
    assert dlq("replay", "--yes", sink=sink).stdout.startswith("0 indexed, 1 there already")
    assert aws.bodies_in(aws.dead_url) == []


# What the tools of others get wrong in a replay, each as it was seen there.


def test_a_peers_defect_the_store_is_deleted_after_its_first_good_batch(aws: LocalAws, dlq: Dlq) -> None:
    put(aws, *range(4), text="x" * 2_000)
    sink = FakeSink(answering(201, 201, 429, 429), then=answering(429))
    assert dlq("replay", "--yes", sink=sink).exit_code == 3
    assert ids_waiting(aws) == ["id-0", "id-1", "id-2", "id-3"]


def test_a_peers_defect_a_replay_depends_on_todays_configuration(aws: LocalAws, dlq: Dlq) -> None:
    """A letter goes to the index, and under the id, that it was made for."""
    put_documents(aws, Document("cwl-2020.01.01", "of-old", b'{"@id":"of-old"}', "", ()))
    sink = FakeSink()
    assert dlq("replay", "--yes", sink=sink).exit_code == 0
    assert sink.bodies == [b'{"create":{"_index":"cwl-2020.01.01","_id":"of-old"}}\n{"@id":"of-old"}\n']


def test_a_peers_defect_a_replay_is_all_or_nothing(aws: LocalAws, dlq: Dlq) -> None:
    for number in range(3):
        put(aws, number)
    sink = FakeSink(then=refusing("id-1"))
    assert dlq("replay", "--yes", sink=sink).exit_code == 3
    assert sink.stored == {"id-0", "id-2"}
    assert ids_waiting(aws) == ["id-1"]


def test_a_peers_defect_a_duplicate_in_a_replay_is_an_error_and_its_batch_is_lost(aws: LocalAws, dlq: Dlq) -> None:
    put(aws, 1)
    put(aws, 1, 2)
    sink = FakeSink()
    assert dlq("replay", "--yes", sink=sink).exit_code == 0
    assert sink.stored == {"id-1", "id-2"}


def test_a_peers_defect_a_replay_that_runs_out_of_time_says_that_all_is_well(
    aws: LocalAws, dlq: Dlq, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shipper.cli.replaying._PATIENCE", 0)
    put(aws, 1)
    assert dlq("replay", "--yes", sink=FakeSink()).exit_code == 1
    assert ids_waiting(aws) == ["id-1"]


def test_a_peers_defect_429_and_503_count_as_success(aws: LocalAws, dlq: Dlq) -> None:
    put(aws, 1, 2, 3)
    assert dlq("replay", "--yes", sink=FakeSink(then=answering(201, 429, 503))).exit_code == 3
    assert ids_waiting(aws) == ["id-1", "id-2", "id-3"]


def test_a_peers_defect_only_the_first_five_reasons_are_told(aws: LocalAws, dlq: Dlq) -> None:
    for number in range(12):
        put(aws, number, reason=Reason(f"reason_{number}", "m", 400))
    shown = dlq("ls").stdout
    assert [number for number in range(12) if f"reason_{number}" not in shown.split()] == []


def test_a_peers_defect_what_fails_is_printed_whole(aws: LocalAws, dlq: Dlq) -> None:
    put(aws, 1, text="hunter2")
    result = dlq("replay", "--yes", sink=FakeSink(then=refusing("id-1")))
    assert "hunter2" not in result.output
