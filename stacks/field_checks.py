"""Faults of single fields, whatever the others say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stacks.stages import StageConfig

Faults = Iterator[tuple[str, str]]

EVERYBODY = "*"

TLS_POLICIES = (
    "Policy-Min-TLS-1-2-PFS-2023-10",
    "Policy-Min-TLS-1-2-RFC9151-FIPS-2024-08",
    "Policy-Min-TLS-1-2-2019-07",
)
"""The first two take TLS 1.3 as well. What takes less than 1.2 is left out;
https://docs.aws.amazon.com/opensearch-service/latest/APIReference/API_DomainEndpointOptions.html"""

# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
RETENTION: dict[int, str] = {
    1: "ONE_DAY",
    3: "THREE_DAYS",
    5: "FIVE_DAYS",
    7: "ONE_WEEK",
    14: "TWO_WEEKS",
    30: "ONE_MONTH",
    60: "TWO_MONTHS",
    90: "THREE_MONTHS",
    120: "FOUR_MONTHS",
    150: "FIVE_MONTHS",
    180: "SIX_MONTHS",
    365: "ONE_YEAR",
    400: "THIRTEEN_MONTHS",
    545: "EIGHTEEN_MONTHS",
    731: "TWO_YEARS",
    1096: "THREE_YEARS",
    1827: "FIVE_YEARS",
    2192: "SIX_YEARS",
    2557: "SEVEN_YEARS",
    2922: "EIGHT_YEARS",
    3288: "NINE_YEARS",
    3653: "TEN_YEARS",
}
"""Days that CloudWatch Logs keeps to the CDK's names for them."""

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
_RANGES: dict[str, tuple[int, int]] = {
    "zone_count": (1, 3),
    "volume_gib": (10, 24_576),
    # https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html#gp3-ebs-volume-type
    "volume_iops": (3_000, 16_000),
    "volume_throughput_mib": (125, 1_000),
    "warm_count": (0, 250),
    "off_peak_hour_utc": (0, 23),
    # https://docs.aws.amazon.com/opensearch-service/latest/APIReference/API_SAMLOptionsInput.html
    "saml_session_min": (1, 1_440),
    "index_shards": (1, 1_024),
    "index_refresh_s": (1, 3_600),
    "index_days": (1, 3_653),
    "warm_after_days": (0, 3_653),
    "cold_after_days": (0, 3_653),
    "setup_timeout_s": (30, 900),
    "memory_mib": (128, 10_240),
    "subscriber_timeout_s": (1, 900),
    "replay_timeout_s": (1, 900),
    "subscriber_max_concurrency": (0, 10_000),
    "replay_max_concurrency": (2, 1000),
    "retry_visibility_s": (0, 43_200),
    "retry_max_receives": (1, 1000),
    "queue_retention_days": (1, 14),
    "fresh_within_s": (60, 21_600),
    "low_storage_mib": (0, 25_165_824),
}

_ID = r"([0-9a-f]{8}|[0-9a-f]{17})"
_KMS_KEY = r"arn:[a-z-]+:kms:[a-z0-9-]+:\d{12}:key/([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32})"
COLLECTION_ARN = r"arn:[a-z-]+:aoss:(?P<region>[a-z0-9-]+):\d{12}:collection/(?P<id>[a-z0-9]{3,40})"

