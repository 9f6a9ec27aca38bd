from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest

from shipper import deadletter
from shipper.aws.queue import QueueFailed
from shipper.bulk import BulkReply
from shipper.handlers import replay
from shipper.handlers.replay import run
from shipper.model import Failure, Reason
from tests.shipper.fakes import (
    AWS_ENV,
    REFUSED,
    SETTINGS,
    SOURCE,
    FakeContext,
    FakeLetters,
    FakeSink,
    LocalAws,
    Step,
    answering,
    doc,
    item,
    lambda_event,
    local_aws,
    log_lines,
    payload_of,
    refusing,
    reply,
    wired_with,
)

ONE_TRY = SETTINGS.with_values(max_tries=1)
DOWN = BulkReply(503, None)
DENIED = BulkReply(403, {"message": "no"})


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in AWS_ENV.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def aws() -> Iterator[LocalAws]:
    with local_aws() as made:
        yield made


def letter_of(*numbers: int) -> str:
    documents = [doc(number) for number in numbers]
    return deadletter.pack(deadletter.of_documents(documents, REFUSED, SOURCE, failed_at="first", attempts=1))


def payload_letter(event: Any) -> str:
    return deadletter.pack(deadletter.of_payload(event, Reason("timeout", "m"), failed_at="first"))


def sqs_event(*bodies: str, receives: int = 1) -> dict[str, Any]:
    return {
        "Records": [
            {
                "messageId": f"m-{n}",
                "receiptHandle": f"r-{n}",
                "attributes": {"ApproximateReceiveCount": str(receives)},
                "body": body,
            }
            for n, body in enumerate(bodies)
        ]
    }


def failures(*numbers: int) -> dict[str, list[dict[str, str]]]:
    return {"batchItemFailures": [{"itemIdentifier": f"m-{n}"} for n in numbers]}


CASES = [
    pytest.param([letter_of(1), letter_of(2, 3)], [], (), (), id="all indexed"),
    pytest.param([letter_of(1)], [DOWN], (0,), (), id="not taken now"),
    pytest.param(
        [letter_of(1), letter_of(2), letter_of(3)], [reply(201), DOWN], (1, 2), (), id="one stays: no more are tried"
    ),
    pytest.param([letter_of(1), letter_of(2)], [DOWN, DOWN], (0, 1), (), id="both stay"),
    pytest.param([letter_of(1, 2)], [answering(201, 503)], (0,), (), id="half of it taken: it stays whole"),
    pytest.param(
        [letter_of(1, 2)], [reply(400, 503), reply(400)], (0,), (), id="refused beside waiting: nothing buried yet"
    ),
    pytest.param([letter_of(1, 2)], [refusing("id-2")] * 2, (), ("mapper_parsing_exception",), id="refused again"),
    pytest.param([letter_of(1, 2)], [refusing("id-2", rescue=201)] * 2, (), (), id="taken without its fields"),
    pytest.param([letter_of(1, 2)], [reply(400, 201), DOWN], (0,), (), id="cannot be rescued now"),
    pytest.param([letter_of(1), letter_of(2)], [DENIED, reply(201)], (), (), id="let in with new credentials"),
    pytest.param([letter_of(1), letter_of(2)], [DENIED, DENIED], (0,), (), id="denied: the others are tried"),
    pytest.param(
        [letter_of(1, 2)],
        [BulkReply(200, {"items": [item(400, "t"), item(403, "security_exception")]}), DENIED],
        (0,),
        (),
        id="denied beside refused: nothing buried yet",
    ),
    pytest.param([payload_letter(lambda_event(payload_of("a")))], [], (), (), id="a payload"),
    pytest.param([payload_letter({"awslogs": 1})], [], (), ("bad_input",), id="a payload still unreadable"),
    pytest.param(["rubbish", letter_of(1)], [], (), ("bad_envelope",), id="poison does not hold up the others"),
    pytest.param(
        [json.dumps({"version": 99}), letter_of(1)], [DOWN], (1,), ("bad_envelope",), id="poison beside what waits"
    ),
]


