"""What all tests share: golden files are rewritten on demand, property tests repeat unless they are to explore, and
what belongs together runs in one process."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from xdist.scheduler import LoadScopeScheduling

pytest_plugins = ["tests.engines", "tests.loopback"]

# Registered before any test module is imported, so that settings made there begin from the profile in force.
hypothesis.settings.register_profile("repeatable", derandomize=True)
hypothesis.settings.register_profile("explore", derandomize=False)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))

ROOT = Path(__file__).resolve().parents[1]
_STARTED_ONCE = ("chain: Chain", "engine: Running")
"""Arguments of tests that are dear to make: all modules with one of them are run by the same process."""

_LONG = ("tests/reliability", "tests/e2e", "tests/faults", "tests/k8s/test_checkov.py")
"""Begun first, so that no process is left with them while the others are through."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite the golden files with what comes out now")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(_LONG))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Tests of a module stay together. (xdist's own `loadgroup` does nothing under pytest 9.2.)"""
    return _Together(config, log)


class _Together(LoadScopeScheduling):  # type: ignore[misc]
    def _split_scope(self, nodeid: str) -> str:
        return _group(nodeid.partition("::")[0])


@cache
def _group(module: str) -> str:
    text = (ROOT / module).read_text("utf-8")
    return next((argument for argument in _STARTED_ONCE if argument in text), module)
