"""Faults of the functions: their time, their queue's, their processor, their variables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stacks.field_checks import Faults

if TYPE_CHECKING:
    from stacks.stages import StageConfig

_VISIBILITY_TIMEOUTS = 6
"""A queue hides a message at least six function timeouts long, or it comes a second time while the first still runs;
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html"""

_ENVIRONMENT_BYTES = 4096 - 1024
"""What Lambda allows for all variables of a function, less what the addresses that a deployment adds may take."""


def faults(config: StageConfig) -> Faults:
    """(field, what is wrong with it)."""
    if min(config.subscriber_timeout_s, config.replay_timeout_s) <= config.settings.reserve_s:
        yield "settings.reserve_s", f"{config.settings.reserve_s} leaves nothing of a function's timeout"
    if config.name != "local" and config.retry_visibility_s < _VISIBILITY_TIMEOUTS * config.replay_timeout_s:
        yield "retry_visibility_s", f"must be at least {_VISIBILITY_TIMEOUTS} times replay_timeout_s"
    if config.name != "local" and config.architecture == "host":
        yield "architecture", "host is for stage local, where this machine runs the functions"
    variables = sum(len(name) + len(value.encode()) for name, value in config.settings.to_env().items())
    if variables > _ENVIRONMENT_BYTES:
        yield "settings", f"take {variables} bytes of environment, {_ENVIRONMENT_BYTES} are to be had"
