"""Faults of a stage whose logs go to a serverless collection."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from shipper import collection
from stacks.field_checks import COLLECTION_ARN, Faults

if TYPE_CHECKING:
    from stacks.stages import StageConfig

# https://docs.aws.amazon.com/opensearch-service/latest/developerguide/serverless-data-access.html
_PRINCIPAL = r"arn:[a-z-]+:iam::\d{12}:(role|user)/\S+|saml/\d{12}/[^/]+/(user|group)/.+"

_MAX_STAGE_CHARS = 28
"""Of 32 that the name of a data access policy may have, less `cwl-`;
https://docs.aws.amazon.com/opensearch-service/latest/ServerlessAPIReference/API_CreateAccessPolicy.html"""


def faults(config: StageConfig) -> Faults:
    """(field, what is wrong with it); nothing of a stage that has a domain."""
    arn = re.fullmatch(COLLECTION_ARN, config.existing_arn)
    if bool(arn) != bool(config.existing_collection):
        yield "existing_collection", "is the name of the serverless collection in existing_arn: give both or none"
    if not arn:
        return
    url = collection.ENDPOINT.fullmatch(config.existing_endpoint)
    if not url or url.group("id", "region") != arn.group("id", "region"):
        yield "existing_endpoint", f"is not https://{arn['id']}.{arn['region']}.aoss.amazonaws.com"
    if len(config.name) > _MAX_STAGE_CHARS:
        yield "name", f"is longer than {_MAX_STAGE_CHARS}: the collection's data access policy is named for it"
    for name in ("warm_count", "warm_after_days", "cold_after_days"):
        if getattr(config, name):
            yield name, "is for domains: a serverless collection has one kind of storage"
    for name in ("reader_roles", "operator_roles", "admin_roles"):
        yield from ((name, fault) for fault in _strangers(getattr(config, name)))


def _strangers(people: tuple[str, ...]) -> Iterator[str]:
    for who in people:
        if not re.fullmatch(_PRINCIPAL, who):
            yield f"{who!r} is no ARN of IAM, and no saml/ACCOUNT/PROVIDER/group/NAME"
