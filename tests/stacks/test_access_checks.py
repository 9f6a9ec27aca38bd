"""Identities and endpoints that do not fit together, by the field that is at fault."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from stacks.stages import STAGES

FAULTS: list[Any] = [
    pytest.param(
        {"existing_arn": "arn:aws:es:eu-west-1:123456789012:domain/logs"}, "existing_arn: belongs to", id="an ARN alone"
    ),
    pytest.param(
        {"existing_endpoint": "https://x.es.amazonaws.com"}, "existing_arn: belongs to", id="an endpoint alone"
    ),
    pytest.param(
        {"fluentd_identity": "irsa"},
        "oidc_provider_arn: is what fluentd_identity irsa trusts",
        id="irsa without its issuer",
    ),
    pytest.param(
        {"oidc_provider_arn": "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE"},
        "oidc_provider_arn: is not used by fluentd_identity pod-identity",
        id="an issuer that nothing uses",
    ),
    pytest.param(
        {"fine_grained_access": False, "reader_roles": ("arn:r",)},
        "fine_grained_access: is what reader_roles, operator_roles and admin_roles need",
        id="people without fine-grained access",
    ),
    pytest.param(
        {"fine_grained_access": False, "admin_roles": ("arn:r",)},
        "fine_grained_access: is what reader_roles, operator_roles and admin_roles need",
        id="admins without it",
    ),
    pytest.param({"plain_http": True}, "plain_http: only stage local", id="plain http"),
]


@pytest.mark.parametrize(("changes", "problem"), FAULTS)
def test_a_fault_is_named_with_its_field(changes: dict[str, Any], problem: str) -> None:
    (found,) = replace(STAGES["prod"], **changes).problems()
    assert found.startswith(problem)


def test_the_local_aws_has_no_cluster_to_associate_a_role_with() -> None:
    (found,) = replace(STAGES["local"], fluentd_identity="pod-identity").problems()
    assert found.startswith("fluentd_identity: pod-identity needs a cluster")
