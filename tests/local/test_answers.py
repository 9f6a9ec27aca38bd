from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from local.answers import answer, version
from local.processes import free_port

pytestmark = pytest.mark.enable_socket

REPLIES = {
    "/engine": (200, b'{"version": {"number": "3.7.0"}}'),
    "/list": (200, b"[1]"),
    "/text": (200, b"hello"),
    "/busy": (503, b'{"version": {"number": "3.7.0"}}'),
    "/odd": (200, b'{"version": null}'),
}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status, body = REPLIES[self.path]
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    ("path", "found"), [("engine", "3.7.0"), ("list", None), ("text", None), ("busy", None), ("odd", None)]
)
def test_only_an_object_in_a_good_reply_has_a_version(
    url: str, path: str, found: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert version(f"{url}/{path}") == found


def test_nobody_there_is_no_answer() -> None:
    assert answer(f"http://127.0.0.1:{free_port()}") is None