@pytest.mark.parametrize(("bodies", "script", "stays", "buried"), CASES)
def test_only_letters_with_something_to_send_stay(
    bodies: list[str], script: list[Step], stays: tuple[int, ...], buried: tuple[str, ...]
) -> None:
    letters = FakeLetters()
    answer = run(sqs_event(*bodies), FakeContext(), wired_with(FakeSink(*script), letters, settings=ONE_TRY))
    assert answer == failures(*stays)
    assert tuple(letter.reason.type for letter in letters.buried) == buried
    assert letters.retried == []


def test_an_empty_batch_is_answered() -> None:
    assert run(sqs_event(), FakeContext(), wired_with(FakeSink(), FakeLetters())) == failures()


def test_what_cannot_be_read_is_kept_as_it_came() -> None:
    letters = FakeLetters()
    run(sqs_event("rub\x00bish"), FakeContext(), wired_with(FakeSink(), letters))
    (letter,) = letters.buried
    assert (letter.kind, json.loads(letter.body)) == ("payload", "rub\x00bish")


def test_what_is_refused_again_keeps_its_history() -> None:
    letters = FakeLetters()
    run(sqs_event(letter_of(1)), FakeContext(), wired_with(FakeSink(then=reply(400)), letters))
    assert [(letter.attempts, letter.first_failed_at) for letter in letters.buried] == [(2, "first")]


def test_the_ledger_counts_letters_that_are_done_with(capsys: pytest.CaptureFixture[str]) -> None:
    sink = FakeSink(*[refusing("id-2")] * 2, DOWN)
    wired = wired_with(sink, FakeLetters(), settings=ONE_TRY)
    run(sqs_event(letter_of(1, 2), "rubbish", letter_of(3)), FakeContext(), wired)
    log, metrics = log_lines(capsys.readouterr().out)[-2:]
    assert log["sent_bytes"] == metrics["sent_bytes"][0] == sum(map(len, sink.bodies))
    assert (log["request_id"], log["letters"], log["letters_staying"]) == ("request-1", 3, 1)
    assert {term: n for term, n in log["ledger"].items() if n} == {"received": 3, "indexed": 1, "dead_lettered": 2}
    assert metrics["dead_lettered"] == [2.0]


def test_tries_are_counted_by_kind_of_error(capsys: pytest.CaptureFixture[str]) -> None:
    run(sqs_event(letter_of(1)), FakeContext(), wired_with(FakeSink(reply(429)), FakeLetters()))
    log = log_lines(capsys.readouterr().out)[0]
    assert (log["retried"], log["retried_by_type"]) == (1, {"rejected_execution_exception": 1})


def test_a_message_that_is_denied_stays_and_the_log_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    sink, letters = FakeSink(then=DENIED), FakeLetters()
    assert run(sqs_event(letter_of(1)), FakeContext(), wired_with(sink, letters)) == failures(0)
    assert (sink.requests, sink.renewed) == ([["id-1"]] * 2, 1)
    assert (letters.buried, letters.retried) == ([], [])
    log = log_lines(capsys.readouterr().out)[0]
    assert (log["level"], log["message"], log["error"]) == ("WARNING", "message stays", "http_403: no")


def test_letters_for_which_no_time_is_left_stay() -> None:
    """The defect of a peer: near its timeout it leaves the loop and answers success."""
    sink = FakeSink()
    # Asked once before the letter, once for its request, then for the next letters.
    context = FakeContext([60_000, 60_000, 4_000])
    answer = run(sqs_event(letter_of(1), letter_of(2), letter_of(3)), context, wired_with(sink, FakeLetters()))
    assert answer == failures(1, 2)
    assert sink.requests == [["id-1"]]


@pytest.mark.parametrize("body", [letter_of(1), payload_letter({"awslogs": 1}), "rubbish"])
def test_a_letter_that_cannot_be_buried_stays(body: str) -> None:
    letters = FakeLetters(down=QueueFailed("down"))
    assert run(sqs_event(body), FakeContext(), wired_with(FakeSink(then=reply(400)), letters)) == failures(0)


