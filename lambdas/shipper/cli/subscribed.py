"""What hands the events of a log group to the subscriber: a filter of the group, or the policy of the account."""

from __future__ import annotations

from shipper.aws.log_groups import LogGroups, Subscription, UnknownCriteria
from shipper.cli import deployment
from shipper.cli.terminal import Failed


def subscribed(groups: LogGroups, log_group: str, function: str) -> tuple[Subscription | None, str]:
    """The filter, or else the policy; and where neither is found, why that may be wrong: "" where nothing says so.

    Only a stage with `subscription = "account"` has the policy, so that a role may lack the right to read it. Raises
    what boto3 raises of the filters.
    """
    if found := groups.subscription(log_group, function):
        return found, ""
    try:
        with deployment.aws_errors(""):
            return groups.account_subscription(log_group, function), ""
    except Failed as error:
        said = error.message
    except UnknownCriteria as error:
        said = str(error)
    return None, f", and whether the account's policy does is not known: {said}"
