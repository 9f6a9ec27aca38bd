"""Functions that could not run as they are configured, by the field that is at fault."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shipper.settings import MultilineRule, Settings
from stacks.stages import STAGES

FAULTS: list[Any] = [
    pytest.param({"architecture": "host"}, "architecture: host is for stage local", id="this machine's wheels"),
    pytest.param(
        {"subscriber_timeout_s": 5}, "settings.reserve_s: 5.0 leaves nothing", id="timeout within the reserve"
    ),
    pytest.param(
        {"retry_visibility_s": 719}, "retry_visibility_s: must be at least 6 times replay_timeout_s", id="visibility"
    ),
    pytest.param(
        {"settings": Settings(multiline=tuple(MultilineRule("*", start="x" * 200) for _ in range(20)))},
        "settings: take ",
        id="settings too large for the environment",
    ),
]


@pytest.mark.parametrize(("changes", "problem"), FAULTS)
def test_a_fault_is_named_with_its_field(changes: dict[str, Any], problem: str) -> None:
    (found,) = replace(STAGES["prod"], **changes).problems()
    assert found.startswith(problem)
