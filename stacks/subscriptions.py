"""The log groups of the cluster, others by name, and what CloudWatch Logs needs to invoke the subscriber for them."""

from __future__ import annotations

from typing import NamedTuple

from aws_cdk import Aws
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from stacks import arns, encryption, retention
from stacks.stages import StageConfig

SYSTEM_FIELDS = ("@aws.account", "@aws.region")
"""Where an event was copied from; https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/
CloudWatchLogs_Centralization.html"""


class Subscribed(NamedTuple):
    """A log group with its filter, as the metrics of CloudWatch Logs name them; no filter under an account's policy."""

    kind: str
    log_group: str
    filter_name: str


class Subscriptions(Construct):
    """A log group and a subscription filter for each of the three kinds of logs, and filters on log groups by name.

    `groups` are the three, `more` the others. With a policy of the whole account (account_subscription.py) there are no
    filters, and with it or with prefixes (group_watch.py) more log groups may invoke.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, config: StageConfig, subscriber: lambda_.Function
    ) -> None:
        super().__init__(scope, construct_id)
        self.groups: list[Subscribed] = []
        self._config = config
        self._subscriber = subscriber
        permission = self._permission("InvokeByLogs", f"{config.cluster_prefix}*:*")
        for kind, name in config.cluster_log_groups.items():
            made = self._log_group(kind, name).log_group_name
            filter_ = (
                "" if config.subscription == "account" else self._filter(kind.capitalize(), kind, made, permission)
            )
            self.groups.append(Subscribed(kind, made, filter_))

        if config.subscription == "account" or config.extra_log_groups or config.log_group_prefixes:
            permission = self._permission("InvokeByOtherLogs", "*")
        self.more = [
            Subscribed(name, name, self._filter(name, name, name, permission)) for name in config.extra_log_groups
        ]

    def _filter(self, id_: str, key: str, log_group: str, permission: lambda_.CfnPermission) -> str:
        """A filter on a log group, with the pattern that the configuration has under `key`; its name."""
        made = logs.CfnSubscriptionFilter(
            self,
            f"{id_}Filter",
            destination_arn=self._subscriber.function_arn,
            filter_pattern=self._config.pattern_of(key),
            log_group_name=log_group,
            emit_system_fields=list(SYSTEM_FIELDS) if self._config.source_fields else None,
        )
        # CloudWatch invokes the function when the filter is made: without the permission that fails.
        made.add_resource_dependency(permission)
        return made.ref

    def _permission(self, id_: str, log_groups: str) -> lambda_.CfnPermission:
        """One statement for many groups: one for each would reach the 20 KB that a function's policy may have.

        An update replaces it where anything in it changes, and what may not invoke is skipped meanwhile: so the one
        for the cluster stays as it is, whatever else is subscribed to.

        Account and ARN are checked, so that nobody else's log groups can use CloudWatch Logs as a deputy
        (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html).
        """
        return lambda_.CfnPermission(
            self,
            id_,
            action="lambda:InvokeFunction",
            function_name=self._subscriber.function_arn,
            principal="logs.amazonaws.com",
            source_account=Aws.ACCOUNT_ID,
            source_arn=arns.log_group(log_groups),
        )

    def _log_group(self, kind: str, name: str) -> logs.ILogGroup:
        config = self._config
        if not config.create_log_groups:
            return logs.LogGroup.from_log_group_name(self, kind.capitalize(), name)
        return logs.LogGroup(
            self,
            kind.capitalize(),
            log_group_name=name,
            encryption_key=encryption.key(self, config),
            retention=retention.days(config.log_retention_days),
            removal_policy=retention.removal(config),
        )


def own_log_groups(scope: Construct, prefix: str) -> list[str]:
    """The names of all log groups in `scope` but for the cluster's: what is written there while logs are shipped.

    Subscribed to, each line about a delivery would be one more to deliver, for ever;
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/Subscriptions-recursion-prevention.html
    """
    return [
        made.ref
        for made in scope.node.find_all()
        if isinstance(made, logs.CfnLogGroup) and not (made.log_group_name or "").startswith(prefix)
    ]
