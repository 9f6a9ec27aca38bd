"""What the subscriber and the replay function are wired with, built from the environment once per sandbox."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from requests_aws4auth import AWS4Auth

from shipper.aws.clock import SystemClock
from shipper.aws.opensearch import OpenSearchSink, client
from shipper.aws.queue import Bodies, SqsLetters
from shipper.aws.telemetry import Telemetry
from shipper.settings import Settings, env_texts
from shipper.ship import Clock


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that a handler needs from outside. `clock` makes one of the invocation's remaining milliseconds."""

    settings: Settings
    sink: OpenSearchSink
    letters: SqsLetters
    bodies: Bodies
    telemetry: Telemetry
    own_log_group: str = ""
    clock: Callable[[Callable[[], float]], Clock] = SystemClock


def from_environment(service: str) -> Services:
    """Wire the services of a function. Raises `SettingsError` naming everything that is wrong at once."""
    settings = Settings.checked_text(env_texts(os.environ))
    wired = Services(
        settings=settings,
        sink=OpenSearchSink(lambda: client(settings.endpoint, signer(os.environ, settings.service))),
        letters=SqsLetters(
            lambda: boto3_client("sqs"),
            lambda: boto3_client("s3"),
            retry_url=settings.retry_queue_url,
            dead_url=settings.dead_letter_queue_url,
            bucket=settings.bucket,
        ),
        bodies=Bodies(lambda: boto3_client("s3"), settings.bucket),
        telemetry=Telemetry(service, settings.log_level),
        own_log_group=os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME", ""),
    )
    # All of this and every module stays: to walk it would cost about 20 ms of each payload of 10,000 events.
    gc.freeze()
    return wired


def signer(env: Mapping[str, str], service: str) -> AWS4Auth:
    """Signs with the role's credentials, which Lambda keeps in the environment; no SDK needed for that."""
    return AWS4Auth(
        env["AWS_ACCESS_KEY_ID"],
        env["AWS_SECRET_ACCESS_KEY"],
        env["AWS_REGION"],
        service,
        session_token=env.get("AWS_SESSION_TOKEN") or None,
    )


def boto3_client(name: str, **options: Any) -> Any:
    """A client of the SDK with the function's own rights."""
    import boto3  # noqa: PLC0415 - a quarter of a second that only a failure needs

    return boto3.client(name, **options)
