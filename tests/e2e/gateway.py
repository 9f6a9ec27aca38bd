"""A gateway as the service has one before its nodes: checks a request's signature, and tells the node whose it is.

The signature is computed once more, by botocore, from what came over the wire, as
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html says. A refusal is 403, in
the service's words: `message` where the signature is at fault, `Message` where IAM is.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler
from typing import Self
from urllib.parse import parse_qsl, urlsplit

from botocore.auth import SIGV4_TIMESTAMP, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.e2e.secured import whose
from tests.loopback import Request, Server

REGION, SERVICE = "eu-west-1", "es"
_MAX_AGE = timedelta(minutes=5)
_FORWARD_S = 60
_ASSUMED = re.compile(r"arn:aws:sts::(?P<account>\d{12}):assumed-role/(?P<role>[^/]+)/[^/]+")
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>\w+)/(?P<day>\d{8})/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request,"
    r" ?SignedHeaders=(?P<signed>[a-z0-9;-]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)
_NOT_FORWARDED = re.compile("authorization|connection|x-amz-.*|x-proxy-.*|x-forwarded-for")
_NOT_RETURNED = frozenset({"connection", "content-length", "transfer-encoding"})


class Refused(Exception):
    """What the service says to a request that it does not let in, as the key and the text of its JSON."""

    def __init__(self, text: str, key: str = "message") -> None:
        super().__init__(text)
        self.body = json.dumps({key: text}).encode()


@dataclass(frozen=True)
class Session:
    """A role that somebody has taken on, with the credentials for it."""

    arn: str
    access_key: str
    secret: str
    token: str

    @classmethod
    def of(cls, role: str) -> Self:
        """Taken on by a function: `role` is the ARN of the IAM role."""
        account, name = re.fullmatch(r"arn:aws:iam::(\d+):role/(\w[\w-]*)", role).groups()  # type: ignore[union-attr]
        arn = f"arn:aws:sts::{account}:assumed-role/{name}/function"
        return cls(arn, f"ASIA{secrets.token_hex(8).upper()}", secrets.token_hex(20), secrets.token_hex(100))

    @property
    def role(self) -> str:
        """The ARN of the IAM role: what the domain's own roles are mapped to."""
        found = _ASSUMED.fullmatch(self.arn)
        assert found, self.arn
        return f"arn:aws:iam::{found['account']}:role/{found['role']}"

    @property
    def environment(self) -> dict[str, str]:
        """As Lambda sets it for a function."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_SESSION_TOKEN": self.token,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
        }


def signer_of(request: Request, sessions: Mapping[str, Session], now: datetime) -> Session:
    """The session, by its access key, that signed the request. Raises `Refused`."""
    authorization = request.headers.get("authorization")
    if authorization is None:
        action = f"es:ESHttp{request.method.capitalize()}"
        text = f"User: anonymous is not authorized to perform: {action} because no resource-based policy allows it"
        raise Refused(text, key="Message")
    found = _AUTHORIZATION.fullmatch(authorization)
    if found is None:
        raise Refused("Authorization header requires 'Credential' parameter.")
    session = sessions.get(found["key"])
    if session is None or request.headers.get("x-amz-security-token") != session.token:
        raise Refused("The security token included in the request is invalid.")
    if found["service"] != SERVICE:
        raise Refused(f"Credential should be scoped to correct service: '{SERVICE}'. ")
    if found["region"] != REGION:
        raise Refused(f"Credential should be scoped to a valid region, not '{found['region']}'. ")
    _check_date(request.headers.get("x-amz-date", ""), found["day"], now)
    signed = found["signed"].split(";")
    _check_coverage(request, signed)
    if _signature(request, signed, session) != found["signature"]:
        raise Refused("The request signature we calculated does not match the signature you provided.")
    return session


def _check_date(date: str, day: str, now: datetime) -> None:
    try:
        at = datetime.strptime(date, SIGV4_TIMESTAMP).replace(tzinfo=UTC)
    except ValueError:
        raise Refused("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.") from None
    if not date.startswith(day):
        raise Refused("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP.")
    if abs(now - at) > _MAX_AGE:
        raise Refused(f"Signature expired: {date} is not within 5 min. of {now:{SIGV4_TIMESTAMP}}")


def _check_coverage(request: Request, signed: Iterable[str]) -> None:
    """The host and all of AWS's own headers have to be signed, and the body by its hash."""
    must = {"host", *(name for name in request.headers if name.startswith("x-amz-"))}
    if not must <= set(signed) <= set(request.headers):
        raise Refused("'Host' and each 'X-Amz-*' must be a 'SignedHeader' in the AWS Authorization.")
    said = request.headers.get("x-amz-content-sha256")
    if said is not None and said != hashlib.sha256(request.body).hexdigest():
        raise Refused("The request signature we calculated does not match the signature you provided.")


def _signature(request: Request, signed: Iterable[str], session: Session) -> str:
    path, _, query = request.path.partition("?")
    again = AWSRequest(
        request.method,
        f"http://{request.headers['host']}{path}",
        {name: request.headers[name] for name in signed},
        request.body,
        # Taken apart, so that botocore encodes each value itself: as they came, `*` and `%2A` would be two.
        params=parse_qsl(query, keep_blank_values=True),
    )
    again.context["timestamp"] = request.headers["x-amz-date"]
    auth = SigV4Auth(Credentials(session.access_key, session.secret, session.token), SERVICE, REGION)
    return str(auth.signature(auth.string_to_sign(again, auth.canonical_request(again)), again))


class Gateway(Server):
    """Forwards loopback HTTP to the node at `target`, each request in the name of the role whose session signed it."""

    def __init__(self, target: str, sessions: Iterable[Session]) -> None:
        super().__init__()
        self._target = str(urlsplit(target).netloc)
        self._sessions = {session.access_key: session for session in sessions}

    def answer(self, handler: BaseHTTPRequestHandler, request: Request) -> None:
        try:
            session = signer_of(request, self._sessions, datetime.now(UTC))
        except Refused as refusal:
            _send(handler, 403, {"content-type": "application/json"}, refusal.body)
            return
        _send(handler, *self._forward(request, session.role))

    def _forward(self, request: Request, role: str) -> tuple[int, dict[str, str], bytes]:
        """(status, headers, body) of the node's reply. What the client says about itself is left out."""
        kept = {name: value for name, value in request.headers.items() if not _NOT_FORWARDED.fullmatch(name)}
        node = HTTPConnection(self._target, timeout=_FORWARD_S)
        try:
            node.request(request.method, request.path, request.body, {**kept, **whose(role)})
            reply = node.getresponse()
            headers = {name: value for name, value in reply.getheaders() if name.lower() not in _NOT_RETURNED}
            return reply.status, headers, reply.read()
        finally:
            node.close()


def _send(handler: BaseHTTPRequestHandler, status: int, headers: Mapping[str, str], body: bytes) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    if handler.command != "HEAD":
        handler.wfile.write(body)
