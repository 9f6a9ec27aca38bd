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

from app import UnmetRules, build, check, synthesise
from shipper.setup_plan import paths
from stacks import nag
from stacks.stack import LogShippingStack
from stacks.stages import LOG_GROUPS, STAGES
from tests.stacks.built import DOMAIN, FAILED_EVENTS, app, example
from tests.stacks.test_collection_checks import COLLECTION

KEY = "arn:aws:kms:eu-west-1:123456789012:key/12345678-1234-1234-1234-123456789012"
CASES = {
    **STAGES,
    "existing-domain": example("existing-domain"),
    "traced, a policy for the nodes": replace(STAGES["dev"], tracing=True, fluentd_identity="node-role"),
    "own key, a limit, mail": replace(
        STAGES["prod"], encryption_key="own", subscriber_max_concurrency=50, alarm_email="ops@example.com"
    ),
    # The other examples: test_configuration.py.
    "existing key, traced in a VPC": replace(example("vpc"), encryption_key=KEY, tracing=True),
}


@cache
def _report(case: str) -> list[dict[str, Any]]:
    with TemporaryDirectory() as folder:
        made = app(Path(folder))
        LogShippingStack(made, config=CASES[case])
        check(made)
        synthesise(made)
        report = json.loads((Path(folder) / "validation-report.json").read_text("utf-8"))
    plugins: list[dict[str, Any]] = report["pluginReports"]
    return plugins


def _meant(case: str) -> list[nag.Meant]:
    config = CASES[case]
    domain = config.existing_arn or f"<{DOMAIN}.Arn>"
    return nag.meant(
        config,
        bodies=f"<{FAILED_EVENTS}.Arn>/letters/*",
        failed_events=f"<{FAILED_EVENTS}.Arn>/*",
        indices=[f"{domain}{path}" for path in paths() if "*" in path],
        searched=[f"{domain}/cwl-*/_search"],
        written=[] if config.fluentd_identity == "none" else _written(config.cluster),
    )


def _written(cluster: str) -> list[str]:
    groups = "arn:<AWS::Partition>:logs:<AWS::Region>:<AWS::AccountId>:log-group:"
    return [f"{groups}*", *(f"{groups}/aws/containerinsights/{cluster}/{kind}:*" for kind in LOG_GROUPS)]


@pytest.mark.parametrize("case", CASES)
def test_nothing_is_found_that_is_not_meant(case: str) -> None:
    packs = {"AwsSolutions", "Serverless", "NIST.800.53.R5"}
    assert packs <= {plugin["pluginName"] for plugin in _report(case)}
    assert [plugin["violations"] for plugin in _report(case) if plugin["violations"]] == []


@pytest.mark.parametrize("case", CASES)
def test_every_acknowledgement_is_still_needed(case: str) -> None:
    found = {
        (finding["acknowledgedId"], construct["constructPath"])
        for plugin in _report(case)
        for finding in plugin.get("suppressedViolations", [])
        for construct in finding["violatingConstructs"]
    }
    for path, rule, _ in _meant(case):
        assert any(at.startswith(f"LogShipping/Default/{path}/") for known, at in found if known == rule), (path, rule)


@pytest.mark.parametrize("case", CASES)
def test_every_acknowledgement_says_why(case: str) -> None:
    assert all(finding.reason.endswith(".") and len(finding.reason) > 20 for finding in _meant(case))


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
    found = {finding["ruleName"] for plugin in report["pluginReports"] for finding in plugin["violations"]}
    assert found == {"AwsSolutions-SQS3", "AwsSolutions-SQS4", "Serverless-SQSRedrivePolicy"}


@pytest.mark.parametrize(
    "existing",
    [
        {
            "existing_endpoint": "https://logs.eu-west-1.es.amazonaws.com",
            "existing_arn": "arn:aws:es:eu-west-1:123456789012:domain/logs",
        },
        COLLECTION,
    ],
    ids=["a domain", "a collection"],
)
def test_nothing_is_excused_of_a_domain_that_the_stack_does_not_make(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, existing: dict[str, Any]
) -> None:
    monkeypatch.setitem(STAGES, "dev", replace(STAGES["dev"], **existing))
    made = app(tmp_path, stage="dev")
    build(made)
    synthesise(made)
