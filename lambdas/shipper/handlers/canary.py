"""The canary function: what a schedule invokes every minute."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from shipper import canary, metrics
from shipper.aws.clock import SystemClock
from shipper.aws.log_stream import LogStream, WriteFailed
from shipper.aws.opensearch import client
from shipper.aws.search import Index, SearchFailed
from shipper.aws.telemetry import Telemetry
from shipper.handlers.services import boto3_client, signer
from shipper.settings import Settings
from shipper.ship import Clock

GROUPS_VARIABLE = "CWL_CANARY_LOG_GROUPS"
"""Names of log groups, separated by commas: no name can hold one."""

SERVICE = "canary"
_SEARCH_S = 10.0


@dataclass(frozen=True, slots=True)
class Canary:
    """What it is wired with; each log group gets a line."""

    log_groups: tuple[str, ...]
    stream: LogStream
    index: Index
    telemetry: Telemetry


def services() -> Canary:
    """Built anew each minute: nothing is kept that could expire, such as credentials."""
    settings = Settings.from_env(os.environ)
    return Canary(
        tuple(os.environ[GROUPS_VARIABLE].split(",")),
        LogStream(boto3_client("logs"), canary.STREAM),
        Index(settings.endpoint, lambda: client(settings.endpoint, signer(os.environ, settings.service))),
        Telemetry(SERVICE, "INFO"),
    )


def handler(_event: Any, context: Any) -> None:
    """Write a line into each log group, and measure how old the newest is that can be found."""
    run(context.aws_request_id, services(), SystemClock())


def run(id_: str, wired: Canary, clock: Clock) -> None:
    """`handler` with its services passed in; `id_` is this minute's.

    A line that cannot be written, or a domain that does not answer, is a warning: what is missing then is the metric,
    and the alarm takes that for late.
    """
    for log_group in wired.log_groups:
        try:
            wired.stream.write(log_group, canary.line(id_), clock.now_ms())
        except WriteFailed as error:
            wired.telemetry.refused("canary not written", error=str(error))
        else:
            wired.telemetry.measure({metrics.CANARY_LINES: 1}, {metrics.LOG_GROUP: log_group})
    try:
        _look(wired, clock)
    except SearchFailed as error:
        wired.telemetry.refused("canary not looked for", error=str(error))


def _look(wired: Canary, clock: Clock) -> None:
    """Measure each log group. Raises `SearchFailed` at the first that fails: the others would fail, too."""
    for log_group in wired.log_groups:
        now_ms = clock.now_ms()
        hits, _ = wired.index.search(canary.query(log_group, now_ms), timeout_s=_SEARCH_S)
        age_ms = canary.age_ms(hits, now_ms)
        if age_ms is None:
            wired.telemetry.refused("canary not found", log_group=log_group)
        else:
            wired.telemetry.measure({metrics.CANARY_AGE_MS: age_ms}, {metrics.LOG_GROUP: log_group})
