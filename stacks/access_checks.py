"""Faults of who is let in: Fluentd by AWS, functions and people by the domain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stacks.field_checks import Faults

if TYPE_CHECKING:
    from stacks.stages import StageConfig


def faults(config: StageConfig) -> Faults:
    """(field, what is wrong with it)."""
    if config.plain_http and config.name != "local":
        yield "plain_http", "only stage local speaks plain http"
    if bool(config.existing_endpoint) != bool(config.existing_arn):
        yield "existing_arn", "belongs to existing_endpoint: give both or none"
    if config.fluentd_identity == "irsa" and not config.oidc_provider_arn:
        yield "oidc_provider_arn", "is what fluentd_identity irsa trusts: give it"
    if config.oidc_provider_arn and config.fluentd_identity != "irsa":
        yield "oidc_provider_arn", f"is not used by fluentd_identity {config.fluentd_identity}: only by irsa"
    if config.fluentd_identity == "pod-identity" and config.name == "local":
        yield "fluentd_identity", "pod-identity needs a cluster, and the local AWS has none"
    people = config.reader_roles or config.operator_roles or config.admin_roles
    if people and not (config.fine_grained_access or config.existing_collection):
        yield "fine_grained_access", "is what reader_roles, operator_roles and admin_roles need"
