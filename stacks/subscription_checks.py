"""Faults of the log groups that are subscribed to, and of their patterns.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutSubscriptionFilter.html
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutAccountPolicy.html
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from stacks.field_checks import Faults

if TYPE_CHECKING:
    from stacks.stages import StageConfig

_NAME = re.compile(r"[\w./#-]{1,512}", re.ASCII)
_PATTERN_CHARS = 1_024
_REGEXES = 2
"""Regular expressions in one pattern; https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/
FilterAndPatternSyntax.html#regex-expressions"""

_BRACKETS = {"{": "}", "[": "]"}
"""A pattern for JSON, and one for fields between spaces."""

_LEFT_OUT_BYTES = 16_384
"""Of the 25 KB that the selection of an account policy may have, less what the stack's own log groups take."""

_ENVIRONMENT_BYTES = 2_048
"""Of the 4 KB that a function's variables may have, less what its own variables take."""


def faults(config: StageConfig) -> Faults:
    """(field, what is wrong with it)."""
    yield from _name_faults(config)
    yield from _pattern_faults(config)
    if config.subscription == "account":
        yield from _account_faults(config)
    elif config.subscription == "groups" and config.excluded_log_groups and not config.log_group_prefixes:
        yield "excluded_log_groups", "is of no use without log_group_prefixes, or subscription account"
    if config.log_group_prefixes:
        yield from _prefix_faults(config)


def _name_faults(config: StageConfig) -> Faults:
    own = config.cluster_log_groups.values()
    for field in ("extra_log_groups", "log_group_prefixes", "excluded_log_groups"):
        names = getattr(config, field)
        for name in names:
            if not _NAME.fullmatch(name):
                yield field, f"{name!r} is no name of a log group"
            elif name in own:
                yield field, f"{name} is one of the cluster's, which are subscribed to anyway"
        for name in _more_than_once(names):
            yield field, f"{name} is there twice"
    # An alarm is named by the words of its log group.
    for name in _more_than_once(re.sub(r"\W+", " ", name) for name in set(config.extra_log_groups)):
        yield "extra_log_groups", f"two names have the same words: {name.strip()}"


def _pattern_faults(config: StageConfig) -> Faults:
    known = [*config.cluster_log_groups, *config.extra_log_groups, *config.log_group_prefixes]
    for name, pattern in config.filter_patterns:
        if name not in known:
            yield "filter_patterns", f"{name!r} is none of {', '.join(known)}"
        yield from (("filter_patterns", f"that of {name} {fault}") for fault in _unreadable(pattern))
    for name in _more_than_once(name for name, _ in config.filter_patterns):
        yield "filter_patterns", f"{name} is there twice"
    yield from (("filter_pattern", fault) for fault in _unreadable(config.filter_pattern))


def _unreadable(pattern: str) -> Iterator[str]:
    """What CloudWatch Logs refuses at the deployment."""
    if len(pattern) > _PATTERN_CHARS:
        yield f"is longer than {_PATTERN_CHARS} characters"
    text = pattern.strip()
    end = _BRACKETS.get(text[:1])
    if end and not text.endswith(end):
        yield f"begins with {text[0]} and does not end with {end}"
    if text.count("%") > 2 * _REGEXES:
        yield f"has more than {_REGEXES} regular expressions"


def _account_faults(config: StageConfig) -> Faults:
    """One policy has one pattern, and takes every log group that it does not leave out."""
    for field in ("extra_log_groups", "log_group_prefixes", "filter_patterns", "source_fields"):
        if getattr(config, field):
            yield field, "is of no use to subscription account: one policy with one pattern takes every log group"
    if sum(len(name) + len('"", ') for name in config.excluded_log_groups) > _LEFT_OUT_BYTES:
        yield "excluded_log_groups", f"take more than {_LEFT_OUT_BYTES} bytes, which is what an account policy has"


def _prefix_faults(config: StageConfig) -> Faults:
    texts = [*config.excluded_log_groups, *config.log_group_prefixes]
    texts += [config.pattern_of(prefix) for prefix in config.log_group_prefixes]
    if sum(len(text.encode()) + len('"", ') for text in texts) > _ENVIRONMENT_BYTES:
        yield "log_group_prefixes", f"take, with what is excluded, more than {_ENVIRONMENT_BYTES} bytes of environment"


def _more_than_once(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]
