"""Finds a deployed stack's queues, bucket and domain by the stack's outputs, and wires what the commands need."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import click
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
)
from requests_aws4auth import AWS4Auth

from shipper.aws.opensearch import OpenSearchSink, client
from shipper.aws.queue import Bodies, Inbox, SqsLetters
from shipper.cli.terminal import Failed
from shipper.settings import Settings, SettingsError

DEFAULT_STACK = "cwl-shipper-dev"
_OUTPUTS = ("DomainEndpoint", "RetryQueueUrl", "DeadLetterQueueUrl", "FailedEventsBucket")


@dataclass(frozen=True, slots=True)
class Deployment:
    """One deployed stack, as a workstation reaches it."""

    settings: Settings
    sink: OpenSearchSink
    letters: SqsLetters
    bodies: Bodies
    inbox: Inbox


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say which deployment is meant, named as in the AWS command line."""
    for option in (
        click.option("--profile", metavar="NAME", help="Profile of the AWS configuration."),
        click.option("--region", metavar="NAME", help="AWS Region."),
        click.option(
            "--stack",
            default=DEFAULT_STACK,
            show_default=True,
            envvar="CWL_SHIPPER_STACK",
            show_envvar=True,
            help="Name of the stack.",
        ),
    ):
        command = option(command)
    return command


def find(stack: str, region: str | None, profile: str | None) -> Deployment:
    """Look the stack up. Raises `Failed` with one line that says what to do."""
    with aws_errors(stack):
        session = boto3.Session(profile_name=profile, region_name=region)
        outputs = _outputs(session, stack)
        return _wired(session, outputs)


@contextmanager
def aws_errors(stack: str) -> Iterator[None]:
    """Turn what goes wrong with AWS into one line."""
    try:
        yield
    except (NoCredentialsError, PartialCredentialsError):
        raise Failed("no AWS credentials: run `aws configure` or set AWS_PROFILE") from None
    except NoRegionError:
        raise Failed("no AWS Region: use --region or set AWS_REGION") from None
    except ProfileNotFound as error:
        raise Failed(str(error)) from None
    except ClientError as error:
        raise Failed(_client_error(error, stack)) from None
    except BotoCoreError as error:
        raise Failed(str(error)) from None


def _client_error(error: ClientError, stack: str) -> str:
    details = error.response.get("Error", {})
    code, message = details.get("Code", ""), details.get("Message", "")
    if code == "ValidationError" and "does not exist" in message:
        return f"there is no stack {stack} here: use --stack and --region, or deploy it with `cdk deploy`"
    if code in {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}:
        return f"your credentials may not {error.operation_name}: {message}"
    if code in {"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException"}:
        return f"your AWS credentials are not valid any more: sign in again ({message})"
    return f"{error.operation_name}: {code}: {message}"


def _outputs(session: Any, stack: str) -> dict[str, str]:
    stacks = session.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stacks[0].get("Outputs", [])}
    if missing := [name for name in _OUTPUTS if name not in outputs]:
        raise Failed(f"stack {stack} has no output {', '.join(missing)}: is it a cwl-shipper stack?")
    return outputs


def _wired(session: Any, outputs: dict[str, str]) -> Deployment:
    try:
        settings = Settings(
            endpoint=outputs["DomainEndpoint"],
            retry_queue_url=outputs["RetryQueueUrl"],
            dead_letter_queue_url=outputs["DeadLetterQueueUrl"],
            bucket=outputs["FailedEventsBucket"],
        ).checked()
    except SettingsError as error:
        raise Failed(f"the stack's outputs are unusable: {error}") from None

    def make_s3() -> Any:
        return session.client("s3")

    def auth() -> AWS4Auth:
        credentials = session.get_credentials()
        return AWS4Auth(region=session.region_name, service=settings.service, refreshable_credentials=credentials)

    return Deployment(
        settings=settings,
        sink=OpenSearchSink(lambda: client(settings.endpoint, auth())),
        letters=SqsLetters(
            lambda: session.client("sqs"),
            make_s3,
            retry_url=settings.retry_queue_url,
            dead_url=settings.dead_letter_queue_url,
            bucket=settings.bucket,
        ),
        bodies=Bodies(make_s3, settings.bucket),
        inbox=Inbox(session.client("sqs"), settings.dead_letter_queue_url),
    )
