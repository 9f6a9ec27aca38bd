"""Rows 22 to 40: a domain that answers what it should not, or nothing, played by a server on loopback."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from shipper.aws.clock import SystemClock
from shipper.model import Ledger
from shipper.ship import Denied
from tests.faults.chain import Domain, answer, body_of, dead, deliver, lines, waiting
from tests.loopback import Answer, Loopback, Serve
from tests.shipper.fakes import SETTINGS, FakeClock, FakeLetters, documents_of, ids_in, item, sources_in


def requested(server: Loopback) -> list[str]:
    """The numbers of the lines in each request."""
    bodies = [gzip.decompress(request.body) for request in server.requests]
    return [" ".join(id_.removeprefix("event-") for id_ in ids_in(body)) for body in bodies]


def whole(status: int, type_: str, reason: str = "", **changes: Any) -> Answer:
    """A request refused as a whole, as a node says it."""
    error = {"error": {"type": type_, "reason": reason or type_}, "status": status}
    return Answer(status, body_of(error), **changes)


def items(*made: Any, errors: bool = True) -> Answer:
    return Answer(body=body_of({"took": 1, "errors": errors, "items": made}))


def created(number: int) -> dict[str, Any]:
    return {"create": {"_id": f"event-{number}", "status": 201}}


HTML = "text/html"
BLOCKED = item(429, "cluster_block_exception", "index [cwl] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded]")
OK, LATER = answer(201, 201, 201), answer(409, 409, 409)


INDEXED = Ledger(received=3, indexed=3)


@dataclass(frozen=True)
class Played:
    """What the domain answers to three lines, and which lines are in each request; then all of them are safe."""

    answers: Sequence[Answer]
    requests: Sequence[str]
    retried: dict[str, int]
    ledger: Ledger = INDEXED


def _again(first: Answer, type_: str, then: Answer = OK, **terms: int) -> Played:
    """All three are sent again."""
    return Played([first, then], ["0 1 2"] * 2, {type_: 3}, Ledger(received=3, **(terms or {"indexed": 3})))


HEALED: dict[str, Played] = {
    "22 an item's queue is full": Played(
        [answer(201, 429, 201), answer(201)], ["0 1 2", "1"], {"rejected_execution_exception": 1}
    ),
    "22 a circuit breaker": Played(
        [items(item(429, "circuit_breaking_exception"), item(201), item(201)), answer(201)],
        ["0 1 2", "0"],
        {"circuit_breaking_exception": 1},
    ),
    "23 429 of the whole request": _again(whole(429, "rejected_execution_exception"), "rejected_execution_exception"),
    "24 flood stage": Played(
        [items(BLOCKED, item(201), BLOCKED), answer(201, 201)],
        ["0 1 2", "0 2"],
        {BLOCKED["create"]["error"]["type"]: 2},
    ),
    "24 403 FORBIDDEN/8": _again(whole(403, "cluster_block_exception"), "cluster_block_exception"),
    "24 403 FORBIDDEN/10": _again(whole(403, "index_create_block_exception"), "index_create_block_exception"),
    "24 403 throttled": _again(
        Answer(403, b"403 Request throttled due to too many requests", "text/plain"), "http_403"
    ),
    "26 413 of the whole request": Played([Answer(413, b""), answer(201), answer(201, 201)], ["0 1 2", "0", "1 2"], {}),
    "27 an item without its index": Played(
        [answer(201, 404, 201), answer(201)], ["0 1 2", "1"], {"index_not_found_exception": 1}
    ),
    "28 409": Played([answer(201, 409, 201)], ["0 1 2"], {}, Ledger(received=3, indexed=2, duplicate=1)),
    "29 a field that does not fit": Played([answer(201, 400, 201), answer(201)], ["0 1 2", "1"], {}),
    "31 503 no master": _again(
        whole(503, "cluster_manager_not_discovered_exception"), "cluster_manager_not_discovered_exception"
    ),
    "31 a shard of an item": Played(
        [answer(503, 201, 201), answer(201)], ["0 1 2", "0"], {"unavailable_shards_exception": 1}
    ),
    "32 502 HTML": _again(Answer(502, b"<html>Bad Gateway</html>", HTML), "http_502"),
    "32 504 HTML": _again(Answer(504, b"<html>Gateway Timeout</html>", HTML), "http_504"),
    "32 200 empty": _again(Answer(body=b""), "unreadable_reply", LATER, duplicate=3),
    "33 200 cut short": _again(Answer(body=OK.body[:-9]), "unreadable_reply", LATER, duplicate=3),
    "34 an item too few": _again(answer(201, 201), "unreadable_reply", LATER, duplicate=3),
    "34 an item too many": _again(answer(201, 201, 201, 201), "unreadable_reply", LATER, duplicate=3),
    "34 items in another order": Played(
        [items(created(0), created(2), created(1)), answer(409, 409)],
        ["0 1 2", "1 2"],
        {"unreadable_reply": 2},
        Ledger(received=3, indexed=1, duplicate=2),
    ),
    "35 no errors, says the reply": Played(
        [items(item(201), item(429, "rejected_execution_exception"), item(201), errors=False), answer(201)],
        ["0 1 2", "1"],
        {"rejected_execution_exception": 1},
    ),
    "38 reset before the reply": _again(Answer(reset=True), "unreachable", LATER, duplicate=3),
    "38 cut in the middle of the reply": _again(Answer(claimed=10_000), "unreachable", LATER, duplicate=3),
}


@pytest.mark.parametrize("played", HEALED.values(), ids=HEALED)
def test_only_what_is_not_safe_is_sent_again(serve: Serve, played: Played) -> None:
    server, letters = serve(*played.answers), FakeLetters()
    shipped = deliver(lines(3), Domain(server.url).sink, letters)
    assert shipped.ledger == played.ledger
    assert requested(server) == list(played.requests)
    assert dict(shipped.delivery.retried) == played.retried
    assert (letters.retried, letters.buried) == ([], [])


STAYS: dict[str, tuple[Answer, str]] = {
    "22 the queue stays full": (answer(429, 429, 429), "rejected_execution_exception"),
    "24 the disk stays full": (whole(403, "index_create_block_exception"), "index_create_block_exception"),
    "27 no index is made": (answer(404, 404, 404), "index_not_found_exception"),
    "31 503 stays": (Answer(503, b""), "http_503"),
    "32 502 stays": (Answer(502, b"<html>", HTML), "http_502"),
    "33 200 cut short stays": (Answer(body=b'{"items": ['), "unreadable_reply"),
    "38 each reply is reset": (Answer(reset=True), "unreachable"),
}


@pytest.mark.parametrize(("always", "type_"), STAYS.values(), ids=STAYS)
def test_what_stays_waits_in_the_retry_queue_as_one_letter(serve: Serve, always: Answer, type_: str) -> None:
    server, letters = serve(always), FakeLetters()
    shipped = deliver(lines(3), Domain(server.url).sink, letters)
    assert shipped.ledger == Ledger(received=3, requeued=3)
    assert requested(server) == ["0 1 2"] * SETTINGS.max_tries
    assert [(letter.kind, letter.reason.type) for letter in letters.retried] == [("payload", type_)]
    assert waiting(letters) == ["event-0", "event-1", "event-2"]
    assert letters.buried == []


def test_the_wait_that_the_reply_asks_for_is_kept(serve: Serve) -> None:
    """Row 23."""
    clock = FakeClock()
    server = serve(replace(whole(429, "rejected_execution_exception"), headers=(("Retry-After", "7"),)), OK)
    assert deliver(lines(3), Domain(server.url).sink, FakeLetters(), clock=clock).ledger.indexed == 3
    assert clock.slept == [7]


DENIED = {
    "25 401": Answer(401, b'{"message": "The security token included in the request is expired"}'),
    "25 403 of the service": Answer(403, b'{"Message": "User: x is not authorized"}'),
    "25 403 of the node": whole(403, "security_exception"),
    "25 403 of the items": items(*[item(403, "security_exception")] * 3),
    "36 301": Answer(301, b"", headers=(("Location", "http://127.0.0.1:9/_bulk"),)),
    "36 307": Answer(307, b"", headers=(("Location", "http://127.0.0.1:9/_bulk"),)),
}


@pytest.mark.parametrize("refusal", DENIED.values(), ids=DENIED)
def test_who_is_denied_tries_once_more_with_new_credentials(serve: Serve, refusal: Answer) -> None:
    server = serve(refusal, OK)
    assert deliver(lines(3), Domain(server.url).sink, FakeLetters()).ledger == Ledger(received=3, indexed=3)
    keys = [request.headers["authorization"].split("Credential=")[1][:4] for request in server.requests]
    assert keys == ["KEY1", "KEY2"]


@pytest.mark.parametrize("refusal", DENIED.values(), ids=DENIED)
def test_who_is_denied_twice_leaves_the_event_to_lambda(serve: Serve, refusal: Answer) -> None:
    server, letters = serve(refusal), FakeLetters()
    with pytest.raises(Denied):
        deliver(lines(3), Domain(server.url).sink, letters)
    assert requested(server) == ["0 1 2"] * 2
    assert (letters.retried, letters.buried) == ([], [])


def test_a_redirect_takes_no_log_elsewhere(serve: Serve) -> None:
    """Row 36."""
    elsewhere = serve(OK)
    server = serve(Answer(307, b"", headers=(("Location", f"{elsewhere.url}/_bulk"),)))
    with pytest.raises(Denied):
        deliver(lines(3), Domain(server.url).sink, FakeLetters())
    assert elsewhere.requests == []


def test_a_document_that_is_too_large_alone_is_dead_and_its_neighbours_are_not(serve: Serve) -> None:
    """Row 26."""
    server, letters = serve(Answer(413, b""), Answer(413, b""), answer(201, 201)), FakeLetters()
    assert deliver(lines(3), Domain(server.url).sink, letters).ledger == Ledger(received=3, indexed=2, dead_lettered=1)
    assert (requested(server), dead(letters)) == (["0 1 2", "0", "1 2"], ["event-0"])
    assert [letter.reason.type for letter in letters.buried] == ["http_413"]


def test_what_does_not_fit_its_mapping_is_found_by_its_text(serve: Serve) -> None:
    """Rows 18 and 29."""
    server, letters = serve(answer(201, 400, 201), answer(201)), FakeLetters()
    shipped = deliver(lines(3), Domain(server.url).sink, letters)
    assert (shipped.ledger, shipped.delivery.rescued) == (Ledger(received=3, indexed=3), 1)
    (found,) = sources_in(gzip.decompress(server.requests[1].body))
    assert (found["@message"], found["@shipper"]["error"]["type"]) == ("line 1", "mapper_parsing_exception")


def test_what_fits_not_even_then_is_dead_at_once_as_it_was(serve: Serve) -> None:
    """Row 29."""
    server, letters = serve(answer(201, 400, 201), answer(400)), FakeLetters()
    shipped = deliver(lines(3), Domain(server.url).sink, letters)
    assert shipped.ledger == Ledger(received=3, indexed=2, dead_lettered=1)
    assert (requested(server), dead(letters)) == (["0 1 2", "1"], ["event-1"])
    assert "@unmapped" not in json.loads(documents_of(letters.buried)[0].source)


def test_a_request_refused_whole_is_narrowed_down_to_its_bad_document(serve: Serve) -> None:
    """Row 30."""
    no = whole(400, "parse_exception")
    server, letters = serve(no, answer(201), no, no, answer(201)), FakeLetters()
    assert deliver(lines(3), Domain(server.url).sink, letters).ledger == Ledger(received=3, indexed=2, dead_lettered=1)
    assert (requested(server), dead(letters)) == (["0 1 2", "0", "1 2", "1", "2"], ["event-1"])


@pytest.mark.parametrize(
    "slow", [pytest.param(Answer(delay_s=30), id="no reply"), pytest.param(replace(OK, drip_s=0.05), id="drip")]
)
def test_a_domain_slower_than_the_time_that_is_left_leaves_time_for_the_queue(serve: Serve, slow: Answer) -> None:
    """Row 39."""
    end, letters = time.monotonic() + 1.5, FakeLetters()
    clock = SystemClock(lambda: (end - time.monotonic()) * 1000)
    settings = SETTINGS.with_values(reserve_s=0.7)
    sink = Domain(serve(slow).url).sink
    shipped = deliver(lines(3), sink, letters, clock=clock, settings=settings)
    assert end - time.monotonic() > 0.1
    assert shipped.ledger == Ledger(received=3, requeued=3)
    assert waiting(letters) == ["event-0", "event-1", "event-2"]


def test_a_connection_that_died_while_the_sandbox_was_frozen_is_made_anew(serve: Serve) -> None:
    """Row 40: the domain has closed what the client holds open."""
    server = serve(replace(OK, claimed=len(OK.body)), LATER)
    sink = Domain(server.url).sink
    deliver(lines(3), sink, FakeLetters())
    assert deliver(lines(3), sink, FakeLetters()).ledger == Ledger(received=3, duplicate=3)
    assert server.connections == 2
