"""What may be wrong with when a stage's alarms go off, and with the canary's way into the index."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from shipper import canary

if TYPE_CHECKING:
    from stacks.stages import StageConfig


def faults(config: StageConfig, kinds: Sequence[str]) -> Iterator[tuple[str, str]]:
    """(field, what is wrong); `kinds` are the log groups' names less their prefix."""
    for kind, minutes in config.silent_after_min:
        if kind not in kinds:
            yield "silent_after_min", f"{kind!r} is none of {', '.join(kinds)}"
        # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
        if not 5 <= minutes <= 1_440:
            yield "silent_after_min", f"{minutes} is not between 5 and 1440"
    if len(dict(config.silent_after_min)) < len(config.silent_after_min):
        yield "silent_after_min", "names a group twice"
    if config.canary:
        yield from _on_its_way(config, kinds)


def _on_its_way(config: StageConfig, kinds: Sequence[str]) -> Iterator[tuple[str, str]]:
    """What keeps the canary's lines out of the index would look as if the index were late."""
    if config.fresh_within_s * 1_000 > canary.LOOK_BACK_MS:
        yield "fresh_within_s", "is longer than the canary looks back: at most 3600, or canary set to False"
    fields = {
        f"filter_patterns of {kind}" if kind in dict(config.filter_patterns) else "filter_pattern": kind
        for kind in kinds
    }
    for field, kind in fields.items():
        if config.pattern_of(kind) and canary.FIELD not in config.pattern_of(kind):
            yield "canary", f"{field} keeps its lines out: add ` || $.{canary.FIELD} = *`, or set canary to False"
    if config.settings.problems(delivery=False):
        return
    for kind in kinds:
        if not canary.passes(config.settings, config.log_group(kind)):
            yield (
                "canary",
                f"settings.filters drop its lines of {kind}: keep pattern `^{canary.TEXT} ` by a rule before",
            )
