"""The metrics that alarms and dashboard look at, each by its whole name.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch-Logs-Monitoring-CloudWatch-Metrics.html
https://docs.aws.amazon.com/opensearch-service/latest/developerguide/managedomains-cloudwatchmetrics.html
"""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs

from shipper import metrics
from shipper.handlers.canary import SERVICE as CANARY
from stacks.subscriptions import Subscribed


def metric(
    namespace: str, name: str, dimensions: Mapping[str, str], statistic: str, *, minutes: float = 5
) -> cloudwatch.Metric:
    """A metric by its whole name."""
    return cloudwatch.Metric(
        namespace=namespace,
        metric_name=name,
        dimensions_map=dict(dimensions),
        statistic=statistic,
        period=Duration.minutes(minutes),
    )


def own(
    namespace: str, name: str, service: str, statistic: str = "Sum", *, minutes: float = 5, log_group: str = ""
) -> cloudwatch.Metric:
    """One of our own metrics, with the dimensions that the functions write it with."""
    of_group = {metrics.LOG_GROUP: log_group} if log_group else {}
    return metric(namespace, name, {metrics.SERVICE: service, **of_group}, statistic, minutes=minutes)


def of_queue(queue: sqs.IQueue, name: str) -> cloudwatch.Metric:
    """The worst value of a queue's metric."""
    return metric("AWS/SQS", name, {"QueueName": queue.queue_name}, "Maximum")


def of_function(function: lambda_.IFunction, name: str, statistic: str = "Sum") -> cloudwatch.Metric:
    """A metric of a function, all its versions together."""
    return metric("AWS/Lambda", name, {"FunctionName": function.function_name}, statistic)


def of_delivery(group: Subscribed, name: str) -> cloudwatch.Metric:
    """What CloudWatch Logs says of handing a group's events on."""
    dimensions = {"LogGroupName": group.log_group, "FilterName": group.filter_name, "DestinationType": "Lambda"}
    return metric("AWS/Logs", name, dimensions, "Sum")


def of_domain(
    dimensions: Mapping[str, str], name: str, statistic: str = "Maximum", *, minutes: float = 1
) -> cloudwatch.Metric:
    """A metric of the whole domain."""
    return metric("AWS/ES", name, dimensions, statistic, minutes=minutes)


def incoming(group: Subscribed, minutes: float) -> cloudwatch.Metric:
    """How many events came into a group."""
    return metric("AWS/Logs", "IncomingLogEvents", {"LogGroupName": group.log_group}, "Sum", minutes=minutes)


def of_canary(namespace: str, group: Subscribed, name: str, statistic: str, *, minutes: float = 5) -> cloudwatch.Metric:
    """What the canary measures of a group."""
    return own(namespace, name, CANARY, statistic, minutes=minutes, log_group=group.log_group)
