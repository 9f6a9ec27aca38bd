"""The domain: what it encrypts, who it answers, how it is spread."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stacks.stages import STAGES
from tests.stacks.built import DOMAIN, Built, attribute, below, built


@pytest.mark.parametrize("stage", STAGES)
def test_everything_is_encrypted(stage: str) -> None:
    domain = built(stage).properties(DOMAIN)
    assert domain["DomainEndpointOptions"] == {
        "EnforceHTTPS": True,
        "TLSSecurityPolicy": "Policy-Min-TLS-1-2-PFS-2023-10",
    }
    assert domain["NodeToNodeEncryptionOptions"] == {"Enabled": True}
    assert domain["EncryptionAtRestOptions"] == {"Enabled": True}


@pytest.mark.parametrize("stage", STAGES)
def test_nobody_is_let_in_by_the_domain_itself(stage: str) -> None:
    domain = built(stage).properties(DOMAIN)
    assert "AccessPolicies" not in domain
    assert "CognitoOptions" not in domain


def test_prod_is_spread_over_three_zones_with_masters_apart() -> None:
    assert built("prod").properties(DOMAIN)["ClusterConfig"] == {
        "InstanceType": "or2.large.search",
        "InstanceCount": 3,
        "DedicatedMasterEnabled": True,
        "DedicatedMasterType": "m7g.large.search",
        "DedicatedMasterCount": 3,
        "ZoneAwarenessEnabled": True,
        "ZoneAwarenessConfig": {"AvailabilityZoneCount": 3},
        "MultiAZWithStandbyEnabled": False,
    }


def test_dev_is_one_small_node() -> None:
    domain = built("dev").properties(DOMAIN)
    assert domain["EngineVersion"] == "OpenSearch_3.7"
    assert domain["EBSOptions"] == {
        "EBSEnabled": True,
        "VolumeSize": 20,
        "VolumeType": "gp3",
        "Iops": 3_000,
        "Throughput": 125,
    }
    assert domain["ClusterConfig"] == {
        "InstanceType": "t3.medium.search",
        "InstanceCount": 1,
        "DedicatedMasterEnabled": False,
        "ZoneAwarenessEnabled": False,
        "MultiAZWithStandbyEnabled": False,
    }


@pytest.mark.parametrize(("stage", "scheme"), [("local", "http://"), ("dev", "https://"), ("prod", "https://")])
def test_the_endpoint_is_a_url(stage: str, scheme: str) -> None:
    endpoint = {"Fn::Join": ["", [scheme, attribute(DOMAIN, "DomainEndpoint")]]}
    assert built(stage).outputs["DomainEndpoint"]["Value"] == endpoint


def test_bulk_is_all_that_a_function_may_do() -> None:
    on_domain = [
        statement
        for policy, statement in built("dev").statements()
        if not policy.startswith("SetupRole")
        and any(DOMAIN in json.dumps(statement[part]) for part in ("Action", "Resource"))
    ]
    assert (
        on_domain
        == [
            {"Action": "es:ESHttpPost", "Effect": "Allow", "Resource": below(DOMAIN, "/_bulk")},
        ]
        * 2
    )


def _policy(stack: Built) -> tuple[str, dict[str, Any]]:
    ((key, properties),) = stack.of_type("AWS::Logs::ResourcePolicy").items()
    return key, properties


def test_the_domain_waits_for_the_right_to_write_its_logs() -> None:
    prod = built("prod")
    key, _ = _policy(prod)
    assert key in prod.resources[DOMAIN]["DependsOn"]
    assert set(prod.properties(DOMAIN)["LogPublishingOptions"]) == {
        "SEARCH_SLOW_LOGS",
        "INDEX_SLOW_LOGS",
        "ES_APPLICATION_LOGS",
    }


def test_one_policy_lets_domains_of_this_account_write_and_nobody_else() -> None:
    _, policy = _policy(built("prod"))
    assert policy["PolicyName"] == "cwl-shipper-prod-domain-logs"
    parts = policy["PolicyDocument"]["Fn::Join"][1]
    text = "".join(part if isinstance(part, str) else "/".join(map(str, part.values())) for part in parts)
    assert '"Principal":{"Service":"es.amazonaws.com"}' in text
    assert '"StringEquals":{"aws:SourceAccount":"AWS::AccountId"}' in text
    assert "domain/*" in text
    assert text.count("SearchSlowSearchLog") == text.count("SearchSlowIndexLog") == 1
    assert '"*"' not in text


def test_small_stages_publish_no_slow_logs() -> None:
    assert built("dev").of_type("AWS::Logs::ResourcePolicy") == {}


def test_a_new_version_is_an_upgrade_in_place() -> None:
    assert built("prod").resources[DOMAIN]["UpdatePolicy"] == {"EnableVersionUpgrade": True}


def test_warm_and_cold_storage_are_the_stages_choice() -> None:
    domain = built("prod", warm_count=2, warm_after_days=20, cold_after_days=40).properties(DOMAIN)
    cluster = domain["ClusterConfig"]
    assert (cluster["WarmEnabled"], cluster["WarmCount"]) == (True, 2)
    assert cluster["WarmType"] == "ultrawarm1.medium.search"
    assert cluster["ColdStorageOptions"] == {"Enabled": True}


def test_the_service_may_work_on_the_domain_at_the_stages_hour() -> None:
    window = built("prod", off_peak_hour_utc=3).properties(DOMAIN)["OffPeakWindowOptions"]
    assert window["OffPeakWindow"] == {"WindowStartTime": {"Hours": 3, "Minutes": 0}}
