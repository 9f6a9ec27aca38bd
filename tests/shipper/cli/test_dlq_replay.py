from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from shipper import deadletter
from shipper.bulk import BulkReply
from shipper.model import Document, Reason
from shipper.ship import Unreachable
from tests.shipper.cli.conftest import (
    Dlq,
    ids_waiting,
    put,
    put_documents,
    put_message,
    visible,
)
from tests.shipper.fakes import (
    INDEX,
    REFUSED,
    SOURCE,
    FakeSink,
    LocalAws,
    Step,
    accept,
    answering,
    doc,
    lambda_event,
    payload_of,
    refusing,
    reply,
)


def test_replay_deletes_what_the_domain_has_confirmed(aws: LocalAws, dlq: Dlq) -> None:
    put(aws, 1, 2)
    put(aws, 3)
    sink = FakeSink(answering(201, 409))
    result = dlq("replay", "--yes", sink=sink)
    assert result.exit_code == 0
    assert result.stdout == "2 indexed, 1 there already, 0 refused again, 0 not taken now\n"
    assert result.stderr == "all letters, about 2 in the queue: from here to the domain of cwl-shipper-dev\n"
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


def test_a_dry_run_shows_what_changes_and_sends_nothing(aws: LocalAws, dlq: Dlq) -> None:
    id_ = put_documents(aws, Document(INDEX, "1", b'{"@id":"1","n":{"a":1},"old":1,"user":2,"same":0}', "", ()))
    put(aws, 2)
    change = ("--rename", "user=user_name", "--drop", "old", "--to-string", "n", "--index", "cwl-late")
    result = dlq("replay", "--dry-run", *change)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[:4] == ["drop old", "rename user to user_name", "turn n into text", "write to cwl-late"]
    at = lines.index(f"letter {id_}, document 1 for cwl-late")
    assert lines[at + 1 : at + 8] == [
        '  - _index: "cwl-2026.11.24"',
        '  + _index: "cwl-late"',
        '  + n: "{\\"a\\":1}"',
        "  - n.a: 1",
        "  - old: 1",
        "  - user: 2",
        "  + user_name: 2",
    ]
    assert lines[-1] == "2 letters, 2 documents, 2 of them changed; nothing was sent."
    assert ids_waiting(aws) == ["1", "id-2"]


def test_a_dry_run_shows_a_few_documents_of_many(aws: LocalAws, dlq: Dlq) -> None:
    put(aws, *range(50), text="x" * 100_000)
    result = dlq("replay", "--dry-run")
    assert result.stdout.count("document id-") == 3
    assert "1 letter, 50 documents, 0 of them changed" in result.stdout
    assert len(result.stdout) < 10_000


def test_a_dry_run_says_which_letter_cannot_be_sent(aws: LocalAws, dlq: Dlq) -> None:
    id_ = put_message(aws, "rubbish")
    assert f"letter {id_} would stay here: not JSON" in dlq("replay", "--dry-run").stdout.replace("\n", " ")


def test_replay_of_an_empty_queue_does_nothing(dlq: Dlq) -> None:
    for args in ([], ["--yes"]):
        result = dlq("replay", *args)
        assert (result.exit_code, result.stdout) == (0, "")
        assert result.stderr.endswith("Nothing to replay.\n")


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
        (["--limit", "-1"], "-1 is not in the range"),
        (["--index", "logs-1"], "'logs-1' is no cwl-* index"),
        (["--index", "cwl-*"], "'cwl-*' is no cwl-* index"),
        (["--since", "yesterday"], "'yesterday' is neither like 2h"),
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


def test_a_domain_that_denies_ends_the_run_with_one_line_and_changes_nothing(aws: LocalAws, dlq: Dlq) -> None:
    put(aws, 1)
    put(aws, 2)
    sink = FakeSink(*[BulkReply(403, {"Message": "User is not \x1b[31mauthorized"})] * 2)
    result = dlq("replay", "--yes", sink=sink)
    assert result.exit_code == 1
    assert result.stderr.splitlines()[1:] == ["cwl-shipper: http_403: User is not authorized"]
    assert (sink.renewed, sink.stored) == (1, set())
    assert ids_waiting(aws) == ["id-1", "id-2"]


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


def test_without_a_way_to_the_domain_the_replay_function_does_it(aws: LocalAws, dlq: Dlq) -> None:
    put(aws, 1, 2)
    result = dlq("replay", "--yes", reachable=False)
    assert result.exit_code == 0
    assert "The domain does not answer here, so the replay function has to do it." in result.stderr
    assert "by the replay function of cwl-shipper-dev" in result.stderr
    assert result.stdout.splitlines() == [
        "Safe in the retry queue, and no longer here: 1 letter with 2 documents.",
        "The replay function sends them; what is refused comes back with its new reason.",
        "Next: `cwl-shipper dlq ls --stack cwl-shipper-dev` in some minutes.",
    ]
    assert ids_waiting(aws) == []
    assert ids_waiting(aws, aws.retry_url) == ["id-1", "id-2"]


