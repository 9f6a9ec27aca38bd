"""The set-up at deployment: what it is told, when it runs, what its identity may do."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shipper.setup_plan import Plan, paths
from stacks.stages import STAGES
from tests.stacks.built import (
    CANARY_ROLE,
    DOMAIN,
    REPLAY,
    SETUP,
    SETUP_ROLE,
    SUBSCRIBER,
    Built,
    attribute,
    below,
    built,
)

ROLES = ("FunctionsSubscriberRole54F34141", "FunctionsReplayRole314861F4")
EXISTING: dict[str, Any] = {
    "existing_endpoint": "https://search-logs.eu-west-1.es.amazonaws.com",
    "existing_arn": "arn:aws:es:eu-west-1:123456789012:domain/logs",
}


def run_of(stack: Built) -> dict[str, Any]:
    return stack.only("Custom::DomainSetup")


@pytest.mark.parametrize("stage", STAGES)
def test_the_plan_is_the_stages(stage: str) -> None:
    config = STAGES[stage]
    plan = Plan.from_properties(run_of(built(stage)))
    assert (plan.shards, plan.refresh_s) == (config.index_shards, config.index_refresh_s)
    assert plan.delete_after_days == config.index_days
    assert plan.security


@pytest.mark.parametrize(("stage", "replicas"), [("local", 0), ("dev", 0), ("prod", 1)])
def test_a_copy_is_kept_where_there_is_a_second_node(stage: str, replicas: int) -> None:
    assert Plan.from_properties(run_of(built(stage))).replicas == replicas


def test_both_functions_write_and_the_stages_people_read() -> None:
    properties = run_of(built("prod", reader_roles=("arn:r",), operator_roles=("group",), admin_roles=("arn:a",)))
    assert properties["Writers"] == [attribute(role) for role in ROLES]
    assert [built("prod").properties(name)["Role"] for name in (SUBSCRIBER, REPLAY)] == properties["Writers"]
    assert properties["Readers"] == ["arn:r", attribute(CANARY_ROLE)]
    assert properties["Operators"] == ["group"]
    assert properties["Admins"] == ["arn:a"]
    assert run_of(built("prod"))["Admins"] == []


def test_the_first_log_comes_after_the_template() -> None:
    filters = [value for value in built("dev").resources.values() if value["Type"] == "AWS::Logs::SubscriptionFilter"]
    (run,) = built("dev").of_type("Custom::DomainSetup")
    assert len(filters) == 3
    assert all(run in each["DependsOn"] for each in filters)


def test_its_identity_is_the_master_of_the_domain() -> None:
    security = built("dev").properties(DOMAIN)["AdvancedSecurityOptions"]
    assert security == {
        "Enabled": True,
        "InternalUserDatabaseEnabled": False,
        "MasterUserOptions": {"MasterUserARN": attribute(SETUP_ROLE)},
    }


def test_its_identity_reaches_the_paths_of_a_plan_and_no_log() -> None:
    (statement,) = [
        statement
        for policy, statement in built("dev").statements()
        if policy.startswith("SetupRole") and DOMAIN in json.dumps(statement["Resource"])
    ]
    assert statement["Resource"] == [below(DOMAIN, path) for path in paths()]


def test_a_function_that_never_answers_fails_the_deployment_soon() -> None:
    stack = built("dev", setup_timeout_s=100)
    assert stack.properties(SETUP)["Timeout"] == 100
    assert stack.properties(SETUP)["Handler"] == "shipper.handlers.domain_setup.handler"
    assert run_of(stack)["ServiceTimeout"] == "160"


def test_an_existing_domain_is_set_up_and_none_is_made() -> None:
    stack = built("prod", **EXISTING)
    assert stack.of_type("AWS::OpenSearchService::Domain") == {}
    assert run_of(stack)["Endpoint"] == EXISTING["existing_endpoint"]
    assert stack.outputs["DomainEndpoint"]["Value"] == EXISTING["existing_endpoint"]
    resources = json.dumps([statement["Resource"] for _, statement in stack.statements()])
    assert f"{EXISTING['existing_arn']}/_bulk" in resources
    assert f"{EXISTING['existing_arn']}/_index_template/cwl" in resources


def test_a_domain_without_fine_grained_access_gets_no_roles() -> None:
    stack = built("dev", fine_grained_access=False)
    assert "AdvancedSecurityOptions" not in stack.properties(DOMAIN)
    assert not Plan.from_properties(run_of(stack)).security
