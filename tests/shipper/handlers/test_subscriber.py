from __future__ import annotations

import gzip
import json
from base64 import b64encode
from dataclasses import replace
from typing import Any

import pytest

from shipper import deadletter
from shipper.aws.queue import QueueFailed
from shipper.bulk import BulkReply
from shipper.handlers import subscriber
from shipper.handlers.subscriber import run
from shipper.model import LedgerImbalance
from shipper.replay import replay
from shipper.sample import Rule
from shipper.ship import Denied, Unreachable, ship
from tests.shipper.fakes import (
    AWS_ENV,
    SETTINGS,
    FakeClock,
    FakeContext,
    FakeLetters,
    FakeSink,
    item,
    lambda_event,
    log_lines,
    payload_of,
    refusing,
    reply,
    sources_in,
    wired_with,
)

NOTHING = {
    "received": 0,
    "indexed": 0,
    "duplicate": 0,
    "joined": 0,
    "filtered": 0,
    "sampled": 0,
    "requeued": 0,
    "dead_lettered": 0,
}
SECRET = "hunter2"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in AWS_ENV.items():
        monkeypatch.setenv(name, value)


def test_records_are_indexed_and_the_ledger_is_answered_and_logged(capsys: pytest.CaptureFixture[str]) -> None:
    sink, letters = FakeSink(), FakeLetters()
    answer = run(lambda_event(payload_of("one", "two")), FakeContext(), wired_with(sink, letters))
    assert answer == {**NOTHING, "received": 2, "indexed": 2}
    assert sink.requests == [["event-0", "event-1"]]
    assert (letters.buried, letters.retried) == ([], [])
    log, metrics, of_group = log_lines(capsys.readouterr().out)
    assert (log["message"], log["request_id"], log["ledger"]) == ("ledger", "request-1", answer)
    assert log["log_group"] == of_group["log_group"] == "/aws/containerinsights/demo/application"
    assert (metrics["received"], metrics["indexed"]) == ([2.0], [2.0])
    assert log["sent_bytes"] == metrics["sent_bytes"][0] == len(sink.bodies[0])
    assert of_group["received"] == [2.0]
    assert log["newest_event_age_ms"] == of_group["newest_event_age_ms"][0]


def test_while_nothing_is_taken_a_log_group_is_not_fresh(capsys: pytest.CaptureFixture[str]) -> None:
    wired = wired_with(FakeSink(then=BulkReply(503)), FakeLetters(), settings=SETTINGS.with_values(max_tries=1))
    run(lambda_event(payload_of("one")), FakeContext(), wired)
    log, metrics, of_group = log_lines(capsys.readouterr().out)
    assert (metrics["received"], of_group["received"]) == ([1.0], [1.0])
    assert "newest_event_age_ms" not in {**log, **metrics, **of_group}


def test_a_record_over_several_events_is_one_document() -> None:
    sink = FakeSink()
    lines = ["java.lang.IllegalStateException: no", "\tat a.B.c(B.java:1)", "\tat a.B.d(B.java:2)", "next"]
    answer = run(lambda_event(payload_of(*lines)), FakeContext(), wired_with(sink, FakeLetters()))
    assert answer == {**NOTHING, "received": 4, "indexed": 2, "joined": 2}
    assert sink.requests == [["event-0", "event-3"]]


