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
    telemetry(monkeypatch).report(LEDGER, request_id="r-1", counts={"sent_bytes": 9, "bulk_ms": 3})
    log, metrics = lines(capsys)
    assert (log["level"], log["message"], log["request_id"]) == ("INFO", "ledger", "r-1")
    assert (log["ledger"], log["sent_bytes"], log["bulk_ms"]) == (LEDGER.terms(), 9, 3)
    directive = metrics["_aws"]["CloudWatchMetrics"][0]
    assert (directive["Namespace"], directive["Dimensions"]) == ("test", [["service"]])
    units = {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]}
    assert units == {**dict.fromkeys(LEDGER.terms(), "Count"), "sent_bytes": "Bytes", "bulk_ms": "Milliseconds"}
    assert {name: metrics[name] for name in LEDGER.terms()} == {name: [n] for name, n in LEDGER.terms().items()}


def blob(line: dict[str, Any]) -> tuple[set[str], dict[str, Any], dict[str, float]]:
    """(names of dimensions, their values, values of metrics) of a line in EMF."""
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    (names,) = directive["Dimensions"]
    return (
        set(names),
        {name: line[name] for name in names if name != "service"},
        {metric["Name"]: line[metric["Name"]][0] for metric in directive["Metrics"]},
    )


@pytest.mark.parametrize(
    ("freshness", "expected"),
    [
        pytest.param({"newest_event_age_ms": 1_500}, {"received": 6, "newest_event_age_ms": 1_500}, id="fresh"),
        pytest.param({}, {"received": 6}, id="nothing was taken"),
    ],
)
def test_a_log_group_has_metrics_of_its_own_and_the_others_stay_on_the_service(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    freshness: dict[str, int],
    expected: dict[str, float],
) -> None:
    made = telemetry(monkeypatch)
    for log_group in ("/g/1", "/g/2"):
        made.report(LEDGER, request_id="r-1", log_group=log_group, freshness=freshness)
    log, service, group, _, service_again, other_group = lines(capsys)
    assert (log["log_group"], log.get("newest_event_age_ms")) == ("/g/1", freshness.get("newest_event_age_ms"))
    assert [blob(line)[0] for line in (service, service_again)] == [{"service"}] * 2
    assert blob(group) == ({"service", "log_group"}, {"log_group": "/g/1"}, expected)
    assert blob(other_group) == ({"service", "log_group"}, {"log_group": "/g/2"}, expected)


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


def test_what_was_tried_again_is_counted_by_kind_with_few_kinds_as_metrics(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    retried = {"rejected_execution_exception": 2, "odd": 3, "odder": 4}
    telemetry(monkeypatch).report(LEDGER, request_id="r-1", counts={"retried": 9}, retried=retried)
    log, service, *kinds = lines(capsys)
    assert (log["retried"], log["retried_by_type"]) == (9, retried)
    assert service["retried"] == [9.0]
    assert [blob(line) for line in kinds] == [
        ({"service", "error_type"}, {"error_type": "rejected_execution_exception"}, {"retried": 2.0}),
        ({"service", "error_type"}, {"error_type": "other"}, {"retried": 7.0}),
    ]


def test_the_level_of_the_log_is_a_setting(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    made = telemetry(monkeypatch, "WARNING")
    made.report(LEDGER, request_id="r-1")
    made.refused("refused")
    assert [line["message"] for line in lines(capsys) if "_aws" not in line] == ["refused"]
