"""What all tests share: golden files are rewritten on demand, property tests repeat unless they are to explore."""

from __future__ import annotations

import os

import hypothesis
import pytest

# Registered before any test module is imported, so that settings made there begin from the profile in force.
hypothesis.settings.register_profile("repeatable", derandomize=True)
hypothesis.settings.register_profile("explore", derandomize=False)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite the golden files with what comes out now")
