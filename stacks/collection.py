"""A serverless collection that takes the logs in place of a domain: it exists, and the stack gives rights to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jsii
from aws_cdk import IStableAnyProducer, Lazy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_opensearchserverless as serverless
from constructs import Construct

from shipper import collection
from shipper.document import INDEX_PREFIX
from stacks.search_domain import SearchDomain
from stacks.stages import StageConfig

# https://docs.aws.amazon.com/opensearch-service/latest/developerguide/serverless-genref.html#serverless-operations
_READ = ("DescribeIndex", "ReadDocument")
_WRITE = ("CreateIndex", "DescribeIndex", "UpdateIndex", "WriteDocument")
# No policy of the service deletes from a collection of type SEARCH: a person does.
_OPERATE = (*_WRITE, "DeleteIndex", "ReadDocument")
_ON_INDICES: dict[str, tuple[str, ...]] = {
    "writers": _WRITE,
    "searchers": _READ,
    "readers": _READ,
    "operators": _OPERATE,
    "admins": _OPERATE,
}
_TEMPLATES = ("CreateCollectionItems", "DescribeCollectionItems", "UpdateCollectionItems")
_ON_THE_COLLECTION: dict[str, tuple[str, ...]] = {
    "setup": _TEMPLATES,
    "readers": ("DescribeCollectionItems",),
    "operators": _TEMPLATES,
    "admins": (*_TEMPLATES, "DeleteCollectionItems"),
}


class Collection(Construct):
    """Implements what the other parts know of `SearchDomain`.

    Two things let an identity in: IAM, for the API as a whole, and a data access policy of the collection, by its name
    and the names of indices. https://docs.aws.amazon.com/opensearch-service/latest/developerguide/serverless-data-access.html
    """

    service = collection.SERVICE

    def __init__(self, scope: Construct, construct_id: str, *, config: StageConfig) -> None:
        super().__init__(scope, construct_id)
        self.endpoint = config.existing_endpoint
        self.dimensions: dict[str, str] = {}
        self.setup_arns = ["*"]
        self.search_arns: list[str] = []
        self._arn, self._name = config.existing_arn, config.existing_collection
        self._let_in: dict[str, list[Any]] = {
            "setup": [],
            "writers": [],
            "searchers": [],
            "readers": list(config.reader_roles),
            "operators": list(config.operator_roles),
            "admins": list(config.admin_roles),
        }
        serverless.CfnAccessPolicy(
            self,
            "Access",
            type="data",
            # A name is required, and has 32 characters at the most.
            name=f"cwl-{config.name}",
            # What is granted is known when all of the stack is there.
            policy=Stack.of(self).to_json_string(Lazy.any(_Late(self._statements))),
        )

    def grant_bulk(self, grantee: iam.IGrantable) -> None:
        """Let `grantee` write the daily indices."""
        self._admit(grantee, "writers")

    def grant_search(self, grantee: iam.IGrantable) -> None:
        """Let `grantee` search the daily indices."""
        self._admit(grantee, "searchers")

    def grant_setup(self, grantee: iam.IGrantable) -> None:
        """Let `grantee` ask what the collection is, and write its templates, but no log."""
        self._admit(grantee, "setup")
        # This action takes no resource, but the collection's name as a condition;
        # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonopensearchserverless.html
        grantee.grant_principal.add_to_principal_policy(
            iam.PolicyStatement(
                actions=["aoss:BatchGetCollection"],
                resources=self.setup_arns,
                conditions={"StringEquals": {"aoss:collection": self._name}},
            )
        )

    def _admit(self, grantee: iam.IGrantable, group: str) -> None:
        self._let_in[group] += grantee.grant_principal.policy_fragment.principal_json["AWS"]
        iam.Grant.add_to_principal(grantee=grantee, actions=["aoss:APIAccessAll"], resource_arns=[self._arn])

    def _statements(self) -> list[dict[str, Any]]:
        return [
            {
                "Description": group,
                "Rules": [
                    *_rules("collection", f"collection/{self._name}", _ON_THE_COLLECTION.get(group, ())),
                    *_rules("index", f"index/{self._name}/{INDEX_PREFIX}*", _ON_INDICES.get(group, ())),
                ],
                "Principal": principals,
            }
            for group, principals in self._let_in.items()
            if principals
        ]


Target = SearchDomain | Collection
"""Where the logs go."""


def _rules(kind: str, resource: str, permissions: tuple[str, ...]) -> list[Mapping[str, Any]]:
    named = [f"aoss:{permission}" for permission in permissions]
    return [{"ResourceType": kind, "Resource": [resource], "Permission": named}] if named else []


@jsii.implements(IStableAnyProducer)
class _Late:
    def __init__(self, made: Callable[[], Any]) -> None:
        self._made = made

    def produce(self) -> Any:
        """Called by the CDK when it writes the template."""
        return self._made()
