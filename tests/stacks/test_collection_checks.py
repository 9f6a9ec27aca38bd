"""Stages whose logs go to a serverless collection: what is taken, and every fault by its field."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from stacks.stages import STAGES

ARN = "arn:aws:aoss:eu-west-1:123456789012:collection/07tjusf2h91cunochc"
ENDPOINT = "https://07tjusf2h91cunochc.eu-west-1.aoss.amazonaws.com"
COLLECTION: dict[str, Any] = {"existing_endpoint": ENDPOINT, "existing_arn": ARN, "existing_collection": "logs"}

TAKEN: list[Any] = [
    pytest.param({}, id="as it is"),
    pytest.param({"existing_endpoint": ENDPOINT.replace("aoss", "aoss-fips")}, id="by its FIPS name"),
    pytest.param({"fine_grained_access": False}, id="which has no fine-grained access"),
    pytest.param({"reader_roles": ("arn:aws:iam::123456789012:role/dev",)}, id="a role"),
    pytest.param({"operator_roles": ("saml/123456789012/idp/group/on call",)}, id="a group"),
    pytest.param({"admin_roles": ("arn:aws:iam::123456789012:role/platform",)}, id="an admin"),
    pytest.param(
        {"fine_grained_access": False, "reader_roles": ("arn:aws:iam::123456789012:user/a",)}, id="people without it"
    ),
    pytest.param({"name": "s" * 28}, id="the longest name"),
]


@pytest.mark.parametrize("changes", TAKEN)
def test_a_collection_can_take_the_logs(changes: dict[str, Any]) -> None:
    assert replace(STAGES["dev"], **{**COLLECTION, **changes}).problems() == []


FAULTS: list[Any] = [
    pytest.param({"existing_collection": ""}, "existing_collection: is the name of the serverless", id="no name"),
    pytest.param({"existing_collection": "Logs!"}, "existing_collection: 'Logs!' is no name of a", id="bad name"),
    pytest.param(
        {
            "existing_arn": "arn:aws:es:eu-west-1:123456789012:domain/logs",
            "existing_endpoint": "https://logs.eu-west-1.es.amazonaws.com",
        },
        "existing_collection: is the name of the serverless",
        id="a name beside a domain",
    ),
    pytest.param(
        {"existing_endpoint": "https://another.eu-west-1.aoss.amazonaws.com"},
        f"existing_endpoint: is not {ENDPOINT}",
        id="another's endpoint",
    ),
    pytest.param(
        {"existing_endpoint": ENDPOINT.replace("west-1", "west-2")},
        f"existing_endpoint: is not {ENDPOINT}",
        id="another Region",
    ),
    pytest.param(
        {"existing_endpoint": "https://logs.example.com"},
        f"existing_endpoint: is not {ENDPOINT}",
        id="no endpoint of one",
    ),
    pytest.param({"name": "s" * 29}, "name: is longer than 28", id="a name too long"),
    pytest.param(
        {"warm_count": 2, "master_count": 3, "instance_type": "m7g.large.search"}, "warm_count: is for", id="warm"
    ),
    pytest.param({"warm_after_days": 20}, "warm_after_days: is for domains", id="warm days"),
    pytest.param({"reader_roles": ("developers",)}, "reader_roles: 'developers' is no ARN of IAM", id="a bare group"),
    pytest.param(
        {"operator_roles": ("arn:aws:s3:::x",)}, "operator_roles: 'arn:aws:s3:::x' is no ARN", id="another ARN"
    ),
    pytest.param(
        {"admin_roles": ("platform",)}, "admin_roles: 'platform' is no ARN of IAM", id="a bare group as admin"
    ),
]


@pytest.mark.parametrize(("changes", "problem"), FAULTS)
def test_a_fault_is_named_with_its_field(changes: dict[str, Any], problem: str) -> None:
    (found,) = replace(STAGES["dev"], **{**COLLECTION, **changes}).problems()
    assert found.startswith(problem)
