"""Faults of one field by itself, each by its name."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from stacks.stages import STAGES, StageConfig

FAULTS: list[tuple[str, dict[str, Any], str]] = [
    ("stage name", {"name": "Prod!"}, "name: 'Prod!' is no stage name"),
    ("cluster empty", {"cluster": ""}, "cluster: '' is no EKS cluster name"),
    ("cluster with a slash", {"cluster": "a/b"}, "cluster: 'a/b' is no EKS cluster name"),
    ("cluster not ASCII", {"cluster": "köln"}, "cluster: 'köln' is no EKS cluster name"),
    ("cluster with a newline at its end", {"cluster": "shop\n"}, "cluster: 'shop\\n' is no EKS cluster name"),
    ("cluster too long", {"cluster": "a" * 101}, "cluster: "),
    ("alarms to nobody", {"alarm_email": "ops"}, "alarm_email: 'ops' is no e-mail address"),
    ("runbook with an anchor", {"runbook_url": "https://x.com/a#b"}, "runbook_url: 'https://x.com/a#b' is no address"),
    ("concurrency", {"subscriber_max_concurrency": -1}, "subscriber_max_concurrency: -1 is not between 0 and 10000"),
    ("freshness", {"fresh_within_s": 59}, "fresh_within_s: 59 is not between 60 and 21600"),
    ("low storage", {"low_storage_mib": -1}, "low_storage_mib: -1 is not between 0 and 25165824"),
    ("retention that is not offered", {"log_retention_days": 8}, "log_retention_days: 8 is no number of days"),
    ("own retention", {"function_log_retention_days": 0}, "function_log_retention_days: 0 is no number of days"),
    ("engine", {"engine_version": "3"}, "engine_version: '3' is no version"),
    ("engine before OpenSearch 1.3", {"engine_version": "1.2"}, "engine_version: '1.2' is no version"),
    ("instance type", {"instance_type": "or2.large"}, "instance_type: 'or2.large' is no instance type"),
    ("master type", {"master_type": "m7g.large"}, "master_type: 'm7g.large' is no instance type"),
    ("four zones", {"zone_count": 4, "instance_count": 4}, "zone_count: 4 is not between 1 and 3"),
    ("no zone", {"zone_count": 0}, "zone_count: 0 is not between 1 and 3"),
    ("volume", {"volume_gib": 9}, "volume_gib: 9 is not between 10 and 24576"),
    ("volume operations", {"volume_iops": 2_999}, "volume_iops: 2999 is not between 3000 and 16000"),
    (
        "throughput",
        {"volume_iops": 4_004, "volume_throughput_mib": 1_001},
        "volume_throughput_mib: 1001 is not between 125 and 1000",
    ),
    ("shards", {"index_shards": 0}, "index_shards: 0 is not between 1 and 1024"),
    ("refresh", {"index_refresh_s": 0}, "index_refresh_s: 0 is not between 1 and 3600"),
    ("no day", {"index_days": 0}, "index_days: 0 is not between 1 and 3653"),
    ("time to set up", {"setup_timeout_s": 901}, "setup_timeout_s: 901 is not between 30 and 900"),
    ("warm type", {"warm_type": "r6g.large.search"}, "warm_type: 'r6g.large.search' is none of"),
    (
        "an endpoint that is no URL",
        {"existing_endpoint": "x.com", "existing_arn": "arn:aws:es:eu-west-1:123456789012:domain/logs"},
        "existing_endpoint: 'x.com' is no https URL",
    ),
    (
        "an ARN of neither a domain nor a collection",
        {"existing_endpoint": "https://x.com", "existing_arn": "arn:aws:aoss:eu-west-1:123456789012:index/logs"},
        "existing_arn: 'arn:aws:aoss:eu-west-1:123456789012:index/logs' is no ARN of a domain or of a",
    ),
    (
        "identity",
        {"fluentd_identity": "key"},
        "fluentd_identity: 'key' is none of pod-identity, irsa, node-role and none",
    ),
    (
        "an issuer that is a URL",
        {"fluentd_identity": "irsa", "oidc_provider_arn": "https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE"},
        "oidc_provider_arn: 'https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE' is no ARN",
    ),
    ("architecture", {"architecture": "sparc"}, "architecture: 'sparc' is none of arm64, x86_64 and host"),
    ("memory", {"memory_mib": 64}, "memory_mib: 64 is not between 128 and 10240"),
    ("subscriber timeout", {"subscriber_timeout_s": 901}, "subscriber_timeout_s: 901 is not between 1 and 900"),
    (
        "replay timeout",
        {"replay_timeout_s": 901, "retry_visibility_s": 43_200},
        "replay_timeout_s: 901 is not between 1 and 900",
    ),
    ("concurrency", {"replay_max_concurrency": 1}, "replay_max_concurrency: 1 is not between 2 and 1000"),
    ("too many at once", {"replay_max_concurrency": 1001}, "replay_max_concurrency: 1001 is not between 2 and 1000"),
    ("visibility range", {"retry_visibility_s": 43_201}, "retry_visibility_s: 43201 is not between 0 and 43200"),
    ("receives", {"retry_max_receives": 0}, "retry_max_receives: 0 is not between 1 and 1000"),
    ("queue retention", {"queue_retention_days": 15}, "queue_retention_days: 15 is not between 1 and 14"),
]


@pytest.mark.parametrize(("changes", "problem"), [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS])
def test_a_fault_is_named_with_its_field(changes: dict[str, Any], problem: str) -> None:
    (found,) = replace(STAGES["prod"], **changes).problems()
    assert found.startswith(problem)


def test_every_number_is_checked() -> None:
    """A number that nobody checks fails after twenty minutes of a deployment, and not at once."""
    numbers = [f.name for f in fields(StageConfig) if f.type == "int"]
    for name in numbers:
        changes: dict[str, Any] = {name: -1}
        problems = replace(STAGES["prod"], **changes).problems()
        assert any(problem.startswith(f"{name}: ") for problem in problems), name
    assert len(numbers) >= 12
