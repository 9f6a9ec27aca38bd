"""What wakes somebody, as rules: a metric, its limit, what it means. `docs/runbook.md` has a section for each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs

from shipper import metrics
from stacks.measures import incoming, of_canary, of_delivery, of_domain, of_function, of_queue, own
from stacks.stages import StageConfig
from stacks.subscriptions import Subscribed

_AT_LEAST = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
_BELOW = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
_FINE = cloudwatch.TreatMissingData.NOT_BREACHING
_BAD = cloudwatch.TreatMissingData.BREACHING

_DAY_S = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """An alarm: `of` says of what there are several, `kind` is its heading in the runbook.

    It goes off when `needed` of the last `periods` values (all, where that is 0) are on the wrong side of `limit`.
    """

    kind: str
    metric: cloudwatch.IMetric
    says: str
    of: str = ""
    limit: float = 1
    compare: cloudwatch.ComparisonOperator = _AT_LEAST
    periods: int = 1
    needed: int = 0
    missing: cloudwatch.TreatMissingData = _FINE

    @property
    def id(self) -> str:
        """The construct's id: the words of kind and thing put together."""
        return "".join(word[:1].upper() + word[1:] for word in re.findall(r"\w+", f"{self.kind} {self.of}"))

    @property
    def anchor(self) -> str:
        """Where the heading can be linked to."""
        return self.kind.lower().replace(" ", "-")


def queue_rules(config: StageConfig, *, dead_letters: sqs.IQueue, retries: sqs.IQueue) -> Iterator[Rule]:
    """What waits for a person, and what waits too long for the domain."""
    yield Rule(
        kind="Dead letters wait",
        metric=of_queue(dead_letters, "ApproximateNumberOfMessagesVisible"),
        # An hour: the message with which S3 tries the queue at the first deployment is taken away before that.
        periods=12,
        says="Documents or whole events that were refused for good have waited for an hour for somebody to look.",
    )
    yield Rule(
        kind="Dead letters grow old",
        metric=of_queue(dead_letters, "ApproximateAgeOfOldestMessage"),
        limit=config.queue_retention_days * _DAY_S / 2,
        says=f"Half of the {config.queue_retention_days} days are over after which the queue forgets a dead letter.",
    )
    waits = "The domain has not taken something for an hour. It waits in the retry queue and goes by itself."
    yield Rule(
        kind="Letters wait for the domain",
        of="age",
        metric=of_queue(retries, "ApproximateAgeOfOldestMessage"),
        limit=3_600,
        says=waits,
    )
    # The age leaves out what was received more than three times; a letter that is put off is one of those hidden.
    yield Rule(
        kind="Letters wait for the domain",
        of="number",
        metric=of_queue(retries, "ApproximateNumberOfMessagesNotVisible"),
        periods=12,
        says=waits,
    )


def ledger_rules(namespace: str) -> Iterator[Rule]:
    """What the functions' own books say."""
    yield Rule(
        kind="Documents are put off",
        metric=own(namespace, "requeued", "subscriber"),
        periods=3,
        says="For 15 minutes the domain has not taken everything at once.",
    )
    for service in ("subscriber", "replay"):
        yield Rule(
            kind="Documents are refused",
            of=service,
            metric=own(namespace, "dead_lettered", service),
            says="The domain refuses documents for good, now.",
        )


def function_rules(name: str, function: lambda_.IFunction, *, needed: int = 2) -> Iterator[Rule]:
    """What any function may suffer. One failure alone is tried again: it takes so many bad periods of three."""
    for kind, of, says in (
        ("A function fails", "Errors", f"The {name} function raises or runs out of time, again and again."),
        ("A function is throttled", "Throttles", f"Lambda does not start the {name} function as often as it should."),
    ):
        yield Rule(kind=kind, of=name, metric=of_function(function, of), periods=3, needed=needed, says=says)


def async_rules(config: StageConfig, subscriber: lambda_.IFunction) -> Iterator[Rule]:
    """What can happen to an event between CloudWatch Logs and the function."""
    yield Rule(
        kind="Lambda gives events up",
        metric=of_function(subscriber, "AsyncEventsDropped"),
        says="After all its tries Lambda gave up on events of the subscriber, and put them into the bucket.",
    )
    yield Rule(
        kind="Events wait for the function",
        metric=of_function(subscriber, "AsyncEventAge", "Maximum"),
        limit=config.fresh_within_s * 1_000,
        says=f"An event waited for the subscriber for over {config.fresh_within_s} s. After six hours it is given up.",
    )
    yield Rule(
        kind="Events may be lost",
        metric=of_function(subscriber, "DestinationDeliveryFailures"),
        says="Lambda could not put an event that it gave up on into the bucket. CloudWatch Logs still has it.",
    )


def delivery_rules(config: StageConfig, group: Subscribed) -> Iterator[Rule]:
    """What can happen to the events of any log group. Of handing on CloudWatch tells by the filter, if there is one."""
    if group.filter_name:
        yield from _handing_on_rules(group)
    yield Rule(
        kind="Logs come late",
        of=group.kind,
        # The youngest of each period: one pod with a broken clock is no delay.
        metric=own(
            config.metrics_namespace, metrics.NEWEST_EVENT_AGE_MS, "subscriber", "Minimum", log_group=group.log_group
        ),
        limit=config.fresh_within_s * 1_000,
        periods=2,
        says=f"Logs of {group.kind} are found only after more than {config.fresh_within_s} s.",
    )


