"""The one stack (docs/adr/0001-one-stack.md): composes the parts and grants, makes nothing itself."""

from __future__ import annotations

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from stacks import nag
from stacks.domain_setup import DomainSetup
from stacks.functions import Functions
from stacks.queues import Queues
from stacks.search_domain import SearchDomain
from stacks.stages import StageConfig
from stacks.subscriptions import Subscriptions


class LogShipping(Stack):
    """From CloudWatch Logs to the domain, with everything in between. `config.problems()` must be empty."""

    def __init__(self, scope: Construct, *, config: StageConfig) -> None:
        super().__init__(
            scope,
            "LogShipping",
            stack_name=f"cwl-shipper-{config.name}",
            termination_protection=config.protected,
            description="Ships the logs of an EKS cluster from CloudWatch Logs to OpenSearch",
        )
        setup = DomainSetup(self, "Setup", config=config)
        domain = SearchDomain(self, "Search", config=config, master=setup.role)
        queues = Queues(self, "Queues", config=config)
        functions = Functions(self, "Functions", config=config, domain=domain, queues=queues)
        subscriptions = Subscriptions(self, "Subscriptions", config=config, subscriber=functions.subscriber)

        done = setup.run(domain, writers=(functions.subscriber, functions.replay))
        # The first log makes the first index, by the template that is there then.
        subscriptions.node.add_dependency(done)
        for function in (functions.subscriber, functions.replay):
            domain.grant_bulk(function)
            queues.grant_hand_on(function)
        queues.grant_read_bodies(functions.replay)

        outputs = {
            "DomainEndpoint": domain.endpoint,
            "RetryQueueUrl": queues.retries.queue_url,
            "DeadLetterQueueUrl": queues.dead_letters.queue_url,
            "FailedEventsBucket": queues.failed_events.bucket_name,
            "SubscriberFunction": functions.subscriber.function_name,
            "ReplayFunction": functions.replay.function_name,
            "SubscriberLogGroup": functions.subscriber.log_group.log_group_name,
            "ReplayLogGroup": functions.replay.log_group.log_group_name,
            "LogGroupPrefix": subscriptions.prefix,
            "DomainSetupRole": setup.role.role_arn,
            "DomainSetup": done.get_att_string("Summary"),
        }
        for name, value in outputs.items():
            CfnOutput(self, name, value=value)
        nag.acknowledge(
            self,
            nag.meant(
                config,
                bodies=queues.bodies_as_nag_spells,
                failed_events=queues.events_as_nag_spells,
                indices=domain.patterns_as_nag_spells,
            ),
        )