_PATTERNS: dict[str, tuple[str, str]] = {
    "name": (r"[a-z][a-z0-9-]{0,29}", "no stage name (lower-case letters, digits and -)"),
    # https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateCluster.html
    "cluster": (r"[0-9A-Za-z][A-Za-z0-9_-]{0,99}", "no EKS cluster name (letters, digits, - and _)"),
    "subscription": (r"groups|account", "none of groups and account"),
    "fluentd_identity": (r"pod-identity|irsa|node-role|none", "none of pod-identity, irsa, node-role and none"),
    "oidc_provider_arn": (
        r"(arn:[a-z-]+:iam::\d{12}:oidc-provider/[\w.-]+(/[\w.-]+)*)?",
        "no ARN of an OIDC provider in IAM",
    ),
    "engine_version": (r"1\.3|[2-9]\.\d{1,2}", "no version of OpenSearch such as 3.7, 2.19 or 1.3"),
    "instance_type": (r"[a-z0-9]+\.[a-z0-9]+\.search", "no instance type such as or2.large.search"),
    "master_type": (r"[a-z0-9]+\.[a-z0-9]+\.search", "no instance type such as m7g.large.search"),
    # https://docs.aws.amazon.com/opensearch-service/latest/developerguide/ultrawarm.html
    "warm_type": (
        r"ultrawarm1\.(medium|large)\.search",
        "none of ultrawarm1.medium.search and ultrawarm1.large.search",
    ),
    "tls_policy": ("|".join(TLS_POLICIES), f"none of {', '.join(TLS_POLICIES)}"),
    # https://docs.aws.amazon.com/opensearch-service/latest/APIReference/API_DomainEndpointOptions.html
    "custom_endpoint": (
        r"(((?!-)[A-Za-z0-9-]{0,62}[A-Za-z0-9]\.)+(?!-)[A-Za-z0-9-]{1,62}[A-Za-z0-9])?",
        "no host name such as logs.example.com",
    ),
    "certificate_arn": (r"(arn:[a-z-]+:acm:[a-z0-9-]+:\d{12}:certificate/[\w-]+)?", "no ARN of a certificate in ACM"),
    "domain_encryption_key": (rf"aws|same|{_KMS_KEY}", "none of aws, same and the ARN of a key in KMS"),
    # https://docs.aws.amazon.com/opensearch-service/latest/APIReference/API_SAMLOptionsInput.html
    "saml_master_group": (r".{0,256}", "longer than 256 characters"),
    "saml_roles_key": (r".+", "no attribute of an assertion such as roles"),
    "existing_endpoint": (r"(https://[a-z0-9.-]+)?", "no https URL of a domain, without a path"),
    "existing_arn": (
        rf"(arn:[a-z-]+:es:[a-z0-9-]+:\d{{12}}:domain/[a-z0-9-]+|{COLLECTION_ARN})?",
        "no ARN of a domain or of a serverless collection",
    ),
    # https://docs.aws.amazon.com/opensearch-service/latest/ServerlessAPIReference/API_CreateCollection.html
    "existing_collection": (r"([a-z][a-z0-9-]{2,31})?", "no name of a serverless collection"),
    "vpc_id": (rf"(vpc-{_ID})?", "no id of a VPC such as vpc-0123456789abcdef0"),
    "s3_prefix_list_id": (rf"(pl-{_ID})?", "no id of a prefix list such as pl-6da54004"),
    "domain_security_group_id": (rf"(sg-{_ID})?", "no id of a security group such as sg-0123456789abcdef0"),
    "architecture": (r"arm64|x86_64|host", "none of arm64, x86_64 and host"),
    "alarm_email": (r"([^@\s]+@[^@\s]+\.[^@\s]+)?", "no e-mail address"),
    # A description has 1,024 characters; https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/
    # API_PutMetricAlarm.html
    "runbook_url": (r"[^\s#]{1,500}", "no address of a page (at most 500 characters, without #)"),
    "encryption_key": (rf"aws|own|{_KMS_KEY}", "neither aws, own nor the ARN of a key in KMS"),
}

_EACH: dict[str, tuple[str, str]] = {
    "subnet_ids": (rf"subnet-{_ID}", "no id of a subnet"),
    "vpc_endpoint_security_group_ids": (rf"sg-{_ID}", "no id of a security group"),
    "route_table_ids": (rf"rtb-{_ID}", "no id of a route table"),
    "access_principals": (r"\*|arn:[a-z-]+:(iam|sts)::\d{12}:\S+", f"neither an ARN in IAM nor {EVERYBODY}"),
}


def faults(config: StageConfig) -> Faults:
    """(field, what is wrong with it)."""
    for name, (pattern, fault) in _PATTERNS.items():
        if not re.fullmatch(pattern, getattr(config, name)):
            yield name, f"{getattr(config, name)!r} is {fault}"
    for name, (low, high) in _RANGES.items():
        number = getattr(config, name)
        if number is not None and not low <= number <= high:
            yield name, f"{number} is not between {low} and {high}"
    for name in ("log_retention_days", "function_log_retention_days"):
        if getattr(config, name) not in RETENTION:
            yield name, f"{getattr(config, name)} is no number of days that CloudWatch offers"
    yield from _list_faults(config)


def _list_faults(config: StageConfig) -> Faults:
    for name, (pattern, fault) in _EACH.items():
        for value in getattr(config, name):
            if not re.fullmatch(pattern, value):
                yield name, f"{value!r} is {fault}"
    for cidr in config.access_cidrs:
        if not _is_some_network(cidr):
            yield "access_cidrs", f"{cidr!r} is no block of some IPv4 addresses such as 192.0.2.0/24"


def _is_some_network(cidr: str) -> bool:
    try:
        return IPv4Network(cidr).prefixlen > 0
    except ValueError:
        return False
