"""Who is told what: a topic, alarms with the way to their section of the runbook, a dashboard."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscribers
from constructs import Construct

from stacks import alarms, arns, encryption
from stacks.alarms import Rule
from stacks.collection import Target
from stacks.dashboard import rows
from stacks.functions import Functions
from stacks.queues import Queues
from stacks.stages import StageConfig
from stacks.subscriptions import Subscriptions

_ALARMS_HERE = arns.here("cloudwatch", "alarm:*")
_UNKNOWN_VOLUME_LOW_MIB = 20_480
"""What the service recommends where nobody knows the volumes;
https://docs.aws.amazon.com/opensearch-service/latest/developerguide/cloudwatch-alarms.html"""


class Observability(Construct):
    """Alarms on everything that the other parts can suffer, and a page that shows it."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: StageConfig,
        domain: Target,
        queues: Queues,
        functions: Functions,
        subscriptions: Subscriptions,
    ) -> None:
        super().__init__(scope, construct_id)
        self._runbook_url = config.runbook_url
        self.topic = self._topic(config)
        self.add(_rules(config, domain, queues, functions, subscriptions))
        self.dashboard = cloudwatch.Dashboard(
            self,
            "Dashboard",
            widgets=list(rows(config, domain.dimensions, queues, functions, subscriptions.groups, subscriptions.more)),
        )

    def add(self, rules: Iterable[Rule]) -> None:
        """Make an alarm of each rule, which tells the topic."""
        action = actions.SnsAction(self.topic)
        for rule in rules:
            alarm = self._alarm(rule)
            alarm.add_alarm_action(action)
            alarm.add_ok_action(action)

    def _alarm(self, rule: Rule) -> cloudwatch.Alarm:
        return cloudwatch.Alarm(
            self,
            rule.id,
            metric=rule.metric,
            # The console shows it as Markdown.
            alarm_description=f"{rule.says} [What to do]({self._runbook_url}#{rule.anchor})",
            threshold=rule.limit,
            comparison_operator=rule.compare,
            evaluation_periods=rule.periods,
            datapoints_to_alarm=rule.needed or None,
            treat_missing_data=rule.missing,
        )

    def _topic(self, config: StageConfig) -> sns.Topic:
        """Encrypted with a key of its own: CloudWatch may not use that of SNS, and an alarm may be about the data's.

        https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
        """
        key = self._key()
        topic = sns.Topic(self, "Topic", master_key=key, enforce_ssl=True)
        key.add_to_resource_policy(encryption.by_service("cloudwatch", _ALARMS_HERE))
        topic.add_to_resource_policy(_publish(topic))
        if config.alarm_email:
            topic.add_subscription(subscribers.EmailSubscription(config.alarm_email))
        return topic

    def _key(self) -> kms.Key:
        return kms.Key(
            self,
            "Key",
            description=f"Encrypts the alarms of {Stack.of(self).stack_name}",
            enable_key_rotation=True,
            # It encrypts what is on its way for seconds: nothing is lost with it.
            removal_policy=RemovalPolicy.DESTROY,
        )


def _publish(topic: sns.Topic) -> iam.PolicyStatement:
    """Let CloudWatch publish for alarms of this account and Region, and for nobody else's."""
    return iam.PolicyStatement(
        principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
        actions=["sns:Publish"],
        resources=[topic.topic_arn],
        conditions=arns.only_for(_ALARMS_HERE),
    )


def _rules(
    config: StageConfig, domain: Target, queues: Queues, functions: Functions, subscriptions: Subscriptions
) -> Iterator[Rule]:
    yield from alarms.queue_rules(config, dead_letters=queues.dead_letters, retries=queues.retries)
    yield from alarms.ledger_rules(config.metrics_namespace)
    yield from alarms.function_rules("subscriber", functions.subscriber)
    yield from alarms.function_rules("replay", functions.replay)
    yield from alarms.async_rules(config, functions.subscriber)
    for group in subscriptions.groups:
        yield from alarms.group_rules(config, group)
    for group in subscriptions.more:
        yield from alarms.delivery_rules(config, group)
    if domain.dimensions:
        yield from alarms.domain_rules(domain.dimensions, _low_storage_mib(config))


def _low_storage_mib(config: StageConfig) -> float:
    recommended = _UNKNOWN_VOLUME_LOW_MIB if config.existing_arn else config.volume_gib * 1_024 / 4
    return config.low_storage_mib or recommended
