"""All of the shipping as one construct: composes the parts and grants, makes nothing itself (docs/own-app.md)."""

from __future__ import annotations

from aws_cdk import CfnOutput, Stack, Token
from constructs import Construct

from stacks import alarms, nag
from stacks.account_subscription import AccountSubscription
from stacks.canary import Canary
from stacks.cluster_access import ClusterAccess
from stacks.collection import Collection
from stacks.domain_setup import DomainSetup
from stacks.functions import Functions
from stacks.group_watch import GroupWatch
from stacks.network import Network
from stacks.observability import Observability
from stacks.queues import Queues
from stacks.search_domain import SearchDomain
from stacks.stages import StageConfig
from stacks.subscriptions import Subscriptions, own_log_groups


class BadConfiguration(ValueError):
    """The configuration cannot be deployed; the message names every fault."""


class LogShipping(Construct):
    """From CloudWatch Logs to the domain, with everything in between.

    The parts are its attributes; `topic` is where alarms go, and takes other alarms of the account too. `outputs` are
    values by the names by which the command line looks for them. Of one `config.name` there may be one in an account
    and Region. Raises `BadConfiguration` and, where code is bundled, `BundlingFailed`.
    """

    def __init__(self, scope: Construct, construct_id: str, *, config: StageConfig) -> None:
        super().__init__(scope, construct_id)
        _check(self, config)
        network = Network(self, "Network", config=config) if config.vpc_id else None
        setup = DomainSetup(self, "Setup", config=config)
        domain = (
            Collection(self, "Search", config=config)
            if config.existing_collection
            else SearchDomain(self, "Search", config=config, master=setup.role, network=network)
        )
        queues = Queues(self, "Queues", config=config)
        functions = Functions(self, "Functions", config=config, domain=domain, queues=queues)
        subscriptions = Subscriptions(self, "Subscriptions", config=config, subscriber=functions.subscriber)
        access = ClusterAccess(self, "ClusterAccess", config=config)

        searchers = []
        if config.canary:
            canary = Canary(self, "Canary", config=config, domain=domain, groups=subscriptions.groups)
            searchers.append(canary.function)

        writers = (functions.subscriber, functions.replay)
        done = setup.run(domain, queues, writers=writers, searchers=searchers, network=network)
        # The first log makes the first index, by the template that is there then.
        subscriptions.node.add_dependency(done)
        for function in writers:
            domain.grant_bulk(function)
        if network:
            for function in (*writers, *searchers):
                network.attach(function)
        queues.grant_send_letters(functions.subscriber)
        # What it cannot deliver stays in the retry queue: it puts nothing there.
        queues.grant_send_dead_letters(functions.replay)
        queues.grant_read_bodies(functions.replay)
        watch = Observability(
            self,
            "Observability",
            config=config,
            domain=domain,
            queues=queues,
            functions=functions,
            subscriptions=subscriptions,
        )

        # Behind all that has a log group, which they leave out.
        groups = self._subscribe_more(config, subscriptions, functions, watch)

        self.domain, self.queues, self.functions = domain, queues, functions
        self.subscriptions, self.topic, self.dashboard = subscriptions, watch.topic, watch.dashboard
        self.outputs: dict[str, str] = {
            "DomainEndpoint": domain.endpoint,
            "RetryQueueUrl": queues.retries.queue_url,
            "DeadLetterQueueUrl": queues.dead_letters.queue_url,
            "FailedEventsBucket": queues.failed_events.bucket_name,
            "SubscriberFunction": functions.subscriber.function_name,
            "ReplayFunction": functions.replay.function_name,
            "SubscriberLogGroup": functions.subscriber.log_group.log_group_name,
            "ReplayLogGroup": functions.replay.log_group.log_group_name,
            "LogGroupPrefix": config.cluster_prefix,
            "MetricsNamespace": config.metrics_namespace,
            "AlarmTopic": watch.topic.topic_arn,
            "Dashboard": watch.dashboard.dashboard_name,
            "DomainSetupRole": setup.role.role_arn,
            "DomainSetup": done.get_att_string("Summary"),
            **access.outputs,
            **({"GroupWatchFunction": groups.function.function_name} if groups else {}),
        }
        nag.acknowledge(
            self,
            nag.meant(
                config,
                bodies=queues.bodies_arn,
                failed_events=queues.failed_events.arn_for_objects("*"),
                indices=domain.setup_arns,
                written=access.log_group_arns,
                searched=domain.search_arns,
                watched=groups.log_group_arns if groups else [],
            ),
        )

    def _subscribe_more(
        self, config: StageConfig, subscriptions: Subscriptions, functions: Functions, watch: Observability
    ) -> GroupWatch | None:
        """Subscribe by other means than filters of the stack."""
        own = own_log_groups(self, config.cluster_prefix)
        if config.subscription == "account":
            policy = AccountSubscription(
                self, "AccountSubscription", config=config, subscriber=functions.subscriber, own_log_groups=own
            )
            policy.node.add_dependency(subscriptions)
        if not config.log_group_prefixes:
            return None
        groups = GroupWatch(self, "GroupWatch", config=config, subscriber=functions.subscriber, own_log_groups=own)
        groups.node.add_dependency(subscriptions)
        # It starts once an hour, so that all of its tries may be in one period.
        watch.add(alarms.function_rules("group watch", groups.function, needed=1))
        return groups

    def add_outputs(self) -> None:
        """Make `outputs` those of the stack, so that `cwl-shipper ... --stack NAME` finds the parts; once a stack."""
        for name, value in self.outputs.items():
            CfnOutput(Stack.of(self), name, value=value)


def _check(shipping: LogShipping, config: StageConfig) -> None:
    problems = config.problems()
    if Token.is_unresolved(Stack.of(shipping).stack_name):
        problems.append("a nested stack has no name at synthesis, and the parts are named for their stack")
    if problems:
        raise BadConfiguration(f"stage {config.name}: " + "; ".join(problems))
