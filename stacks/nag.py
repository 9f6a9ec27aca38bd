"""Findings of cdk-nag that are meant, each where it is found with its reason; any other fails the synthesis.

What a setting of the stage cures is meant only where the setting is not made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from aws_cdk import Acknowledgment, Stack, Validations
from constructs import IConstruct

from stacks.encryption import BY_SERVICES
from stacks.field_checks import EVERYBODY
from stacks.search_domain import LOG_KINDS
from stacks.stages import LOG_GROUPS, StageConfig

_NAG = "AwsSolutions::AwsSolutions-"
_SERVERLESS = "Serverless::Serverless-"
_NIST = "NIST.800.53.R5::NIST.800.53.R5-"
_DOMAIN = "Search/Domain"
_BUCKET = "Queues/FailedEvents"


class Meant(NamedTuple):
    """A finding at a construct (path within the stack) that stays, and why."""

    path: str
    rule: str
    reason: str


def _each(paths: Iterable[str], rules: Iterable[str], reason: str) -> Iterator[Meant]:
    for path in paths:
        yield from (Meant(path, rule, reason) for rule in rules)


class _Function(NamedTuple):
    """A function's paths, and why it has no dead-letter queue and no limit; `rules` are what starts it, if any do."""

    path: str
    role: str
    log_group: str
    no_dead_letters: str
    no_limit: str
    rules: tuple[str, ...] = ()


_SUBSCRIBER = _Function(
    "Functions/Subscriber",
    "Functions/SubscriberRole",
    "Functions/SubscriberLog",
    "Its destination on failure is the bucket, which takes the whole event and why it failed; a dead-letter queue "
    "takes neither.",
    "A limit that is too low holds logs back for hours; `subscriber_max_concurrency` sets one.",
)
_REPLAY = _Function(
    "Functions/Replay",
    "Functions/ReplayRole",
    "Functions/ReplayLog",
    "A queue starts it, and what failed stays there: nothing is asynchronous.",
    "Its queue starts `replay_max_concurrency` at once and no more, without a throttle.",
)
_SETUP = _Function(
    "Setup/Function",
    "Setup/Role",
    "Setup/Log",
    "CloudFormation waits for its answer, and the deployment fails without one.",
    "A deployment starts it once.",
)
_CANARY = _Function(
    "Canary/Function",
    "Canary/Role",
    "Canary/Log",
    "A minute that was missed tells nothing later; that it was missed is an alarm.",
    "It starts once a minute and ends within half of one.",
    ("Canary/EveryMinute",),
)
_GROUP_WATCH = _Function(
    "GroupWatch/Function",
    "GroupWatch/Role",
    "GroupWatch/Log",
    "What fails is done again within the hour.",
    "It starts once an hour and when somebody makes a log group.",
    ("GroupWatch/Created", "GroupWatch/Hourly"),
)


def _functions(config: StageConfig) -> list[_Function]:
    functions = [_SUBSCRIBER, _REPLAY, _SETUP]
    if config.canary:
        functions.append(_CANARY)
    if config.log_group_prefixes:
        functions.append(_GROUP_WATCH)
    return functions


def _of_function(config: StageConfig, function: _Function) -> Iterator[Meant]:
    path, why = function.path, function.no_dead_letters
    yield from _each(
        [path],
        [f"{_NAG}L1", f"{_SERVERLESS}LambdaLatestVersion"],
        "Python 3.13 is the runtime that all pinned wheels exist for and are tested on.",
    )
    yield from _each([path], [f"{_SERVERLESS}LambdaDLQ", f"{_NIST}LambdaDLQ"], why)
    if function.rules:
        yield Meant(path, f"{_SERVERLESS}LambdaAsyncFailureDestination", why)
        yield from _each(function.rules, [f"{_SERVERLESS}EventBusDLQ"], why)
    if function is not _SUBSCRIBER or not config.subscriber_max_concurrency:
        yield Meant(path, f"{_NIST}LambdaConcurrency", function.no_limit)
    yield _of_tracing(config, function)
    yield _of_place(config, function)


