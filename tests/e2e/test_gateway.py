"""The test gateway lets in what is signed as AWS wants it, and nothing else; no engine is needed to see that."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import boto3
import pytest
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from requests_aws4auth import AWS4Auth

from shipper import bulk
from shipper.aws.opensearch import OpenSearchSink, client
from shipper.handlers.services import signer
from tests.e2e.gateway import REGION, Gateway, Session
from tests.e2e.secured import whose
from tests.loopback import Answer, Loopback
from tests.shipper.fakes import docs

pytestmark = pytest.mark.enable_socket

ROLE, OTHER = "arn:aws:iam::123456789012:role/writer", "arn:aws:iam::123456789012:role/other"
SESSION, ANOTHER, STRANGER = Session.of(ROLE), Session.of(OTHER), Session.of(ROLE)
BODY = b'{"create": {}}\n{}\n'


@pytest.fixture
def node() -> Iterator[Loopback]:
    with Loopback([Answer()]) as played:
        yield played


@pytest.fixture
def gateway(node: Loopback) -> Iterator[Gateway]:
    with Gateway(node.url, [SESSION, ANOTHER]) as started:
        yield started


def signed(
    gateway: Gateway,
    session: Session = SESSION,
    *,
    region: str = REGION,
    service: str = "es",
    path: str = "/_bulk?filter_path=took,items.*.status",
    age: timedelta = timedelta(),
) -> requests.PreparedRequest:
    """A bulk request, signed as the functions sign theirs."""
    auth = signer({**session.environment, "AWS_REGION": region}, service)
    date = f"{datetime.now(UTC) - age:%Y%m%dT%H%M%SZ}"
    return requests.Request("POST", gateway.url + path, {"x-amz-date": date}, data=BODY, auth=auth).prepare()


def send(request: requests.PreparedRequest) -> requests.Response:
    with requests.Session() as session:
        return session.send(request, timeout=10)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/_bulk?filter_path=took%2Citems.%2A.status",
        "/_bulk?filter_path=took,items.*.status",
        "/cwl-*/_search?scroll=1m&size=1",
        "/cwl-2026.11.24,cwl-a/_search?q=a%20b%2Fc&empty=",
        "/a//b/%EC%A3%BC?b=2&a=1&a=0",
    ],
)
def test_a_signed_request_comes_to_the_node_in_the_name_of_its_role(
    gateway: Gateway, node: Loopback, path: str
) -> None:
    reply = send(signed(gateway, path=path))
    assert (reply.status_code, reply.json()["took"]) == (200, 1)
    (request,) = node.requests
    assert (request.method, request.path, request.body) == ("POST", path, BODY)
    assert whose(ROLE).items() <= request.headers.items()
    assert not [name for name in request.headers if name.startswith(("authorization", "x-amz-"))]


def test_a_compressed_batch_of_the_functions_own_client_is_signed_as_it_is_sent(
    gateway: Gateway, node: Loopback
) -> None:
    body = bulk.encode(docs(3))
    sink = OpenSearchSink(lambda: client(gateway.url, signer(SESSION.environment, "es")))
    assert sink.bulk(body, 10).status == 200
    (request,) = node.requests
    assert request.headers["content-encoding"] == "gzip"
    assert gzip.decompress(request.body) == body


def test_the_command_lines_signature_and_that_of_the_sdk_are_let_in(gateway: Gateway, node: Loopback) -> None:
    credentials = boto3.Session(SESSION.access_key, SESSION.secret, SESSION.token).get_credentials()
    auth = AWS4Auth(region=REGION, service="es", refreshable_credentials=credentials)
    assert requests.get(gateway.url, auth=auth, timeout=10).ok
    request = AWSRequest("POST", gateway.url + "/_bulk", {"host": gateway.url.partition("//")[2]}, BODY)
    SigV4Auth(credentials, "es", REGION).add_auth(request)
    assert requests.post(request.url, BODY, headers=dict(request.headers), timeout=10).ok
    assert len(node.requests) == 2


def test_nobody_can_say_himself_who_he_is(gateway: Gateway, node: Loopback) -> None:
    request = signed(gateway)
    request.headers.update({name.title(): OTHER for name in whose(OTHER)})
    assert send(request).status_code == 200
    assert whose(ROLE).items() <= node.requests[0].headers.items()


def tampered(request: requests.PreparedRequest, **changes: object) -> requests.PreparedRequest:
    for name, value in changes.items():
        setattr(request, name, value)
    return request


def headed(request: requests.PreparedRequest, **headers: str | None) -> requests.PreparedRequest:
    for name, value in headers.items():
        request.headers.pop(name.replace("_", "-"), None)
        if value is not None:
            request.headers[name.replace("_", "-")] = value
    return request


def another_minute(gateway: Gateway) -> requests.PreparedRequest:
    request = signed(gateway)
    date = datetime.strptime(request.headers["x-amz-date"], "%Y%m%dT%H%M%SZ")
    other = date.replace(minute=date.minute + (1 if date.minute < 59 else -1))
    return headed(request, x_amz_date=f"{other:%Y%m%dT%H%M%SZ}")


def unsigned_token(gateway: Gateway) -> requests.PreparedRequest:
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION")
    key = (SESSION.environment[name] for name in names)
    auth = AWS4Auth(*key, "es", session_token=SESSION.token, include_hdrs={"host", "x-amz-date"})
    return requests.Request("GET", gateway.url, auth=auth).prepare()


HASH_OF_NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
MISMATCH, TOKEN = "signature we calculated does not match", "security token included in the request is invalid"
REFUSALS: dict[str, tuple[Callable[[Gateway], requests.PreparedRequest], str]] = {
    "unsigned": (lambda to: headed(signed(to), authorization=None), "User: anonymous is not authorized"),
    "a password": (lambda to: headed(signed(to), authorization="Basic YTpi"), "requires 'Credential'"),
    "a wrong secret": (lambda to: signed(to, replace(SESSION, secret="x")), MISMATCH),
    "an unknown key": (lambda to: signed(to, STRANGER), TOKEN),
    "no session token": (lambda to: signed(to, replace(SESSION, token="")), TOKEN),
    "another one's token": (lambda to: signed(to, replace(SESSION, token=ANOTHER.token)), TOKEN),
    "a token that is not signed": (unsigned_token, "must be a 'SignedHeader'"),
    "another Region": (lambda to: signed(to, region="us-east-1"), "valid region, not 'us-east-1'"),
    "another service": (lambda to: signed(to, service="aoss"), "correct service: 'es'"),
    "a date of ten minutes ago": (lambda to: signed(to, age=timedelta(minutes=10)), "Signature expired"),
    "a date in ten minutes": (lambda to: signed(to, age=timedelta(minutes=-10)), "Signature expired"),
    "another minute than the signed one": (another_minute, MISMATCH),
    "another day than the scope's": (lambda to: headed(signed(to), x_amz_date="20260101T000000Z"), "Credential scope"),
    "no date": (lambda to: headed(signed(to), x_amz_date=None), "X-Amz-Date"),
    "another body": (lambda to: tampered(signed(to), body=BODY.replace(b"{}\n", b"[]\n")), MISMATCH),
    "another body with its hash": (
        lambda to: headed(tampered(signed(to), body=b""), x_amz_content_sha256=HASH_OF_NOTHING, content_length="0"),
        MISMATCH,
    ),
    "another path": (lambda to: tampered(signed(to), url=f"{to.url}/_search"), MISMATCH),
    "another query": (lambda to: tampered(signed(to), url=f"{to.url}/_bulk?refresh=true"), MISMATCH),
    "another method": (lambda to: tampered(signed(to), method="PUT"), MISMATCH),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_is_not_signed_well_is_refused_and_comes_to_no_node(gateway: Gateway, node: Loopback, case: str) -> None:
    make, said = REFUSALS[case]
    reply = send(make(gateway))
    assert reply.status_code == 403
    (text,) = reply.json().values()
    assert said in text
    assert node.requests == []
