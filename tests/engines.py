"""Both search engines, each started once for all tests that only want one that answers."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from local.engine import Embedded
from local.opensearch import Real
from local.processes import Run
from local.running import Running
from tests.faults.node import Node


def real(settings: dict[str, object] | None = None) -> Real:
    """A real OpenSearch, yet to be started; skips the test where it cannot be had."""
    if shutil.which("mvn") is None:
        pytest.skip("OpenSearch comes from Maven Central, and there is no `mvn`")
    return Real(dict(os.environ), settings or {})


@contextmanager
def _started(engine: Embedded | Real, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with Run(tmp_path_factory.mktemp("logs")) as run:
        yield engine.start(run)


@pytest.fixture(scope="session")
def osmem(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with _started(Embedded(), tmp_path_factory) as running:
        yield running


@pytest.fixture(scope="session")
def opensearch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with _started(real(), tmp_path_factory) as running:
        yield running


@pytest.fixture(scope="module", params=["osmem", "opensearch"])
def engine(request: pytest.FixtureRequest) -> Running:
    """Each of them in turn, without indices and templates of other tests."""
    running: Running = request.getfixturevalue(request.param)
    Node(running.url).clear()
    return running
