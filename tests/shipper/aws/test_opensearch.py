"""The sink against a real HTTP server on loopback: what it sends, and what it makes of what comes back."""

from __future__ import annotations

import hashlib
import hmac
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from gzip import decompress
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from opensearchpy import OpenSearch
from requests_aws4auth import AWS4Auth

from shipper import bulk
from shipper.aws import opensearch
from shipper.aws.opensearch import MAX_TIMEOUT_S, OpenSearchSink, client
from shipper.bulk import BulkReply
from shipper.model import Verdict
from shipper.ship import Unreachable
from tests.loopback import Answer, Loopback, Request, Serve
from tests.shipper.fakes import docs

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
BODY = bulk.encode(docs(1))
OK = BulkReply(200, {"took": 1, "errors": False, "items": [{"create": {"status": 201}}]})


def auth() -> AWS4Auth:
    return AWS4Auth("AKIDEXAMPLE", SECRET, "eu-west-1", "es", session_token="token")


class Made:
    """Makes clients for one server, and counts them."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.count = 0
        self.sink = OpenSearchSink(self._make)

    def _make(self) -> OpenSearch:
        self.count += 1
        return client(self._url, auth())


def test_a_request_is_gzipped_ndjson_to_the_bulk_endpoint(serve: Serve) -> None:
    server = serve(Answer())
    assert Made(server.url).sink.bulk(BODY, 5) == OK
    (request,) = server.requests
    url = urlsplit(request.path)
    assert (request.method, url.path) == ("POST", "/_bulk")
    assert parse_qsl(url.query) == [("filter_path", bulk.FILTER_PATH)]
    assert request.headers["content-type"] == "application/x-ndjson"
    assert request.headers["content-encoding"] == "gzip"
    assert decompress(request.body) == BODY


def expected_signature(request: Request) -> str:
    """The signature of a request, made anew after the documentation of Signature Version 4.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
    """
    _, credential, signed, _ = request.headers["authorization"].replace(",", "").split()
    names = signed.removeprefix("SignedHeaders=").split(";")
    scope = credential.removeprefix("Credential=").split("/", 1)[1]
    url = urlsplit(request.path)
    query = "&".join(sorted(f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}" for k, v in parse_qsl(url.query)))
    canonical = "\n".join(
        [
            request.method,
            quote(url.path, safe="/-_.~"),
            query,
            *(f"{name}:{request.headers[name].strip()}" for name in names),
            "",
            ";".join(names),
            hashlib.sha256(request.body).hexdigest(),
        ]
    )
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = "\n".join(["AWS4-HMAC-SHA256", request.headers["x-amz-date"], scope, digest])
    key = ("AWS4" + SECRET).encode()
    for part in (*scope.split("/"), text):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key.hex()


def test_a_request_is_signed_as_aws_checks_it(serve: Serve) -> None:
    server = serve(Answer())
    Made(server.url).sink.bulk(BODY, 5)
    (request,) = server.requests
    header = request.headers["authorization"]
    assert header.startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert "/eu-west-1/es/aws4_request" in header
    assert {"host", "x-amz-date", "x-amz-security-token"} <= set(
        header.split("SignedHeaders=")[1].split(",")[0].split(";")
    )
    assert request.headers["x-amz-content-sha256"] == hashlib.sha256(request.body).hexdigest()
    assert header.endswith(f"Signature={expected_signature(request)}")
    assert SECRET not in str(request)


def test_one_client_and_one_connection_serve_many_requests(serve: Serve) -> None:
    server = serve(Answer())
    made = Made(server.url)
    for _ in range(3):
        made.sink.bulk(BODY, 5)
    assert (made.count, server.connections, len(server.requests)) == (1, 1, 3)


def test_nothing_is_built_before_the_first_request() -> None:
    assert Made("http://127.0.0.1:9").count == 0


THROTTLED = b"403 Request throttled due to too many requests /_bulk"
REPLIES = [
    pytest.param(Answer(), OK, id="200 JSON"),
    pytest.param(Answer(body=b'{"items": ['), BulkReply(200, None), id="200 JSON cut short"),
    pytest.param(Answer(body=b"<html>", content_type="text/html"), BulkReply(200, None), id="200 HTML"),
    pytest.param(Answer(body=b"<html>"), BulkReply(200, None), id="200 HTML that says it is JSON"),
    pytest.param(Answer(body=b""), BulkReply(200, ""), id="200 empty"),
    pytest.param(Answer(body=b"[]"), BulkReply(200, []), id="200 list"),
    pytest.param(Answer(204, b""), BulkReply(200, ""), id="204"),
    pytest.param(Answer(400, b'{"error": {"type": "t"}}'), BulkReply(400, {"error": {"type": "t"}}), id="400 JSON"),
    pytest.param(Answer(400, b'["no"]'), BulkReply(400, ["no"]), id="400 JSON list"),
    pytest.param(Answer(400, b'"no"'), BulkReply(400, "no"), id="400 JSON text"),
    pytest.param(
        Answer(401, b"Unauthorized", "text/plain"), BulkReply(401, {"message": "Unauthorized"}), id="401 text"
    ),
    pytest.param(Answer(403, THROTTLED), BulkReply(403, {"message": THROTTLED.decode()}), id="403 text, says JSON"),
    pytest.param(Answer(403, b" \n", "text/plain"), BulkReply(403, None), id="403 blank"),
    pytest.param(Answer(403, b" <!DOCTYPE html>", "text/html"), BulkReply(403, None), id="403 HTML"),
    pytest.param(Answer(406, b'{"error": "no"}'), BulkReply(406, {"error": "no"}), id="406 error is a text"),
    pytest.param(Answer(413, b""), BulkReply(413, None), id="413 empty"),
    pytest.param(Answer(429, b"{}"), BulkReply(429, {}), id="429"),
    pytest.param(Answer(502, b"<html>Bad Gateway</html>", "text/html"), BulkReply(502, None), id="502 HTML"),
    pytest.param(Answer(503, b'{"error":'), BulkReply(503, None), id="503 JSON cut short"),
    pytest.param(Answer(504, b"\xff\xfe", "text/html"), None, id="504 that is no text"),
]


@pytest.mark.parametrize(("answer", "expected"), REPLIES)
def test_a_reply_comes_back_as_it_is(serve: Serve, answer: Answer, expected: BulkReply | None) -> None:
    """Rows 32 and 33; None where it is as good as no reply."""
    made = Made(serve(answer).url)
    if expected is None:
        with pytest.raises(Unreachable):
            made.sink.bulk(BODY, 5)
    else:
        assert made.sink.bulk(BODY, 5) == expected


def test_throttling_in_plain_text_is_waited_for(serve: Serve) -> None:
    """Row 24: it comes as 403, and is no denial."""
    answered = Made(serve(Answer(403, THROTTLED, "text/plain")).url).sink.bulk(BODY, 5)
    assert [outcome.verdict for outcome in bulk.outcomes(docs(1), answered)] == [Verdict.RETRY]


def waiting(status: int, text: str) -> Answer:
    return Answer(status, b"{}", headers=(("Retry-After", text),))


RETRY_AFTER = [
    ("7", 7.0),
    ("0", 0.0),
    ("120", 120.0),
    ("100000", 900.0),
    ("9" * 400, 900.0),
    ("", 0.0),
    ("-7", 0.0),
    ("1.5", 0.0),
    ("\u00b2", 0.0),
    ("soon", 0.0),
    ("Tue, 24 Nov 2026 12:00:07 GMT", 0.0),
]


@pytest.mark.parametrize(("text", "seconds"), RETRY_AFTER)
@pytest.mark.parametrize("status", [429, 503])
def test_the_wait_that_a_reply_asks_for_is_read(serve: Serve, status: int, text: str, seconds: float) -> None:
    """Row 23."""
    assert Made(serve(waiting(status, text)).url).sink.bulk(BODY, 5) == BulkReply(status, {}, seconds)


@pytest.mark.parametrize("after", [Answer(429, b"{}"), Answer(503, b""), Answer(), Answer(body=b"{")])
def test_the_wait_of_one_reply_is_not_that_of_the_next(serve: Serve, after: Answer) -> None:
    sink = Made(serve(waiting(429, "7"), after).url).sink
    assert [sink.bulk(BODY, 5).retry_after_s for _ in range(2)] == [7, 0]


def test_the_wait_of_a_reply_is_not_carried_over_a_broken_connection(serve: Serve) -> None:
    sink = Made(serve(waiting(429, "7"), Answer(reset=True), Answer(429, b"{}")).url).sink
    assert sink.bulk(BODY, 5).retry_after_s == 7
    with pytest.raises(Unreachable):
        sink.bulk(BODY, 5)
    assert sink.bulk(BODY, 5).retry_after_s == 0


def test_requests_under_way_at_once_keep_their_own_waits(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """All replies are in before the first of them is made a result."""
    server = serve(*(waiting(429, str(seconds)) for seconds in (3, 4, 5)), waiting(429, "6"))
    sink = Made(server.url).sink
    all_in = threading.Barrier(4)
    parsed = opensearch._parsed

    def parsed_together(raw: str | bytes) -> Any:
        all_in.wait(timeout=10)
        return parsed(raw)

    monkeypatch.setattr(opensearch, "_parsed", parsed_together)
    with ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(lambda _: sink.bulk(BODY, 5), range(4)))
    assert sorted(reply.retry_after_s for reply in replies) == [3, 4, 5, 6]


def test_renewing_makes_a_new_client_for_the_next_request(serve: Serve) -> None:
    server = serve(Answer())
    made = Made(server.url)
    made.sink.renew()
    assert made.count == 0
    for count in (1, 2):
        made.sink.bulk(BODY, 5)
        made.sink.bulk(BODY, 5)
        assert (made.count, server.connections) == (count, count)
        made.sink.renew()


def test_renewing_takes_the_credentials_of_then(serve: Serve) -> None:
    server = serve(Answer())
    keys = iter(["AKIDOLD", "AKIDNEW"])
    sink = OpenSearchSink(lambda: client(server.url, AWS4Auth(next(keys), SECRET, "eu-west-1", "es")))
    sink.bulk(BODY, 5)
    sink.renew()
    sink.bulk(BODY, 5)
    assert ["AKIDNEW" in request.headers["authorization"] for request in server.requests] == [False, True]


def test_renewing_leaves_a_request_that_is_under_way_alone(serve: Serve) -> None:
    server = serve(Answer(delay_s=0.3))
    made = Made(server.url)
    with ThreadPoolExecutor(1) as pool:
        under_way = pool.submit(made.sink.bulk, BODY, 5)
        while not server.requests:
            time.sleep(0.005)
        made.sink.renew()
        assert under_way.result(timeout=10) == OK
    assert len(server.requests) == 1


@pytest.mark.parametrize("answer", [Answer(429, b"{}"), Answer(503, b""), Answer(body=b"{")])
def test_an_error_that_was_answered_keeps_the_client_and_is_asked_once(serve: Serve, answer: Answer) -> None:
    server = serve(answer)
    made = Made(server.url)
    made.sink.bulk(BODY, 5)
    made.sink.bulk(BODY, 5)
    assert (made.count, len(server.requests)) == (1, 2)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed(serve: Serve, status: int) -> None:
    """Row 36: a signed batch of logs goes to the domain and nowhere else."""
    elsewhere = serve(Answer())
    server = serve(Answer(status, b"", headers=(("Location", f"{elsewhere.url}/_bulk"),)))
    assert Made(server.url).sink.bulk(BODY, 5) == BulkReply(status, None)
    assert (len(server.requests), elsewhere.requests) == (1, [])


BROKEN = [
    pytest.param(Answer(reset=True), id="reset before the reply"),
    pytest.param(Answer(claimed=10_000), id="closed in the middle of the reply"),
    pytest.param(Answer(delay_s=5), id="no reply in time"),
    pytest.param(Answer(headers=(("Content-Encoding", "gzip"),)), id="says gzip and is none"),
]


@pytest.mark.parametrize("answer", BROKEN)
def test_no_reply_is_unreachable_and_the_next_try_starts_afresh(serve: Serve, answer: Answer) -> None:
    """Rows 38 to 40: sockets may be dead and credentials old after a freeze."""
    server = serve(answer, Answer())
    made = Made(server.url)
    begin = time.monotonic()
    with pytest.raises(Unreachable) as raised:
        made.sink.bulk(BODY, 0.2)
    assert time.monotonic() - begin < 2
    assert str(raised.value)
    assert SECRET not in str(raised.value)
    assert len(server.requests) == 1
    assert made.sink.bulk(BODY, 5) == OK
    assert made.count == 2


def test_a_refused_connection_is_unreachable(serve: Serve) -> None:
    server = Loopback([Answer()])
    url = server.url
    server._server.server_close()
    made = Made(url)
    for count in (1, 2):
        with pytest.raises(Unreachable, match="ConnectionError"):
            made.sink.bulk(BODY, 1)
        assert made.count == count


def test_a_reply_that_drips_ends_at_the_deadline(serve: Serve) -> None:
    """Row 39: slow drip."""
    made = Made(serve(Answer(drip_s=0.02)).url)
    begin = time.monotonic()
    with pytest.raises(Unreachable):
        made.sink.bulk(BODY, 0.2)
    assert time.monotonic() - begin < 1


def test_the_time_given_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a workstation the clock knows no end."""
    found: list[Any] = []
    made = client("http://127.0.0.1:9", auth())
    monkeypatch.setattr(made.transport, "perform_request", lambda *_, timeout, **__: found.append(timeout))
    sink = OpenSearchSink(lambda: made)
    for timeout_s in (3.5, float("inf")):
        sink.bulk(BODY, timeout_s)
    assert found == [3.5, MAX_TIMEOUT_S]


@pytest.mark.parametrize(
    ("endpoint", "host"),
    [
        ("https://search.example.com", "https://search.example.com:443"),
        ("https://search.example.com:9200", "https://search.example.com:9200"),
        ("http://127.0.0.1", "http://127.0.0.1:80"),
        ("http://[::1]:9200", "http://[::1]:9200"),
    ],
)
def test_the_client_goes_to_the_endpoint_and_verifies_its_certificate(endpoint: str, host: str) -> None:
    (connection,) = client(endpoint, auth()).transport.connection_pool.connections
    assert connection.host == host
    assert connection.session.verify


def test_a_body_of_many_documents_arrives_whole(serve: Serve) -> None:
    server = serve(Answer())
    body = bulk.encode(docs(20_000))
    Made(server.url).sink.bulk(body, 10)
    assert decompress(server.requests[0].body) == body
    assert len(server.requests[0].body) < len(body) / 5
