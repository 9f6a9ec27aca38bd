"""Faults of alarms and canary, each by its field."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shipper.sample import Rule
from shipper.settings import Settings
from stacks.stages import STAGES

DROP_HOST = Rule("host", "drop", log_group="*/host")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"silent_after_min": ()}, [], id="no group needs logs"),
        pytest.param(
            {"fresh_within_s": 3_601},
            ["fresh_within_s: is longer than the canary looks back: at most 3600, or set canary to false"],
            id="longer than the canary looks back",
        ),
        pytest.param({"fresh_within_s": 3_601, "canary": False}, [], id="long, and no canary"),
        pytest.param({"silent_after_min": (("host", 5), ("application", 1_440))}, [], id="both ends"),
        pytest.param(
            {"silent_after_min": (("app", 30),)},
            ["silent_after_min: 'app' is none of application, dataplane, host"],
            id="no such group",
        ),
        pytest.param(
            {"silent_after_min": (("host", 4), ("application", 1_441))},
            ["silent_after_min: 4 is not between 5 and 1440", "silent_after_min: 1441 is not between 5 and 1440"],
            id="minutes",
        ),
        pytest.param(
            {"silent_after_min": (("host", 5), ("host", 6))}, ["silent_after_min: names a group twice"], id="twice"
        ),
        pytest.param(
            {"filter_pattern": "?ERROR"},
            ["canary: filter_pattern keeps its lines out: add ` || $.canary = *`, or set canary to false"],
            id="a pattern without the canary",
        ),
        pytest.param({"filter_pattern": "{ $.level = ERROR || $.canary = * }"}, [], id="a pattern with it"),
        pytest.param({"filter_pattern": "?ERROR", "canary": False}, [], id="a pattern and no canary"),
        pytest.param(
            {"settings": Settings(filters=(DROP_HOST,))},
            ["canary: settings.filters drop its lines of host: keep pattern `^cwl-shipper canary ` by a rule before"],
            id="a rule that drops a group",
        ),
        pytest.param(
            {"settings": Settings(filters=(Rule("canary", "keep", pattern="^cwl-shipper canary "), DROP_HOST))},
            [],
            id="a rule that keeps it before",
        ),
        pytest.param({"settings": Settings(filters=(DROP_HOST,)), "canary": False}, [], id="dropped and no canary"),
    ],
)
def test_a_fault_is_named(changes: dict[str, Any], expected: list[str]) -> None:
    assert replace(STAGES["prod"], **changes).problems() == expected


def test_settings_that_are_wrong_themselves_are_not_tried() -> None:
    settings = Settings(filters=(Rule("bad", "drop", pattern="("),))
    found = replace(STAGES["prod"], settings=settings).problems()
    assert found
    assert not [problem for problem in found if problem.startswith("canary")]
