from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from shipper.aws.telemetry import Telemetry
from shipper.model import Ledger

LEDGER = Ledger(received=6, indexed=1, duplicate=1, joined=1, filtered=1, requeued=1, dead_lettered=1)


def telemetry(monkeypatch: pytest.MonkeyPatch, level: str = "INFO") -> Telemetry:
    """One with a name of its own: loggers of the same name are one and the same."""
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "test")
    return Telemetry(f"test-{uuid4()}", level)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_ledger_is_one_log_line_and_one_metric_a_term(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    telemetry(monkeypatch).report(LEDGER, request_id="r-1", log_group="/g")
    log, metrics = lines(capsys)
    assert (log["level"], log["message"], log["request_id"], log["log_group"]) == ("INFO", "ledger", "r-1", "/g")
    assert log["ledger"] == LEDGER.terms()
    directive = metrics["_aws"]["CloudWatchMetrics"][0]
    assert directive["Namespace"] == "test"
    assert {metric["Name"] for metric in directive["Metrics"]} == set(LEDGER.terms())
    assert {name: metrics[name] for name in LEDGER.terms()} == {name: [n] for name, n in LEDGER.terms().items()}


def test_reports_do_not_add_up_over_invocations(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Row 46: a sandbox is used again."""
    made = telemetry(monkeypatch)
    made.report(LEDGER, request_id="r-1")
    made.report(Ledger(received=1, indexed=1), request_id="r-2")
    log, metrics = lines(capsys)[2:]
    assert log["request_id"] == "r-2"
    assert "log_group" not in log
    assert (metrics["indexed"], metrics["joined"]) == ([1.0], [0.0])


def test_a_refusal_is_a_warning_with_its_facts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    telemetry(monkeypatch).refused("message stays", message_id="m-1", error="e")
    (log,) = lines(capsys)
    assert (log["level"], log["message"], log["message_id"], log["error"]) == ("WARNING", "message stays", "m-1", "e")


def test_what_was_tried_again_is_counted_by_kind(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = telemetry(monkeypatch)
    made.retried({})
    made.retried({"rejected_execution_exception": 2})
    (log,) = lines(capsys)
    assert log["retried"] == {"rejected_execution_exception": 2}


def test_the_level_of_the_log_is_a_setting(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    made = telemetry(monkeypatch, "WARNING")
    made.retried({"x": 1})
    made.refused("refused")
    assert [log["message"] for log in lines(capsys)] == ["refused"]
