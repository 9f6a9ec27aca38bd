"""Row 37: nobody at the endpoint, or somebody who cannot prove to be the domain."""

from __future__ import annotations

import datetime
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from shipper.model import Ledger
from tests.faults.chain import Domain, answer, deliver, lines, waiting
from tests.shipper.fakes import SETTINGS, FakeLetters

pytestmark = pytest.mark.usefixtures("no_proxy")
DAY = datetime.timedelta(days=1)
LOOPBACK = x509.IPAddress(ip_address("127.0.0.1"))


def certificate(file: Path, name: x509.GeneralName, age: datetime.timedelta) -> Path:
    """Key and certificate in one file, valid for ten days from `age` ago."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - age)
        .not_valid_after(now - age + 10 * DAY)
        .add_extension(x509.SubjectAlternativeName([name]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    file.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain) + made.public_bytes(pem))
    return file


def request(talk: socket.socket) -> bytes:
    """One request to its end: who closes before that resets the connection."""
    with talk.makefile("rb") as stream:
        head = b"".join(iter(stream.readline, b"\r\n"))
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        return head + stream.read(int(length[1]) if length else 0)


@contextmanager
def tls_domain(chain: Path) -> Iterator[tuple[str, list[bytes]]]:
    """A server that takes three documents over TLS; its URL and what it heard."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    heard: list[bytes] = []
    body = answer(201, 201, 201).body
    said = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)

    def serve(listener: socket.socket) -> None:
        with suppress(OSError):  # the listener is closed
            while True:
                peer, _ = listener.accept()
                with peer, suppress(OSError), context.wrap_socket(peer, server_side=True) as talk:
                    heard.append(request(talk))
                    talk.sendall(said)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        try:
            yield f"https://127.0.0.1:{listener.getsockname()[1]}", heard
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


CERTIFICATES: dict[str, tuple[x509.GeneralName, datetime.timedelta, bool, str]] = {
    "expired": (LOOPBACK, 11 * DAY, True, "certificate has expired"),
    "not yet valid": (LOOPBACK, -DAY, True, "certificate is not yet valid"),
    "of another host": (x509.DNSName("search.example.com"), DAY, True, "IP address mismatch"),
    "of nobody we trust": (LOOPBACK, DAY, False, "self-signed certificate"),
}


@pytest.mark.parametrize(("name", "age", "trusted", "said"), CERTIFICATES.values(), ids=CERTIFICATES)
def test_no_log_goes_to_who_cannot_prove_to_be_the_domain(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: x509.GeneralName,
    age: datetime.timedelta,
    trusted: bool,
    said: str,
) -> None:
    letters, chain = FakeLetters(), certificate(tmp_path / "both.pem", name, age)
    if trusted:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(chain))
    with tls_domain(chain) as (url, heard):
        shipped = deliver(lines(3), Domain(url).sink, letters)
    assert shipped.ledger == Ledger(received=3, requeued=3)
    assert said in letters.retried[0].reason.message
    assert heard == []


def test_who_proves_it_is_sent_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the others are refused for is their certificate and nothing else."""
    chain = certificate(tmp_path / "both.pem", LOOPBACK, DAY)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(chain))
    with tls_domain(chain) as (url, heard):
        assert deliver(lines(3), Domain(url).sink, FakeLetters()).ledger == Ledger(received=3, indexed=3)
    assert len(heard) == 1


def refused() -> str:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        return f"http://127.0.0.1:{gone.getsockname()[1]}"


@pytest.mark.parametrize("url", [refused, lambda: "http://search.invalid:9200"], ids=["refused", "no such name"])
def test_what_nobody_takes_waits_in_the_retry_queue(url: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    found = socket.getaddrinfo

    def resolve(host: Any, *rest: Any, **more: Any) -> Any:
        if host == "search.invalid":  # a resolver may take long to say it
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return found(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    domain, letters = Domain(url()), FakeLetters()
    shipped = deliver(lines(3), domain.sink, letters)
    assert shipped.ledger == Ledger(received=3, requeued=3)
    assert dict(shipped.delivery.retried) == {"unreachable": 3 * (SETTINGS.max_tries - 1)}
    assert domain.clients == SETTINGS.max_tries
    assert waiting(letters) == ["event-0", "event-1", "event-2"]
