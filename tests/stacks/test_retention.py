"""What is kept, and for how long."""

from __future__ import annotations

from dataclasses import replace

import pytest
from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs

from stacks import retention
from stacks.field_checks import RETENTION
from stacks.stages import STAGES
from tests.stacks.built import built


def test_every_retention_has_the_name_that_the_cdk_has_for_it() -> None:
    names = {number: retention.days(number).name for number in RETENTION}
    assert names == RETENTION
    assert set(names.values()) == {kind.name for kind in logs.RetentionDays} - {"INFINITE"}


@pytest.mark.parametrize(
    ("keep", "policy"), [(True, RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE), (False, RemovalPolicy.DESTROY)]
)
def test_data_is_kept_where_the_stage_says_so(keep: bool, policy: RemovalPolicy) -> None:
    assert retention.removal(replace(STAGES["dev"], keep_data=keep)) is policy


_DATA = {"AWS::OpenSearchService::Domain", "AWS::SQS::Queue", "AWS::S3::Bucket"}


@pytest.mark.parametrize(
    ("stage", "on_delete", "on_replace"),
    [
        ("local", "Delete", "Delete"),
        ("dev", "RetainExceptOnCreate", "Retain"),
        ("prod", "RetainExceptOnCreate", "Retain"),
    ],
)
def test_all_that_holds_logs_is_kept_or_removed_together(stage: str, on_delete: str, on_replace: str) -> None:
    resources = built(stage).resources
    holding = {
        key: value
        for key, value in resources.items()
        if value["Type"] in _DATA or (value["Type"] == "AWS::Logs::LogGroup" and "LogGroupName" in value["Properties"])
    }
    assert len(holding) == 7
    for key, resource in holding.items():
        assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == (on_delete, on_replace), key


@pytest.mark.parametrize("stage", STAGES)
def test_no_log_group_is_kept_for_ever(stage: str) -> None:
    groups = built(stage).of_type("AWS::Logs::LogGroup")
    assert groups
    assert all(group["RetentionInDays"] in RETENTION for group in groups.values())