def _of_tracing(config: StageConfig, function: _Function) -> Meant:
    if config.tracing:
        return _on_many(function.role, "*", "Traces have no resource to name.")
    return Meant(
        function.path,
        f"{_SERVERLESS}LambdaTracing",
        "Traces cost by their number and show one step; metrics and the ledger tell more. `tracing` turns them on.",
    )


def _of_place(config: StageConfig, function: _Function) -> Meant:
    outside = f"{_NIST}LambdaInsideVPC"
    if function is _GROUP_WATCH:
        return Meant(function.path, outside, "It speaks to the API of CloudWatch Logs and to nothing else.")
    if not config.vpc_id:
        return Meant(
            function.path,
            outside,
            "It speaks to AWS and a public domain alone, by signed requests; with `vpc_id` it is in a VPC.",
        )
    return _on_many(
        function.role,
        "*",
        "Lambda's rights to the network interfaces in the VPC cannot be narrowed before those are there; the "
        "function's own code is denied them.",
    )


def _of_queues() -> Iterator[Meant]:
    yield from _each(
        [_BUCKET],
        [f"{_NAG}S1", f"{_NIST}S3BucketLoggingEnabled"],
        "The bucket has two writers, Lambda and the two functions; CloudTrail data events show them where that is "
        "wanted.",
    )
    yield Meant(
        _BUCKET,
        f"{_NIST}S3BucketReplicationEnabled",
        "What it holds is in CloudWatch Logs too, and is replayed within days.",
    )
    yield Meant(
        "Queues/DeadLetters", f"{_SERVERLESS}SQSRedrivePolicy", "It is the end of the line: people replay from it."
    )
    yield Meant(
        _REPLAY.path,
        f"{_SERVERLESS}LambdaEventSourceMappingDestination",
        "A queue as source takes none: what failed stays in the queue, whose redrive policy says where it goes.",
    )


def _of_access(config: StageConfig) -> Iterator[Meant]:
    yield Meant(_DOMAIN, f"{_NAG}OS3", "Who may come is decided by identity, since functions have no fixed addresses.")
    if not config.vpc_id:
        yield from _each(
            [_DOMAIN],
            [f"{_NAG}OS1", f"{_NIST}OpenSearchInVPCOnly"],
            "A workstation replays dead letters: the endpoint is public and takes nothing but requests signed by "
            "identities of this account that an IAM policy allows.",
        )
    yield Meant(
        _DOMAIN,
        f"{_NAG}OS5",
        "A browser signs no request: whoever comes without a signature is asked by fine-grained access control for a "
        "session of the identity provider."
        if EVERYBODY in config.access_principals
        else "There is no resource policy for anybody, so nothing anonymous is let in: only identities of this account "
        "whose policies allow it.",
    )


def _of_size(config: StageConfig) -> Iterator[Meant]:
    if not config.master_count:
        yield Meant(_DOMAIN, f"{_NAG}OS4", "For so small a domain dedicated masters would cost more than it does.")
    if config.zone_count == 1:
        yield Meant(_DOMAIN, f"{_NAG}OS7", "In a single zone: an outage of it is waited for, and nothing is lost.")
    if not config.slow_logs:
        rules = [f"{_NAG}OS9[LogExport::{kind}_SLOW_LOGS]" for kind in ("SEARCH", "INDEX")]
        rules.append(f"{_NIST}OpenSearchErrorLogsToCloudWatch")
        yield from _each([_DOMAIN], rules, "The engine's logs are for the stage that people wait for: `slow_logs`.")


def _of_keys(config: StageConfig) -> Iterator[Meant]:
    if config.encryption_key != BY_SERVICES:
        return
    yield Meant(
        _BUCKET,
        f"{_NIST}S3DefaultEncryptionKMS",
        "S3 encrypts it with a key of its own; `encryption_key` names one in KMS.",
    )
    groups = [function.log_group for function in _functions(config)]
    if config.create_log_groups:
        groups += [f"Subscriptions/{kind.capitalize()}" for kind in LOG_GROUPS]
    if config.slow_logs and not config.existing_arn:
        groups += [f"Search/{kind}" for kind in LOG_KINDS]
    yield from _each(
        groups,
        [f"{_NIST}CloudWatchLogGroupEncrypted"],
        "CloudWatch Logs encrypts it with a key of its own; `encryption_key` names one in KMS.",
    )


