"""cdk-nag: nothing is found that is not meant, nothing is meant that is not found."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from aws_cdk import aws_sqs as sqs

from app import UnmetRules, build, synthesise
from shipper.setup_plan import paths
from stacks import nag
from stacks.stages import STAGES
from tests.stacks.built import DOMAIN, FAILED_EVENTS, app


@cache
def _report(stage: str) -> list[dict[str, Any]]:
    with TemporaryDirectory() as folder:
        made = app(Path(folder), stage=stage)
        build(made)
        synthesise(made)
        report = json.loads((Path(folder) / "validation-report.json").read_text("utf-8"))
    plugins: list[dict[str, Any]] = report["pluginReports"]
    return plugins


def _meant(stage: str) -> list[nag.Meant]:
    return nag.meant(
        STAGES[stage],
        bodies=f"<{FAILED_EVENTS}.Arn>/letters/*",
        failed_events=f"<{FAILED_EVENTS}.Arn>/*",
        indices=[f"<{DOMAIN}.Arn>{path}" for path in paths() if "*" in path],
    )


@pytest.mark.parametrize("stage", STAGES)
def test_nothing_is_found_that_is_not_meant(stage: str) -> None:
    assert "AwsSolutions" in {plugin["pluginName"] for plugin in _report(stage)}
    assert [plugin["violations"] for plugin in _report(stage) if plugin["violations"]] == []


@pytest.mark.parametrize("stage", STAGES)
def test_every_acknowledgement_is_still_needed(stage: str) -> None:
    found = {
        (finding["acknowledgedId"], construct["constructPath"])
        for plugin in _report(stage)
        for finding in plugin.get("suppressedViolations", [])
        for construct in finding["violatingConstructs"]
    }
    for path, rule, _ in _meant(stage):
        assert any(at.startswith(f"LogShipping/{path}/") for known, at in found if known == rule), (path, rule)


@pytest.mark.parametrize("stage", STAGES)
def test_every_acknowledgement_says_why(stage: str) -> None:
    assert all(finding.reason.endswith(".") and len(finding.reason) > 20 for finding in _meant(stage))


def test_prod_excuses_nothing_that_makes_it_fall() -> None:
    rules = {finding.rule.partition("-")[2] for finding in _meant("prod")}
    assert not rules & {"OS4", "OS7", "OS9[LogExport::SEARCH_SLOW_LOGS]"}
    assert "CloudFormation-Validate::E3505" not in {finding.rule for finding in _meant("prod")}


def test_a_finding_stops_the_synthesis(tmp_path: Path) -> None:
    made = app(tmp_path)
    stack = build(made)
    sqs.Queue(stack, "Open")
    with pytest.raises(UnmetRules, match="AwsSolutions-SQS4"):
        synthesise(made)


def test_an_acknowledgement_counts_for_its_construct_alone(tmp_path: Path) -> None:
    made = app(tmp_path)
    stack = build(made)
    sqs.Queue(stack, "Open")
    with pytest.raises(UnmetRules):
        synthesise(made)
    report = json.loads((tmp_path / "validation-report.json").read_text("utf-8"))
    (violations,) = [plugin["violations"] for plugin in report["pluginReports"] if plugin["violations"]]
    assert {finding["ruleName"] for finding in violations} == {"AwsSolutions-SQS3", "AwsSolutions-SQS4"}


def test_nothing_is_excused_of_a_domain_that_the_stack_does_not_make(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = "arn:aws:es:eu-west-1:123456789012:domain/logs"
    config = replace(STAGES["dev"], existing_endpoint="https://logs.eu-west-1.es.amazonaws.com", existing_arn=arn)
    monkeypatch.setitem(STAGES, "dev", config)
    made = app(tmp_path, stage="dev")
    build(made)
    synthesise(made)
