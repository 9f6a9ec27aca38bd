"""Faults of a domain's network, endpoint and access, with the pages that say so."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from stacks import saml
from stacks.field_checks import EVERYBODY, Faults

if TYPE_CHECKING:
    from stacks.stages import StageConfig

_GUIDE = "https://docs.aws.amazon.com/opensearch-service/latest/developerguide"
_VPC = f"({_GUIDE}/vpc.html)"
_ACCESS = f"({_GUIDE}/ac.html)"
_SAML = f"({_GUIDE}/saml.html)"
_CUSTOM = f"({_GUIDE}/customendpoint.html)"
_GATEWAY = "(https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html)"

_NEEDS_VPC = (
    "subnet_ids",
    "route_table_ids",
    "s3_prefix_list_id",
    "create_vpc_endpoints",
    "vpc_endpoint_security_group_ids",
    "domain_security_group_id",
)
_NEEDS_NEW_DOMAIN = (
    "tls_policy",
    "custom_endpoint",
    "certificate_arn",
    "domain_encryption_key",
    "access_principals",
    "access_cidrs",
    "saml_metadata_file",
)


def faults(config: StageConfig) -> Faults:
    """(field, what is wrong with it)."""
    if config.existing_arn:
        for name in _changed(config, _NEEDS_NEW_DOMAIN):
            yield name, "is of a domain that the stack makes, not of one that exists"
    yield from _network_faults(config) if config.vpc_id else _no_network_faults(config)
    yield from _endpoint_faults(config)
    yield from _access_faults(config)
    yield from _saml_faults(config)


def _changed(config: StageConfig, names: tuple[str, ...]) -> list[str]:
    defaults = {each.name: each.default for each in fields(config)}
    return [name for name in names if getattr(config, name) != defaults[name]]


def _host(config: StageConfig) -> str:
    """Of a domain that exists; the service begins its name with `vpc-` or `search-`."""
    return urlsplit(config.existing_endpoint).hostname or ""


def _no_network_faults(config: StageConfig) -> Faults:
    for name in _changed(config, _NEEDS_VPC):
        yield name, "is for a VPC: give vpc_id"
    if _host(config).startswith("vpc-"):
        yield "vpc_id", f"is missing: existing_endpoint is a domain in a VPC {_VPC}"


def _network_faults(config: StageConfig) -> Faults:
    if config.existing_collection:
        yield "vpc_id", "is for a domain: a collection is reached through an endpoint of its own kind"
        return
    if _host(config).startswith("search-"):
        yield "vpc_id", f"has no way out, and existing_endpoint is a public domain {_VPC}"
    if not config.subnet_ids or len(set(config.subnet_ids)) < len(config.subnet_ids):
        yield "subnet_ids", "are missing, or name one twice: give one a zone"
    elif not config.existing_arn and len(config.subnet_ids) != config.zone_count:
        yield "subnet_ids", f"are {len(config.subnet_ids)}, and zone_count is {config.zone_count}: one a zone {_VPC}"
    if not config.s3_prefix_list_id:
        yield "s3_prefix_list_id", f"is missing: functions may reach S3 by its addresses only {_GATEWAY}"
    if config.existing_arn and not config.domain_security_group_id:
        yield "domain_security_group_id", "is missing: the group of the domain that exists lets the functions in"
    if config.domain_security_group_id and not config.existing_arn:
        yield "domain_security_group_id", "is the group of a domain that exists: give existing_arn"
    yield from _vpc_endpoint_faults(config)


def _vpc_endpoint_faults(config: StageConfig) -> Faults:
    if config.create_vpc_endpoints and config.vpc_endpoint_security_group_ids:
        yield "vpc_endpoint_security_group_ids", "are of endpoints which exist: set create_vpc_endpoints to false"
    if not config.create_vpc_endpoints and config.route_table_ids:
        yield "route_table_ids", "are for the endpoint that create_vpc_endpoints makes"
    if not config.create_vpc_endpoints and not config.vpc_endpoint_security_group_ids:
        yield "vpc_endpoint_security_group_ids", "are missing: those of the VPC's endpoints let the functions in"


def _endpoint_faults(config: StageConfig) -> Faults:
    if bool(config.custom_endpoint) != bool(config.certificate_arn):
        yield "certificate_arn", f"belongs to custom_endpoint: give both or none {_CUSTOM}"
    if config.custom_endpoint and config.plain_http:
        yield "custom_endpoint", f"has a certificate, and plain_http is without {_CUSTOM}"


def _access_faults(config: StageConfig) -> Faults:
    if EVERYBODY in config.access_principals and not config.fine_grained_access:
        yield "access_principals", f"name everybody, which only fine_grained_access allows {_ACCESS}"
    if config.access_cidrs and not config.access_principals and not config.vpc_id:
        yield "access_cidrs", f"narrow what access_principals may: name those {_ACCESS}"


def _saml_faults(config: StageConfig) -> Faults:
    if not config.saml_metadata_file:
        if config.saml_master_group:
            yield "saml_master_group", "is a group of a SAML provider: give saml_metadata_file"
        return
    if not config.fine_grained_access:
        yield "saml_metadata_file", f"needs fine_grained_access {_SAML}"
    elif EVERYBODY not in config.access_principals:
        yield "access_principals", f"must name {EVERYBODY} with SAML: a browser signs no request {_ACCESS}"
    try:
        saml.read(config.saml_metadata_file)
    except ValueError as error:
        yield "saml_metadata_file", str(error)
