"""`cwl-shipper dlq` on queues in memory, with a domain that is played."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from click.testing import CliRunner, Result

from shipper import deadletter
from shipper.bulk import BulkReply
from shipper.cli import deployment
from shipper.cli.main import cli
from shipper.model import Document, Reason
from shipper.ship import Unreachable
from tests.shipper.fakes import (
    INDEX,
    REFUSED,
    SOURCE,
    FakeSink,
    LocalAws,
    Step,
    answering,
    deployment_on,
    doc,
    lambda_event,
    local_aws,
    payload_of,
    refusing,
    reply,
)

HOSTILE = "\x1b[31mred\x1b]0;title\x07\r\u009b31m\x7f\u202e"


@pytest.fixture
def aws() -> Iterator[LocalAws]:
    with local_aws() as made:
        yield made


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


Dlq = Callable[..., Result]


@pytest.fixture
def dlq(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> Dlq:
    def ran(*args: str, sink: FakeSink | None = None, answer: str | None = None) -> Result:
        """`cwl-shipper dlq ...`, with what is typed when it asks."""
        found = deployment_on(aws, sink or FakeSink(AssertionError("nothing may be sent")))
        monkeypatch.setattr(deployment, "find", lambda *_: found)
        # No credentials are needed, and no wait between tries.
        monkeypatch.setattr("shipper.aws.clock.time.sleep", lambda _: None)
        return CliRunner().invoke(cli, ["dlq", *args], input=answer)

    return ran


def put(aws: LocalAws, *numbers: int, reason: Reason = REFUSED, text: str = "x") -> str:
    """One letter in the dead-letter queue; its message ID."""
    documents = [doc(number, text) for number in numbers]
    letter = deadletter.of_documents(documents, reason, SOURCE, failed_at="2026-11-20T00:00:00Z", attempts=1)
    return put_message(aws, deadletter.pack(letter))


def put_message(aws: LocalAws, body: str) -> str:
    return str(aws.sqs.send_message(QueueUrl=aws.dead_url, MessageBody=body)["MessageId"])


def ids_waiting(aws: LocalAws) -> list[str]:
    """The ids of all documents in the queue that others can see now; empties the queue."""
    letters = [deadletter.unpack(body) for body in aws.bodies_in(aws.dead_url)]
    return sorted(document.id for letter in letters for document in deadletter.documents_in(letter))


def visible(aws: LocalAws) -> int:
    names = ["ApproximateNumberOfMessages"]
    return int(aws.sqs.get_queue_attributes(QueueUrl=aws.dead_url, AttributeNames=names)["Attributes"][names[0]])


def test_ls_groups_what_is_there_and_removes_nothing(aws: LocalAws, dlq: Dlq) -> None:
    put(aws, 1, 2)
    put(aws, 3)
    put(aws, 4, reason=Reason("illegal_argument_exception", "m", 400))
    for _ in range(2):
        result = dlq("ls")
        assert (result.exit_code, result.stderr) == (0, "")
        words = result.stdout.split()
        assert words[words.index("3") : words.index("3") + 3] == ["3", REFUSED.type, "2026-11-20T00:00:00Z"]
        assert words.index(REFUSED.type) < words.index("illegal_argument_exception")
        assert SOURCE.log_group in words
        assert "3 of about 3 messages read" in result.stdout
        assert max(map(len, result.stdout.splitlines())) <= 80
    assert visible(aws) == 3


def test_ls_as_json_is_a_line_a_group(aws: LocalAws, dlq: Dlq) -> None:
    put(aws, 1, 2)
    result = dlq("ls", "--json")
    assert json.loads(result.stdout) == {
        "reason": REFUSED.type,
        "field": "n",
        "log_group": SOURCE.log_group,
        "documents": 2,
        "letters": 1,
        "first_failed_at": "2026-11-20T00:00:00Z",
        "last_failed_at": "2026-11-20T00:00:00Z",
    }


def test_ls_of_an_empty_queue(dlq: Dlq) -> None:
    assert dlq("ls").stdout == "0 of about 0 messages read; a queue can only be sampled.\n"
    assert dlq("ls", "--json").stdout == ""


def test_ls_says_how_much_of_the_queue_it_has_read(aws: LocalAws, dlq: Dlq) -> None:
    for number in range(3):
        put(aws, number)
    assert "2 of about 3 messages read" in dlq("ls", "--limit", "2").stdout


def test_ls_goes_on_where_a_message_cannot_be_read(aws: LocalAws, dlq: Dlq) -> None:
    put(aws, 1)
    put_message(aws, "rubbish")
    result = dlq("ls")
    assert result.exit_code == 0
    assert "unreadable_letter" in result.stdout
    assert REFUSED.type in result.stdout


def test_ls_goes_on_where_a_message_was_forged(aws: LocalAws, dlq: Dlq) -> None:
    put(aws, 1)
    letter = deadletter.of_documents([doc(2)], REFUSED, SOURCE, failed_at="", attempts=1)
    envelope = json.loads(deadletter.pack(letter))
    put_message(aws, json.dumps({**envelope, "reason": {**envelope["reason"], "type": []}}))
    assert dlq("ls").exit_code == 0


def test_show_shows_a_letter_in_full_and_removes_nothing(aws: LocalAws, dlq: Dlq) -> None:
    id_ = put(aws, 1, 2, text="the log line")
    put(aws, 3, text="another")
    result = dlq("show", id_[:20])
    assert (result.exit_code, result.stderr) == (0, "")
    for text in (
        id_,
        REFUSED.type,
        "failed to parse field [n] of type [long]",
        "pod-1",
        '"@id": "id-2"',
        "the log line",
    ):
        assert text in result.stdout
    assert "another" not in result.stdout
    assert visible(aws) == 2


def test_show_by_reason_as_json(aws: LocalAws, dlq: Dlq) -> None:
    put(aws, 1)
    put(aws, 2, reason=Reason("other", "m"))
    shown = json.loads(dlq("show", "--reason", "other", "--json").stdout)
    assert (shown["reason"], shown["documents"], shown["attempts"]) == ("other", 1, 1)
    assert shown["content"] == [json.loads(doc(2).source)]


def test_show_shows_what_it_cannot_read_as_it_came(aws: LocalAws, dlq: Dlq) -> None:
    id_ = put_message(aws, "rubbish \x1b[31m")
    result = dlq("show", id_)
    assert "unreadable_letter" in result.stdout
    assert "rubbish" in result.stdout
    assert "\x1b" not in result.stdout


@pytest.mark.parametrize("args", [["nothing"], ["--reason", "nothing"]])
def test_show_of_what_is_not_there_is_one_line(aws: LocalAws, dlq: Dlq, args: list[str]) -> None:
    put(aws, 1)
    result = dlq("show", *args)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("cwl-shipper: no letter ")
    assert result.stderr.count("\n") == 1
    assert visible(aws) == 1


def hostile_letter(aws: LocalAws) -> str:
    source = json.dumps({"@id": "1", "@message": HOSTILE, HOSTILE: "[bold]x"}).encode()
    reason = Reason(f"type {HOSTILE}", f"message {HOSTILE}", 400, f"field {HOSTILE}")
    document = Document(INDEX, "1", source, HOSTILE, ())
    return put_message(
        aws, deadletter.pack(deadletter.of_documents([document], reason, SOURCE, failed_at=HOSTILE, attempts=1))
    )


@pytest.mark.parametrize("command", [["ls"], ["show"], ["replay", "--dry-run"], ["replay", "--yes"]], ids=" ".join)
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


def test_replay_deletes_what_the_domain_has_confirmed(aws: LocalAws, dlq: Dlq) -> None:
    put(aws, 1, 2)
    put(aws, 3)
    sink = FakeSink(answering(201, 409))
    result = dlq("replay", "--yes", sink=sink)
    assert result.exit_code == 0
    assert result.stdout == "2 indexed, 1 there already, 0 refused again, 0 not taken now\n"
    assert "2 letters with 3 documents to the domain of cwl-shipper-dev" in result.stderr
    assert aws.bodies_in(aws.dead_url) == []


def test_replay_of_a_payload_and_of_a_letter_in_the_bucket(aws: LocalAws, dlq: Dlq) -> None:
    event = deadletter.of_payload(lambda_event(payload_of("one")), Reason("timeout", "m"), failed_at="2026")
    put_message(aws, deadletter.pack(event))
    large = deadletter.of_documents([doc(7)], REFUSED, SOURCE, failed_at="2026", attempts=1)
    aws.s3.put_object(Bucket=aws.bucket, Key="letters/1.gz", Body=gzip.compress(large.body))
    put_message(aws, deadletter.pack_pointer(large, "letters/1.gz"))
    sink = FakeSink()
    assert dlq("replay", "--yes", sink=sink).exit_code == 0
    assert sink.stored == {"event-0", "id-7"}
    assert aws.bodies_in(aws.dead_url) == []


@pytest.mark.parametrize("answer", ["n\n", "\n", ""])
def test_replay_asks_first(aws: LocalAws, dlq: Dlq, answer: str) -> None:
    put(aws, 1)
    result = dlq("replay", answer=answer)
    assert "Replay them? [y/N]" in result.stderr
    assert ids_waiting(aws) == ["id-1"]


def test_replay_goes_on_when_told_to(aws: LocalAws, dlq: Dlq) -> None:
    put(aws, 1)
    sink = FakeSink()
    assert dlq("replay", answer="y\n", sink=sink).exit_code == 0
    assert sink.stored == {"id-1"}


def test_a_dry_run_shows_the_repaired_documents_and_sends_nothing(aws: LocalAws, dlq: Dlq) -> None:
    id_ = put(aws, 1, text="one")
    result = dlq("replay", "--dry-run", "--rename", "extra=other", "--drop", "old", "--to-string", "@fields")
    assert result.exit_code == 0
    assert f"letter {id_}" in result.stdout
    assert '"@message": "one"' in result.stdout
    for change in ("rename extra to other", "drop old", "turn @fields into text"):
        assert change in result.stderr
    assert ids_waiting(aws) == ["id-1"]


def test_replay_of_an_empty_queue_does_nothing(dlq: Dlq) -> None:
    result = dlq("replay")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "Nothing to replay.\n")


def test_only_the_chosen_letters_are_replayed_and_the_others_are_visible_at_once(aws: LocalAws, dlq: Dlq) -> None:
    put(aws, 1)
    put(aws, 2, reason=Reason("other", "m"))
    id_ = put(aws, 3)
    sink = FakeSink()
    dlq("replay", "--yes", "--reason", "other", sink=sink)
    dlq("replay", "--yes", "--id", id_[:30], sink=sink)
    assert sink.stored == {"id-2", "id-3"}
    assert ids_waiting(aws) == ["id-1"]


def test_a_repair_gets_a_letter_in(aws: LocalAws, dlq: Dlq) -> None:
    odd = Document(INDEX, "1", b'{"@id":"1","n":{"a":1},"old":1,"user":2}', "", ())
    put_message(aws, deadletter.pack(deadletter.of_documents([odd], REFUSED, SOURCE, failed_at="", attempts=1)))
    sink = FakeSink()
    dlq("replay", "--yes", "--to-string", "n", "--drop", "old", "--rename", "user=user_name", sink=sink)
    assert json.loads(sink.bodies[0].split(b"\n")[1]) == {"@id": "1", "n": '{"a":1}', "user_name": 2}


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--rename", "a"], "--rename takes OLD=NEW, not 'a'"),
        (["--rename", "=b"], "--rename takes OLD=NEW"),
        (["--drop", "@id", "--to-string", "@message"], "@id: system fields stay as they are; @message: system"),
        (["--drop", "a..b"], "'a..b' is not a dotted path"),
        (["--limit", "0"], "0 is not in the range"),
    ],
)
def test_a_repair_that_may_not_be_is_wrong_usage(aws: LocalAws, dlq: Dlq, args: list[str], said: str) -> None:
    put(aws, 1)
    result = dlq("replay", "--yes", *args)
    assert result.exit_code == 2
    assert said in result.stderr
    assert ids_waiting(aws) == ["id-1"]


def test_what_is_refused_again_comes_back_once_with_its_new_reason(aws: LocalAws, dlq: Dlq) -> None:
    put(aws, 1, 2, reason=Reason("old", "m"))
    result = dlq("replay", "--yes", sink=FakeSink(then=refusing("id-2")))
    assert result.exit_code == 3
    assert "1 indexed, 0 there already, 1 refused again" in result.stdout
    assert "Next: `cwl-shipper dlq ls --stack cwl-shipper-dev`" in result.stdout
    (letter,) = [deadletter.unpack(body) for body in aws.bodies_in(aws.dead_url)]
    assert [document.id for document in deadletter.documents_in(letter)] == ["id-2"]
    assert (letter.reason.type, letter.attempts, letter.first_failed_at) == (REFUSED.type, 2, "2026-11-20T00:00:00Z")


def only_the_first(sink: FakeSink, ids: list[str]) -> BulkReply:
    """Take id-1 and never the other."""
    sink.stored |= {"id-1"} & set(ids)
    return reply(*(201 if id_ == "id-1" else 429 for id_ in ids))


AWAY: list[tuple[Step, int, str]] = [
    (BulkReply(503, None), 1, "HTTP status 503"),
    (Unreachable("ConnectionError: refused"), 1, "ConnectionError: refused"),
    (only_the_first, 3, "rejected_execution_exception"),
]


@pytest.mark.parametrize(("then", "code", "said"), AWAY, ids=["503", "unreachable", "half taken"])
def test_a_domain_that_is_away_leaves_the_letters_where_they_are(
    aws: LocalAws, dlq: Dlq, then: Step, code: int, said: str
) -> None:
    put(aws, 1, 2)
    result = dlq("replay", "--yes", sink=FakeSink(then=then))
    assert result.exit_code == code
    assert said in result.stdout.replace("\n", " ")
    assert ids_waiting(aws) == ["id-1", "id-2"]


def test_a_domain_that_denies_leaves_the_letter_and_is_named(aws: LocalAws, dlq: Dlq) -> None:
    id_ = put(aws, 1)
    put(aws, 2)
    sink = FakeSink(*[BulkReply(403, {"Message": "User is not \x1b[31mauthorized"})] * 2)
    result = dlq("replay", "--yes", sink=sink)
    assert result.exit_code == 3
    assert f"cwl-shipper: letter {id_}: http_403: User is not" in result.stderr
    assert "\x1b" not in result.stderr
    assert sink.renewed == 1
    assert sink.stored == {"id-2"}
    assert ids_waiting(aws) == ["id-1"]


def test_what_is_refused_for_its_fields_is_indexed_without_them(aws: LocalAws, dlq: Dlq) -> None:
    put(aws, 1, 2)
    result = dlq("replay", "--yes", sink=FakeSink(then=refusing("id-2", rescue=201)))
    assert result.exit_code == 0
    counts, aside = result.stdout.splitlines()
    assert counts.startswith("2 indexed, 0 there already")
    assert aside == "1 of them did not fit the mapping: their fields are in @unmapped."
    assert aws.bodies_in(aws.dead_url) == []


def test_a_letter_that_cannot_be_read_is_said_and_left_and_the_others_go_on(aws: LocalAws, dlq: Dlq) -> None:
    id_ = put_message(aws, "rubbish")
    put(aws, 1)
    sink = FakeSink()
    result = dlq("replay", "--yes", sink=sink)
    assert result.exit_code == 3
    assert f"cwl-shipper: letter {id_}: not JSON" in result.stderr
    assert sink.stored == {"id-1"}
    assert aws.bodies_in(aws.dead_url) == ["rubbish"]


def test_a_repair_that_one_letter_cannot_take_leaves_it(aws: LocalAws, dlq: Dlq) -> None:
    put(aws, 1)
    odd = Document(INDEX, "2", b'{"a":1,"b":2}', "", ())
    put_message(aws, deadletter.pack(deadletter.of_documents([odd], REFUSED, SOURCE, failed_at="", attempts=1)))
    sink = FakeSink()
    result = dlq("replay", "--yes", "--rename", "a=b", sink=sink)
    assert result.exit_code == 3
    assert "b is there already" in result.stderr
    assert sink.stored == {"id-1"}
    assert ids_waiting(aws) == ["2"]


@pytest.mark.parametrize("kill", [KeyboardInterrupt(), RuntimeError("out of memory")], ids=["Ctrl-C", "crash"])
@pytest.mark.parametrize("step", range(3))
def test_killed_at_any_request_it_loses_nothing_and_can_be_run_again(
    aws: LocalAws, dlq: Dlq, step: int, kill: BaseException
) -> None:
    """Row 52, and the defect of a peer that deletes its store after the first good batch."""
    for number in range(3):
        put(aws, number * 2, number * 2 + 1)
    sink = FakeSink(*[answering(201)] * step, kill)
    assert dlq("replay", "--yes", sink=sink).exit_code == 1
    assert visible(aws) == 3 - step
    again = dlq("replay", "--yes", sink=sink)
    assert again.exit_code == 0
    assert sink.stored == {f"id-{number}" for number in range(6)}
    assert aws.bodies_in(aws.dead_url) == []


def test_killed_before_a_letter_is_deleted_it_is_only_sent_twice(
    aws: LocalAws, dlq: Dlq, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(aws, 1)
    sink = FakeSink()

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("shipper.aws.queue.Inbox.delete", killed)
        assert dlq("replay", "--yes", sink=sink).exit_code == 1
    assert dlq("replay", "--yes", sink=sink).stdout.startswith("0 indexed, 1 there already")
    assert aws.bodies_in(aws.dead_url) == []


def test_a_letter_is_not_deleted_when_what_was_refused_cannot_be_buried(aws: LocalAws, dlq: Dlq) -> None:
    put(aws, 1)
    sink = FakeSink(then=reply(400))
    events = aws.sqs.meta.events

    def down(**_: Any) -> None:
        raise aws.sqs.exceptions.ClientError({"Error": {"Code": "Down", "Message": "m"}}, "SendMessageBatch")

    events.register("before-call.sqs.SendMessageBatch", down)
    try:
        result = dlq("replay", "--yes", sink=sink)
    finally:
        events.unregister("before-call.sqs.SendMessageBatch", down)
    assert result.exit_code == 1
    assert "Down" in result.stderr
    assert ids_waiting(aws) == ["id-1"]
