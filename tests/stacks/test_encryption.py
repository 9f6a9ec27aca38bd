"""The key of data at rest: what it encrypts, who may use it on what conditions, and the page on it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from stacks.stages import STAGES
from tests.stacks.built import FAILED_EVENTS, ROOT, Built, attribute, built, words

KEY = "arn:aws:kms:eu-west-1:123456789012:key/12345678-1234-1234-1234-123456789012"
OTHER = "arn:aws:kms:eu-west-1:123456789012:key/mrk-12345678123412341234123456789012"
PAGE = (ROOT / "docs" / "encryption.md").read_text("utf-8")

_WITH_A_KEY = {
    "AWS::SQS::Queue": "KmsMasterKeyId",
    "AWS::Logs::LogGroup": "KmsKeyId",
}
"""The alarms' topic has a key of its own: the loss of this one is an alarm, too."""


def _keys(stack: Built) -> Iterator[tuple[str, Any]]:
    """(logical id, key) of all that can be encrypted with one, but for the domain."""
    for kind, name in _WITH_A_KEY.items():
        for logical_id, properties in stack.of_type(kind).items():
            yield logical_id, properties.get(name)
    (rule,) = stack.properties(FAILED_EVENTS)["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    yield FAILED_EVENTS, rule["ServerSideEncryptionByDefault"].get("KMSMasterKeyID")


def _own(stack: Built) -> str:
    (logical_id,) = (one for one in stack.of_type("AWS::KMS::Key") if one.startswith("Encryption"))
    return logical_id


def _key_of_domain(stack: Built) -> Any:
    return stack.only("AWS::OpenSearchService::Domain")["EncryptionAtRestOptions"].get("KmsKeyId")


def test_without_a_choice_nothing_has_a_key() -> None:
    stack = built("prod")
    assert [logical_id for logical_id, key in _keys(stack) if key] == []
    assert _key_of_domain(stack) is None


def test_one_key_of_the_stack_encrypts_everything() -> None:
    stack = built("prod", encryption_key="own")
    key = attribute(_own(stack))
    assert len(list(_keys(stack))) > 10
    assert [logical_id for logical_id, used in _keys(stack) if used != key] == []
    assert _key_of_domain(stack) is None


def test_the_topic_of_the_alarms_does_without_that_key() -> None:
    stack = built("prod", encryption_key="own")
    (key,) = (one for one in stack.of_type("AWS::KMS::Key") if one.startswith("Observability"))
    assert stack.only("AWS::SNS::Topic")["KmsMasterKeyId"] == attribute(key)


def test_a_key_that_exists_encrypts_everything_and_none_is_made() -> None:
    stack = built("prod", encryption_key=KEY, domain_encryption_key="same")
    assert [logical_id for logical_id, used in _keys(stack) if used != KEY] == []
    assert _key_of_domain(stack) == KEY.rpartition("/")[2]
    assert not [one for one in stack.of_type("AWS::KMS::Key") if one.startswith("Encryption")]


@pytest.mark.parametrize(
    ("encryption_key", "domain_encryption_key", "used"),
    [
        pytest.param("own", "aws", None, id="the service's own beside a key"),
        pytest.param(KEY, "same", KEY.rpartition("/")[2], id="the same"),
        pytest.param(KEY, OTHER, OTHER.rpartition("/")[2], id="another key"),
    ],
)
def test_a_domain_may_have_a_key_of_its_own(encryption_key: str, domain_encryption_key: str, used: str | None) -> None:
    stack = built("dev", encryption_key=encryption_key, domain_encryption_key=domain_encryption_key)
    assert _key_of_domain(stack) == used


@pytest.mark.parametrize("stage", ["local", "prod"])
def test_the_key_is_turned_over_and_stays_as_long_as_the_data(stage: str) -> None:
    stack = built(stage, encryption_key="own")
    key = stack.resources[_own(stack)]
    assert key["Properties"]["EnableKeyRotation"] is True
    assert key["DeletionPolicy"] == stack.resources[FAILED_EVENTS]["DeletionPolicy"]


def test_each_service_may_use_the_key_for_this_account_alone() -> None:
    account = {"aws:SourceAccount": "ACCOUNT"}
    groups = "arn:aws:logs:REGION:ACCOUNT:log-group:*"
    assert {one["Principal"]["Service"]: one["Condition"] for one in _statements()[1:]} == {
        "logs.REGION.amazonaws.com": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
        "s3.amazonaws.com": {"StringEquals": account, "ArnLike": {"aws:SourceArn": "arn:aws:s3:::cwl-shipper-STAGE*"}},
    }


RIGHTS = {
    "FunctionsSubscriberRole": {"kms:Decrypt", "kms:GenerateDataKey"},
    "FunctionsReplayRole": {"kms:Decrypt", "kms:GenerateDataKey"},
    "SetupRole": {"kms:Decrypt"},
    "CanaryRole": set(),
    "ClusterAccessRole": set(),
}


@pytest.mark.parametrize("role", RIGHTS)
def test_a_role_may_use_just_this_key_for_just_this(role: str) -> None:
    stack = built("prod", encryption_key="own")
    mine = [
        statement
        for policy, statement in stack.statements()
        if policy.startswith(role) and any(action.startswith("kms:") for action in words(statement["Action"]))
    ]
    assert {action for statement in mine for action in words(statement["Action"])} == RIGHTS[role]
    assert all(statement["Resource"] == attribute(_own(stack)) for statement in mine)


@pytest.mark.parametrize("key", ["KMS", "alias/logs", "arn:aws:kms:eu-west-1:123456789012:alias/logs"])
@pytest.mark.parametrize("field", ["encryption_key", "domain_encryption_key"])
def test_what_is_no_key_is_refused(field: str, key: str) -> None:
    (problem,) = replace(STAGES["dev"], **{field: key}).problems()  # type: ignore[arg-type]
    assert problem.startswith((f"{field}: {key!r} is neither aws", f"{field}: {key!r} is none of aws"))


def _written(value: Any) -> Any:
    """A value of the template with words in the place of what is known at the deployment."""
    words_for = {"AWS::Partition": "aws", "AWS::Region": "REGION", "AWS::AccountId": "ACCOUNT"}
    words_for["AWS::URLSuffix"] = "amazonaws.com"
    match value:
        case {"Ref": name}:
            return words_for[name]
        case {"Fn::Join": ["", parts]}:
            return "".join(map(_written, parts))
        case dict():
            return {name: _written(each) for name, each in value.items()}
        case list():
            return [_written(each) for each in value]
        case str():
            return re.sub(r"cwl-shipper-prod\b", "cwl-shipper-STAGE", value)
        case _:
            return value


def _statements() -> list[dict[str, Any]]:
    """The policy of the stack's own key, as the page has it."""
    stack = built("prod", encryption_key="own")
    found: list[dict[str, Any]] = _written(stack.properties(_own(stack))["KeyPolicy"]["Statement"])
    return found


def test_the_page_has_the_policy_that_a_key_needs() -> None:
    block = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert block
    assert json.loads(block[1]) == _statements()
