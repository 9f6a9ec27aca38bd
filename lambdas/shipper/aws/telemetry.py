"""What the functions say of themselves: one structured line and one set of metrics an invocation, never log content."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from shipper.model import Ledger


class Telemetry:
    """Logger and metrics of one function; `service` names it. Metrics are written as EMF to the function's own log."""

    def __init__(self, service: str, level: str) -> None:
        self.logger = Logger(service=service, level=level)
        self._metrics = Metrics(service=service)

    def report(self, ledger: Ledger, *, request_id: str, counts: Mapping[str, int] = {}, **facts: Any) -> None:
        """Write the ledger and further counts as a log line and as one metric each."""
        self.logger.info("ledger", extra={"request_id": request_id, "ledger": ledger.terms(), **counts, **facts})
        for term, count in {**ledger.terms(), **counts}.items():
            self._metrics.add_metric(name=term, unit=MetricUnit.Count, value=count)
        self._metrics.flush_metrics()

    def refused(self, what: str, **facts: Any) -> None:
        """Write that something was refused, with its reason."""
        self.logger.warning(what, extra=facts)

    def retried(self, counts: Mapping[str, int]) -> None:
        """Write how often each kind of error was tried again."""
        if counts:
            self.logger.info("retried", extra={"retried": dict(counts)})
