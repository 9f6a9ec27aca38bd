"""The canary: a function that writes a line into each log group every minute, and looks for it in the index."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from shipper import canary
from shipper.handlers.canary import GROUPS_VARIABLE
from stacks import arns, python_function
from stacks.collection import Target
from stacks.stages import StageConfig
from stacks.subscriptions import Subscribed

_EVERY = Duration.minutes(1)
_MEMORY_MIB = 256
_TIMEOUT = Duration.seconds(30)


class Canary(Construct):
    """The function, its schedule and its role, which writes into one log stream and searches, and nothing else."""

    def __init__(
        self, scope: Construct, construct_id: str, *, config: StageConfig, domain: Target, groups: Sequence[Subscribed]
    ) -> None:
        super().__init__(scope, construct_id)
        self.function = self._function(config, domain, groups)
        domain.grant_search(self.function)
        iam.Grant.add_to_principal(
            grantee=self.function,
            actions=["logs:CreateLogStream", "logs:PutLogEvents"],
            resource_arns=[arns.log_group(f"{group.log_group}:log-stream:{canary.STREAM}") for group in groups],
        )
        # A minute that was missed tells nothing later.
        self.function.configure_async_invoke(retry_attempts=0, max_event_age=_EVERY)
        events.Rule(
            self,
            "EveryMinute",
            description=f"Starts the canary of {Stack.of(self).stack_name}",
            schedule=events.Schedule.rate(_EVERY),
            targets=[targets.LambdaFunction(self.function, retry_attempts=0)],
        )

    def _function(self, config: StageConfig, domain: Target, groups: Sequence[Subscribed]) -> lambda_.Function:
        return python_function.function(
            self,
            "Function",
            config=config,
            module="canary",
            role=python_function.role(self, "Role"),
            log_group=python_function.log_group(self, "Log", config),
            description=f"Canary of {Stack.of(self).stack_name}",
            memory_size=_MEMORY_MIB,
            timeout=_TIMEOUT,
            environment={
                "SHIPPER_ENDPOINT": domain.endpoint,
                "SHIPPER_SERVICE": domain.service,
                "POWERTOOLS_METRICS_NAMESPACE": config.metrics_namespace,
                GROUPS_VARIABLE: ",".join(group.log_group for group in groups),
            },
        )
