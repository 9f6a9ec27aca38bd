"""What all tests share: golden files are rewritten on demand, property tests repeat unless they are to explore, and
what belongs together runs in one process."""

from __future__ import annotations

import os

import hypothesis
import pytest

pytest_plugins = ["tests.engines", "tests.loopback"]

# Registered before any test module is imported, so that settings made there begin from the profile in force.
hypothesis.settings.register_profile("repeatable", derandomize=True)
hypothesis.settings.register_profile("explore", derandomize=False)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))

_STARTED_ONCE = ("chain", "engine")
"""Fixtures that are dear to start: all tests that use one are run by the same process."""

_LONG = ("tests/reliability", "tests/e2e", "tests/faults", "tests/k8s/test_checkov.py")
"""Begun first, so that no process is left with them while the others are through."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite the golden files with what comes out now")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say to pytest-xdist what stays together: a module, and the modules that share what is dear to start."""
    items.sort(key=lambda item: not item.nodeid.startswith(_LONG))
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))


def _group(item: pytest.Item) -> str:
    module = item.nodeid.partition("::")[0]
    fixtures = getattr(item, "fixturenames", ())
    return next((name for name in _STARTED_ONCE if name in fixtures), module)
