"""Fluentd's rights, and who may have them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stacks.cluster_access import NAMESPACE, SERVICE_ACCOUNT
from stacks.stages import LOG_GROUPS
from tests.k8s.manifests import BASE as MANIFESTS
from tests.k8s.manifests import WRITTEN, kustomization, only
from tests.stacks.built import FLUENTD_ROLE, Built, attribute, built, words

ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE"
PROVIDER = f"arn:aws:iam::111122223333:oidc-provider/{ISSUER}"
IDENTITIES: dict[str, dict[str, Any]] = {
    "pod-identity": {},
    "irsa": {"fluentd_identity": "irsa", "oidc_provider_arn": PROVIDER},
    "node-role": {"fluentd_identity": "node-role"},
}


def _stack(identity: str) -> Built:
    return built("dev", cluster="shop", **IDENTITIES[identity])


def _trust(identity: str) -> dict[str, Any]:
    (statement,) = _stack(identity).properties(FLUENTD_ROLE)["AssumeRolePolicyDocument"]["Statement"]
    found: dict[str, Any] = statement
    return found


def _flat(arn: dict[str, Any]) -> str:
    """An ARN made of pseudo parameters, as text."""
    parts = arn["Fn::Join"][1]
    return "".join(part if isinstance(part, str) else f"<{part['Ref'].removeprefix('AWS::')}>" for part in parts)


def _rights(identity: str) -> dict[str, set[str]]:
    """The resources of each action that Fluentd is allowed."""
    policies = {"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"}
    rights: dict[str, set[str]] = {}
    for key, resource in _stack(identity).resources.items():
        if key.startswith("ClusterAccess") and resource["Type"] in policies:
            for statement in resource["Properties"]["PolicyDocument"]["Statement"]:
                assert statement["Effect"] == "Allow"
                arns = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
                for action in words(statement["Action"]):
                    rights.setdefault(action, set()).update(map(_flat, arns))
    return rights


@pytest.mark.parametrize("identity", IDENTITIES)
def test_it_may_write_to_the_three_groups_and_make_none(identity: str) -> None:
    logs = "arn:<Partition>:logs:<Region>:<AccountId>:log-group:"
    groups = {f"{logs}/aws/containerinsights/shop/{kind}:*" for kind in LOG_GROUPS}
    assert _rights(identity) == {
        "logs:CreateLogStream": groups,
        "logs:DescribeLogStreams": groups,
        "logs:PutLogEvents": groups,
        "logs:DescribeLogGroups": {f"{logs}*"},
    }


def test_by_pod_identity_only_its_pods_in_this_cluster_are_trusted() -> None:
    trust = _trust("pod-identity")
    conditions = trust["Condition"]["StringEquals"]
    cluster = conditions.pop("aws:RequestTag/eks-cluster-arn")
    assert trust == {
        "Effect": "Allow",
        "Principal": {"Service": "pods.eks.amazonaws.com"},
        "Action": ["sts:AssumeRole", "sts:TagSession"],
        "Condition": {
            "StringEquals": {
                "aws:SourceAccount": {"Ref": "AWS::AccountId"},
                "aws:RequestTag/kubernetes-namespace": "amazon-cloudwatch",
                "aws:RequestTag/kubernetes-service-account": "fluentd",
            }
        },
    }
    assert _flat(cluster) == "arn:<Partition>:eks:<Region>:<AccountId>:cluster/shop"


def test_by_pod_identity_the_role_is_tied_to_the_service_account() -> None:
    assert _stack("pod-identity").only("AWS::EKS::PodIdentityAssociation") == {
        "ClusterName": "shop",
        "Namespace": "amazon-cloudwatch",
        "ServiceAccount": "fluentd",
        "RoleArn": attribute(FLUENTD_ROLE),
    }


def test_by_irsa_only_tokens_of_its_service_account_are_trusted() -> None:
    assert _trust("irsa") == {
        "Effect": "Allow",
        "Principal": {"Federated": PROVIDER},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {
            "StringEquals": {
                f"{ISSUER}:aud": "sts.amazonaws.com",
                f"{ISSUER}:sub": "system:serviceaccount:amazon-cloudwatch:fluentd",
            }
        },
    }


@pytest.mark.parametrize(
    ("identity", "output", "made"),
    [
        ("pod-identity", "FluentdRoleArn", {"Role", "Policy", "PodIdentityAssociation"}),
        ("irsa", "FluentdRoleArn", {"Role", "Policy"}),
        ("node-role", "FluentdPolicyArn", {"ManagedPolicy"}),
    ],
)
def test_it_makes_no_more_than_it_needs_and_names_it(identity: str, output: str, made: set[str]) -> None:
    stack = _stack(identity)
    own = {key: each["Type"] for key, each in stack.resources.items() if key.startswith("ClusterAccess")}
    assert {kind.rpartition("::")[2] for kind in own.values()} == made
    assert {name for name in stack.outputs if name.startswith("Fluentd")} == {output}
    assert any(key in json.dumps(stack.outputs[output]) for key in own)


def test_a_local_stack_has_nothing_of_it() -> None:
    stack = built("local")
    assert not any(key.startswith("ClusterAccess") for key in stack.resources)
    assert not any(name.startswith("Fluentd") for name in stack.outputs)


def test_it_is_the_service_account_of_the_manifests() -> None:
    assert only(WRITTEN, "ServiceAccount")["metadata"]["name"] == SERVICE_ACCOUNT
    assert kustomization(MANIFESTS)["namespace"] == NAMESPACE
