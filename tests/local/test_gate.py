from __future__ import annotations

import signal
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.cdk import ROOT
from local.gate import Gate
from local.processes import LOOPBACK, Run

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def echo() -> Iterator[tuple[str, int]]:
    """A server that says what it hears."""
    with socket.create_server((LOOPBACK, 0)) as server:

        def serve() -> None:
            while True:
                try:
                    peer, _ = server.accept()
                except OSError:
                    return
                with peer:
                    while said := peer.recv(1024):
                        peer.sendall(said)

        threading.Thread(target=serve, daemon=True).start()
        yield LOOPBACK, server.getsockname()[1]


def says(address: str) -> bytes:
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), timeout=10) as peer:
        peer.sendall(b"hello")
        return heard(peer)


def heard(peer: socket.socket) -> bytes:
    """What comes; raises where the connection was cut, politely or not."""
    if said := peer.recv(1024):
        return said
    raise ConnectionError


def until_cut(address: str) -> None:
    while True:
        says(address)


def test_an_open_gate_lets_both_directions_through(echo: tuple[str, int]) -> None:
    with Gate(*echo) as gate:
        assert says(gate.address) == b"hello"
        assert gate.refused == 0


def test_a_closed_gate_cuts_whoever_comes_until_it_opens(echo: tuple[str, int]) -> None:
    with Gate(*echo) as gate:
        gate.close()
        with pytest.raises(ConnectionError):
            says(gate.address)
        assert gate.refused == 1
        gate.open()
        assert says(gate.address) == b"hello"


def test_closing_cuts_what_is_connected(echo: tuple[str, int]) -> None:
    with Gate(*echo) as gate:
        host, port = gate.address.split(":")
        with socket.create_connection((host, int(port)), timeout=10) as peer:
            peer.sendall(b"hello")
            assert heard(peer) == b"hello"
            gate.close()
            with pytest.raises(ConnectionError):
                heard(peer)


def test_an_engine_that_is_away_is_a_closed_gate() -> None:
    with socket.create_server((LOOPBACK, 0)) as gone:
        port = gone.getsockname()[1]
    with Gate(LOOPBACK, port) as gate, pytest.raises(ConnectionError):
        says(gate.address)


def test_signals_close_and_open_the_process(echo: tuple[str, int], tmp_path: Path) -> None:
    with Run(tmp_path) as run:
        command = [sys.executable, "-m", "local.gate", echo[0], str(echo[1])]
        child = run.start("gate", command, env={"PYTHONPATH": str(ROOT)})
        child.wait_ready(lambda: child.log.read_bytes().endswith(b"\n"), 10)
        address = child.log.read_text().strip()
        assert says(address) == b"hello"
        child.popen.send_signal(signal.SIGUSR1)
        with pytest.raises(ConnectionError):
            until_cut(address)
        child.popen.send_signal(signal.SIGUSR2)
        while True:
            try:
                assert says(address) == b"hello"
                break
            except ConnectionError:
                continue


def test_an_engine_that_moved_is_found_at_its_new_address(echo: tuple[str, int]) -> None:
    with socket.create_server((LOOPBACK, 0)) as gone:
        port = gone.getsockname()[1]
    with Gate(LOOPBACK, port) as gate:
        gate.target = echo
        assert says(gate.address) == b"hello"


def test_a_slow_gate_hands_each_piece_on_after_its_delay(
    echo: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("local.gate.time.sleep", slept.append)
    with Gate(*echo) as gate:
        gate.delay_s = 0.25
        assert says(gate.address) == b"hello"
    assert slept == [0.25, 0.25]
