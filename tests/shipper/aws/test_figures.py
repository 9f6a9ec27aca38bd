from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from moto import mock_aws

from shipper.aws.figures import Figures, Metric
from tests.shipper.fakes import NOW_MS, aws_client

COUNT = Metric("cwl-shipper", "received", {"service": "subscriber"})
AGE = Metric("AWS/SQS", "ApproximateAgeOfOldestMessage", {"QueueName": "dead"}, "Maximum")


@pytest.fixture
def cloudwatch() -> Iterator[Any]:
    with mock_aws():
        yield aws_client("cloudwatch")


def put(cloudwatch: Any, metric: Metric, *values: float, at_ms: int = NOW_MS - 600_000) -> None:
    dimensions = [{"Name": name, "Value": value} for name, value in metric.dimensions.items()]
    data = [
        {
            "MetricName": metric.name,
            "Dimensions": dimensions,
            "Timestamp": datetime.fromtimestamp(at_ms / 1000 + 60 * number, UTC),
            "Value": value,
        }
        for number, value in enumerate(values)
    ]
    cloudwatch.put_metric_data(Namespace=metric.namespace, MetricData=data)


def test_figures_of_a_time(cloudwatch: Any) -> None:
    put(cloudwatch, COUNT, 3, 4)
    put(cloudwatch, COUNT, 100, at_ms=NOW_MS - 7_200_000)
    put(cloudwatch, AGE, 30, 90, 60)
    asked = {"count": COUNT, "age": AGE, "none": Metric("cwl-shipper", "indexed", {"service": "subscriber"})}
    found = Figures(cloudwatch).of(asked, NOW_MS - 3_600_000, NOW_MS, NOW_MS)
    assert found == {"count": 7, "age": 90, "none": None}


class PlayedCloudwatch:
    """Notes what it is asked for."""

    def __init__(self) -> None:
        self.asked: dict[str, Any] = {}

    def get_paginator(self, _: str) -> PlayedCloudwatch:
        return self

    def paginate(self, **asked: Any) -> list[Any]:
        self.asked = asked
        return []


@pytest.mark.parametrize(("age_days", "period_s"), [(0, 60), (14, 60), (15, 300), (62, 300), (63, 3_600), (400, 3_600)])
def test_older_figures_are_kept_in_longer_periods(age_days: int, period_s: int) -> None:
    played = PlayedCloudwatch()
    Figures(played).of({"count": COUNT}, NOW_MS - age_days * 86_400_000 - 1, NOW_MS, NOW_MS)
    (query,) = played.asked["MetricDataQueries"]
    assert query["MetricStat"]["Period"] == period_s
    assert int(played.asked["StartTime"].timestamp()) % period_s == 0
