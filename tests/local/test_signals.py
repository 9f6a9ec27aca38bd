from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from local.signals import Signals


@pytest.fixture
def signals() -> Iterator[Signals]:
    signals = Signals()
    signals.install()
    yield signals
    signals.restore()


def test_each_signal_is_an_exception(signals: Signals) -> None:
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
    with pytest.raises(SystemExit) as terminated:
        os.kill(os.getpid(), signal.SIGTERM)
    assert terminated.value.code == 143


def test_a_held_signal_comes_at_the_end(signals: Signals) -> None:
    steps = []

    def work() -> None:
        with signals.held(), signals.held():
            os.kill(os.getpid(), signal.SIGTERM)
            steps.append("finished")

    with pytest.raises(SystemExit):
        work()
    assert steps == ["finished"]


def test_handlers_are_given_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    signals = Signals()
    signals.install()
    signals.restore()
    assert signal.getsignal(signal.SIGTERM) == before


def test_another_thread_installs_nothing() -> None:
    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=Signals().install)
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGTERM) == before
