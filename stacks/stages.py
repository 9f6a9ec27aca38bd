"""Every choice of a deployment, one frozen configuration a stage. `problems()` names all that is wrong at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from shipper.settings import Settings

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
    "memory_mib": (128, 10_240),
    "subscriber_timeout_s": (1, 900),
    "replay_timeout_s": (1, 900),
    "replay_max_concurrency": (2, 1000),
    "retry_visibility_s": (0, 43_200),
    "retry_max_receives": (1, 1000),
    "queue_retention_days": (1, 14),
}
_VISIBILITY_TIMEOUTS = 6
"""A queue hides a message at least six function timeouts long, or it comes a second time while the first still runs;
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html"""

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
    "existing_arn": (r"(arn:[a-z-]+:es:[a-z0-9-]+:\d{12}:domain/[a-z0-9-]+)?", "no ARN of a domain"),
    "architecture": (r"arm64|x86_64|host", "none of arm64, x86_64 and host"),
    # https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutSubscriptionFilter.html
    "filter_pattern": (r"(?s).{0,1024}", "longer than 1024 characters"),
}

# https://docs.aws.amazon.com/opensearch-service/latest/developerguide/supported-instance-types.html
_REFUSED_FAMILIES = {
    "t2": "cannot encrypt its data",
    **dict.fromkeys(("i3", "i4g", "i4i", "i8g", "im4gn", "r6gd", "r7gd"), "takes no EBS volume"),
}
_BURSTABLE_VOLUME_GIB = 100
"""https://docs.aws.amazon.com/opensearch-service/latest/developerguide/limits.html"""

_ENVIRONMENT_BYTES = 4096 - 1024
"""What Lambda allows for all variables of a function, less what the addresses that a deployment adds may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageConfig:
    """One stage; sizes and times in the unit of the name.

    `architecture` `host` bundles for the machine that synthesises, where the local AWS runs the functions. With
    `existing_endpoint` and `existing_arn` the stack makes no domain; `fine_grained_access` then says what that one
    has. `reader_roles` and `operator_roles` are ARNs of IAM roles, or groups of a SAML provider. An index is deleted
    `index_days` after it was made, and moved `warm_after_days` and `cold_after_days`: 0 is never.
    """

    name: str
    cluster: str = "eks"
    create_log_groups: bool = True
    log_retention_days: int = 30
    filter_pattern: str = ""

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
    fine_grained_access: bool = True
    reader_roles: tuple[str, ...] = ()
    operator_roles: tuple[str, ...] = ()
    existing_endpoint: str = ""
    existing_arn: str = ""

    index_shards: int = 1
    index_refresh_s: int = 30
    index_days: int = 30
    warm_after_days: int = 0
    cold_after_days: int = 0
    setup_timeout_s: int = 600

    architecture: Literal["arm64", "x86_64", "host"] = "arm64"
    memory_mib: int = 512
    subscriber_timeout_s: int = 120
    replay_timeout_s: int = 120
    replay_max_concurrency: int = 2
    retry_visibility_s: int = 720
    retry_max_receives: int = 100
    queue_retention_days: int = 14
    function_log_retention_days: int = 30

    keep_data: bool = True
    protected: bool = False
    plain_http: bool = False
    settings: Settings = field(default_factory=Settings)

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
        yield from self._domain_faults()
        yield from self._access_faults()
        yield from self._storage_faults()
        yield from self._function_faults()

    def _domain_faults(self) -> Iterator[tuple[str, str]]:
        if self.instance_count < 1 or self.instance_count % max(self.zone_count, 1):
            yield "instance_count", f"{self.instance_count} cannot be spread evenly over {self.zone_count} zones"
        if self.master_count not in {0, 3, 5}:
            yield "master_count", f"{self.master_count} is none of 0, 3 and 5"
        family = self.instance_type.partition(".")[0]
        if family in _REFUSED_FAMILIES:
            yield "instance_type", f"{family} {_REFUSED_FAMILIES[family]}"
        if family == "t3" and self.volume_gib > _BURSTABLE_VOLUME_GIB:
            yield "volume_gib", f"{self.volume_gib} is more than the {_BURSTABLE_VOLUME_GIB} that t3 takes"
        if self.off_peak_hour_utc is not None and not 0 <= self.off_peak_hour_utc <= 23:
            yield "off_peak_hour_utc", f"{self.off_peak_hour_utc} is not between 0 and 23"

    def _access_faults(self) -> Iterator[tuple[str, str]]:
        if self.plain_http and self.name != "local":
            yield "plain_http", "only stage local speaks plain http"
        if bool(self.existing_endpoint) != bool(self.existing_arn):
            yield "existing_arn", "belongs to existing_endpoint: give both or none"
        if (self.reader_roles or self.operator_roles) and not self.fine_grained_access:
            yield "fine_grained_access", "is what reader_roles and operator_roles need"

    def _storage_faults(self) -> Iterator[tuple[str, str]]:
        """https://docs.aws.amazon.com/opensearch-service/latest/developerguide/ultrawarm.html#ultrawarm-pp ."""
        if self.warm_count == 1:
            yield "warm_count", "1 is too few: the service wants two warm nodes, or none"
        if self.warm_count and not self.master_count:
            yield "master_count", "warm nodes need dedicated masters"
        if self.warm_count and self.instance_type.startswith("t3."):
            yield "instance_type", "t3 has no warm storage"
        if self.warm_after_days and not (self.warm_count or self.existing_arn):
            yield "warm_after_days", "needs warm nodes: set warm_count"
        if self.cold_after_days and not self.warm_after_days:
            yield "cold_after_days", "needs warm_after_days: only what is warm becomes cold"
        steps = [days for days in (self.warm_after_days, self.cold_after_days, self.index_days) if days]
        if steps != sorted(set(steps)):
            yield "index_days", "must come after cold_after_days, and that after warm_after_days"
        if 0 < self.warm_after_days <= self.queue_retention_days:
            # A warm index is read-only.
            yield "warm_after_days", f"a dead letter of {self.queue_retention_days} days could not be replayed"

    def _function_faults(self) -> Iterator[tuple[str, str]]:
        if min(self.subscriber_timeout_s, self.replay_timeout_s) <= self.settings.reserve_s:
            yield "settings.reserve_s", f"{self.settings.reserve_s} leaves nothing of a function's timeout"
        if self.name != "local" and self.retry_visibility_s < _VISIBILITY_TIMEOUTS * self.replay_timeout_s:
            yield "retry_visibility_s", f"must be at least {_VISIBILITY_TIMEOUTS} times replay_timeout_s"
        if self.name != "local" and self.architecture == "host":
            yield "architecture", "host is for stage local, where this machine runs the functions"
        variables = sum(len(name) + len(value.encode()) for name, value in self.settings.to_env().items())
        if variables > _ENVIRONMENT_BYTES:
            yield "settings", f"take {variables} bytes of environment, {_ENVIRONMENT_BYTES} are to be had"


STAGES: dict[str, StageConfig] = {
    "local": StageConfig(
        name="local",
        cluster="demo",
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
