"""A gate between the functions and the search engine: closed, every connection is cut, as with a domain away.

python -m local.gate HOST PORT     says where it listens; SIGUSR1 closes it, SIGUSR2 opens it
"""

from __future__ import annotations

import contextlib
import signal
import socket
import struct
import sys
import threading
import time
from types import TracebackType
from typing import Self

from local.processes import LOOPBACK

_CHUNK_BYTES = 65_536
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Gate:
    """Forwards loopback TCP to `host:port` while it is open; `refused` counts those that came while it was not.

    `target` may be changed, for connections from then on; each piece is handed on `delay_s` late.
    """

    def __init__(self, host: str, port: int) -> None:
        self.target = (host, port)
        self.delay_s = 0.0
        self._server = socket.create_server((LOOPBACK, 0))
        self._open = True
        self._pairs: list[socket.socket] = []
        self.address = f"{LOOPBACK}:{self._server.getsockname()[1]}"
        self.refused = 0

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()
        self._server.close()

    def close(self) -> None:
        """Cut what is connected, and whoever comes from now on."""
        self._open = False
        for one in self._pairs:
            with contextlib.suppress(OSError):  # wakes who waits for it in `_pump`; closing does not
                one.shutdown(socket.SHUT_RDWR)
            _reset(one)
        self._pairs = []

    def open(self) -> None:
        """Let connections through again."""
        self._open = True

    def serve(self) -> None:
        """Take connections until the listening socket is closed."""
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._server.accept()
                engine = self._reach() if self._open else None
                if engine is None:
                    self.refused += 1
                    _reset(client)
                    continue
                self._pairs += [client, engine]
                for source, sink in ((client, engine), (engine, client)):
                    threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _reach(self) -> socket.socket | None:
        try:
            return socket.create_connection(self.target)
        except OSError:  # it is away itself, and so are we
            return None

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):  # the other side, or the gate, ended it
            while chunk := source.recv(_CHUNK_BYTES):
                time.sleep(self.delay_s)
                sink.sendall(chunk)
            sink.shutdown(socket.SHUT_WR)


def _reset(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    one.close()


def main(host: str, port: str) -> None:
    """Serve until ended."""
    gate = Gate(host, int(port))
    signal.signal(signal.SIGUSR1, lambda *_: gate.close())
    signal.signal(signal.SIGUSR2, lambda *_: gate.open())
    sys.stdout.write(f"{gate.address}\n")
    sys.stdout.flush()
    gate.serve()


if __name__ == "__main__":
    main(*sys.argv[1:])
