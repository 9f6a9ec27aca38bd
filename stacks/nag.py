"""Findings of cdk-nag that are meant, each where it is found with its reason; any other fails the synthesis."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from aws_cdk import Acknowledgment, Stack, Validations
from constructs import IConstruct

from stacks.stages import StageConfig

_NAG = "AwsSolutions::AwsSolutions-"
_DOMAIN = "Search/Domain"
_EVERY_DAY = "The retention is put on the indices of all days at once, by their pattern."


class Meant(NamedTuple):
    """A finding at a construct (path within the stack) that stays, and why."""

    path: str
    rule: str
    reason: str


_EVERYWHERE = (
    Meant(
        _DOMAIN,
        f"{_NAG}OS1",
        "A workstation replays dead letters: the endpoint is public and takes nothing but requests signed by "
        "identities of this account that an IAM policy allows.",
    ),
    Meant(
        _DOMAIN,
        f"{_NAG}OS3",
        "Who may come is decided by identity, since functions have no fixed addresses.",
    ),
    Meant(
        _DOMAIN,
        f"{_NAG}OS5",
        "There is no resource policy, so nothing anonymous is let in: only identities of this account whose own "
        "policies allow it.",
    ),
    Meant(
        "Queues/FailedEvents",
        f"{_NAG}S1",
        "The bucket has two writers, Lambda and the two functions; CloudTrail data events show them where that is "
        "wanted.",
    ),
    *(
        Meant(
            function,
            f"{_NAG}L1",
            "Python 3.13 is the runtime that all pinned wheels exist for and are tested on.",
        )
        for function in ("Functions/Subscriber", "Functions/Replay", "Setup/Function")
    ),
)
_SLOW_LOGS = "Slow logs are for the stage that people wait for."
_NOT_PROTECTED = (
    Meant(_DOMAIN, f"{_NAG}OS4", "One small node: dedicated masters would cost more than it does."),
    Meant(_DOMAIN, f"{_NAG}OS7", "One small node: there is nothing to spread over zones."),
    Meant(_DOMAIN, f"{_NAG}OS9[LogExport::SEARCH_SLOW_LOGS]", _SLOW_LOGS),
    Meant(_DOMAIN, f"{_NAG}OS9[LogExport::INDEX_SLOW_LOGS]", _SLOW_LOGS),
)
_LOCAL = (
    Meant(
        "Queues/Retries",
        "CloudFormation-Validate::E3505",
        "Demo and tests wait for a retry: seconds, not minutes. A letter delivered twice changes nothing.",
    ),
)


def _on_bucket(bodies: str, failed_events: str) -> Iterator[Meant]:
    for role in ("SubscriberRole", "ReplayRole"):
        rule = f"{_NAG}IAM5[Resource::{bodies}]"
        yield Meant(f"Functions/{role}", rule, "Bodies of letters, one object each.")
    rule = f"{_NAG}IAM5[Resource::{failed_events}]"
    yield Meant("Functions/SubscriberRole", rule, "Lambda chooses the keys of failed events.")


def meant(config: StageConfig, *, bodies: str, failed_events: str, indices: Iterable[str]) -> list[Meant]:
    """What is meant for this stage; `bodies`, `failed_events` and `indices` are resources as cdk-nag spells them."""
    found = [*_EVERYWHERE, *_on_bucket(bodies, failed_events)]
    found += [Meant("Setup/Role", f"{_NAG}IAM5[Resource::{name}]", _EVERY_DAY) for name in indices]
    if not config.protected:
        found += _NOT_PROTECTED
    if config.name == "local":
        found += _LOCAL
    return [finding for finding in found if not (config.existing_arn and finding.path == _DOMAIN)]


def acknowledge(stack: Stack, findings: Iterable[Meant]) -> None:
    """Acknowledge each finding at its construct and nowhere else."""
    for finding in findings:
        construct: IConstruct = stack
        for step in finding.path.split("/"):
            construct = construct.node.find_child(step)
        Validations.of(construct).acknowledge(Acknowledgment(id=finding.rule, reason=finding.reason))
