"""An update from the last release keeps all that holds data, and all that a log passes."""

from __future__ import annotations

from typing import Any

import pytest

from stacks.stages import STAGES
from tests.stacks.built import DEAD_LETTERS, DOMAIN, INVOKE_BY_LOGS, SUBSCRIBER, built
from tests.stacks.release import KEPT, broken, compact, read

PROD = read("prod")


@pytest.mark.parametrize("stage", STAGES)
def test_nothing_is_taken_away_or_replaced(stage: str) -> None:
    """Where this fails an update would lose data or skip logs: bring the resource back as it was."""
    assert broken(read(stage), built(stage).resources) == []


@pytest.mark.parametrize("stage", STAGES)
def test_the_release_is_stored_whole(stage: str) -> None:
    """Of each type there is one, and what the release had is still what the table asks for."""
    released = read(stage)
    assert {resource["Type"] for resource in released.values()} == set(KEPT)
    assert released == compact({key: {"Type": each["Type"], "Properties": each} for key, each in released.items()})


@pytest.mark.parametrize("logical_id", [DOMAIN, DEAD_LETTERS, SUBSCRIBER, INVOKE_BY_LOGS])
def test_what_is_gone_is_named(logical_id: str) -> None:
    resources = {key: value for key, value in built("prod").resources.items() if key != logical_id}
    assert broken(PROD, resources) == [f"{logical_id}: is not there any more, as {PROD[logical_id]['Type']}"]


@pytest.mark.parametrize(
    ("logical_id", "name", "value"),
    [
        pytest.param(SUBSCRIBER, "FunctionName", "shipper", id="a function gets a name"),
        pytest.param(INVOKE_BY_LOGS, "SourceArn", "arn:of:others", id="others may invoke"),
        pytest.param(INVOKE_BY_LOGS, "FunctionName", {"Ref": SUBSCRIBER}, id="the same function by its name"),
        pytest.param(DEAD_LETTERS, "FifoQueue", True, id="a queue in order"),
        pytest.param(DOMAIN, "EncryptionAtRestOptions", {"Enabled": True, "KmsKeyId": "k"}, id="another key"),
        pytest.param(DOMAIN, "VPCOptions", {"SubnetIds": ["s"]}, id="into a VPC"),
    ],
)
def test_what_would_be_replaced_is_named(logical_id: str, name: str, value: Any) -> None:
    resource = built("prod").resources[logical_id]
    changed = {**resource, "Properties": {**resource["Properties"], name: value}}
    was = PROD[logical_id].get(name)
    assert broken(PROD, {**built("prod").resources, logical_id: changed}) == [
        f"{logical_id}: {name} is {value} and was {was}"
    ]


def test_another_type_is_named() -> None:
    resource = built("prod").resources[DEAD_LETTERS]
    other = {**resource, "Type": "AWS::S3::Bucket"}
    (problem,) = broken(PROD, {**built("prod").resources, DEAD_LETTERS: other})
    assert problem == f"{DEAD_LETTERS}: Type is AWS::S3::Bucket and was AWS::SQS::Queue"


def test_what_may_change_does() -> None:
    resource = built("prod").resources[SUBSCRIBER]
    larger = {**resource, "Properties": {**resource["Properties"], "MemorySize": 2_048}}
    assert broken(PROD, {**built("prod").resources, SUBSCRIBER: larger, "New": {"Type": "AWS::SQS::Queue"}}) == []
