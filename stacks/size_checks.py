"""Faults of a domain's nodes, volumes and kinds of storage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stacks.field_checks import Faults

if TYPE_CHECKING:
    from stacks.stages import StageConfig

# https://docs.aws.amazon.com/opensearch-service/latest/developerguide/supported-instance-types.html
_REFUSED_FAMILIES = {
    "t2": "cannot encrypt its data",
    **dict.fromkeys(("i3", "i4g", "i4i", "i8g", "im4gn", "r6gd", "r7gd"), "takes no EBS volume"),
}
_BURSTABLE_VOLUME_GIB = 100
"""https://docs.aws.amazon.com/opensearch-service/latest/developerguide/limits.html"""

_IOPS_OF_GIB = 500
_IOPS_OF_MIB = 4
"""https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html#gp3-ebs-volume-type"""


def faults(config: StageConfig) -> Faults:
    """(field, what is wrong with it)."""
    yield from _node_faults(config)
    yield from _volume_faults(config)
    yield from _storage_faults(config)


def _node_faults(config: StageConfig) -> Faults:
    if config.instance_count < 1 or config.instance_count % max(config.zone_count, 1):
        yield "instance_count", f"{config.instance_count} cannot be spread evenly over {config.zone_count} zones"
    if config.master_count not in {0, 3, 5}:
        yield "master_count", f"{config.master_count} is none of 0, 3 and 5"
    family = _family(config)
    if family in _REFUSED_FAMILIES:
        yield "instance_type", f"{family} {_REFUSED_FAMILIES[family]}"


def _volume_faults(config: StageConfig) -> Faults:
    if _family(config) == "t3" and config.volume_gib > _BURSTABLE_VOLUME_GIB:
        yield "volume_gib", f"{config.volume_gib} is more than the {_BURSTABLE_VOLUME_GIB} that t3 takes"
    if config.volume_iops > _IOPS_OF_GIB * max(config.volume_gib, 0):
        yield "volume_iops", f"{config.volume_iops} is more than {_IOPS_OF_GIB} for each of {config.volume_gib} GiB"
    if _IOPS_OF_MIB * config.volume_throughput_mib > max(config.volume_iops, 0):
        yield "volume_throughput_mib", f"{config.volume_throughput_mib} needs {_IOPS_OF_MIB} times as many volume_iops"


def _storage_faults(config: StageConfig) -> Faults:
    """https://docs.aws.amazon.com/opensearch-service/latest/developerguide/ultrawarm.html#ultrawarm-pp ."""
    if config.warm_count == 1:
        yield "warm_count", "1 is too few: the service wants two warm nodes, or none"
    if config.warm_count and not config.master_count:
        yield "master_count", "warm nodes need dedicated masters"
    if config.warm_count and _family(config) == "t3":
        yield "instance_type", "t3 has no warm storage"
    if config.warm_after_days and not (config.warm_count or config.existing_arn):
        yield "warm_after_days", "needs warm nodes: set warm_count"
    if config.cold_after_days and not config.warm_after_days:
        yield "cold_after_days", "needs warm_after_days: only what is warm becomes cold"
    steps = [days for days in (config.warm_after_days, config.cold_after_days, config.index_days) if days]
    if steps != sorted(set(steps)):
        yield "index_days", "must come after cold_after_days, and that after warm_after_days"
    if 0 < config.warm_after_days <= config.queue_retention_days:
        # A warm index is read-only.
        yield "warm_after_days", f"a dead letter of {config.queue_retention_days} days could not be replayed"


def _family(config: StageConfig) -> str:
    return config.instance_type.partition(".")[0]