def _handing_on_rules(group: Subscribed) -> Iterator[Rule]:
    yield Rule(
        kind="Events are not handed on",
        of=group.kind,
        metric=of_delivery(group, "DeliveryErrors"),
        says=f"CloudWatch Logs could not hand events of {group.kind} to the subscriber. What it skips never comes.",
    )
    yield Rule(
        kind="Events are handed on late",
        of=group.kind,
        metric=of_delivery(group, "DeliveryThrottling"),
        periods=3,
        says=f"CloudWatch Logs is throttled when it hands on events of {group.kind}. It tries for 24 hours.",
    )


def group_rules(config: StageConfig, group: Subscribed) -> Iterator[Rule]:
    """What can happen to one log group of the cluster."""
    yield from delivery_rules(config, group)
    for kind, minutes in config.silent_after_min:
        if kind == group.kind:
            yield _silence(config, group, minutes)
    if config.canary:
        yield Rule(
            kind="The canary is late",
            of=group.kind,
            metric=of_canary(config.metrics_namespace, group, metrics.CANARY_AGE_MS, "Minimum"),
            limit=config.fresh_within_s * 1_000,
            periods=2,
            missing=_BAD,
            says=f"A line of {group.kind} is not found {config.fresh_within_s} s after it was written, or not at all.",
        )


def _silence(config: StageConfig, group: Subscribed, minutes: int) -> Rule:
    """Without the canary's own lines, of which one may count for the minute beside it."""
    written = incoming(group, minutes)
    canary = of_canary(config.metrics_namespace, group, metrics.CANARY_LINES, "Sum", minutes=minutes)
    by_others = cloudwatch.MathExpression(
        expression="FILL(written, 0) - FILL(canary, 0)",
        using_metrics={"written": written, "canary": canary},
        label=group.kind,
        period=Duration.minutes(minutes),
    )
    return Rule(
        kind="No logs of a group",
        of=group.kind,
        metric=by_others if config.canary else written,
        limit=2 if config.canary else 1,
        compare=_BELOW,
        missing=_BAD,
        says=f"For {minutes} minutes nothing was written into {group.kind}, which always has logs.",
    )


def domain_rules(dimensions: Mapping[str, str], low_storage_mib: float) -> Iterator[Rule]:
    """The service's own recommendations.

    https://docs.aws.amazon.com/opensearch-service/latest/developerguide/cloudwatch-alarms.html
    """
    yield Rule(
        kind="The domain is red",
        metric=of_domain(dimensions, "ClusterStatus.red"),
        says="A primary shard has no node: an index cannot be written or read as a whole.",
    )
    yield Rule(
        kind="The domain is yellow",
        metric=of_domain(dimensions, "ClusterStatus.yellow"),
        periods=5,
        says="A copy of a shard has no node: the loss of one more may lose logs.",
    )
    yield Rule(
        kind="The domain runs out of space",
        metric=of_domain(dimensions, "FreeStorageSpace", "Minimum"),
        compare=cloudwatch.ComparisonOperator.LESS_THAN_OR_EQUAL_TO_THRESHOLD,
        limit=low_storage_mib,
        says=f"A node has no more than {low_storage_mib:,.0f} MiB left. The domain soon blocks all writes.",
    )
    yield Rule(
        kind="The domain blocks writes",
        metric=of_domain(dimensions, "ClusterIndexWritesBlocked", minutes=5),
        says="The domain takes no document. All of them wait in the retry queue.",
    )
    yield Rule(
        kind="The domain runs out of memory",
        metric=of_domain(dimensions, "JVMMemoryPressure"),
        limit=95,
        periods=3,
        says="A node's Java heap is full to 95 %: it may fall out of the cluster.",
    )
    for name in ("ThreadpoolWriteRejected", "CoordinatingWriteRejected"):
        yield _rejections(of_domain(dimensions, name, "Sum", minutes=5), name)
    for name in ("KMSKeyError", "KMSKeyInaccessible"):
        yield Rule(
            kind="The key of the domain fails",
            of=name,
            metric=of_domain(dimensions, name),
            says="The KMS key of the domain is disabled, deleted or withdrawn: the domain stops.",
        )
    yield Rule(
        kind="The domain has no master",
        metric=of_domain(dimensions, "MasterReachableFromNode", minutes=5),
        compare=_BELOW,
        says="The nodes have not reached a master for five minutes: nothing can be indexed.",
    )


def _rejections(total: cloudwatch.Metric, name: str) -> Rule:
    """The metric counts from the start of a node on: only its growth tells."""
    growth = cloudwatch.MathExpression(
        expression="DIFF(total)", using_metrics={"total": total}, label=name, period=total.period
    )
    return Rule(
        kind="The domain rejects writes",
        of=name,
        metric=growth,
        periods=3,
        says="For 15 minutes the domain has rejected a part of what it is sent. The functions send it again.",
    )
