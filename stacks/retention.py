"""What is kept, and for how long, in the CDK's words."""

from __future__ import annotations

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs

from stacks.field_checks import RETENTION
from stacks.stages import StageConfig


def removal(config: StageConfig) -> RemovalPolicy:
    """What becomes of data when its resource leaves the stack.

    Kept data is still removed when the very creation fails: the log groups have fixed names, and what a rollback
    leaves behind would refuse the next deployment.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-deletionpolicy.html
    """
    return RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if config.keep_data else RemovalPolicy.DESTROY


def days(count: int) -> logs.RetentionDays:
    """A retention that `StageConfig.problems` let through."""
    return logs.RetentionDays[RETENTION[count]]
