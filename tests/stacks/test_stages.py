"""Configurations: the three stages, what they allow, and all faults at once."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from typing import Any

import pytest

from shipper.settings import Settings
from stacks.stages import STAGES


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


def test_a_setting_that_is_wrong_is_a_fault() -> None:
    (found,) = replace(STAGES["prod"], settings=Settings(message="loud")).problems()
    assert found.startswith("settings.message: 'loud' is none of")


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
        {"filter_pattern": "{ $.level = ERROR }\n", "canary": False},
        {"filter_pattern": "{ $.level = ERROR || $.canary = * }"},
        {"settings": Settings.for_profile("incumbent")},
        {"architecture": "x86_64"},
        {
            "fluentd_identity": "irsa",
            "oidc_provider_arn": "arn:aws-cn:iam::123456789012:oidc-provider/oidc.eks.cn-north-1.amazonaws.com.cn/A1",
        },
        {"fluentd_identity": "node-role"},
        {"fluentd_identity": "none"},
    ],
    ids=str,
)
def test_what_the_services_take_is_no_fault(changes: dict[str, Any]) -> None:
    assert replace(STAGES["prod"], **changes).problems() == []
