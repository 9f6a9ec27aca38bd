"""The log groups of the cluster and what CloudWatch Logs needs to invoke the subscriber for them."""

from __future__ import annotations

from aws_cdk import Aws
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from stacks import retention
from stacks.stages import LOG_GROUPS, StageConfig


class Subscriptions(Construct):
    """A log group and a subscription filter for each of the three kinds of logs."""

    def __init__(
        self, scope: Construct, construct_id: str, *, config: StageConfig, subscriber: lambda_.Function
    ) -> None:
        super().__init__(scope, construct_id)
        self.prefix = f"/aws/containerinsights/{config.cluster}/"
        permission = self._permission(subscriber)
        for kind in LOG_GROUPS:
            log_group = self._log_group(kind, config)
            subscription = logs.CfnSubscriptionFilter(
                self,
                f"{kind.capitalize()}Filter",
                destination_arn=subscriber.function_arn,
                filter_pattern=config.filter_pattern,
                log_group_name=log_group.log_group_name,
            )
            # CloudWatch invokes the function when the filter is made: without the permission that fails.
            subscription.add_resource_dependency(permission)

    def _permission(self, subscriber: lambda_.Function) -> lambda_.CfnPermission:
        """One statement for all groups: one for each would reach the 20 KB that a function's policy may have.

        Account and ARN are checked, so that nobody else's log groups can use CloudWatch Logs as a deputy
        (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html).
        """
        return lambda_.CfnPermission(
            self,
            "InvokeByLogs",
            action="lambda:InvokeFunction",
            function_name=subscriber.function_arn,
            principal="logs.amazonaws.com",
            source_account=Aws.ACCOUNT_ID,
            source_arn=f"arn:{Aws.PARTITION}:logs:{Aws.REGION}:{Aws.ACCOUNT_ID}:log-group:{self.prefix}*:*",
        )

    def _log_group(self, kind: str, config: StageConfig) -> logs.ILogGroup:
        name = self.prefix + kind
        if not config.create_log_groups:
            return logs.LogGroup.from_log_group_name(self, kind.capitalize(), name)
        return logs.LogGroup(
            self,
            kind.capitalize(),
            log_group_name=name,
            retention=retention.days(config.log_retention_days),
            removal_policy=retention.removal(config),
        )