def test_a_domain_that_does_not_answer_is_one_line_where_it_is_to_be_sent_from_here(aws: LocalAws, dlq: Dlq) -> None:
    put(aws, 1)
    result = dlq("replay", "--yes", "--via", "direct", reachable=False)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert "does not answer here" in result.stderr
    assert ids_waiting(aws) == ["id-1"]


def test_the_replay_function_can_be_asked_although_the_domain_answers(aws: LocalAws, dlq: Dlq) -> None:
    put(aws, 1)
    assert dlq("replay", "--yes", "--via", "function").exit_code == 0
    assert ids_waiting(aws, aws.retry_url) == ["id-1"]


@pytest.mark.parametrize("times", [1, 2])
def test_another_index_holds_each_document_once_under_its_id(aws: LocalAws, dlq: Dlq, times: int) -> None:
    """A letter that is there twice, or replayed twice."""
    sink = FakeSink()
    for _ in range(times):
        put(aws, 1)
        put(aws, 1)
        assert dlq("replay", "--yes", "--index", "cwl-late", sink=sink).exit_code == 0
    actions = [line for body in sink.bodies for line in body.split(b"\n")[:-1:2]]
    assert set(actions) == {b'{"create":{"_index":"cwl-late","_id":"id-1"}}'}
    assert sink.stored == {"id-1"}


def test_what_may_be_indexed_already_stays_when_another_index_is_named(aws: LocalAws, dlq: Dlq) -> None:
    id_ = put(aws, 1, reason=Reason("unreachable", "m"))
    result = dlq("replay", "--yes", "--index", "cwl-late")
    assert result.exit_code == 1
    assert f"letter {id_}: some of it may be in its own index already" in result.stderr
    assert ids_waiting(aws) == ["id-1"]


def test_ctrl_c_says_how_to_go_on(aws: LocalAws, dlq: Dlq) -> None:
    for number in range(20):
        put(aws, number)
    result = dlq("replay", "--yes", sink=FakeSink(accept, KeyboardInterrupt()))
    assert result.exit_code == 3
    assert result.stdout.splitlines()[-1] == "Stopped: nothing is lost. Run the same command again to go on."
    assert visible(aws) == 10


def test_a_replay_says_what_others_have_in_hand(aws: LocalAws, dlq: Dlq) -> None:
    put(aws, 1)
    aws.sqs.receive_message(QueueUrl=aws.dead_url, VisibilityTimeout=60)
    shown = dlq("replay", "--yes").stdout
    assert shown == "About 1 letter hidden: another run has them, or was killed; they come back.\n"


def test_what_came_of_a_replay_is_json(aws: LocalAws, dlq: Dlq) -> None:
    put(aws, 1, 2)
    id_ = put_message(aws, "rubbish")
    result = dlq("replay", "--yes", "--json", sink=FakeSink(then=refusing("id-2")))
    said = json.loads(result.stdout)
    assert result.exit_code == 3
    assert (said["ledger"]["indexed"], said["ledger"]["dead_lettered"]) == (1, 1)
    assert {name: said[name] for name in ("letters", "left", "documents", "hidden", "failure")} == {
        "letters": 2,
        "left": 1,
        "documents": 2,
        "hidden": 0,
        "failure": "",
    }
    assert said["errors"].keys() == {id_}


def test_a_dry_run_counts_in_json(aws: LocalAws, dlq: Dlq) -> None:
    put(aws, 1, 2)
    said = json.loads(dlq("replay", "--dry-run", "--json", "--index", "cwl-late").stdout)
    examples = said.pop("examples")
    assert said == {"dry_run": True, "letters": 1, "documents": 2, "changed": 2, "staying": 0, "errors": {}}
    assert [example["changes"] for example in examples] == [[["-", "_index", INDEX], ["+", "_index", "cwl-late"]]] * 2


def test_nothing_to_replay_is_json_too(dlq: Dlq) -> None:
    result = dlq("replay", "--json")
    assert (result.exit_code, json.loads(result.stdout)["letters"]) == (0, 0)


def test_a_dry_run_says_why_a_payload_would_come_back(aws: LocalAws, dlq: Dlq) -> None:
    event = {"awslogs": {"data": "%%%"}}
    put_message(aws, deadletter.pack(deadletter.of_payload(event, REFUSED, failed_at="2026-11-24T12:00:00Z")))
    said = json.loads(dlq("replay", "--dry-run", "--json").stdout)
    (why,) = said.pop("errors").values()
    assert said == {"dry_run": True, "letters": 1, "documents": 0, "changed": 0, "staying": 1, "examples": []}
    assert why.startswith("awslogs.data is not base64")
    assert visible(aws) == 1
