"""What IAM decides on the policies of one role, and a template's values as CloudFormation would fill them in.

No library does it: moto's own evaluation takes an unmet condition of an Allow or a Deny for a denial, and compares with
unescaped patterns. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from tests.shipper.fakes import REGION
from tests.stacks.built import words

Statement = Mapping[str, Any]

ACCOUNT = "123456789012"


class Call(NamedTuple):
    """An action on one resource; `context` are the condition keys that come with it."""

    action: str
    resource: str
    context: frozenset[tuple[str, str]] = frozenset()


def allows(statements: Iterable[Statement], call: Call) -> bool:
    """Whether one of them allows the call and none denies it."""
    return {one["Effect"] for one in statements if _concerns(one, call)} == {"Allow"}


def unused(statements: Iterable[Statement], calls: Iterable[Call]) -> Iterator[tuple[str, str]]:
    """(action, resource) of what is allowed and that none of the calls needs.

    Of a statement with several of both each action and each resource has to be needed, not each pair.
    """
    known = list(calls)
    for one in statements:
        actions, resources = words(one["Action"]), words(one["Resource"])
        if one["Effect"] == "Deny":
            continue
        for action in actions:
            if not any(_concerns({**one, "Action": action}, call) for call in known):
                yield action, ", ".join(resources)
        for resource in resources:
            if not any(_concerns({**one, "Resource": resource}, call) for call in known):
                yield ", ".join(actions), resource


def _concerns(statement: Statement, call: Call) -> bool:
    """Of a statement that says something unknown here nothing is guessed: `KeyError`."""
    if unknown := statement.keys() - {"Sid", "Effect", "Action", "Resource", "Condition"}:
        raise KeyError(*unknown)
    return (
        any(_like(action.lower(), call.action.lower()) for action in words(statement["Action"]))
        and any(_like(resource, call.resource) for resource in words(statement["Resource"]))
        and _is_met(statement.get("Condition", {}), dict(call.context))
    )


def _is_met(conditions: Mapping[str, Mapping[str, Any]], context: Mapping[str, str]) -> bool:
    """All operators and all keys, of each one of its values; a key that does not come with the call is not met.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
    """
    return all(
        key in context and any(_OPERATORS[operator](value, context[key]) for value in words(values))
        for operator, keys in conditions.items()
        for key, values in keys.items()
    )


def _like(pattern: str, value: str) -> bool:
    """`*` and `?`, which go over slashes and colons too.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
    """
    if "${" in pattern:
        raise KeyError(pattern)
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), value, re.DOTALL) is not None


def _arn_like(pattern: str, value: str) -> bool:
    """Each of the six parts of an ARN by itself."""
    parts = pattern.split(":", 5), value.split(":", 5)
    return len(parts[0]) == len(parts[1]) and all(map(_like, *parts))


_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": str.__eq__,
    "StringLike": _like,
    "ArnLike": _arn_like,
}

_PSEUDO = {
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackName": "cwl-shipper",
}


@dataclass(frozen=True)
class Deployed:
    """A template's resources by logical id, each with a name as a deployment might give it."""

    resources: Mapping[str, Mapping[str, Any]]

    def value(self, given: Any) -> Any:
        """Any value of the template with its functions done. What is unknown here is `KeyError`."""
        match given:
            case {"Ref": name}:
                return _PSEUDO[name] if name in _PSEUDO else self._ref(name)
            case {"Fn::GetAtt": [name, of]}:
                return _ATTRIBUTES[self._kind(name), of].format(self.name(name))
            case {"Fn::Join": [by, parts]}:
                return by.join(map(self.value, parts))
            case dict() if any(key.startswith("Fn::") for key in given):
                raise KeyError(*given)
            case dict():
                return {key: self.value(inner) for key, inner in given.items()}
            case list():
                return [self.value(inner) for inner in given]
            case _:
                return given

    def name(self, logical_id: str) -> str:
        """A resource's physical name: its own where it has one, else one made of its id, in a bucket's letters."""
        own = self.resources[logical_id].get("Properties", {}).get("LogGroupName")
        return str(self.value(own)) if own else logical_id.lower()

    def arn(self, logical_id: str) -> str:
        """A resource's ARN."""
        return str(self.value({"Fn::GetAtt": [logical_id, "Arn"]}))

    def statements(self, role: str) -> list[Statement]:
        """Every statement of a role's policies, all of which have to be in the template."""
        own = self.resources[role]["Properties"]
        if own.keys() & {"ManagedPolicyArns", "Policies"}:
            raise KeyError(role)
        return [
            self.value(statement)
            for resource in self.resources.values()
            if resource["Type"] in _POLICIES and {"Ref": role} in resource["Properties"]["Roles"]
            for statement in resource["Properties"]["PolicyDocument"]["Statement"]
        ]

    def _ref(self, logical_id: str) -> str:
        name = self.name(logical_id)
        return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}" if self._kind(logical_id) == _QUEUE else name

    def _kind(self, logical_id: str) -> str:
        return str(self.resources[logical_id]["Type"])


_QUEUE = "AWS::SQS::Queue"
_POLICIES = ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")
_ATTRIBUTES: dict[tuple[str, str], str] = {
    (_QUEUE, "Arn"): f"arn:aws:sqs:{REGION}:{ACCOUNT}:{{}}",
    ("AWS::S3::Bucket", "Arn"): "arn:aws:s3:::{}",
    ("AWS::Lambda::Function", "Arn"): f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{{}}",
    ("AWS::KMS::Key", "Arn"): f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{{}}",
    ("AWS::IAM::Role", "Arn"): f"arn:aws:iam::{ACCOUNT}:role/{{}}",
    ("AWS::Logs::LogGroup", "Arn"): f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{{}}:*",
    ("AWS::OpenSearchService::Domain", "Arn"): f"arn:aws:es:{REGION}:{ACCOUNT}:domain/{{}}",
    ("AWS::OpenSearchService::Domain", "DomainEndpoint"): "search.example.com",
}
"""What `Fn::GetAtt` gives of a resource of this name."""
