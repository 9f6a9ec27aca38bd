"""The dashboard: one row a question, in the order in which a person on call asks them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from aws_cdk import aws_cloudwatch as cloudwatch

from shipper import metrics
from stacks.functions import Functions
from stacks.measures import incoming, of_canary, of_delivery, of_domain, of_function, of_queue, own
from stacks.queues import Queues
from stacks.stages import StageConfig
from stacks.subscriptions import Subscribed

_SERVICES = ("subscriber", "replay")
_OUTCOMES = tuple(term for term in metrics.LEDGER_TERMS if term != metrics.RECEIVED)
_FULL_WIDTH = 24

Row = list[cloudwatch.IWidget]


def rows(
    config: StageConfig,
    domain: Mapping[str, str],
    queues: Queues,
    functions: Functions,
    groups: Sequence[Subscribed],
    more: Sequence[Subscribed],
) -> Iterator[Row]:
    """All rows; `domain` are the dimensions of its metrics, empty where there are none."""
    yield _flow([*groups, *more])
    yield _ledger(config.metrics_namespace)
    yield _freshness(config, groups)
    yield _queues(queues)
    yield _functions(functions)
    if domain:
        yield _domain(domain)


def _flow(groups: Sequence[Subscribed]) -> Row:
    come = ("Do logs come? Events into each group", [(group.kind, incoming(group, 5)) for group in groups])
    groups = [group for group in groups if group.filter_name]
    if not groups:
        return _row(come)
    return _row(
        come,
        ("Are they handed on?", [(group.kind, of_delivery(group, "ForwardedLogEvents")) for group in groups]),
        (
            "What CloudWatch Logs cannot hand on",
            [
                (f"{group.kind} {what}", of_delivery(group, name))
                for group in groups
                for what, name in (("errors", "DeliveryErrors"), ("throttled", "DeliveryThrottling"))
            ],
        ),
    )


def _ledger(namespace: str) -> Row:
    return _row(
        *(
            (f"What became of them, {service}", [(term, own(namespace, term, service)) for term in _OUTCOMES])
            for service in _SERVICES
        ),
    )


def _freshness(config: StageConfig, groups: Sequence[Subscribed]) -> Row:
    namespace = config.metrics_namespace
    ages = [(group.kind, of_canary(namespace, group, metrics.CANARY_AGE_MS, "Minimum")) for group in groups]
    of_its_own = [("How old is the canary's newest line there? ms", ages)] if config.canary else []
    return _row(
        *of_its_own,
        (
            "How old is the newest log that can be found? ms",
            [
                (g.kind, own(namespace, metrics.NEWEST_EVENT_AGE_MS, "subscriber", "Minimum", log_group=g.log_group))
                for g in groups
            ],
        ),
        (
            "Bulk requests of an invocation, ms",
            [
                (f"{service} {name}", own(namespace, metrics.BULK_MS, service, name))
                for service in _SERVICES
                for name in ("p50", "p99")
            ],
        ),
    )


def _queues(queues: Queues) -> Row:
    both = (("dead letters", queues.dead_letters), ("retries", queues.retries))
    return _row(
        (
            "Messages in the queues",
            [
                (f"{name}{what}", of_queue(queue, metric))
                for name, queue in both
                for what, metric in (
                    ("", "ApproximateNumberOfMessagesVisible"),
                    (" at work", "ApproximateNumberOfMessagesNotVisible"),
                )
            ],
        ),
        ("Age of the oldest, s", [(name, of_queue(queue, "ApproximateAgeOfOldestMessage")) for name, queue in both]),
    )


def _functions(functions: Functions) -> Row:
    both = (("subscriber", functions.subscriber), ("replay", functions.replay))
    return _row(
        (
            "Functions",
            [
                (f"{name} {metric}", of_function(fn, metric))
                for name, fn in both
                for metric in ("Invocations", "Errors", "Throttles")
            ],
        ),
        ("Duration, ms", [(name, of_function(fn, "Duration", "p99")) for name, fn in both]),
        (
            "Events between CloudWatch Logs and the subscriber",
            [
                ("given up", of_function(functions.subscriber, "AsyncEventsDropped")),
                ("not in the bucket", of_function(functions.subscriber, "DestinationDeliveryFailures")),
                ("age, ms", of_function(functions.subscriber, "AsyncEventAge", "Maximum")),
            ],
        ),
    )


def _domain(domain: Mapping[str, str]) -> Row:
    return _row(
        (
            "Is the domain well?",
            [
                (name, of_domain(domain, name))
                for name in ("ClusterStatus.red", "ClusterStatus.yellow", "ClusterIndexWritesBlocked")
            ],
        ),
        (
            "Load, %",
            [(name, of_domain(domain, name)) for name in ("CPUUtilization", "JVMMemoryPressure")],
        ),
        ("Free space of the fullest node, MiB", [("", of_domain(domain, "FreeStorageSpace", "Minimum"))]),
        (
            "Rejected since each node's start",
            [
                (name, of_domain(domain, name, "Sum"))
                for name in ("ThreadpoolWriteRejected", "CoordinatingWriteRejected")
            ],
        ),
    )


def _row(*graphs: tuple[str, list[tuple[str, cloudwatch.Metric]]]) -> Row:
    """Graphs side by side over the whole width, each of labelled metrics."""
    return [
        cloudwatch.GraphWidget(
            title=title,
            width=_FULL_WIDTH // len(graphs),
            left=[metric.with_(label=label) if label else metric for label, metric in labelled],
        )
        for title, labelled in graphs
    ]
