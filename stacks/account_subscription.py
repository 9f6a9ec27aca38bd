"""One subscription for every log group of the account and Region, in place of a filter on each."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from stacks.stages import StageConfig


class AccountSubscription(Construct):
    """The policy; an account has one in a Region. Without `own_log_groups` it would feed itself.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters-AccountLevel.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: StageConfig,
        subscriber: lambda_.Function,
        own_log_groups: Sequence[str],
    ) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        left_out = stack.to_json_string([*own_log_groups, *config.excluded_log_groups])
        logs.CfnAccountPolicy(
            self,
            "Policy",
            policy_name=stack.stack_name,
            policy_type="SUBSCRIPTION_FILTER_POLICY",
            policy_document=stack.to_json_string(
                {"DestinationArn": subscriber.function_arn, "FilterPattern": config.filter_pattern}
            ),
            scope="ALL",
            # The only form that there is: what is taken cannot be named.
            selection_criteria=f"LogGroupName NOT IN {left_out}",
        )
