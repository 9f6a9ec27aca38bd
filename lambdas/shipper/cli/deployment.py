"""Finds a deployed stack's queues, bucket and domain by the stack's outputs, and wires what the commands need."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import boto3
import click
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
)
from requests_aws4auth import AWS4Auth

from shipper import collection
from shipper.aws.inbox import Inbox
from shipper.aws.log_groups import LogGroups
from shipper.aws.opensearch import OpenSearchSink, client
from shipper.aws.queue import Bodies, SqsLetters
from shipper.aws.search import Index, SearchFailed
from shipper.aws.subscriber import Function
from shipper.cli.terminal import Failed, combined
from shipper.model import DeadLetter
from shipper.settings import Settings, SettingsError
from shipper.settings_checks import endpoint_faults

DEFAULT_STACK = "cwl-shipper-dev"
_OUTPUTS = ("DomainEndpoint", "RetryQueueUrl", "DeadLetterQueueUrl", "FailedEventsBucket", "SubscriberFunction")
_SITE_OUTPUTS = (*_OUTPUTS, "ReplayFunction", "LogGroupPrefix", "MetricsNamespace")
_READ_TIMEOUT_S = 900
_MAX_ATTEMPTS = 10


@dataclass(frozen=True, slots=True)
class Deployment:
    """One deployed stack, as a workstation reaches it. `deployed` asks the function for its settings."""

    settings: Settings
    sink: OpenSearchSink
    letters: SqsLetters
    bodies: Bodies
    inbox: Inbox
    deployed: Callable[[], Settings]

    def settings_for(self, letters: Iterable[DeadLetter]) -> Settings:
        """The settings to replay letters with: the documents of a payload have to be those that the function makes.

        Raises what boto3 raises, and `Failed`.
        """
        return self.deployed() if any(letter.kind == "payload" for letter in letters) else self.settings


@dataclass(frozen=True, slots=True)
class Site:
    """A deployed stack with all around it: its outputs, a client of any service of its account, its index."""

    found: Deployment
    outputs: Mapping[str, str]
    client: Callable[[str], Any]
    index: Index


account_options = combined(
    click.option("--region", metavar="NAME", help="AWS Region."),
    click.option("--profile", metavar="NAME", help="Profile of the AWS configuration."),
)
"""Which account is meant, named as in the AWS command line."""

options = combined(
    click.option(
        "--stack",
        default=DEFAULT_STACK,
        show_default=True,
        envvar="CWL_SHIPPER_STACK",
        show_envvar=True,
        metavar="NAME",
        help="Name of the stack.",
    ),
    account_options,
)
"""Which deployment is meant."""


def find(stack: str, region: str | None, profile: str | None) -> Deployment:
    """Look the stack up. Raises `Failed` with one line that says what to do."""
    with aws_errors(stack):
        session = boto3.Session(profile_name=profile, region_name=region)
        return _wired(session, _outputs(session, stack, _OUTPUTS))


def survey(stack: str, region: str | None, profile: str | None) -> Site:
    """The same for the commands that look beyond the queues. Raises `Failed`."""
    with aws_errors(stack):
        session = boto3.Session(profile_name=profile, region_name=region)
        outputs = _outputs(session, stack, _SITE_OUTPUTS)
        found = _wired(session, outputs)
        return Site(found, outputs, partial(_client, session), _index(session, found.settings))


def outside(endpoint: str, region: str | None, profile: str | None) -> tuple[LogGroups, Index]:
    """The log groups of the account and any domain, without a stack. Raises `Failed`."""
    if faults := endpoint_faults(endpoint):
        raise Failed(f"{endpoint}: {'; '.join(faults)}")
    with aws_errors(""):
        session = boto3.Session(profile_name=profile, region_name=region)
        settings = Settings(endpoint=endpoint, service=collection.service_of(endpoint))
        return LogGroups(_client(session, "logs")), _index(session, settings)


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
        raise Failed(f"{error}: `aws configure list-profiles` names those that there are") from None
    except ClientError as error:
        raise Failed(_client_error(error, stack)) from None
    except BotoCoreError as error:
        raise Failed(str(error)) from None


@contextmanager
def search_errors() -> Iterator[None]:
    """Turn what goes wrong with the domain into one line."""
    try:
        yield
    except SearchFailed as error:
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


def _client(session: Any, service: str) -> Any:
    """A client that waits as long as a function may take, and slows down where it is throttled."""
    config = Config(read_timeout=_READ_TIMEOUT_S, retries={"mode": "adaptive", "max_attempts": _MAX_ATTEMPTS})
    return session.client(service, config=config)


def _outputs(session: Any, stack: str, expected: Sequence[str]) -> dict[str, str]:
    stacks = session.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stacks[0].get("Outputs", [])}
    if missing := [name for name in expected if name not in outputs]:
        raise Failed(f"stack {stack} has no output {', '.join(missing)}: is it a cwl-shipper stack?")
    return outputs


def _wired(session: Any, outputs: dict[str, str]) -> Deployment:
    try:
        settings = Settings(
            endpoint=outputs["DomainEndpoint"],
            service=collection.service_of(outputs["DomainEndpoint"]),
            retry_queue_url=outputs["RetryQueueUrl"],
            dead_letter_queue_url=outputs["DeadLetterQueueUrl"],
            bucket=outputs["FailedEventsBucket"],
        ).checked()
    except SettingsError as error:
        raise Failed(f"the stack's outputs are unusable: {error}") from None

    # Here and not where they are first needed: that may be in a thread, and a session is for one thread.
    sqs, s3, functions = (session.client(service) for service in ("sqs", "s3", "lambda"))
    auth = _signer(session, settings)
    return Deployment(
        settings=settings,
        sink=OpenSearchSink(lambda: client(settings.endpoint, auth())),
        letters=SqsLetters(
            lambda: sqs,
            lambda: s3,
            retry_url=settings.retry_queue_url,
            dead_url=settings.dead_letter_queue_url,
            bucket=settings.bucket,
        ),
        bodies=Bodies(lambda: s3, settings.bucket),
        inbox=Inbox(sqs, settings.dead_letter_queue_url),
        deployed=cache(partial(_deployed, Function(functions, outputs["SubscriberFunction"]))),
    )


def _index(session: Any, settings: Settings) -> Index:
    auth = _signer(session, settings)
    scrolls = settings.service != collection.SERVICE
    return Index(settings.endpoint, lambda: client(settings.endpoint, auth()), scrolls=scrolls)


def _deployed(function: Function) -> Settings:
    try:
        return function.deployed().settings()
    except SettingsError as error:
        raise Failed(f"the function's settings cannot be read: {error}") from None


def _signer(session: Any, settings: Settings) -> Callable[[], AWS4Auth]:
    """A function that makes a signer with the credentials of the moment: they may expire during a long run."""

    def auth() -> AWS4Auth:
        credentials = session.get_credentials()
        return AWS4Auth(region=session.region_name, service=settings.service, refreshable_credentials=credentials)

    return auth
