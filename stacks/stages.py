"""Every choice of a deployment, one frozen configuration a stage. `problems()` names all that is wrong at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from shipper import metrics
from shipper.settings import Settings
from stacks import (
    access_checks,
    alarm_checks,
    collection_checks,
    domain_checks,
    function_checks,
    size_checks,
    subscription_checks,
)

LOG_GROUPS = ("application", "dataplane", "host")
"""The three log groups of Container Insights; https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/
Container-Insights-setup-logs-FluentD.html"""

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
    "index_shards": (1, 1_024),
    "index_refresh_s": (1, 3_600),
    "index_days": (1, 3_653),
    "warm_after_days": (0, 3_653),
    "cold_after_days": (0, 3_653),
    "setup_timeout_s": (30, 900),
    # https://docs.aws.amazon.com/opensearch-service/latest/APIReference/API_SAMLOptionsInput.html
    "saml_session_min": (1, 1_440),
    "fresh_within_s": (60, 21_600),
    "low_storage_mib": (0, 25_165_824),
    "memory_mib": (128, 10_240),
    "subscriber_timeout_s": (1, 900),
    "replay_timeout_s": (1, 900),
    "subscriber_max_concurrency": (0, 10_000),
    "replay_max_concurrency": (2, 1000),
    "retry_visibility_s": (0, 43_200),
    "retry_max_receives": (1, 1000),
    "queue_retention_days": (1, 14),
}
_PATTERNS: dict[str, tuple[str, str]] = {
    "name": (r"[a-z][a-z0-9-]{0,29}", "no stage name (lower-case letters, digits and -)"),
    # https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateCluster.html
    "cluster": (r"[0-9A-Za-z][A-Za-z0-9_-]{0,99}", "no EKS cluster name (letters, digits, - and _)"),
    "engine_version": (r"1\.3|[2-9]\.\d{1,2}", "no version of OpenSearch such as 3.7, 2.19 or 1.3"),
    "instance_type": (r"[a-z0-9]+\.[a-z0-9]+\.search", "no instance type such as or2.large.search"),
    "master_type": (r"[a-z0-9]+\.[a-z0-9]+\.search", "no instance type such as m7g.large.search"),
    # https://docs.aws.amazon.com/opensearch-service/latest/developerguide/ultrawarm.html
    "warm_type": (
        r"ultrawarm1\.(medium|large)\.search",
        "none of ultrawarm1.medium.search and ultrawarm1.large.search",
    ),
    "existing_endpoint": (r"(https://[a-z0-9.-]+)?", "no https URL of a domain, without a path"),
    "existing_arn": (
        rf"(arn:[a-z-]+:es:[a-z0-9-]+:\d{{12}}:domain/[a-z0-9-]+|{collection_checks.ARN})?",
        "no ARN of a domain or of a serverless collection",
    ),
    # https://docs.aws.amazon.com/opensearch-service/latest/ServerlessAPIReference/API_CreateCollection.html
    "existing_collection": (r"([a-z][a-z0-9-]{2,31})?", "no name of a serverless collection"),
    "encryption_key": (
        rf"aws|own|{domain_checks.KMS_KEY}",
        "neither aws, own nor the ARN of a key in KMS",
    ),
    "architecture": (r"arm64|x86_64|host", "none of arm64, x86_64 and host"),
    "fluentd_identity": (r"pod-identity|irsa|node-role|none", "none of pod-identity, irsa, node-role and none"),
    "oidc_provider_arn": (
        r"(arn:[a-z-]+:iam::\d{12}:oidc-provider/[\w.-]+(/[\w.-]+)*)?",
        "no ARN of an OIDC provider in IAM",
    ),
    "alarm_email": (r"([^@\s]+@[^@\s]+\.[^@\s]+)?", "no e-mail address"),
    # A description has 1,024 characters; https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/
    # API_PutMetricAlarm.html
    "runbook_url": (r"[^\s#]{1,500}", "no address of a page (at most 500 characters, without #)"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StageConfig:
    """One stage; sizes and times in the unit of the name. docs/configuration.md has every field and its examples.

    `fluentd_identity` is how Fluentd gets its rights (cluster_access.py), with `oidc_provider_arn` of the cluster for
    `irsa`. `architecture` `host` bundles for the machine that synthesises, where the local AWS runs the functions. With
    `existing_endpoint` and `existing_arn` the stack makes no domain; `fine_grained_access` then says what that one
    has. `reader_roles` and `operator_roles` are ARNs of IAM roles, or groups of a SAML provider. An index is deleted
    `index_days` after it was made, and moved `warm_after_days` and `cold_after_days`: 0 is never; one that was there
    before the stack is left alone unless `adopt_indices` says otherwise. Where the ARN is one of a serverless
    collection, `existing_collection` is its name, a group is `saml/ACCOUNT/PROVIDER/group/NAME`, and no index is
    deleted.

    A filter is put on each log group of the cluster and of `extra_log_groups`, and by a function on those under
    `log_group_prefixes` that are there or come later; or there is one `subscription` of the whole account, with
    `excluded_log_groups`. `filter_patterns` are by kind, name or prefix, and `filter_pattern` is that of all others.
    With `source_fields` each event says the account and Region that it was copied from (docs/accounts.md).

    Alarms go to a topic, and from there to `alarm_email`; each links to its section of the runbook at `runbook_url`.
    They go off where logs are not found `fresh_within_s` after they were written, where one of the log groups of
    `silent_after_min` has none for so many minutes, and where a node has less than `low_storage_mib` left: 0 is a
    quarter of its volume, and 20 GiB with a domain that exists. With `canary` a function writes a line into each of the
    cluster's log groups every minute and looks for it in the index.

    `encryption_key` is `aws` for the services' keys, `own` for one that the stack makes, or the ARN of one in KMS
    (docs/encryption.md). That of a domain is said apart, as another one makes a new and empty domain:
    `domain_encryption_key` is `aws`, `same` (as `encryption_key`), or an ARN.
    """

    name: str
    cluster: str = "eks"
    create_log_groups: bool = True
    log_retention_days: int = 30
    subscription: Literal["groups", "account"] = "groups"
    extra_log_groups: tuple[str, ...] = ()
    log_group_prefixes: tuple[str, ...] = ()
    excluded_log_groups: tuple[str, ...] = ()
    filter_pattern: str = ""
    filter_patterns: tuple[tuple[str, str], ...] = ()
    source_fields: bool = False
    fluentd_identity: Literal["pod-identity", "irsa", "node-role", "none"] = "pod-identity"
    oidc_provider_arn: str = ""

    engine_version: str = "3.7"
    instance_type: str = "t3.medium.search"
    instance_count: int = 1
    zone_count: int = 1
    master_type: str = "m7g.large.search"
    master_count: int = 0
    volume_gib: int = 20
    volume_iops: int = 3_000
    volume_throughput_mib: int = 125
    warm_type: str = "ultrawarm1.medium.search"
    warm_count: int = 0
    off_peak_hour_utc: int | None = None
    slow_logs: bool = False
    tls_policy: str = domain_checks.TLS_POLICIES[0]
    custom_endpoint: str = ""
    certificate_arn: str = ""
    domain_encryption_key: str = "aws"
    access_principals: tuple[str, ...] = ()
    access_cidrs: tuple[str, ...] = ()
    fine_grained_access: bool = True
    reader_roles: tuple[str, ...] = ()
    operator_roles: tuple[str, ...] = ()
    saml_metadata_file: str = ""
    saml_master_group: str = ""
    saml_roles_key: str = "roles"
    saml_session_min: int = 60
    existing_endpoint: str = ""
    existing_arn: str = ""
    existing_collection: str = ""

    vpc_id: str = ""
    subnet_ids: tuple[str, ...] = ()
    route_table_ids: tuple[str, ...] = ()
    s3_prefix_list_id: str = ""
    create_vpc_endpoints: bool = True
    vpc_endpoint_security_group_ids: tuple[str, ...] = ()
    domain_security_group_id: str = ""

    index_shards: int = 1
    index_refresh_s: int = 30
    index_days: int = 30
    warm_after_days: int = 0
    cold_after_days: int = 0
    adopt_indices: bool = False
    setup_timeout_s: int = 600

    architecture: Literal["arm64", "x86_64", "host"] = "arm64"
    memory_mib: int = 512
    subscriber_timeout_s: int = 120
    subscriber_max_concurrency: int = 0
    replay_timeout_s: int = 120
    replay_max_concurrency: int = 2
    retry_visibility_s: int = 720
    retry_max_receives: int = 100
    queue_retention_days: int = 14
    function_log_retention_days: int = 30
    tracing: bool = False

    alarm_email: str = ""
    runbook_url: str = "docs/runbook.md"
    fresh_within_s: int = 900
    silent_after_min: tuple[tuple[str, int], ...] = (("application", 30),)
    low_storage_mib: int = 0
    canary: bool = True

    encryption_key: str = "aws"
    keep_data: bool = True
    protected: bool = False
    plain_http: bool = False
    settings: Settings = field(default_factory=Settings)

    @property
    def metrics_namespace(self) -> str:
        """Of what the functions of this stage measure: the stages of an account must not sum up to one figure."""
        return f"{metrics.NAMESPACE}/{self.name}"

    def log_group(self, kind: str) -> str:
        """The name of one of the cluster's log groups."""
        return f"/aws/containerinsights/{self.cluster}/{kind}"

    def pattern_of(self, name: str) -> str:
        """The filter pattern of a kind of log group, of another log group, or of a prefix."""
        return dict(self.filter_patterns).get(name, self.filter_pattern)

    def problems(self) -> list[str]:
        """Every fault as `field: what is wrong`, the settings of the functions included."""
        return [f"{name}: {fault}" for name, fault in self._faults()] + [
            f"settings.{problem}" for problem in self.settings.problems(delivery=False)
        ]

    def _faults(self) -> Iterator[tuple[str, str]]:
        for name, (pattern, fault) in _PATTERNS.items():
            if not re.fullmatch(pattern, getattr(self, name)):
                yield name, f"{getattr(self, name)!r} is {fault}"
        for name, (low, high) in _RANGES.items():
            if not low <= getattr(self, name) <= high:
                yield name, f"{getattr(self, name)} is not between {low} and {high}"
        for name in ("log_retention_days", "function_log_retention_days"):
            if getattr(self, name) not in RETENTION:
                yield name, f"{getattr(self, name)} is no number of days that CloudWatch offers"
        yield from size_checks.faults(self)
        yield from access_checks.faults(self)
        yield from domain_checks.faults(self)
        yield from collection_checks.faults(self)
        yield from function_checks.faults(self)
        yield from subscription_checks.faults(self, LOG_GROUPS)
        yield from alarm_checks.faults(self, LOG_GROUPS)


STAGES: dict[str, StageConfig] = {
    "local": StageConfig(
        name="local",
        cluster="demo",
        fluentd_identity="none",
        log_retention_days=1,
        function_log_retention_days=1,
        instance_type="t3.small.search",
        volume_gib=10,
        index_refresh_s=1,
        index_days=1,
        setup_timeout_s=60,
        architecture="host",
        subscriber_timeout_s=30,
        replay_timeout_s=30,
        # Tests and demo wait for a retry: five seconds, not minutes. Double deliveries are harmless.
        retry_visibility_s=5,
        settings=Settings(backoff_s=1, max_backoff_s=5),
        canary=False,
        keep_data=False,
        plain_http=True,
    ),
    "dev": StageConfig(name="dev", log_retention_days=7),
    "prod": StageConfig(
        name="prod",
        log_retention_days=90,
        function_log_retention_days=90,
        instance_type="or2.large.search",
        instance_count=3,
        zone_count=3,
        master_count=3,
        volume_gib=200,
        slow_logs=True,
        index_days=90,
        memory_mib=1024,
        protected=True,
    ),
}
