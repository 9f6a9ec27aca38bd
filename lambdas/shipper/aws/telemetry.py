"""What the functions say of themselves: one structured line and one set of metrics an invocation, never log content."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools import Logger, Metrics

from shipper import metrics
from shipper.model import Ledger


class Telemetry:
    """Logger and metrics of one function; `service` names it. Metrics are written as EMF to the function's own log."""

    def __init__(self, service: str, level: str) -> None:
        self.logger = Logger(service=service, level=level)
        self._metrics = Metrics(service=service)

    def report(
        self,
        ledger: Ledger,
        *,
        request_id: str,
        counts: Mapping[str, int] = {},
        retried: Mapping[str, int] = {},
        freshness: Mapping[str, int] = {},
        **facts: Any,
    ) -> None:
        """Write the ledger and further counts as a log line and as one metric each.

        `retried` counts tries by the error's type. With `log_group` among the facts, what was received and the
        `freshness` are also metrics of that group.
        """
        if retried:
            facts["retried_by_type"] = dict(retried)
        extra = {"request_id": request_id, "ledger": ledger.terms(), **counts, **freshness, **facts}
        self.logger.info("ledger", extra=extra)
        self.measure({**ledger.terms(), **counts})
        for error_type, count in metrics.by_error_type(retried).items():
            self.measure({metrics.RETRIED: count}, {metrics.ERROR_TYPE: error_type})
        if log_group := facts.get(metrics.LOG_GROUP):
            self.measure({metrics.RECEIVED: ledger.received, **freshness}, {metrics.LOG_GROUP: log_group})

    def refused(self, what: str, **facts: Any) -> None:
        """Write that something was refused, with its reason."""
        self.logger.warning(what, extra=facts)

    def measure(self, counts: Mapping[str, int], dimensions: Mapping[str, str] = {}) -> None:
        """Write one metric each, with `service` and these dimensions."""
        for name, count in counts.items():
            self._metrics.add_metric(name=name, unit=metrics.unit(name), value=count)
        for name, value in dimensions.items():
            self._metrics.add_dimension(name, value)
        self._metrics.flush_metrics()
