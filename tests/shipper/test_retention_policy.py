"""The retention policy against the shape of its API."""

from __future__ import annotations

from typing import Any

import pytest

from shipper.retention_policy import retention_policy

STEPS: list[Any] = [
    pytest.param({}, [("hot", "30d"), ("delete", None)], "delete", id="hot until deleted"),
    pytest.param(
        {"warm_after_days": 15}, [("hot", "15d"), ("warm", "30d"), ("delete", None)], "delete", id="by way of warm"
    ),
    pytest.param(
        {"warm_after_days": 15, "cold_after_days": 20},
        [("hot", "15d"), ("warm", "20d"), ("cold", "30d"), ("delete", None)],
        "cold_delete",
        id="by way of warm and cold",
    ),
]


@pytest.mark.parametrize(("days", "expected", "last_action"), STEPS)
def test_an_index_goes_from_state_to_state(days: dict[str, int], expected: Any, last_action: str) -> None:
    policy = retention_policy(delete_after_days=30, **days)["policy"]
    ages = [[then["conditions"]["min_index_age"] for then in state["transitions"]] for state in policy["states"]]
    assert [(state["name"], *(age or [None])) for state, age in zip(policy["states"], ages, strict=True)] == expected
    following = [then["state_name"] for state in policy["states"] for then in state["transitions"]]
    assert following == [name for name, _ in expected[1:]]
    assert last_action in policy["states"][-1]["actions"][0]
    assert policy["default_state"] == "hot"


def test_new_indices_are_taken_by_themselves() -> None:
    policy = retention_policy(delete_after_days=30)["policy"]
    assert policy["ism_template"] == [{"index_patterns": ["cwl-*"], "priority": 100}]


def test_every_action_waits_and_tries_again() -> None:
    policy = retention_policy(delete_after_days=30, warm_after_days=15, cold_after_days=20)["policy"]
    actions = [action for state in policy["states"] for action in state["actions"]]
    assert len(actions) == 3
    assert all({"timeout", "retry"} < set(action) for action in actions)


def test_the_description_tells_policies_apart() -> None:
    texts = {
        retention_policy(delete_after_days=30, **days)["policy"]["description"]
        for days in ({}, {"warm_after_days": 15}, {"warm_after_days": 16})
    }
    assert len(texts) == 3
    assert all(text.startswith("cwl-shipper: deletes logs after 30 days (") for text in texts)
