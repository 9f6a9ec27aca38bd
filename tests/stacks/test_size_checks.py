"""Nodes, volumes and storage: each combination that the service refuses, by the field that is at fault."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from stacks.stages import STAGES

FAULTS: list[Any] = [
    pytest.param({"instance_type": "t2.medium.search"}, "instance_type: t2 cannot encrypt", id="no encryption"),
    pytest.param({"instance_type": "r7gd.large.search"}, "instance_type: r7gd takes no EBS volume", id="no EBS"),
    pytest.param(
        {"instance_count": 4}, "instance_count: 4 cannot be spread evenly over 3 zones", id="nodes over zones"
    ),
    pytest.param({"instance_count": 0}, "instance_count: 0 cannot be spread", id="no nodes"),
    pytest.param({"master_count": 2}, "master_count: 2 is none of 0, 3 and 5", id="two masters"),
    pytest.param(
        {"instance_type": "t3.small.search"}, "volume_gib: 200 is more than the 100 that t3 takes", id="t3 volume"
    ),
    pytest.param({"off_peak_hour_utc": 24}, "off_peak_hour_utc: 24 is not between 0 and 23", id="hour"),
    pytest.param({"warm_count": 1}, "warm_count: 1 is too few", id="one warm node"),
    pytest.param(
        {"warm_count": 2, "master_count": 0},
        "master_count: warm nodes need dedicated masters",
        id="warm without masters",
    ),
    pytest.param(
        {"warm_count": 2, "instance_type": "t3.medium.search", "volume_gib": 100},
        "instance_type: t3 has no warm storage",
        id="warm on t3",
    ),
    pytest.param({"warm_after_days": 20}, "warm_after_days: needs warm nodes", id="warm without nodes"),
    pytest.param({"cold_after_days": 20}, "cold_after_days: needs warm_after_days", id="cold without warm"),
    pytest.param(
        {"warm_count": 2, "warm_after_days": 90},
        "index_days: must come after cold_after_days",
        id="deleted before it is warm",
    ),
    pytest.param(
        {"warm_count": 2, "warm_after_days": 30, "cold_after_days": 20},
        "index_days: must come after cold_after_days",
        id="cold before it is warm",
    ),
    pytest.param(
        {"warm_count": 2, "warm_after_days": 14},
        "warm_after_days: a dead letter of 14 days could not be replayed",
        id="dead letters outlive what can be written",
    ),
    pytest.param(
        {"volume_gib": 10, "volume_iops": 5_001},
        "volume_iops: 5001 is more than 500 for each of 10 GiB",
        id="operations of a small volume",
    ),
    pytest.param(
        {"volume_throughput_mib": 751},
        "volume_throughput_mib: 751 needs 4 times as many volume_iops",
        id="throughput of few operations",
    ),
]


@pytest.mark.parametrize(("changes", "problem"), FAULTS)
def test_a_fault_is_named_with_its_field(changes: dict[str, Any], problem: str) -> None:
    (found,) = replace(STAGES["prod"], **changes).problems()
    assert found.startswith(problem)


def test_a_volume_can_have_all_that_its_size_allows() -> None:
    changes: dict[str, Any] = {"volume_gib": 10, "volume_iops": 5_000, "volume_throughput_mib": 1_000}
    assert replace(STAGES["prod"], **changes).problems() == []