def test_a_fault_of_our_own_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        run(sqs_event(letter_of(1)), FakeContext(), wired_with(FakeSink(ZeroDivisionError()), FakeLetters()))


def test_a_letter_whose_body_lies_in_the_bucket_is_replayed(aws: LocalAws) -> None:
    letter = deadletter.unpack(letter_of(1, 2))
    aws.s3.put_object(Bucket=aws.bucket, Key="letters/1.gz", Body=gzip.compress(letter.body))
    message = deadletter.pack_pointer(letter, "letters/1.gz")
    sink = FakeSink()
    assert run(sqs_event(message), FakeContext(), wired_with(sink, FakeLetters(), s3=aws.s3)) == failures()
    assert sink.requests == [["id-1", "id-2"]]


def test_a_letter_whose_body_is_out_of_reach_stays(aws: LocalAws, capsys: pytest.CaptureFixture[str]) -> None:
    """Row 50."""
    message = deadletter.pack_pointer(deadletter.unpack(letter_of(1)), "letters/gone.gz")
    letters = FakeLetters()
    assert run(sqs_event(message), FakeContext(), wired_with(FakeSink(), letters, s3=aws.s3)) == failures(0)
    assert letters.buried == []
    log = log_lines(capsys.readouterr().out)[0]
    assert (log["level"], log["message"], log["message_id"]) == ("WARNING", "message stays", "m-0")


def test_a_pointer_to_elsewhere_is_buried_and_not_followed(aws: LocalAws) -> None:
    """Row 58."""
    aws.s3.put_object(Bucket=aws.bucket, Key="events/1", Body=b"x")
    message = deadletter.pack_pointer(deadletter.unpack(letter_of(1)), "events/1")
    letters = FakeLetters()
    assert run(sqs_event(message), FakeContext(), wired_with(FakeSink(), letters, s3=aws.s3)) == failures()
    assert [letter.reason.type for letter in letters.buried] == ["bad_envelope"]


def test_log_content_never_reaches_the_functions_own_log(capsys: pytest.CaptureFixture[str]) -> None:
    secret = "hunter2"
    packed = deadletter.pack(deadletter.of_documents([doc(1, secret)], REFUSED, SOURCE, failed_at="first", attempts=1))
    broken = json.dumps({**json.loads(packed), "count": 7})
    event = sqs_event(packed, broken, secret, payload_letter({"awslogs": {"data": secret}}))
    run(event, FakeContext(), wired_with(FakeSink(answering(400)), FakeLetters()))
    captured = capsys.readouterr()
    assert secret not in captured.out + captured.err


def test_what_a_forged_message_says_is_not_logged_at_length(capsys: pytest.CaptureFixture[str]) -> None:
    run(sqs_event(json.dumps({"version": "x" * 100_000})), FakeContext(), wired_with(FakeSink(), FakeLetters()))
    assert max(map(len, capsys.readouterr().out.splitlines())) < 5_000


def test_the_handler_uses_the_services_of_its_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    wired = wired_with(FakeSink(), FakeLetters())
    monkeypatch.setattr(replay, "services", lambda: wired)
    assert replay.handler(sqs_event(letter_of(1)), FakeContext()) == failures()


def test_the_queue_says_how_often_is_too_often(monkeypatch: pytest.MonkeyPatch) -> None:
    letters = FakeLetters()
    wired = wired_with(FakeSink(then=DOWN), letters, settings=ONE_TRY)
    monkeypatch.setattr(replay, "services", lambda: wired)
    monkeypatch.setenv("RETRY_MAX_RECEIVES", "3")
    assert replay.handler(sqs_event(letter_of(1), receives=2), FakeContext()) == failures(0)
    assert replay.handler(sqs_event(letter_of(1), receives=3), FakeContext()) == failures()
    assert [letter.attempts for letter in letters.buried] == [4]


