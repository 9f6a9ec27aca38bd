"""The domain's API over a loopback server, and the answer to CloudFormation."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
from requests_aws4auth import AWS4Auth

from shipper.aws.domain import OpenSearchDomain, answer
from shipper.aws.opensearch import client
from shipper.setup import Reply
from shipper.setup_plan import Request
from shipper.ship import Unreachable
from tests.loopback import Answer, Loopback

pytestmark = pytest.mark.enable_socket


def domain_at(url: str) -> OpenSearchDomain:
    return OpenSearchDomain(lambda: client(url, AWS4Auth("key", "secret", "eu-west-1", "es"), compress=False))


def ask(reply: Answer, request: Request) -> tuple[Reply, Loopback]:
    with Loopback([reply]) as server:
        return domain_at(server.url).ask(request, 5), server


def test_a_request_is_signed_and_goes_out_as_it_is() -> None:
    request = Request("PUT", "/_index_template/cwl?x=1", {"a": 1})
    reply, server = ask(Answer(body=b'{"acknowledged": true}'), request)
    (sent,) = server.requests
    assert reply == Reply(200, {"acknowledged": True})
    assert (sent.method, sent.path, json.loads(sent.body)) == ("PUT", "/_index_template/cwl?x=1", {"a": 1})
    assert "Credential=key/" in sent.headers["authorization"]


def test_a_form_keeps_its_bytes_and_its_type() -> None:
    headers = {"content-type": "multipart/form-data; boundary=b", "osd-xsrf": "true"}
    _, server = ask(Answer(body=b"{}"), Request("POST", "/_dashboards/x", b"--b\r\n", headers))
    (sent,) = server.requests
    assert sent.body == b"--b\r\n"
    assert {name: sent.headers[name] for name in headers} == headers
    assert "content-encoding" not in sent.headers


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        pytest.param(404, b'{"error": "gone"}', {"error": "gone"}, id="JSON"),
        pytest.param(403, b"User is not authorized", {"message": "User is not authorized"}, id="text"),
        pytest.param(502, b"<html>", None, id="a proxy's page"),
    ],
)
def test_an_error_is_a_reply(status: int, body: bytes, expected: Any) -> None:
    content_type = "application/json" if body.startswith(b"{") else "text/plain"
    reply, _ = ask(Answer(status=status, body=body, content_type=content_type), Request("GET", "/"))
    assert reply == Reply(status, expected)


def test_what_is_no_json_is_a_reply_without_a_body() -> None:
    reply, _ = ask(Answer(body=b"<html>"), Request("GET", "/"))
    assert reply == Reply(200, None)


def test_no_reply_is_unreachable() -> None:
    with pytest.raises(Unreachable, match="ConnectionError"):
        ask(Answer(reset=True), Request("GET", "/"))


EVENT = {"StackId": "arn:stack", "RequestId": "r-1", "LogicalResourceId": "SetupRun"}


def answered(reply: Answer, **of: Any) -> Any:
    with Loopback([reply]) as server:
        answer({**EVENT, "ResponseURL": f"{server.url}/answer?signature=x"}, "physical", **of)
    (sent,) = server.requests
    assert (sent.method, sent.path) == ("PUT", "/answer?signature=x")
    assert sent.headers["content-type"] == ""
    return json.loads(sent.body)


def test_cloudformation_is_told_that_all_is_well() -> None:
    assert answered(Answer(), data={"Summary": "done"}) == {
        **EVENT,
        "Status": "SUCCESS",
        "Reason": "",
        "PhysicalResourceId": "physical",
        "Data": {"Summary": "done"},
    }


def test_cloudformation_is_told_why_not_in_what_it_takes() -> None:
    body = answered(Answer(), failure="x" * 5_000)
    assert body["Status"] == "FAILED"
    assert body["Reason"] == "x" * 1_000
    assert len(json.dumps(body)) < 4_096


def test_an_answer_that_is_refused_is_raised() -> None:
    with pytest.raises(requests.HTTPError):
        answered(Answer(status=403))
