"""The function that sets the domain up at every deploy that would change what it writes, and its role."""

from __future__ import annotations

from collections.abc import Iterable

from aws_cdk import CustomResource, Duration, Stack
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from shipper import setup_plan
from shipper.handlers.domain_setup import BUCKET_VARIABLE, IDENTITY_VARIABLE, QUEUE_VARIABLE
from stacks import python_function
from stacks.collection import Target
from stacks.network import Network
from stacks.queues import Queues
from stacks.stages import StageConfig

_MEMORY_MIB = 256
_LONGER_THAN_THE_FUNCTION_S = 60
"""How much longer than the function may run CloudFormation waits for its answer; by default it is an hour."""


class DomainSetup(Construct):
    """Index template, roles, retention and Dashboards objects of a domain.

    The role comes with the construct, since a domain with fine-grained access control is made with it as its master;
    `run` follows when the domain is there.
    """

    def __init__(self, scope: Construct, construct_id: str, *, config: StageConfig) -> None:
        super().__init__(scope, construct_id)
        self._config = config
        self.role = python_function.role(self, "Role")

    def run(
        self,
        domain: Target,
        queues: Queues,
        *,
        writers: Iterable[lambda_.Function],
        searchers: Iterable[lambda_.Function],
        network: Network | None,
    ) -> CustomResource:
        """Set `domain` up for those that write and search; what the resource says of it is its `Summary`."""
        function = self._function(queues)
        if network:
            network.attach(function)
        domain.grant_setup(self.role)
        queues.grant_consume_dead_letters(self.role)
        plan = setup_plan.Plan(
            endpoint=domain.endpoint,
            collection=self._config.existing_collection,
            shards=self._config.index_shards,
            # A single node has nowhere to put a copy.
            replicas=min(self._config.instance_count - 1, 1),
            refresh_s=self._config.index_refresh_s,
            delete_after_days=self._config.index_days,
            warm_after_days=self._config.warm_after_days,
            cold_after_days=self._config.cold_after_days,
            adopt=self._config.adopt_indices,
            security=self._config.fine_grained_access and not self._config.existing_collection,
            writers=tuple(_role_arn(writer) for writer in writers),
            readers=(*self._config.reader_roles, *(_role_arn(searcher) for searcher in searchers)),
            operators=self._config.operator_roles,
            admins=self._config.admin_roles,
        )
        run = CustomResource(
            self,
            "Run",
            service_token=function.function_arn,
            resource_type="Custom::DomainSetup",
            properties=plan.to_properties(),
            service_timeout=Duration.seconds(self._config.setup_timeout_s + _LONGER_THAN_THE_FUNCTION_S),
        )
        run.node.add_dependency(domain)
        if network:
            # Without its endpoints the function can neither begin nor answer CloudFormation.
            run.node.add_dependency(network)
        # S3 tries the queue when the bucket is made: what it leaves there is taken away by the run.
        run.node.add_dependency(queues.failed_events)
        return run

    def _function(self, queues: Queues) -> lambda_.Function:
        return python_function.function(
            self,
            "Function",
            config=self._config,
            module="domain_setup",
            role=self.role,
            log_group=python_function.log_group(self, "Log", self._config),
            description=f"Sets up the search domain of {Stack.of(self).stack_name}",
            memory_size=_MEMORY_MIB,
            timeout=Duration.seconds(self._config.setup_timeout_s),
            environment={
                IDENTITY_VARIABLE: self.role.role_arn,
                QUEUE_VARIABLE: queues.dead_letters.queue_url,
                BUCKET_VARIABLE: queues.failed_events.bucket_name,
            },
        )


def _role_arn(function: lambda_.Function) -> str:
    if function.role is None:
        raise AssertionError("every function of the stack is made with a role")
    return function.role.role_arn
