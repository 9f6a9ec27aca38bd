"""What all functions of the stack have alike: the one package, a log group that ends, JSON logs, tracing if wanted."""

from __future__ import annotations

from typing import Any

from aws_cdk import RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from stacks import asset, encryption, retention
from stacks.stages import StageConfig


def log_group(scope: Construct, construct_id: str, config: StageConfig) -> logs.LogGroup:
    """Of one function, named by CloudFormation; it goes with the function."""
    return logs.LogGroup(
        scope,
        construct_id,
        encryption_key=encryption.key(scope, config),
        retention=retention.days(config.function_log_retention_days),
        removal_policy=RemovalPolicy.DESTROY,
    )


def role(scope: Construct, construct_id: str) -> iam.Role:
    """Of one function, with no rights yet."""
    return iam.Role(scope, construct_id, assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))


def function(
    scope: Construct,
    construct_id: str,
    *,
    config: StageConfig,
    module: str,
    role: iam.Role,
    log_group: logs.LogGroup,
    **properties: Any,
) -> lambda_.Function:
    """The function of `shipper.handlers.<module>`; `properties` are those of `lambda_.Function`.

    Raises `BundlingFailed`.
    """
    log_group.grant_write(role)
    return lambda_.Function(
        scope,
        construct_id,
        runtime=asset.RUNTIME,
        architecture=asset.machine(config.architecture),
        handler=f"shipper.handlers.{module}.handler",
        code=asset.code(scope, config.architecture),
        tracing=lambda_.Tracing.ACTIVE if config.tracing else None,
        log_group=log_group,
        logging_format=lambda_.LoggingFormat.JSON,
        role=role,
        **properties,
    )
