"""Network, endpoint and access: each combination that the services refuse, by the field that is at fault."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from stacks.field_checks import TLS_POLICIES
from stacks.stages import STAGES, StageConfig

VPC: dict[str, Any] = {
    "vpc_id": "vpc-0a1b2c3d4e5f60718",
    "subnet_ids": ("subnet-0a1b2c3d", "subnet-1a1b2c3d", "subnet-2a1b2c3d"),
    "route_table_ids": ("rtb-0a1b2c3d",),
    "s3_prefix_list_id": "pl-6da54004",
}
THEIR_ENDPOINTS: dict[str, Any] = {
    **VPC,
    "route_table_ids": (),
    "create_vpc_endpoints": False,
    "vpc_endpoint_security_group_ids": ("sg-0a1b2c3d",),
}
ARN = "arn:aws:es:eu-west-1:123456789012:domain/logs"
EXISTING: dict[str, Any] = {"existing_endpoint": "https://logs.example.com", "existing_arn": ARN}
IN_VPC: dict[str, Any] = {**EXISTING, **VPC, "domain_security_group_id": "sg-0a1b2c3d"}
CERTIFICATE = "arn:aws:acm:eu-west-1:123456789012:certificate/1b2c3d4e-0000"
CUSTOM: dict[str, Any] = {"custom_endpoint": "logs.example.com", "certificate_arn": CERTIFICATE}
KEY = "arn:aws:kms:eu-west-1:123456789012:key/1b2c3d4e-0000-4000-8000-123456789012"
ROLE = "arn:aws:iam::123456789012:role/people"
SAML: dict[str, Any] = {"saml_metadata_file": "examples/idp-metadata.xml", "access_principals": ("*",)}

FAULTS: list[tuple[str, dict[str, Any], str]] = [
    ("TLS of old", {"tls_policy": "Policy-Min-TLS-1-0-2019-07"}, "tls_policy: 'Policy-Min-TLS-1-0-2019-07' is none"),
    ("host", {**CUSTOM, "custom_endpoint": "https://logs.example.com"}, "custom_endpoint: 'https://logs.example.com'"),
    ("one label", {**CUSTOM, "custom_endpoint": "logs"}, "custom_endpoint: 'logs' is no host name"),
    ("certificate", {**CUSTOM, "certificate_arn": ROLE}, f"certificate_arn: '{ROLE}' is no ARN of a certificate"),
    ("no certificate", {"custom_endpoint": "logs.example.com"}, "certificate_arn: belongs to custom_endpoint"),
    ("no host", {"certificate_arn": CERTIFICATE}, "certificate_arn: belongs to custom_endpoint"),
    ("no such key", {"domain_encryption_key": f"{KEY}0"}, f"domain_encryption_key: '{KEY}0' is none of aws, same and"),
    ("key", {"domain_encryption_key": "alias/logs"}, "domain_encryption_key: 'alias/logs' is none of aws, same and"),
    ("principal", {"access_principals": ("people",)}, "access_principals: 'people' is neither an ARN in IAM nor *"),
    (
        "everybody without fine-grained access",
        {"access_principals": ("*",), "fine_grained_access": False},
        "access_principals: name everybody, which only fine_grained_access allows (https://docs.aws.amazon.com/",
    ),
    ("addresses of nobody", {"access_cidrs": ("192.0.2.0/24",)}, "access_cidrs: narrow what access_principals may"),
    (
        "bits beside the block",
        {"access_cidrs": ("192.0.2.1/24",), "access_principals": (ROLE,)},
        "access_cidrs: '192.0.2.1/24' is no block",
    ),
    (
        "every address",
        {"access_cidrs": ("0.0.0.0/0",), "access_principals": (ROLE,)},
        "access_cidrs: '0.0.0.0/0' is no block",
    ),
    (
        "SAML without fine-grained access",
        {"saml_metadata_file": "examples/idp-metadata.xml", "fine_grained_access": False, "access_principals": (ROLE,)},
        "saml_metadata_file: needs fine_grained_access (https://docs.aws.amazon.com/",
    ),
    ("SAML for nobody", {**SAML, "access_principals": ()}, "access_principals: must name * with SAML"),
    ("SAML for roles", {**SAML, "access_principals": (ROLE,)}, "access_principals: must name * with SAML"),
    ("no metadata", {**SAML, "saml_metadata_file": "no.xml"}, "saml_metadata_file: 'no.xml' cannot be read: "),
    ("group of no provider", {"saml_master_group": "admins"}, "saml_master_group: is a group of a SAML provider"),
    ("long group", {**SAML, "saml_master_group": "g" * 257}, f"saml_master_group: '{'g' * 257}' is longer than 256"),
    ("no attribute", {"saml_roles_key": ""}, "saml_roles_key: '' is no attribute"),
    ("session", {"saml_session_min": 1_441}, "saml_session_min: 1441 is not between 1 and 1440"),
    ("VPC", {**VPC, "vpc_id": "main"}, "vpc_id: 'main' is no id of a VPC"),
    ("subnet", {**VPC, "subnet_ids": ("a", *VPC["subnet_ids"][1:])}, "subnet_ids: 'a' is no id of a subnet"),
    ("route table", {**VPC, "route_table_ids": ("a",)}, "route_table_ids: 'a' is no id of a route table"),
    ("prefix list", {**VPC, "s3_prefix_list_id": "s3"}, "s3_prefix_list_id: 's3' is no id of a prefix list"),
    (
        "two subnets, three zones",
        {**VPC, "subnet_ids": VPC["subnet_ids"][:2]},
        "subnet_ids: are 2, and zone_count is 3",
    ),
    (
        "a subnet twice",
        {**VPC, "subnet_ids": (VPC["subnet_ids"][0],) * 3},
        "subnet_ids: are missing, or name one twice",
    ),
    ("no subnets", {**VPC, "subnet_ids": ()}, "subnet_ids: are missing"),
    ("no prefix list", {**VPC, "s3_prefix_list_id": ""}, "s3_prefix_list_id: is missing"),
    (
        "groups of endpoints that are made",
        {**VPC, "vpc_endpoint_security_group_ids": ("sg-0a1b2c3d",)},
        "vpc_endpoint_security_group_ids: are of endpoints which exist",
    ),
    (
        "route tables for nothing",
        {**THEIR_ENDPOINTS, "route_table_ids": ("rtb-0a1b2c3d",)},
        "route_table_ids: are for the endpoint that create_vpc_endpoints makes",
    ),
    (
        "endpoints without groups",
        {**THEIR_ENDPOINTS, "vpc_endpoint_security_group_ids": ()},
        "vpc_endpoint_security_group_ids: are missing",
    ),
    (
        "group of an endpoint",
        {**THEIR_ENDPOINTS, "vpc_endpoint_security_group_ids": ("default",)},
        "vpc_endpoint_security_group_ids: 'default' is no id of a security group",
    ),
    (
        "group of a domain that is made",
        {**VPC, "domain_security_group_id": "sg-0a1b2c3d"},
        "domain_security_group_id: is the group of a domain that exists",
    ),
    (
        "no group of the domain that exists",
        {**IN_VPC, "domain_security_group_id": ""},
        "domain_security_group_id: is missing",
    ),
    (
        "group of the domain",
        {**IN_VPC, "domain_security_group_id": "default"},
        "domain_security_group_id: 'default' is no id of a security group",
    ),
    (
        "a public domain from within",
        {**IN_VPC, "existing_endpoint": "https://search-logs-a.eu-west-1.es.amazonaws.com"},
        "vpc_id: has no way out, and existing_endpoint is a public domain (https://docs.aws.amazon.com/",
    ),
    (
        "a private domain from outside",
        {**EXISTING, "existing_endpoint": "https://vpc-logs-a.eu-west-1.es.amazonaws.com"},
        "vpc_id: is missing: existing_endpoint is a domain in a VPC",
    ),
    *[
        (f"{name} without a VPC", {name: value}, f"{name}: is for a VPC: give vpc_id")
        for name, value in {**THEIR_ENDPOINTS, **IN_VPC}.items()
        if name in {"subnet_ids", "route_table_ids", "s3_prefix_list_id", "create_vpc_endpoints"}
    ],
    ("its TLS", {**EXISTING, "tls_policy": TLS_POLICIES[1]}, "tls_policy: is of a domain that the stack makes"),
    (
        "its key",
        {**EXISTING, "domain_encryption_key": KEY},
        "domain_encryption_key: is of a domain that the stack makes",
    ),
    (
        "its access",
        {**EXISTING, "access_principals": (ROLE,)},
        "access_principals: is of a domain that the stack makes",
    ),
]


@pytest.mark.parametrize(("changes", "problem"), [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS])
def test_a_fault_is_named_with_its_field(changes: dict[str, Any], problem: str) -> None:
    (found,) = replace(STAGES["prod"], **changes).problems()
    assert found.startswith(problem)


def test_a_collection_is_not_reached_by_the_ways_of_a_domain() -> None:
    config = replace(STAGES["prod"], **VPC, existing_collection="logs", canary=False)
    assert "vpc_id: is for a domain: a collection is reached through an endpoint of its own kind" in config.problems()


def test_a_custom_endpoint_wants_https() -> None:
    (found,) = replace(STAGES["local"], **CUSTOM).problems()
    assert found.startswith("custom_endpoint: has a certificate, and plain_http is without")


@pytest.mark.parametrize(
    "changes",
    [
        *[{"tls_policy": policy} for policy in TLS_POLICIES],
        CUSTOM,
        {"domain_encryption_key": "arn:aws-cn:kms:cn-north-1:123456789012:key/mrk-" + "a1" * 16},
        {"access_principals": (ROLE, "arn:aws:sts::123456789012:assumed-role/a/b")},
        {"access_principals": (ROLE,), "access_cidrs": ("192.0.2.0/24", "198.51.100.7/32")},
        SAML,
        {**SAML, "saml_master_group": "admins", "saml_session_min": 1_440},
        VPC,
        {**VPC, "access_cidrs": ("10.0.0.0/8",)},
        {**VPC, "zone_count": 1, "instance_count": 1, "master_count": 0, "subnet_ids": VPC["subnet_ids"][:1]},
        THEIR_ENDPOINTS,
        IN_VPC,
        {
            **IN_VPC,
            "existing_endpoint": "https://vpc-logs-a.eu-west-1.es.amazonaws.com",
            "subnet_ids": ("subnet-0a1b2c3d",),
        },
    ],
    ids=str,
)
def test_what_the_services_take_is_no_fault(changes: dict[str, Any]) -> None:
    assert replace(STAGES["prod"], **changes).problems() == []


def test_every_fault_is_named_at_once() -> None:
    config: StageConfig = replace(
        STAGES["prod"],
        vpc_id="vpc-0a1b2c3d",
        custom_endpoint="x",
        saml_metadata_file="no.xml",
        access_principals=("a",),
    )
    assert [problem.partition(":")[0] for problem in config.problems()] == [
        "custom_endpoint",
        "access_principals",
        "subnet_ids",
        "s3_prefix_list_id",
        "certificate_arn",
        "access_principals",
        "saml_metadata_file",
    ]