@pytest.mark.parametrize(("receives", "least_s", "most_s"), [(1, 15, 30), (2, 30, 60), (5, 240, 480), (90, 450, 900)])
def test_what_stays_is_hidden_the_longer_the_oftener_it_came(receives: int, least_s: int, most_s: int) -> None:
    letters = FakeLetters()
    event = sqs_event(letter_of(1), letter_of(2), receives=receives)
    run(event, FakeContext(), wired_with(FakeSink(then=DOWN), letters, settings=ONE_TRY))
    assert [receipt for receipt, _ in letters.postponed] == ["r-0", "r-1"]
    assert all(least_s <= delay_s <= most_s for _, delay_s in letters.postponed)


PARKED = [
    pytest.param(DOWN, "http_503", id="not taken now"),
    pytest.param(reply(404), "index_not_found_exception", id="another reason than before"),
    pytest.param(DENIED, REFUSED.type, id="denied: the reason of before"),
]


@pytest.mark.parametrize(("then", "reason"), PARKED)
def test_what_came_too_often_is_parked_with_its_tries_and_its_history(then: BulkReply, reason: str) -> None:
    """Row 54: the queue itself would move it as it is, and nobody would see how often it was tried."""
    letters = FakeLetters()
    wired = wired_with(FakeSink(then=then), letters, settings=ONE_TRY)
    assert run(sqs_event(letter_of(1), receives=100), FakeContext(), wired, max_receives=100) == failures()
    (letter,) = letters.buried
    assert (letter.reason.type, letter.attempts, letter.first_failed_at) == (reason, 101, "first")
    assert letter.history == (Failure(REFUSED, "first"),)
    assert deadletter.documents_in(letter) == [doc(1)]
    assert letters.postponed == []


def test_what_has_tries_left_is_not_parked() -> None:
    letters = FakeLetters()
    wired = wired_with(FakeSink(then=DOWN), letters, settings=ONE_TRY)
    assert run(sqs_event(letter_of(1), receives=99), FakeContext(), wired, max_receives=100) == failures(0)
    assert letters.buried == []


def test_what_came_too_often_and_is_taken_now_is_done_with() -> None:
    letters = FakeLetters()
    assert run(sqs_event(letter_of(1), receives=100), FakeContext(), wired_with(FakeSink(), letters), 100) == failures()
    assert letters.buried == []


def test_what_cannot_be_parked_is_left_to_its_queue(capsys: pytest.CaptureFixture[str]) -> None:
    letters = FakeLetters(down=QueueFailed("down"))
    wired = wired_with(FakeSink(then=DOWN), letters, settings=ONE_TRY)
    assert run(sqs_event(letter_of(1), receives=100), FakeContext(), wired, 100) == failures(0)
    assert log_lines(capsys.readouterr().out)[0]["message"] == "message left to its queue"


def test_the_ledger_of_what_is_parked_balances(capsys: pytest.CaptureFixture[str]) -> None:
    wired = wired_with(FakeSink(then=answering(201, 503)), FakeLetters(), settings=ONE_TRY)
    run(sqs_event(letter_of(1, 2), receives=7), FakeContext(), wired, 7)
    (log,) = [line for line in log_lines(capsys.readouterr().out) if line.get("message") == "ledger"]
    assert {term: n for term, n in log["ledger"].items() if n} == {"received": 2, "dead_lettered": 2}


def test_a_domain_that_is_away_is_asked_once() -> None:
    sink = FakeSink(then=DOWN)
    answer = run(
        sqs_event(*(letter_of(n) for n in range(10))), FakeContext(), wired_with(sink, FakeLetters(), settings=ONE_TRY)
    )
    assert answer == failures(*range(10))
    assert len(sink.requests) == 1


def test_what_cannot_be_hidden_stays_all_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    letters = FakeLetters(down=QueueFailed("denied"))
    answer = run(sqs_event(letter_of(1)), FakeContext(), wired_with(FakeSink(then=DOWN), letters, settings=ONE_TRY))
    assert answer == failures(0)
    assert any(line.get("message") == "message comes early" for line in log_lines(capsys.readouterr().out))
