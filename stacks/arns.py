"""ARNs of this account and Region, in whatever partition that is."""

from __future__ import annotations

from aws_cdk import Aws


def log_group(name: str) -> str:
    """Of the log group, or of what stands for several or for something in one, as `name` says."""
    return f"arn:{Aws.PARTITION}:logs:{Aws.REGION}:{Aws.ACCOUNT_ID}:log-group:{name}"