@pytest.mark.parametrize(
    "payload",
    [
        {"messageType": "CONTROL_MESSAGE", "owner": "CloudwatchLogs", "logGroup": "", "logStream": "", "logEvents": []},
        payload_of(),
    ],
    ids=["control message", "no events"],
)
def test_what_holds_no_events_is_a_success(payload: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    """Row 5."""
    sink, letters = FakeSink(), FakeLetters()
    assert run(lambda_event(payload), FakeContext(), wired_with(sink, letters)) == {}
    assert (sink.requests, letters.buried, letters.retried) == ([], [], [])
    assert [line["message"] for line in log_lines(capsys.readouterr().out)] == ["control message"]


BAD = [
    pytest.param(None, "bad_input", id="nothing"),
    pytest.param([], "bad_input", id="a list"),
    pytest.param({"Records": []}, "bad_input", id="an event of another service"),
    pytest.param({"awslogs": {"data": SECRET + "%"}}, "bad_input", id="not base64"),
    pytest.param({"awslogs": {"data": b64encode(SECRET.encode()).decode()}}, "bad_gzip", id="not gzip"),
    pytest.param({"awslogs": {"data": b64encode(gzip.compress(b"x")[:-9]).decode()}}, "bad_gzip", id="cut short"),
    pytest.param({"awslogs": {"data": b64encode(gzip.compress(b"{")).decode()}}, "bad_json", id="not JSON"),
    pytest.param(
        {"awslogs": {"data": b64encode(gzip.compress(bytes(65 * 2**20), 1)).decode()}}, "bomb", id="a gzip bomb"
    ),
    pytest.param(lambda_event({"messageType": SECRET}), "unknown_type", id="unknown type"),
    pytest.param(lambda_event({"messageType": "DATA_MESSAGE"}), "bad_shape", id="keys missing"),
]


@pytest.mark.parametrize(("event", "reason"), BAD)
def test_bad_input_is_dead_lettered_whole_and_once(event: Any, reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    sink, letters = FakeSink(), FakeLetters()
    answer = run(event, FakeContext(), wired_with(sink, letters))
    assert answer == {**NOTHING, "received": 1, "dead_lettered": 1}
    (letter,) = letters.buried
    assert (letter.kind, letter.reason.type, json.loads(letter.body)) == ("payload", reason, event)
    assert (sink.requests, letters.retried) == ([], [])
    output = capsys.readouterr().out
    assert (log_lines(output)[0]["level"], log_lines(output)[0]["reason_type"]) == ("WARNING", reason)
    assert SECRET not in output


def test_what_is_refused_and_what_has_to_wait_go_to_their_queues(capsys: pytest.CaptureFixture[str]) -> None:
    sink, letters = FakeSink(reply(201, 400, 503), reply(400)), FakeLetters()
    # Just above the reserve: there is time for one request and none to wait.
    context = FakeContext([5_001])
    answer = run(lambda_event(payload_of("one", "two", "three")), context, wired_with(sink, letters))
    assert answer == {**NOTHING, "received": 3, "indexed": 1, "dead_lettered": 1, "requeued": 1}
    assert [d.id for letter in letters.buried for d in deadletter.documents_in(letter)] == ["event-1"]
    assert [d.id for letter in letters.retried for d in deadletter.documents_in(letter)] == ["event-2"]
    assert log_lines(capsys.readouterr().out)[0]["ledger"] == answer


def test_tries_are_counted_by_kind_of_error(capsys: pytest.CaptureFixture[str]) -> None:
    sink = FakeSink(reply(429), Unreachable("reset"))
    run(lambda_event(payload_of("one")), FakeContext(), wired_with(sink, FakeLetters()))
    log = log_lines(capsys.readouterr().out)[0]
    assert log["retried"] == 2
    assert log["retried_by_type"] == {"rejected_execution_exception": 1, "unreachable": 1}


def test_the_functions_own_log_group_is_refused_without_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    """Each line about it would be one more to ship, and so on for ever."""
    sink, letters = FakeSink(), FakeLetters()
    wired = wired_with(sink, letters)
    own = replace(wired, own_log_group="/aws/containerinsights/demo/application")
    event = lambda_event(payload_of("one", "two"))
    assert run(event, FakeContext(), own) == {**NOTHING, "received": 2, "filtered": 2}
    assert (sink.requests, letters.buried, letters.retried) == ([], [], [])
    captured = capsys.readouterr()
    assert captured.out + captured.err == ""
    assert run(event, FakeContext(), replace(wired, own_log_group="/aws/lambda/shipper"))["indexed"] == 2


def test_what_rules_leave_out_is_counted_and_named(capsys: pytest.CaptureFixture[str]) -> None:
    filters = (Rule("health", "drop", pattern="healthz"), Rule("less", "sample", pattern="x", rates=(("*", 0.0),)))
    wired = wired_with(FakeSink(), FakeLetters(), settings=SETTINGS.with_values(filters=filters))
    answer = run(lambda_event(payload_of("GET /healthz", "x", "one")), FakeContext(), wired)
    assert answer == {**NOTHING, "received": 3, "indexed": 1, "filtered": 1, "sampled": 1}
    (log,) = [line for line in log_lines(capsys.readouterr().out) if line.get("message") == "ledger"]
    assert (log["ledger"], log["left_out_by_rule"]) == (answer, {"health": 1, "less": 1})


def test_secrets_and_stripped_bytes_are_counted_without_their_content(capsys: pytest.CaptureFixture[str]) -> None:
    record = json.dumps({"log": f"password={SECRET}, jo@example.com", "docker": {"id": "d"}})
    wired = wired_with(FakeSink(), FakeLetters(), settings=SETTINGS.with_values(redact=("all",)))
    run(lambda_event(payload_of(record, record)), FakeContext(), wired)
    output = capsys.readouterr().out
    assert SECRET not in output
    log, metrics, _ = log_lines(output)
    stripped_bytes = 2 * len('"docker":{"id":"d"},')
    assert (log["stripped_bytes"], log["redacted"]) == (stripped_bytes, 4)
    assert (metrics["stripped_bytes"], metrics["redacted"]) == ([stripped_bytes], [4])
    assert log["redacted_by_detector"] == {"secret": 2, "email": 2}


@pytest.mark.parametrize(
    ("event", "then"),
    [
        pytest.param(lambda_event(payload_of("one")), reply(400), id="a refused document"),
        pytest.param(lambda_event(payload_of("one")), BulkReply(503), id="a document that has to wait"),
        pytest.param({"awslogs": {}}, BulkReply(503), id="bad input"),
    ],
)
def test_a_queue_that_is_down_is_raised_so_that_lambda_tries_again(event: Any, then: BulkReply) -> None:
    """Row 47. Peers answer success here, and the event is gone."""
    wired = wired_with(
        FakeSink(then=then), FakeLetters(down=QueueFailed("down")), settings=SETTINGS.with_values(max_tries=1)
    )
    with pytest.raises(QueueFailed):
        run(event, FakeContext(), wired)


DENIED = [BulkReply(401), BulkReply(302), BulkReply(200, {"items": [item(403, "security_exception"), item(201)]})]


@pytest.mark.parametrize("then", DENIED, ids=["401", "redirect", "an item"])
def test_a_domain_that_denies_is_raised_so_that_lambda_tries_again(then: BulkReply) -> None:
    """Rows 25 and 36."""
    sink, letters = FakeSink(then, BulkReply(401)), FakeLetters()
    with pytest.raises(Denied):
        run(lambda_event(payload_of("one", "two")), FakeContext(), wired_with(sink, letters))
    assert (sink.renewed, letters.buried, letters.retried) == (1, [], [])


def test_new_credentials_are_enough(capsys: pytest.CaptureFixture[str]) -> None:
    sink = FakeSink(BulkReply(403))
    answer = run(lambda_event(payload_of("one")), FakeContext(), wired_with(sink, FakeLetters()))
    assert answer == {**NOTHING, "received": 1, "indexed": 1}
    assert sink.renewed == 1


def test_what_is_indexed_without_its_fields_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    sink, letters = FakeSink(then=refusing("event-1", rescue=201)), FakeLetters()
    answer = run(lambda_event(payload_of("one", '{"n": "x"}')), FakeContext(), wired_with(sink, letters))
    assert answer == {**NOTHING, "received": 2, "indexed": 2}
    (source,) = sources_in(sink.bodies[-1])
    assert (source["@message"], json.loads(source["@unmapped"])["n"]) == ('{"n": "x"}', "x")
    assert (letters.buried, letters.retried) == ([], [])
    log, metrics, _ = log_lines(capsys.readouterr().out)
    assert (log["rescued"], metrics["rescued"]) == (1, [1.0])


def test_a_payload_of_which_nothing_was_taken_waits_whole_as_received() -> None:
    letters, event = FakeLetters(), lambda_event(payload_of("one", "two"))
    answer = run(event, FakeContext([5_001]), wired_with(FakeSink(then=BulkReply(503)), letters))
    assert answer == {**NOTHING, "received": 2, "requeued": 2}
    (letter,) = letters.retried
    assert (letter.kind, letter.count, json.loads(letter.body)) == ("payload", 2, event)


def test_a_payload_that_waits_comes_back_as_the_documents_of_its_first_transform() -> None:
    """Of an event whose time is unusable the time of the transform makes the day, and so the index."""
    letters, sink = FakeLetters(), FakeSink(BulkReply(503))
    event = lambda_event({**payload_of(), "logEvents": [{"id": "e", "timestamp": -5, "message": "m"}]})
    run(event, FakeContext([5_001]), wired_with(sink, letters))
    (letter,) = letters.retried
    replay(deadletter.unpack(deadletter.pack(letter)), sink, letters, FakeClock(), SETTINGS)
    assert sink.bodies[1] == sink.bodies[0]


def test_a_fault_of_our_own_is_raised() -> None:
    """The defect of a peer: it catches everything and answers success."""
    with pytest.raises(ZeroDivisionError):
        run(lambda_event(payload_of("x")), FakeContext(), wired_with(FakeSink(ZeroDivisionError()), FakeLetters()))


def test_a_ledger_that_does_not_balance_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def losing(*args: Any) -> Any:
        ledger, delivery = ship(*args)
        return ledger.__class__(**{**ledger.terms(), "indexed": 0}), delivery

    monkeypatch.setattr(subscriber, "ship", losing)
    with pytest.raises(LedgerImbalance, match="received 1 events, accounted for 0"):
        run(lambda_event(payload_of("x")), FakeContext(), wired_with(FakeSink(), FakeLetters()))


@pytest.mark.parametrize(
    "then",
    [
        pytest.param(reply(201), id="indexed"),
        pytest.param(BulkReply(503, f"<html>{SECRET}</html>"), id="not taken"),
        pytest.param(
            BulkReply(
                200,
                {
                    "items": [
                        {
                            "create": {
                                "status": 400,
                                "error": {
                                    "type": "mapper_parsing_exception",
                                    "reason": f"failed to parse field [n]. Preview of field's value: '{SECRET}'",
                                },
                            }
                        }
                    ]
                },
            ),
            id="refused with the value quoted",
        ),
    ],
)
def test_log_content_never_reaches_the_functions_own_log(then: BulkReply, capsys: pytest.CaptureFixture[str]) -> None:
    letters = FakeLetters()
    wired = wired_with(FakeSink(then=then), letters, settings=SETTINGS.with_values(max_tries=2))
    run(lambda_event(payload_of(json.dumps({"n": SECRET}))), FakeContext(), wired)
    captured = capsys.readouterr()
    assert SECRET not in captured.out + captured.err
    assert all(SECRET not in letter.reason.message for letter in letters.buried + letters.retried)


def test_an_event_delivered_twice_is_indexed_once() -> None:
    """Row 44."""
    sink = FakeSink()
    wired = wired_with(sink, FakeLetters())
    for term in ("indexed", "duplicate"):
        answer = run(lambda_event(payload_of("one", "two")), FakeContext(), wired)
        assert answer == {**NOTHING, "received": 2, term: 2}


def test_the_handler_uses_the_services_of_its_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    wired = wired_with(FakeSink(), FakeLetters())
    monkeypatch.setattr(subscriber, "services", lambda: wired)
    assert subscriber.handler(lambda_event(payload_of("one")), FakeContext())["indexed"] == 1
