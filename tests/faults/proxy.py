"""A TCP proxy on loopback that spoils connections: what a network between the function and the domain can do."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from types import TracebackType
from typing import Any, Self

from local.processes import LOOPBACK

_CHUNK_BYTES = 65_536
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Fault(Enum):
    """What becomes of one connection."""

    NONE = "nothing"
    CUT_REQUEST = "reset in the middle of the request"
    LOSE_REPLY = "reset once the server has answered, before any of it is passed on"
    CUT_REPLY = "closed in the middle of the reply"
    DRIP = "the reply byte by byte"


class Proxy:
    """Forwards to `host:port`; the connections get these faults in turn, those after them the last one."""

    def __init__(self, host: str, port: int, *faults: Fault) -> None:
        self._target = (host, port)
        self._faults = list(faults)
        self._server = socket.create_server((LOOPBACK, 0))
        self.url = f"http://{LOOPBACK}:{self._server.getsockname()[1]}"
        self.connections = 0
        self._ends: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._start(self._serve)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        _reset(*self._ends)
        for thread in self._threads:
            thread.join()
        self._server.close()

    def _start(self, target: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=target, args=args)
        self._threads.append(thread)
        thread.start()

    def _serve(self) -> None:
        with suppress(OSError):  # shut down
            while True:
                client, _ = self._server.accept()
                fault = self._faults.pop(0) if len(self._faults) > 1 else self._faults[0]
                self.connections += 1
                server = socket.create_connection(self._target)
                self._ends += [client, server]
                self._start(_requests, client, server, fault)
                self._start(_replies, client, server, fault)


def _requests(client: socket.socket, server: socket.socket, fault: Fault) -> None:
    with suppress(OSError):  # either side, or a fault, ended it
        while chunk := client.recv(_CHUNK_BYTES):
            if fault is Fault.CUT_REQUEST:
                server.sendall(chunk[: len(chunk) // 2])
                _reset(client, server)
                return
            server.sendall(chunk)


def _replies(client: socket.socket, server: socket.socket, fault: Fault) -> None:
    with suppress(OSError):  # as above
        while chunk := server.recv(_CHUNK_BYTES):
            match fault:
                case Fault.LOSE_REPLY:
                    _reset(client, server)
                case Fault.CUT_REPLY:
                    client.sendall(chunk[: len(chunk) - 10])
                    client.shutdown(socket.SHUT_RDWR)
                case Fault.DRIP:
                    for byte in chunk:
                        client.sendall(bytes([byte]))
                        time.sleep(0.05)
                case _:
                    client.sendall(chunk)


def _reset(*ends: socket.socket) -> None:
    for end in ends:
        with suppress(OSError):  # it is gone already
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            end.shutdown(socket.SHUT_RD)  # wakes who waits for it; closing does not
        end.close()
