"""A serverless collection in place of a domain: who may do what, and what is set up before the first log."""

from __future__ import annotations

import json
from typing import Any

from shipper.setup_plan import Plan
from tests.stacks.built import REPLAY, SETUP_ROLE, SUBSCRIBER, Built, built, words
from tests.stacks.test_collection_checks import ARN, COLLECTION, ENDPOINT

ROLES = ["FunctionsSubscriberRole54F34141", "FunctionsReplayRole314861F4"]
READER, OPERATOR = "arn:aws:iam::123456789012:role/dev", "saml/123456789012/idp/group/oncall"
ADMIN = "arn:aws:iam::123456789012:role/platform"


def stack() -> Built:
    return built("dev", **COLLECTION, reader_roles=(READER,), operator_roles=(OPERATOR,), admin_roles=(ADMIN,))


def access() -> dict[str, dict[str, Any]]:
    """Statements of the data access policy by their description; a role stands there as its logical id."""
    parts = stack().only("AWS::OpenSearchServerless::AccessPolicy")["Policy"]["Fn::Join"][1]
    text = "".join(part if isinstance(part, str) else part["Fn::GetAtt"][0] for part in parts)
    return {statement["Description"]: statement for statement in json.loads(text)}


def allowed(group: str) -> dict[str, set[str]]:
    """Permissions by resource."""
    return {rule["Resource"][0]: set(rule["Permission"]) for rule in access()[group]["Rules"]}


def test_no_domain_is_made_and_the_collection_is_left_as_it_is() -> None:
    assert stack().of_type("AWS::OpenSearchService::Domain") == {}
    assert stack().of_type("AWS::OpenSearchServerless::Collection") == {}
    assert stack().outputs["DomainEndpoint"]["Value"] == ENDPOINT


def test_the_functions_write_the_daily_indices_and_nothing_else() -> None:
    assert access()["writers"]["Principal"] == ROLES
    assert allowed("writers") == {
        "index/logs/cwl-*": {"aoss:CreateIndex", "aoss:DescribeIndex", "aoss:UpdateIndex", "aoss:WriteDocument"}
    }


def test_the_set_up_writes_templates_and_no_log() -> None:
    assert access()["setup"]["Principal"] == [SETUP_ROLE]
    assert allowed("setup") == {
        "collection/logs": {
            *("aoss:CreateCollectionItems", "aoss:DescribeCollectionItems", "aoss:UpdateCollectionItems")
        }
    }


def test_readers_read() -> None:
    assert READER in access()["readers"]["Principal"]
    assert allowed("readers")["index/logs/cwl-*"] == {"aoss:DescribeIndex", "aoss:ReadDocument"}
    assert allowed("readers")["collection/logs"] == {"aoss:DescribeCollectionItems"}


def test_operators_delete_old_days_since_nothing_else_does() -> None:
    assert access()["operators"]["Principal"] == [OPERATOR]
    assert allowed("operators")["index/logs/cwl-*"] - allowed("writers")["index/logs/cwl-*"] == {
        *("aoss:DeleteIndex", "aoss:ReadDocument")
    }


def test_admins_do_that_and_delete_templates() -> None:
    assert access()["admins"]["Principal"] == [ADMIN]
    assert allowed("admins")["index/logs/cwl-*"] == allowed("operators")["index/logs/cwl-*"]
    assert allowed("admins")["collection/logs"] - allowed("operators")["collection/logs"] == {
        "aoss:DeleteCollectionItems"
    }


def test_a_group_without_members_has_no_statement() -> None:
    """The service refuses one; the policy of a stack that names no admin is the one that it had."""
    (policy,) = built("dev", **COLLECTION).of_type("AWS::OpenSearchServerless::AccessPolicy").values()
    assert not [word for word in ("operators", "admins") if word in json.dumps(policy)]


def test_the_policy_is_named_for_the_stage() -> None:
    policy = stack().only("AWS::OpenSearchServerless::AccessPolicy")
    assert (policy["Name"], policy["Type"]) == ("cwl-dev", "data")


def test_iam_opens_this_collection_and_no_other() -> None:
    of_collections = {
        (policy[: policy.index("DefaultPolicy")], word): statement
        for policy, statement in stack().statements()
        for word in words(statement["Action"])
        if word.startswith(("aoss:", "es:"))
    }
    apis = [statement["Resource"] for (_, word), statement in of_collections.items() if word == "aoss:APIAccessAll"]
    assert len(apis) >= 3
    assert set(apis) == {ARN}
    (others,) = [statement for (_, word), statement in of_collections.items() if word != "aoss:APIAccessAll"]
    assert (others["Action"], others["Resource"]) == ("aoss:BatchGetCollection", "*")
    assert others["Condition"] == {"StringEquals": {"aoss:collection": "logs"}}


def test_the_functions_sign_for_the_service() -> None:
    for function in (SUBSCRIBER, REPLAY):
        variables = stack().properties(function)["Environment"]["Variables"]
        assert (variables["SHIPPER_ENDPOINT"], variables["SHIPPER_SERVICE"]) == (ENDPOINT, "aoss")
    assert "SHIPPER_SERVICE" not in built("dev").properties(SUBSCRIBER)["Environment"]["Variables"]


def test_the_set_up_comes_after_its_rights() -> None:
    ((key, run),) = [(key, value) for key, value in stack().resources.items() if value["Type"] == "Custom::DomainSetup"]
    plan = Plan.from_properties(run["Properties"])
    assert (plan.collection, plan.endpoint, plan.security) == ("logs", ENDPOINT, False)
    assert set(stack().of_type("AWS::OpenSearchServerless::AccessPolicy")) <= set(run["DependsOn"])
    filters = [value for value in stack().resources.values() if value["Type"] == "AWS::Logs::SubscriptionFilter"]
    assert all(key in each["DependsOn"] for each in filters)
