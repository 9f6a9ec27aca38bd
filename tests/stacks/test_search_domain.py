"""The domain: what it encrypts, who it answers, how it is spread."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from stacks.field_checks import TLS_POLICIES
from stacks.stages import STAGES
from tests.stacks.built import DOMAIN, ROOT, Built, attribute, below, built, example, of_config


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
        if not policy.startswith(("SetupRole", "CanaryRole"))
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


KEY = "1b2c3d4e-0000-4000-8000-123456789012"


@pytest.fixture(scope="module")
def chosen() -> Built:
    """With everything that a stage may choose of a public domain."""
    config = replace(
        example("new-domain"),
        tls_policy=TLS_POLICIES[1],
        domain_encryption_key=f"arn:aws:kms:eu-west-1:123456789012:key/{KEY}",
        saml_master_group="admins",
    )
    assert config.problems() == []
    return of_config(config)


def test_a_custom_endpoint_comes_with_its_certificate_and_the_stages_tls(chosen: Built) -> None:
    assert chosen.properties(DOMAIN)["DomainEndpointOptions"] == {
        "CustomEndpoint": "logs.example.com",
        "CustomEndpointCertificateArn": example("new-domain").certificate_arn,
        "CustomEndpointEnabled": True,
        "EnforceHTTPS": True,
        "TLSSecurityPolicy": "Policy-Min-TLS-1-2-RFC9151-FIPS-2024-08",
    }


def test_functions_keep_to_the_domains_own_endpoint(chosen: Built) -> None:
    assert "logs.example.com" not in json.dumps(chosen.of_type("AWS::Lambda::Function"))


def test_the_data_is_under_the_stages_key(chosen: Built) -> None:
    assert chosen.properties(DOMAIN)["EncryptionAtRestOptions"] == {"Enabled": True, "KmsKeyId": KEY}


def test_people_sign_on_at_their_own_provider(chosen: Built) -> None:
    saml = chosen.properties(DOMAIN)["AdvancedSecurityOptions"]["SAMLOptions"]
    metadata = (ROOT / "examples" / "idp-metadata.xml").read_text("utf-8")
    assert saml == {
        "Enabled": True,
        "Idp": {"EntityId": "https://idp.example.com/metadata", "MetadataContent": metadata},
        "MasterBackendRole": "admins",
        "RolesKey": "groups",
        "SessionTimeoutMinutes": 480,
    }


def test_groups_of_the_provider_read_and_operate(chosen: Built) -> None:
    run = chosen.only("Custom::DomainSetup")
    assert "developers" in run["Readers"]
    assert "platform" in run["Operators"]


ROLE = "arn:aws:iam::123456789012:role/people"


def _statement(**changes: Any) -> dict[str, Any]:
    domain = built("dev", **changes).properties(DOMAIN)
    (statement,) = domain["AccessPolicies"]["Statement"]
    found: dict[str, Any] = statement
    return found


def test_the_domain_lets_in_whom_the_stage_names(chosen: Built) -> None:
    (everybody,) = chosen.properties(DOMAIN)["AccessPolicies"]["Statement"]
    assert everybody == {
        "Effect": "Allow",
        "Principal": {"AWS": ["*"]},
        "Action": "es:ESHttp*",
        "Resource": "*",
        "Condition": {"IpAddress": {"aws:SourceIp": ["192.0.2.0/24"]}},
    }
    assert _statement(access_principals=(ROLE,)) == {
        "Effect": "Allow",
        "Principal": {"AWS": [ROLE]},
        "Action": "es:ESHttp*",
        "Resource": "*",
    }


def test_in_a_vpc_addresses_are_no_condition() -> None:
    """The service refuses one there; https://docs.aws.amazon.com/opensearch-service/latest/developerguide/vpc.html ."""
    domain = of_config(replace(example("vpc"), access_principals=(ROLE,))).properties(DOMAIN)
    assert "Condition" not in domain["AccessPolicies"]["Statement"][0]
