"""Every choice of a deployment, one frozen configuration a stage. `problems()` names all that is wrong at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from shipper import metrics
from shipper.settings import Settings
from stacks import (
    access_checks,
    alarm_checks,
    collection_checks,
    domain_checks,
    field_checks,
    function_checks,
    size_checks,
    subscription_checks,
)

LOG_GROUPS = ("application", "dataplane", "host")
"""The three log groups of Container Insights; https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/
Container-Insights-setup-logs-FluentD.html"""

_CHECKS = (
    field_checks,
    size_checks,
    access_checks,
    domain_checks,
    collection_checks,
    function_checks,
    subscription_checks,
    alarm_checks,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StageConfig:
    """One stage: names, sizes and rights. Times and sizes are in the unit of the name.

    docs/configuration.md says what each field does, in this order.
    """

    name: str
    cluster: str = "eks"

    # Log groups, and who writes into them
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

    # The domain, or one that exists
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
    tls_policy: str = field_checks.TLS_POLICIES[0]
    custom_endpoint: str = ""
    certificate_arn: str = ""
    domain_encryption_key: str = "aws"
    access_principals: tuple[str, ...] = ()
    access_cidrs: tuple[str, ...] = ()
    fine_grained_access: bool = True
    reader_roles: tuple[str, ...] = ()
    operator_roles: tuple[str, ...] = ()
    admin_roles: tuple[str, ...] = ()
    saml_metadata_file: str = ""
    saml_master_group: str = ""
    saml_roles_key: str = "roles"
    saml_session_min: int = 60
    existing_endpoint: str = ""
    existing_arn: str = ""
    existing_collection: str = ""

    # Its VPC, if any
    vpc_id: str = ""
    subnet_ids: tuple[str, ...] = ()
    route_table_ids: tuple[str, ...] = ()
    s3_prefix_list_id: str = ""
    create_vpc_endpoints: bool = True
    vpc_endpoint_security_group_ids: tuple[str, ...] = ()
    domain_security_group_id: str = ""

    # Indices
    index_shards: int = 1
    index_refresh_s: int = 30
    index_days: int = 30
    warm_after_days: int = 0
    cold_after_days: int = 0
    adopt_indices: bool = False
    setup_timeout_s: int = 600

    # Functions and queues; "host" is the machine that synthesises, where the local AWS runs them
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

    # Alarms
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

    @property
    def cluster_prefix(self) -> str:
        """What the names of the cluster's log groups begin with."""
        return f"/aws/containerinsights/{self.cluster}/"

    @property
    def cluster_log_groups(self) -> dict[str, str]:
        """The names of the cluster's log groups by their kind."""
        return {kind: self.cluster_prefix + kind for kind in LOG_GROUPS}

    def pattern_of(self, name: str) -> str:
        """The filter pattern of a kind of log group, of another log group, or of a prefix."""
        return dict(self.filter_patterns).get(name, self.filter_pattern)

    def problems(self) -> list[str]:
        """Every fault as `field: what is wrong`, the settings of the functions included."""
        found = [f"{name}: {fault}" for check in _CHECKS for name, fault in check.faults(self)]
        return found + [f"settings.{problem}" for problem in self.settings.problems(delivery=False)]


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
