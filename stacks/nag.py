"""Findings of cdk-nag that are meant, each with its reason. Whatever is not in this table fails the synthesis."""

from __future__ import annotations

from aws_cdk import Acknowledgment, Stack, Validations

from stacks.stages import StageConfig

_EVERYWHERE: dict[str, str] = {
    "AwsSolutions::AwsSolutions-OS1": "A workstation replays dead letters: the endpoint is public and takes nothing "
    "but requests signed by identities of this account that an IAM policy allows.",
    "AwsSolutions::AwsSolutions-OS3": "Who may come is decided by identity, since functions have no fixed addresses.",
    "AwsSolutions::AwsSolutions-OS5": "There is no resource policy, so nothing anonymous is let in: only identities "
    "of this account whose own policies allow it.",
    "AwsSolutions::AwsSolutions-S1": "The bucket has two writers, Lambda and the two functions; CloudTrail data events "
    "show them where that is wanted.",
    "AwsSolutions::AwsSolutions-L1": "Python 3.13 is the runtime that all pinned wheels exist for and are tested on.",
}
_NOT_IN_PROD: dict[str, str] = {
    "AwsSolutions::AwsSolutions-OS4": "One small node: dedicated masters would cost more than it does.",
    "AwsSolutions::AwsSolutions-OS7": "One small node: there is nothing to spread over zones.",
    "AwsSolutions::AwsSolutions-OS9[LogExport::SEARCH_SLOW_LOGS]": "Slow logs are for the stage that people wait for.",
    "AwsSolutions::AwsSolutions-OS9[LogExport::INDEX_SLOW_LOGS]": "Slow logs are for the stage that people wait for.",
}
_LOCAL: dict[str, str] = {
    "CloudFormation-Validate::E3505": "Demo and tests wait for a retry: seconds, not minutes. A letter delivered "
    "twice changes nothing.",
}


def acknowledge(stack: Stack, config: StageConfig, *, bodies: str, failed_events: str) -> None:
    """Acknowledge what is meant for this stage; `bodies` and `failed_events` are resources as cdk-nag spells them."""
    reasons = dict(_EVERYWHERE)
    reasons[f"AwsSolutions::AwsSolutions-IAM5[Resource::{bodies}]"] = "Bodies of letters, one object each."
    reasons[f"AwsSolutions::AwsSolutions-IAM5[Resource::{failed_events}]"] = "Lambda chooses the keys of failed events."
    if not config.protected:
        reasons |= _NOT_IN_PROD
    if config.name == "local":
        reasons |= _LOCAL
    for rule, reason in reasons.items():
        Validations.of(stack).acknowledge(Acknowledgment(id=rule, reason=reason))