def _of_roles(config: StageConfig) -> Iterator[Meant]:
    roles = [function.role for function in _functions(config)]
    if config.fluentd_identity in {"pod-identity", "irsa"}:
        roles.append("ClusterAccess/Role")
    yield from _each(roles, [f"{_NIST}IAMNoInlinePolicy"], "Its policy is of this one role, and goes with it.")


def _on_many(role: str, arn: str, reason: str) -> Meant:
    """A right to all resources that a star in `arn` stands for."""
    return Meant(role, f"{_NAG}IAM5[Resource::{arn}]", reason)


def meant(
    config: StageConfig,
    *,
    bodies: str,
    failed_events: str,
    indices: Iterable[str],
    written: Iterable[str],
    searched: Iterable[str],
    watched: Iterable[str] = (),
) -> list[Meant]:
    """What is meant for this stage.

    `bodies`, `failed_events`, `indices` (of the set-up), `written` (Fluentd's log groups), `searched` (by the canary)
    and `watched` (log groups that may come) are the ARNs that rights are given to.
    """
    found = [*_of_queues(), *_of_roles(config), *_of_keys(config)]
    for function in _functions(config):
        found += _of_function(config, function)
    if not config.existing_arn:
        found += [*_of_access(config), *_of_size(config)]
    if config.alarm_email:
        reason = "Mail that does not arrive is of no use later; the alarm itself is still to be seen in CloudWatch."
        found.append(Meant("Observability/Topic", f"{_SERVERLESS}SNSRedrivePolicy", reason))
    if config.name == "local":
        reason = "Demo and tests wait for a retry: seconds, not minutes. A letter delivered twice changes nothing."
        found.append(Meant("Queues/Retries", "CloudFormation-Validate::E3505", reason))
    by_condition = "To ask what a collection is takes no resource, but the condition that it is the one of this name."
    by_pattern = "The retention is put on the indices of all days at once, by their pattern."
    for role, arns, reason in (
        (_SUBSCRIBER.role, [bodies], "Bodies of letters, one object each."),
        (_REPLAY.role, [bodies], "Bodies of letters, one object each."),
        (_SUBSCRIBER.role, [failed_events], "Lambda chooses the keys of failed events."),
        (_SETUP.role, indices, by_condition if config.existing_collection else by_pattern),
        (_fluentd(config), written, "A pod's stream is named when it starts."),
        (_CANARY.role, searched if config.canary else (), "Its line may be in the index of any day."),
        (_GROUP_WATCH.role, watched, "The log groups are not there yet."),
    ):
        found += [_on_many(role, arn, reason) for arn in arns if "*" in arn]
    return found


def _fluentd(config: StageConfig) -> str:
    return "ClusterAccess/Policy" if config.fluentd_identity == "node-role" else "ClusterAccess/Role"


def acknowledge(within: IConstruct, findings: Iterable[Meant]) -> None:
    """Acknowledge each finding at its construct and nowhere else."""
    stack = Stack.of(within)
    for finding in findings:
        construct = within
        for step in finding.path.split("/"):
            construct = construct.node.find_child(step)
        rule = _spelled(stack.resolve(finding.rule))
        Validations.of(construct).acknowledge(Acknowledgment(id=rule, reason=finding.reason))


def _spelled(text: Any) -> str:
    """A text as cdk-nag writes it: with the names of what it refers to."""
    match text:
        case {"Fn::Join": [_, parts]}:
            return "".join(map(_spelled, parts))
        case {"Fn::GetAtt": [logical_id, attribute]}:
            return f"<{logical_id}.{attribute}>"
        case {"Ref": name}:
            return f"<{name}>"
    return str(text)
