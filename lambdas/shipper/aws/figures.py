"""Figures of the last minutes as CloudWatch has them.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

_MINUTE_S = 60
_PERIODS_S = ((15 * 86_400, 60), (63 * 86_400, 300))
"""(age until which it is kept, period): older figures are kept by the hour."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric; `statistic` says how its values within the time are put together."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    statistic: Literal["Sum", "Maximum"] = "Sum"


class Figures:
    """CloudWatch's metrics. Raises what boto3 raises."""

    def __init__(self, cloudwatch: Any) -> None:
        self._cloudwatch = cloudwatch

    def of(self, metrics: Mapping[str, Metric], from_ms: int, to_ms: int, now_ms: int) -> dict[str, float | None]:
        """Each metric's sum or maximum in the time, by the same keys; None where it has no value there."""
        age_s = (now_ms - from_ms) // 1000
        period_s = next((period for kept_s, period in _PERIODS_S if age_s < kept_s), 3_600)
        queries = [_query(f"m{at}", metric, period_s) for at, metric in enumerate(metrics.values())]
        values: dict[str, list[float]] = {query["Id"]: [] for query in queries}
        pages = self._cloudwatch.get_paginator("get_metric_data").paginate(
            MetricDataQueries=queries,
            StartTime=_rounded(from_ms, period_s),
            EndTime=_rounded(to_ms + 59_999, _MINUTE_S),
        )
        for page in pages:
            for result in page["MetricDataResults"]:
                values[result["Id"]] += result["Values"]
        return {key: _together(metric, values[f"m{at}"]) for at, (key, metric) in enumerate(metrics.items())}


def _query(id_: str, metric: Metric, period_s: int) -> dict[str, Any]:
    dimensions = [{"Name": name, "Value": value} for name, value in metric.dimensions.items()]
    named = {"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions}
    return {"Id": id_, "MetricStat": {"Metric": named, "Period": period_s, "Stat": metric.statistic}}


def _together(metric: Metric, values: list[float]) -> float | None:
    if not values:
        return None
    return sum(values) if metric.statistic == "Sum" else max(values)


def _rounded(moment_ms: int, period_s: int) -> datetime:
    """To the period's begin: CloudWatch does so anyway, and is faster where it need not."""
    return datetime.fromtimestamp(moment_ms // 1000 // period_s * period_s, UTC)
