"""Findings of cdk-nag that are meant, each where it is found with its reason; any other fails the synthesis.

What a setting of the stage cures is meant only where the setting is not made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct

from stacks.domain_checks import EVERYBODY
from stacks.encryption import BY_SERVICES
from stacks.search_domain import LOG_KINDS
from stacks.stages import LOG_GROUPS, StageConfig

_NAG = "AwsSolutions::AwsSolutions-"
_SERVERLESS = "Serverless::Serverless-"
_NIST = "NIST.800.53.R5::NIST.800.53.R5-"
_DOMAIN = "Search/Domain"
_EVERY_DAY = "The retention is put on the indices of all days at once, by their pattern."
_RUNTIME = "Python 3.13 is the runtime that all pinned wheels exist for and are tested on."
_DEAD_LETTERS = (f"{_SERVERLESS}LambdaDLQ", f"{_NIST}LambdaDLQ")
_MISSED_MINUTE = "A minute that was missed tells nothing later; that it was missed is an alarm."
_BUCKET = "Queues/FailedEvents"
_READ_BY = (
    "The bucket has two writers, Lambda and the two functions; CloudTrail data events show them where that is wanted."
)
_BY_NAME = "To ask what a collection is takes no resource, but the condition that it is the one of this name."


class Meant(NamedTuple):
    """A finding at a construct (path within the stack) that stays, and why."""

    path: str
    rule: str
    reason: str


_EVERYWHERE = (
    Meant(
        _DOMAIN,
        f"{_NAG}OS3",
        "Who may come is decided by identity, since functions have no fixed addresses.",
    ),
    Meant(_BUCKET, f"{_NAG}S1", _READ_BY),
    Meant(_BUCKET, f"{_NIST}S3BucketLoggingEnabled", _READ_BY),
    Meant(
        _BUCKET,
        f"{_NIST}S3BucketReplicationEnabled",
        "What it holds is in CloudWatch Logs too, and is replayed within days.",
    ),
    Meant("Queues/DeadLetters", f"{_SERVERLESS}SQSRedrivePolicy", "It is the end of the line: people replay from it."),
    Meant(
        "Functions/Replay",
        f"{_SERVERLESS}LambdaEventSourceMappingDestination",
        "A queue as source takes none: what failed stays in the queue, whose redrive policy says where it goes.",
    ),
)


def _each(paths: Iterable[str], rules: Iterable[str], reason: str) -> Iterator[Meant]:
    for path in paths:
        yield from (Meant(path, rule, reason) for rule in rules)


_LOCAL = (
    Meant(
        "Queues/Retries",
        "CloudFormation-Validate::E3505",
        "Demo and tests wait for a retry: seconds, not minutes. A letter delivered twice changes nothing.",
    ),
)


_PUBLIC = Meant(
    _DOMAIN,
    f"{_NAG}OS1",
    "A workstation replays dead letters: the endpoint is public and takes nothing but requests signed by identities of "
    "this account that an IAM policy allows.",
)
_SIGNED = Meant(
    _DOMAIN,
    f"{_NAG}OS5",
    "There is no resource policy for anybody, so nothing anonymous is let in: only identities of this account whose "
    "policies allow it.",
)
_BROWSERS = Meant(
    _DOMAIN,
    f"{_NAG}OS5",
    "A browser signs no request: whoever comes without a signature is asked by fine-grained access control for a "
    "session of the identity provider.",
)


_MAIL = Meant(
    "Observability/Topic",
    f"{_SERVERLESS}SNSRedrivePolicy",
    "Mail that does not arrive is of no use later; the alarm itself is still to be seen in CloudWatch.",
)


def _of_access(config: StageConfig) -> Iterator[Meant]:
    if not config.vpc_id:
        yield _PUBLIC
        yield _PUBLIC._replace(rule=f"{_NIST}OpenSearchInVPCOnly")
    yield _BROWSERS if EVERYBODY in config.access_principals else _SIGNED


def _of_size(config: StageConfig) -> Iterator[Meant]:
    if not config.master_count:
        yield Meant(_DOMAIN, f"{_NAG}OS4", "For so small a domain dedicated masters would cost more than it does.")
    if config.zone_count == 1:
        yield Meant(_DOMAIN, f"{_NAG}OS7", "In a single zone: an outage of it is waited for, and nothing is lost.")
    if not config.slow_logs:
        rules = [f"{_NAG}OS9[LogExport::{kind}_SLOW_LOGS]" for kind in ("SEARCH", "INDEX")]
        rules.append(f"{_NIST}OpenSearchErrorLogsToCloudWatch")
        yield from _each([_DOMAIN], rules, "The engine's logs are for the stage that people wait for: `slow_logs`.")


def _functions(config: StageConfig) -> list[str]:
    functions = ["Functions/Subscriber", "Functions/Replay", "Setup/Function"]
    return [*functions, "Canary/Function"] if config.canary else functions


def _roles(config: StageConfig) -> list[str]:
    roles = ["Functions/SubscriberRole", "Functions/ReplayRole", "Setup/Role"]
    return [*roles, "Canary/Role"] if config.canary else roles


def _of_functions(config: StageConfig) -> Iterator[Meant]:
    yield from _each(_functions(config), (f"{_NAG}L1", f"{_SERVERLESS}LambdaLatestVersion"), _RUNTIME)
    yield from _each(
        ["Functions/Subscriber"],
        _DEAD_LETTERS,
        "Its destination on failure is the bucket, which takes the whole event and why it failed; a dead-letter queue "
        "takes neither.",
    )
    yield from _each(
        ["Functions/Replay"], _DEAD_LETTERS, "A queue starts it, and what failed stays there: nothing is asynchronous."
    )
    yield from _each(
        ["Setup/Function"], _DEAD_LETTERS, "CloudFormation waits for its answer, and the deployment fails without one."
    )
    yield from _of_concurrency(config)
    if not config.vpc_id:
        yield from _each(
            _functions(config),
            [f"{_NIST}LambdaInsideVPC"],
            "It speaks to AWS and a public domain alone, by signed requests; with `vpc_id` it is in a VPC.",
        )


def _of_concurrency(config: StageConfig) -> Iterator[Meant]:
    limits = {
        "Functions/Replay": "Its queue starts `replay_max_concurrency` at once and no more, without a throttle.",
        "Setup/Function": "A deployment starts it once.",
    }
    if not config.subscriber_max_concurrency:
        limits["Functions/Subscriber"] = (
            "A limit that is too low holds logs back for hours; `subscriber_max_concurrency` sets one."
        )
    if config.canary:
        limits["Canary/Function"] = "It starts once a minute and ends within half of one."
    for path, reason in limits.items():
        yield Meant(path, f"{_NIST}LambdaConcurrency", reason)


def _of_roles(config: StageConfig) -> Iterator[Meant]:
    roles = _roles(config)
    if config.fluentd_identity in {"pod-identity", "irsa"}:
        roles.append("ClusterAccess/Role")
    yield from _each(
        roles,
        [f"{_NIST}IAMNoInlinePolicy"],
        "Its policy is of this one role, names the resources of this stack, and goes with them.",
    )


def _untraced(config: StageConfig) -> Iterator[Meant]:
    yield from _each(
        _functions(config),
        [f"{_SERVERLESS}LambdaTracing"],
        "Traces cost by their number and show one step; metrics and the ledger tell more. `tracing` turns them on.",
    )


def _traced(config: StageConfig) -> Iterator[Meant]:
    yield from _each(_roles(config), [f"{_NAG}IAM5[Resource::*]"], "Traces have no resource to name.")


def _by_services_keys(config: StageConfig) -> Iterator[Meant]:
    yield Meant(
        _BUCKET,
        f"{_NIST}S3DefaultEncryptionKMS",
        "S3 encrypts it with a key of its own; `encryption_key` names one in KMS.",
    )
    groups = ["Functions/SubscriberLog", "Functions/ReplayLog", "Setup/Log"]
    if config.create_log_groups:
        groups += [f"Subscriptions/{kind.capitalize()}" for kind in LOG_GROUPS]
    if config.slow_logs and not config.existing_arn:
        groups += [f"Search/{kind}" for kind in LOG_KINDS]
    if config.canary:
        groups.append("Canary/Log")
    yield from _each(
        groups,
        [f"{_NIST}CloudWatchLogGroupEncrypted"],
        "CloudWatch Logs encrypts it with a key of its own; `encryption_key` names one in KMS.",
    )


def _in_vpc(config: StageConfig) -> Iterator[Meant]:
    yield from _each(
        _roles(config),
        [f"{_NAG}IAM5[Resource::*]"],
        "Lambda's rights to the network interfaces in the VPC cannot be narrowed before those are there; the "
        "function's own code is denied them.",
    )


def _on_bucket(bodies: str, failed_events: str) -> Iterator[Meant]:
    for role in ("SubscriberRole", "ReplayRole"):
        rule = f"{_NAG}IAM5[Resource::{bodies}]"
        yield Meant(f"Functions/{role}", rule, "Bodies of letters, one object each.")
    rule = f"{_NAG}IAM5[Resource::{failed_events}]"
    yield Meant("Functions/SubscriberRole", rule, "Lambda chooses the keys of failed events.")


def _on_log_groups(config: StageConfig, written: Iterable[str]) -> Iterator[Meant]:
    path = "ClusterAccess/Policy" if config.fluentd_identity == "node-role" else "ClusterAccess/Role"
    for name in written:
        yield Meant(path, f"{_NAG}IAM5[Resource::{name}]", "A pod's stream is named when it starts.")


def _of_canary(searched: Iterable[str]) -> Iterator[Meant]:
    yield from _each(
        ["Canary/Function"], (*_DEAD_LETTERS, f"{_SERVERLESS}LambdaAsyncFailureDestination"), _MISSED_MINUTE
    )
    yield Meant("Canary/EveryMinute", f"{_SERVERLESS}EventBusDLQ", _MISSED_MINUTE)
    for name in searched:
        yield Meant("Canary/Role", f"{_NAG}IAM5[Resource::{name}]", "Its line may be in the index of any day.")


def _of_group_watch(config: StageConfig, watched: Iterable[str]) -> Iterator[Meant]:
    function, role = "GroupWatch/Function", "GroupWatch/Role"
    yield from _each([function], (f"{_NAG}L1", f"{_SERVERLESS}LambdaLatestVersion"), _RUNTIME)
    again = "What fails is done again within the hour."
    yield from _each([function], (*_DEAD_LETTERS, f"{_SERVERLESS}LambdaAsyncFailureDestination"), again)
    yield from _each(["GroupWatch/Created", "GroupWatch/Hourly"], [f"{_SERVERLESS}EventBusDLQ"], again)
    yield Meant(function, f"{_NIST}LambdaConcurrency", "It starts once an hour and when somebody makes a log group.")
    yield Meant(function, f"{_NIST}LambdaInsideVPC", "It speaks to the API of CloudWatch Logs and to nothing else.")
    yield Meant(role, f"{_NIST}IAMNoInlinePolicy", "Its policy is of this one role, and goes with it.")
    for name in watched:
        yield Meant(role, f"{_NAG}IAM5[Resource::{name}]", "The log groups are not there yet.")
    if config.tracing:
        yield Meant(role, f"{_NAG}IAM5[Resource::*]", "Traces have no resource to name.")
    else:
        yield Meant(function, f"{_SERVERLESS}LambdaTracing", "It runs seldom; `tracing` turns traces on.")
    if config.encryption_key == BY_SERVICES:
        yield Meant(
            "GroupWatch/Log",
            f"{_NIST}CloudWatchLogGroupEncrypted",
            "CloudWatch Logs encrypts it with a key of its own; `encryption_key` names one in KMS.",
        )


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

    `bodies`, `failed_events`, `indices`, `written` (Fluentd's log groups), `searched` (by the canary) and `watched`
    (log groups that may come) are resources as cdk-nag spells them.
    """
    found = [*_EVERYWHERE, *_of_access(config), *_on_bucket(bodies, failed_events), *_on_log_groups(config, written)]
    why = _BY_NAME if config.existing_collection else _EVERY_DAY
    found += [Meant("Setup/Role", f"{_NAG}IAM5[Resource::{name}]", why) for name in indices]
    found += [*_of_functions(config), *_of_roles(config)]
    found += _traced(config) if config.tracing else _untraced(config)
    if config.alarm_email:
        found.append(_MAIL)
    if config.encryption_key == BY_SERVICES:
        found += _by_services_keys(config)
    if config.canary:
        found += _of_canary(searched)
    if config.log_group_prefixes:
        found += _of_group_watch(config, watched)
    if config.vpc_id:
        found += _in_vpc(config)
    found += _of_size(config)
    if config.name == "local":
        found += _LOCAL
    return [finding for finding in found if not (config.existing_arn and finding.path == _DOMAIN)]


def acknowledge(within: IConstruct, findings: Iterable[Meant]) -> None:
    """Acknowledge each finding at its construct and nowhere else."""
    for finding in findings:
        construct = within
        for step in finding.path.split("/"):
            construct = construct.node.find_child(step)
        Validations.of(construct).acknowledge(Acknowledgment(id=finding.rule, reason=finding.reason))
