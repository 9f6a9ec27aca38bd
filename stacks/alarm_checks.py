"""Faults of the alarms' limits, and of the canary's way into the index."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shipper import canary
from stacks.field_checks import Faults

if TYPE_CHECKING:
    from stacks.stages import StageConfig


def faults(config: StageConfig) -> Faults:
    """(field, what is wrong with it)."""
    kinds = config.cluster_log_groups
    for kind, minutes in config.silent_after_min:
        if kind not in kinds:
            yield "silent_after_min", f"{kind!r} is none of {', '.join(kinds)}"
        # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
        if not 5 <= minutes <= 1_440:
            yield "silent_after_min", f"{minutes} is not between 5 and 1440"
    if len(dict(config.silent_after_min)) < len(config.silent_after_min):
        yield "silent_after_min", "names a group twice"
    if config.canary:
        yield from _canary_faults(config)


def _canary_faults(config: StageConfig) -> Faults:
    """What keeps the canary's lines out of the index would look as if the index were late."""
    if config.fresh_within_s * 1_000 > canary.LOOK_BACK_MS:
        yield "fresh_within_s", "is longer than the canary looks back: at most 3600, or set canary to false"
    fields = {
        f"filter_patterns of {kind}" if kind in dict(config.filter_patterns) else "filter_pattern": kind
        for kind in config.cluster_log_groups
    }
    for field, kind in fields.items():
        if config.pattern_of(kind) and canary.FIELD not in config.pattern_of(kind):
            yield "canary", f"{field} keeps its lines out: add ` || $.{canary.FIELD} = *`, or set canary to false"
    if config.settings.problems(delivery=False):
        return
    for kind, log_group in config.cluster_log_groups.items():
        if not canary.passes(config.settings, log_group):
            yield (
                "canary",
                f"settings.filters drop its lines of {kind}: keep pattern `^{canary.TEXT} ` by a rule before",
            )
