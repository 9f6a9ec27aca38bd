"""HTTP servers on 127.0.0.1: the frame of one, and one that plays a script."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import pytest


@dataclass(frozen=True)
class Request:
    """One request as a server received it: names of headers in small letters, `body` as on the wire."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Server:
    """A server in a thread, within `with`; what it answers, `answer` says."""

    def __init__(self) -> None:
        self.connections = 0
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                server.connections += 1

            def received(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                server.answer(self, Request(self.command, self.path, headers, body))

            do_DELETE = do_GET = do_HEAD = do_POST = do_PUT = received  # noqa: N815 - the names they have there

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name it has there
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def answer(self, handler: BaseHTTPRequestHandler, request: Request) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@dataclass(frozen=True)
class Answer:
    """How the loopback server answers one request.

    `claimed` is the Content-Length where it is not the body's own; `drip_s` the pause before each byte of the body;
    `reset` closes the connection without a word.
    """

    status: int = 200
    body: bytes = b'{"took": 1, "errors": false, "items": [{"create": {"status": 201}}]}'
    content_type: str = "application/json; charset=UTF-8"
    headers: tuple[tuple[str, str], ...] = ()
    claimed: int | None = None
    delay_s: float = 0
    drip_s: float = 0
    reset: bool = False


class Loopback(Server):
    """A server that plays a script of answers, the last one for good."""

    def __init__(self, answers: Sequence[Answer]) -> None:
        super().__init__()
        self.requests: list[Request] = []
        self._answers = list(answers)
        self._released = threading.Event()

    def __exit__(self, *raised: object) -> None:
        self._released.set()
        super().__exit__(*raised)

    def answer(self, handler: BaseHTTPRequestHandler, request: Request) -> None:
        self.requests.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        self._released.wait(answer.delay_s)
        if answer.reset:
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            handler.close_connection = True
            handler.connection.close()
            return
        try:
            self._send(handler, answer)
        except OSError:  # the client has hung up, as it should in some tests
            handler.close_connection = True

    def _send(self, handler: BaseHTTPRequestHandler, answer: Answer) -> None:
        handler.send_response(answer.status)
        handler.send_header("Content-Type", answer.content_type)
        handler.send_header("Content-Length", str(len(answer.body) if answer.claimed is None else answer.claimed))
        for name, value in answer.headers:
            handler.send_header(name, value)
        handler.end_headers()
        if handler.command == "HEAD":
            return
        for at in range(0, len(answer.body), 1 if answer.drip_s else max(1, len(answer.body))):
            self._released.wait(answer.drip_s)
            handler.wfile.write(answer.body[at : at + 1] if answer.drip_s else answer.body)
        handler.close_connection = answer.claimed is not None


Serve = Callable[..., Loopback]


@pytest.fixture
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is on loopback is asked by no way of a proxy, whatever the environment says."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def serve(no_proxy: None) -> Iterator[Serve]:
    """Makes servers of answers, and ends them."""
    with ExitStack() as stack:
        yield lambda *answers: stack.enter_context(Loopback(answers))
