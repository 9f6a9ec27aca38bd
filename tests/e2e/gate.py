"""A door between the functions and the search engine: closed, every connection is reset, as with a domain away."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from types import TracebackType
from typing import Self

LOOPBACK = "127.0.0.1"
_CHUNK_BYTES = 65_536
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Gate:
    """Forwards loopback TCP to `host:port` while it is open."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._server = socket.create_server((LOOPBACK, 0))
        self._open = True
        self._pairs: list[socket.socket] = []
        self.url = f"http://{LOOPBACK}:{self._server.getsockname()[1]}"
        self.refused = 0

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()
        self._server.close()

    def close(self) -> None:
        """Reset what is connected, and whoever comes from now on."""
        self._open = False
        for one in self._pairs:
            _reset(one)
        self._pairs = []

    def open(self) -> None:
        """Let connections through again."""
        self._open = True

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # the listening socket was closed: the end
            while True:
                client, _ = self._server.accept()
                if not self._open:
                    self.refused += 1
                    _reset(client)
                    continue
                engine = socket.create_connection(self._target)
                self._pairs += [client, engine]
                for source, sink in ((client, engine), (engine, client)):
                    threading.Thread(target=_pump, args=(source, sink), daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the other side, or the test, ended it
        while chunk := source.recv(_CHUNK_BYTES):
            sink.sendall(chunk)
        sink.shutdown(socket.SHUT_WR)


def _reset(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        one.shutdown(socket.SHUT_RDWR)
    one.close()
