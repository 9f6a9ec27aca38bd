"""The function that subscribes log groups under prefixes: each when it is made, and hourly all that were missed.

https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-logs.html
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from aws_cdk import Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from shipper.handlers import subscribe
from stacks import arns, python_function
from stacks.stages import StageConfig
from stacks.subscriptions import SYSTEM_FIELDS

_EVERY = Duration.hours(1)
_MEMORY_MIB = 256
_TIMEOUT = Duration.minutes(15)
"""An account has a few reads a second: for ten thousand log groups it takes half an hour, and so a few runs."""


class GroupWatch(Construct):
    """The function, what starts it, and its role, which lists log groups and puts filters on those of the prefixes.

    `log_group_arns` are all that it is given rights to.
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
        self._config = config
        log_group = python_function.log_group(self, "Log", config)
        self.function = self._function(log_group, subscriber, [log_group.log_group_name, *own_log_groups])
        by_prefix = [arns.log_group(f"{prefix}*") for prefix in config.log_group_prefixes]
        self._grant([arns.ANY_LOG_GROUP], "logs:DescribeLogGroups")
        self._grant(by_prefix, "logs:DescribeSubscriptionFilters", "logs:PutSubscriptionFilter")
        self.log_group_arns = [arns.ANY_LOG_GROUP, *by_prefix]
        # What fails is done again by the schedule.
        self.function.configure_async_invoke(retry_attempts=2, max_event_age=_EVERY)
        self._start()

    def _start(self) -> None:
        target = targets.LambdaFunction(self.function, retry_attempts=2, max_event_age=_EVERY)
        named = {"logGroupName": [{"prefix": prefix} for prefix in self._config.log_group_prefixes]}
        events.Rule(
            self,
            "Created",
            description=f"Subscribes new log groups to {Stack.of(self).stack_name}",
            event_pattern=events.EventPattern(
                source=["aws.logs"], detail={"eventName": ["CreateLogGroup"], "requestParameters": named}
            ),
            targets=[target],
        )
        # CloudTrail does what it can and promises nothing; groups that are there already have no event at all.
        events.Rule(
            self,
            "Hourly",
            description=f"Subscribes all log groups of its prefixes to {Stack.of(self).stack_name}",
            schedule=events.Schedule.rate(_EVERY),
            targets=[target],
        )

    def _grant(self, log_groups: list[str], *actions: str) -> None:
        iam.Grant.add_to_principal(grantee=self.function, actions=list(actions), resource_arns=log_groups)

    def _function(
        self, log_group: logs.LogGroup, subscriber: lambda_.Function, own_log_groups: Sequence[str]
    ) -> lambda_.Function:
        config = self._config
        return python_function.function(
            self,
            "Function",
            config=config,
            module="subscribe",
            role=python_function.role(self, "Role"),
            log_group=log_group,
            description=f"Subscribes log groups to {Stack.of(self).stack_name}",
            memory_size=_MEMORY_MIB,
            timeout=_TIMEOUT,
            environment={
                "POWERTOOLS_METRICS_NAMESPACE": config.metrics_namespace,
                subscribe.NAME_VARIABLE: Stack.of(self).stack_name,
                subscribe.DESTINATION_VARIABLE: subscriber.function_arn,
                subscribe.PATTERNS_VARIABLE: json.dumps(
                    {prefix: config.pattern_of(prefix) for prefix in config.log_group_prefixes}
                ),
                subscribe.LEFT_OUT_VARIABLE: ",".join([*own_log_groups, *config.excluded_log_groups]),
                subscribe.SYSTEM_FIELDS_VARIABLE: ",".join(SYSTEM_FIELDS) if config.source_fields else "",
            },
        )
