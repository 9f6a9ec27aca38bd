"""The timeout of a request is one for all of it, against servers that drip."""

from __future__ import annotations

import datetime
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from urllib3 import Timeout

from shipper.aws.deadline import DeadlineAdapter
from tests.loopback import Answer, Loopback

REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n" + b"x" * 400
SHORT = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nxyz"
TIMEOUT_S = 0.3
PAUSE_S = 0.01


def whole(seconds: float) -> Any:
    """requests takes urllib3's own timeout, too; its stubs do not know."""
    return Timeout(total=seconds)


@contextmanager
def dripping(reply: bytes, tls: ssl.SSLContext | None = None, *, stalling: bool = False) -> Iterator[str]:
    """A server that answers one request, byte by byte, and may say no more then; yields its host and port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with ExitStack() as stack:
            talk = stack.enter_context(tls.wrap_socket(connection, server_side=True) if tls else connection)
            talk.recv(65_536)
            try:
                for byte in reply:
                    talk.sendall(bytes([byte]))
                    time.sleep(PAUSE_S)
                if stalling:
                    talk.settimeout(10)
                    talk.recv(1)
            except OSError:  # the client has hung up, as it should
                pass

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        thread.join()
        listener.close()


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as made:
        made.trust_env = False
        made.mount("http://", DeadlineAdapter())
        made.mount("https://", DeadlineAdapter())
        yield made


def ended_in_time(get: Callable[[], object]) -> None:
    begin = time.monotonic()
    with pytest.raises(requests.RequestException):
        get()
    assert TIMEOUT_S / 2 < time.monotonic() - begin < TIMEOUT_S + 0.7


DRIPS = {
    "body": REPLY,
    "body without an end": b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 400,
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 200,
    "headers": b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 400,
    "status line": b"HTTP/1.1 200 " + b"O" * 400,
    "body of an error": b"HTTP/1.1 503 No\r\nContent-Length: 400\r\n\r\n" + b"x" * 400,
}


@pytest.mark.parametrize("reply", DRIPS.values(), ids=DRIPS)
def test_a_reply_that_drips_ends_at_the_deadline(session: requests.Session, reply: bytes) -> None:
    with dripping(reply) as host:
        ended_in_time(lambda: session.get(f"http://{host}", timeout=whole(TIMEOUT_S)))


def test_a_reply_that_drips_and_stalls_ends_at_the_deadline(session: requests.Session) -> None:
    begin = time.monotonic()
    with dripping(REPLY[:80], stalling=True) as host, pytest.raises(requests.RequestException):
        session.get(f"http://{host}", timeout=whole(1.2))
    assert time.monotonic() - begin < 1.8


def test_a_reply_that_drips_and_is_in_time_arrives_whole(session: requests.Session) -> None:
    with dripping(SHORT) as host:
        assert session.get(f"http://{host}", timeout=whole(10)).content == b"xyz"


def test_a_reply_that_is_read_too_late_ends_at_once(session: requests.Session) -> None:
    with dripping(REPLY) as host, session.get(f"http://{host}", timeout=whole(1.0), stream=True) as reply:
        time.sleep(1.0)
        with pytest.raises(requests.RequestException, match="timed out"):
            _ = reply.content


def test_each_request_has_its_own_deadline(session: requests.Session) -> None:
    with Loopback([Answer(delay_s=0.2)]) as server:
        for _ in range(3):
            assert session.get(server.url, timeout=whole(0.5)).status_code == 200
        assert server.connections == 1


def test_without_a_timeout_there_is_no_deadline(session: requests.Session) -> None:
    with Loopback([Answer()]) as server:
        assert session.get(server.url, timeout=None).content == Answer().body


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and certificate of 127.0.0.1 in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    today, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - day)
        .not_valid_after(today + day)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    file.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain) + made.public_bytes(pem))
    return file


@pytest.mark.parametrize(("reply", "ends"), [(REPLY, False), (SHORT, True)], ids=["drips", "arrives whole"])
def test_it_is_the_same_over_tls(session: requests.Session, certificate: Path, reply: bytes, ends: bool) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    session.verify = str(certificate)
    with dripping(reply, tls) as host:
        if ends:
            assert session.get(f"https://{host}", timeout=whole(10)).content == b"xyz"
        else:
            ended_in_time(lambda: session.get(f"https://{host}", timeout=whole(TIMEOUT_S)))
