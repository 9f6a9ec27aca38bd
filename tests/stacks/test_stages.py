"""Configurations: the three stages, and every fault by its field's name."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, replace
from typing import Any

import pytest

from shipper.settings import MultilineRule, Settings
from stacks.stages import STAGES, StageConfig


@pytest.mark.parametrize("stage", STAGES)
def test_each_stage_can_be_deployed(stage: str) -> None:
    assert STAGES[stage].problems() == []
    assert STAGES[stage].name == stage


def test_a_configuration_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        STAGES["dev"].cluster = "other"  # type: ignore[misc]


def test_prod_survives_the_loss_of_a_zone_and_of_the_stack() -> None:
    prod = STAGES["prod"]
    assert (prod.zone_count, prod.instance_count, prod.master_count) == (3, 3, 3)
    assert prod.keep_data
    assert prod.protected


def test_local_leaves_nothing_behind_and_waits_for_nothing() -> None:
    local = STAGES["local"]
    assert not local.keep_data
    assert not local.protected
    assert local.retry_visibility_s <= 10
    assert local.architecture == "host"


FAULTS: list[tuple[str, dict[str, Any], str]] = [
    ("stage name", {"name": "Prod!"}, "name: 'Prod!' is no stage name"),
    ("cluster empty", {"cluster": ""}, "cluster: '' is no EKS cluster name"),
    ("cluster with a slash", {"cluster": "a/b"}, "cluster: 'a/b' is no EKS cluster name"),
    ("cluster not ASCII", {"cluster": "köln"}, "cluster: 'köln' is no EKS cluster name"),
    ("cluster with a newline at its end", {"cluster": "shop\n"}, "cluster: 'shop\\n' is no EKS cluster name"),
    ("cluster too long", {"cluster": "a" * 101}, "cluster: "),
    ("filter pattern too long", {"filter_pattern": "x" * 1025}, "filter_pattern: "),
    ("retention that is not offered", {"log_retention_days": 8}, "log_retention_days: 8 is no number of days"),
    ("own retention", {"function_log_retention_days": 0}, "function_log_retention_days: 0 is no number of days"),
    ("engine", {"engine_version": "3"}, "engine_version: '3' is no version"),
    ("engine before OpenSearch 1.3", {"engine_version": "1.2"}, "engine_version: '1.2' is no version"),
    ("instance type", {"instance_type": "or2.large"}, "instance_type: 'or2.large' is no instance type"),
    ("master type", {"master_type": "m7g.large"}, "master_type: 'm7g.large' is no instance type"),
    ("no encryption", {"instance_type": "t2.medium.search"}, "instance_type: t2 cannot encrypt"),
    ("no EBS", {"instance_type": "r7gd.large.search"}, "instance_type: r7gd takes no EBS volume"),
    ("nodes over zones", {"instance_count": 4}, "instance_count: 4 cannot be spread evenly over 3 zones"),
    ("no nodes", {"instance_count": 0}, "instance_count: 0 cannot be spread"),
    ("four zones", {"zone_count": 4, "instance_count": 4}, "zone_count: 4 is not between 1 and 3"),
    ("no zone", {"zone_count": 0}, "zone_count: 0 is not between 1 and 3"),
    ("two masters", {"master_count": 2}, "master_count: 2 is none of 0, 3 and 5"),
    ("volume", {"volume_gib": 9}, "volume_gib: 9 is not between 10 and 24576"),
    ("t3 volume", {"instance_type": "t3.small.search"}, "volume_gib: 200 is more than the 100 that t3 takes"),
    ("volume operations", {"volume_iops": 2_999}, "volume_iops: 2999 is not between 3000 and 16000"),
    ("throughput", {"volume_throughput_mib": 1_001}, "volume_throughput_mib: 1001 is not between 125 and 1000"),
    ("shards", {"index_shards": 0}, "index_shards: 0 is not between 1 and 1024"),
    ("refresh", {"index_refresh_s": 0}, "index_refresh_s: 0 is not between 1 and 3600"),
    ("no day", {"index_days": 0}, "index_days: 0 is not between 1 and 3653"),
    ("time to set up", {"setup_timeout_s": 901}, "setup_timeout_s: 901 is not between 30 and 900"),
    ("hour", {"off_peak_hour_utc": 24}, "off_peak_hour_utc: 24 is not between 0 and 23"),
    ("one warm node", {"warm_count": 1}, "warm_count: 1 is too few"),
    ("warm type", {"warm_type": "r6g.large.search"}, "warm_type: 'r6g.large.search' is none of"),
    ("warm without masters", {"warm_count": 2, "master_count": 0}, "master_count: warm nodes need dedicated masters"),
    (
        "warm on t3",
        {"warm_count": 2, "instance_type": "t3.medium.search", "volume_gib": 100},
        "instance_type: t3 has no warm storage",
    ),
    ("warm without nodes", {"warm_after_days": 20}, "warm_after_days: needs warm nodes"),
    ("cold without warm", {"cold_after_days": 20}, "cold_after_days: needs warm_after_days"),
    (
        "deleted before it is warm",
        {"warm_count": 2, "warm_after_days": 90},
        "index_days: must come after cold_after_days",
    ),
    (
        "cold before it is warm",
        {"warm_count": 2, "warm_after_days": 30, "cold_after_days": 20},
        "index_days: must come after cold_after_days",
    ),
    (
        "dead letters outlive what can be written",
        {"warm_count": 2, "warm_after_days": 14},
        "warm_after_days: a dead letter of 14 days could not be replayed",
    ),
    ("an ARN alone", {"existing_arn": "arn:aws:es:eu-west-1:123456789012:domain/logs"}, "existing_arn: belongs to"),
    ("an endpoint alone", {"existing_endpoint": "https://x.es.amazonaws.com"}, "existing_arn: belongs to"),
    (
        "an endpoint that is no URL",
        {"existing_endpoint": "x.com", "existing_arn": "arn:aws:es:eu-west-1:123456789012:domain/logs"},
        "existing_endpoint: 'x.com' is no https URL",
    ),
    (
        "a collection",
        {"existing_endpoint": "https://x.com", "existing_arn": "arn:aws:aoss:eu-west-1:123456789012:collection/x"},
        "existing_arn: 'arn:aws:aoss:eu-west-1:123456789012:collection/x' is no ARN of a domain",
    ),
    (
        "people without fine-grained access",
        {"fine_grained_access": False, "reader_roles": ("arn:r",)},
        "fine_grained_access: is what reader_roles and operator_roles need",
    ),
    ("plain http", {"plain_http": True}, "plain_http: only stage local"),
    ("architecture", {"architecture": "sparc"}, "architecture: 'sparc' is none of arm64, x86_64 and host"),
    ("this machine's wheels", {"architecture": "host"}, "architecture: host is for stage local"),
    ("memory", {"memory_mib": 64}, "memory_mib: 64 is not between 128 and 10240"),
    ("subscriber timeout", {"subscriber_timeout_s": 901}, "subscriber_timeout_s: 901 is not between 1 and 900"),
    (
        "replay timeout",
        {"replay_timeout_s": 901, "retry_visibility_s": 43_200},
        "replay_timeout_s: 901 is not between 1 and 900",
    ),
    ("timeout within the reserve", {"subscriber_timeout_s": 5}, "settings.reserve_s: 5.0 leaves nothing"),
    ("concurrency", {"replay_max_concurrency": 1}, "replay_max_concurrency: 1 is not between 2 and 1000"),
    ("too many at once", {"replay_max_concurrency": 1001}, "replay_max_concurrency: 1001 is not between 2 and 1000"),
    ("visibility", {"retry_visibility_s": 719}, "retry_visibility_s: must be at least 6 times replay_timeout_s"),
    ("visibility range", {"retry_visibility_s": 43_201}, "retry_visibility_s: 43201 is not between 0 and 43200"),
    ("receives", {"retry_max_receives": 0}, "retry_max_receives: 0 is not between 1 and 1000"),
    ("queue retention", {"queue_retention_days": 15}, "queue_retention_days: 15 is not between 1 and 14"),
    ("a setting", {"settings": Settings(message="loud")}, "settings.message: 'loud' is none of"),
    (
        "settings too large for the environment",
        {"settings": Settings(multiline=tuple(MultilineRule("*", start="x" * 200) for _ in range(20)))},
        "settings: take ",
    ),
]


@pytest.mark.parametrize(("changes", "problem"), [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS])
def test_a_fault_is_named_with_its_field(changes: dict[str, Any], problem: str) -> None:
    (found,) = replace(STAGES["prod"], **changes).problems()
    assert found.startswith(problem)


def test_every_fault_is_named_at_once() -> None:
    config = replace(
        STAGES["prod"], cluster="", zone_count=2, memory_mib=1, settings=Settings(expand="x", log_level="LOUD")
    )
    assert [problem.partition(":")[0] for problem in config.problems()] == [
        "cluster",
        "memory_mib",
        "instance_count",
        "settings.expand",
        "settings.log_level",
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"instance_type": "t3.medium.search", "volume_gib": 100},
        {"zone_count": 2, "instance_count": 2},
        {"zone_count": 1, "instance_count": 1, "master_count": 0},
        {"engine_version": "2.19"},
        {"engine_version": "1.3"},
        {"warm_count": 2, "warm_after_days": 15, "cold_after_days": 30},
        {"off_peak_hour_utc": 0},
        {"existing_endpoint": "https://x.com", "existing_arn": "arn:aws:es:eu-west-1:123456789012:domain/logs"},
        {"filter_pattern": "{ $.level = ERROR }\n"},
        {"settings": Settings.for_profile("incumbent")},
        {"architecture": "x86_64"},
    ],
    ids=str,
)
def test_what_the_services_take_is_no_fault(changes: dict[str, Any]) -> None:
    assert replace(STAGES["prod"], **changes).problems() == []


def test_every_number_is_checked() -> None:
    """A number that nobody checks fails after twenty minutes of a deployment, and not at once."""
    numbers = [f.name for f in fields(StageConfig) if f.type == "int"]
    for name in numbers:
        changes: dict[str, Any] = {name: -1}
        problems = replace(STAGES["prod"], **changes).problems()
        assert any(problem.startswith(f"{name}: ") for problem in problems), name
    assert len(numbers) >= 12
