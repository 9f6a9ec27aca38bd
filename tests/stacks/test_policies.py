"""The tests' own judge of IAM policies, judged by the rules of IAM's documentation."""

from __future__ import annotations

from typing import Any

import pytest

from tests.stacks.policies import Call, Deployed, allows, unused

QUEUE = "arn:aws:sqs:eu-west-1:123456789012:q"
SEND = Call("sqs:SendMessage", QUEUE)
CONTEXT = Call("sqs:SendMessage", QUEUE, frozenset({("aws:SourceArn", "arn:aws:s3:::logs")}))


def allow(action: Any = "sqs:SendMessage", resource: Any = QUEUE, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(**more: Any) -> dict[str, Any]:
    return {**allow(**more), "Effect": "Deny"}


def when(operator: str, value: Any, key: str = "aws:SourceArn") -> dict[str, Any]:
    return {"Condition": {operator: {key: value}}}


CASES = [
    pytest.param([], SEND, False, id="nothing is allowed of itself"),
    pytest.param([allow()], SEND, True, id="what is named"),
    pytest.param([allow("SQS:sendmessage")], SEND, True, id="an action in other letters"),
    pytest.param([allow(["sqs:A", "sqs:Send*"])], SEND, True, id="one of several, with a star"),
    pytest.param([allow("sqs:ReceiveMessage")], SEND, False, id="another action"),
    pytest.param([allow("s?s:*", "*")], SEND, True, id="anything"),
    pytest.param([allow(resource=["x", QUEUE.upper()])], SEND, False, id="a resource in other letters"),
    pytest.param([allow(resource=QUEUE[:-1] + "?")], SEND, True, id="any one character"),
    pytest.param([allow(resource=QUEUE + "?")], SEND, False, id="one character more"),
    pytest.param([allow(resource="arn:aws:sqs:*q")], SEND, True, id="a star goes over colons"),
    pytest.param([allow(resource=QUEUE.replace("-", "."))], SEND, False, id="a dot is a dot"),
    pytest.param([allow(), deny(resource="*")], SEND, False, id="a denial wins"),
    pytest.param([deny(), allow()], SEND, False, id="wherever it stands"),
    pytest.param([allow(), deny(action="sqs:A")], SEND, True, id="a denial of something else"),
    pytest.param([allow(**when("ArnLike", "arn:*:s3:::l*"))], CONTEXT, True, id="a condition that is met"),
    pytest.param([allow(**when("ArnLike", "arn:aws:s3*"))], CONTEXT, False, id="of an ARN each part counts"),
    pytest.param([allow(**when("ArnLike", "arn:aws:s3:::x"))], CONTEXT, False, id="a condition that is not met"),
    pytest.param([allow(**when("ArnLike", "*"))], SEND, False, id="a key that does not come"),
    pytest.param(
        [allow(**when("StringEquals", ["x", "arn:aws:s3:::logs"]))], CONTEXT, True, id="one of several values"
    ),
    pytest.param([allow(**when("StringEquals", "arn:aws:s3:::*"))], CONTEXT, False, id="a star that is a star"),
    pytest.param([allow(**when("StringLike", "arn:*logs"))], CONTEXT, True, id="a star in a text"),
    pytest.param([allow(), deny(**when("ArnLike", "arn:aws:s3:::x"))], CONTEXT, True, id="a denial on a condition"),
    pytest.param([allow(), deny(**when("ArnLike", "arn:aws:s3:::*"))], CONTEXT, False, id="which is met"),
]


@pytest.mark.parametrize(("statements", "call", "allowed"), CASES)
def test_what_is_allowed(statements: list[dict[str, Any]], call: Call, allowed: bool) -> None:
    assert allows(statements, call) is allowed


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param({**allow(), "NotAction": "x"}, id="an element"),
        pytest.param({**allow(), "Principal": "*"}, id="a principal"),
        pytest.param(allow(**when("IpAddress", "10.0.0.0/8")), id="an operator"),
        pytest.param(allow(resource="arn:${aws:username}"), id="a variable"),
    ],
)
def test_of_what_is_not_known_nothing_is_guessed(statement: dict[str, Any]) -> None:
    with pytest.raises(KeyError):
        allows([statement], CONTEXT)


def test_what_no_call_needs_is_left_over() -> None:
    statements = [allow(["sqs:SendMessage", "sqs:A"], [QUEUE, "other"]), deny(action="sqs:B"), allow("sqs:C")]
    assert list(unused(statements, [SEND])) == [
        ("sqs:A", f"{QUEUE}, other"),
        ("sqs:SendMessage, sqs:A", "other"),
        ("sqs:C", QUEUE),
        ("sqs:C", QUEUE),
    ]


RESOURCES: dict[str, dict[str, Any]] = {
    "Queue1": {"Type": "AWS::SQS::Queue"},
    "Log": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": {"Fn::Join": ["/", ["", {"Ref": "Role"}]]}}},
    "Role": {"Type": "AWS::IAM::Role", "Properties": {}},
    "Other": {"Type": "AWS::IAM::Role", "Properties": {"ManagedPolicyArns": ["x"]}},
    "Policy": {
        "Type": "AWS::IAM::Policy",
        "Properties": {
            "Roles": [{"Ref": "Role"}],
            "PolicyDocument": {"Statement": [allow(resource={"Fn::GetAtt": ["Queue1", "Arn"]})]},
        },
    },
}


def test_a_template_is_read_as_cloudformation_fills_it_in() -> None:
    deployed = Deployed(RESOURCES)
    assert deployed.value({"a": [{"Ref": "Queue1"}, 1]}) == {
        "a": ["https://sqs.eu-west-1.amazonaws.com/123456789012/queue1", 1]
    }
    assert deployed.value({"Fn::Join": [":", [{"Ref": "AWS::Partition"}, {"Ref": "Log"}]]}) == "aws:/role"
    assert deployed.arn("Log") == "arn:aws:logs:eu-west-1:123456789012:log-group:/role:*"
    assert deployed.statements("Role") == [allow(resource="arn:aws:sqs:eu-west-1:123456789012:queue1")]


@pytest.mark.parametrize(
    "value",
    [{"Fn::Sub": "${x}"}, {"Ref": "Missing"}, {"Fn::GetAtt": ["Queue1", "Colour"]}],
    ids=lambda value: next(iter(value)),
)
def test_what_cannot_be_filled_in_is_no_value(value: dict[str, Any]) -> None:
    with pytest.raises(KeyError):
        Deployed(RESOURCES).value(value)


def test_a_policy_that_is_not_in_the_template_is_not_overlooked() -> None:
    with pytest.raises(KeyError):
        Deployed(RESOURCES).statements("Other")
