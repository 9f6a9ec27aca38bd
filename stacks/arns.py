"""ARNs of this account and Region, in whatever partition that is."""

from __future__ import annotations

from typing import Any

from aws_cdk import Aws


def here(service: str, resource: str) -> str:
    """Of a resource, or of several where `resource` has a star."""
    return f"arn:{Aws.PARTITION}:{service}:{Aws.REGION}:{Aws.ACCOUNT_ID}:{resource}"


def log_group(name: str) -> str:
    """Of a log group; `name` may have a star, or go on to what is in the group."""
    return here("logs", f"log-group:{name}")


ANY_LOG_GROUP = log_group("*")


def only_for(source_arn: str) -> dict[str, Any]:
    """Conditions by which a service acts for a resource of this account, and for nobody else's.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
    """
    return {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}, "ArnLike": {"aws:SourceArn": source_arn}}
