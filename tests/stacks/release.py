"""What of the last release's templates an update must leave as it is: `python -m tests.stacks.release` at a release.

tests/stacks/released/STAGE.json has, by logical id, the type of each resource that holds data or is on a log's way, and
the properties for which CloudFormation would put a new one in its place.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from stacks.stages import STAGES
from tests.stacks.built import built

FOLDER = Path(__file__).with_name("released")

_PAGES = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/"


class Kept(NamedTuple):
    """Properties of a type that are never changed, and the page that says what a change would do."""

    properties: tuple[str, ...]
    page: str


KEPT = {
    # The keys of its data: "the domain is deleted and recreated". Into a VPC, or out of it, none can be moved at all.
    "AWS::OpenSearchService::Domain": Kept(
        ("DomainName", "EncryptionAtRestOptions", "VPCOptions"), f"{_PAGES}aws-resource-opensearchservice-domain.html"
    ),
    "AWS::SQS::Queue": Kept(("FifoQueue", "QueueName"), f"{_PAGES}aws-resource-sqs-queue.html"),
    "AWS::S3::Bucket": Kept(("BucketName",), f"{_PAGES}aws-resource-s3-bucket.html"),
    "AWS::Logs::LogGroup": Kept(("LogGroupClass", "LogGroupName"), f"{_PAGES}aws-resource-logs-loggroup.html"),
    "AWS::Logs::SubscriptionFilter": Kept(
        ("FilterName", "LogGroupName"), f"{_PAGES}aws-resource-logs-subscriptionfilter.html"
    ),
    "AWS::Lambda::Function": Kept(("FunctionName", "PackageType"), f"{_PAGES}aws-resource-lambda-function.html"),
    # Any change makes another: what CloudWatch Logs may not invoke meanwhile, it skips.
    "AWS::Lambda::Permission": Kept(
        (
            "Action",
            "EventSourceToken",
            "FunctionName",
            "FunctionUrlAuthType",
            "InvokedViaFunctionUrl",
            "Principal",
            "PrincipalOrgID",
            "SourceAccount",
            "SourceArn",
        ),
        f"{_PAGES}aws-resource-lambda-permission.html",
    ),
    "AWS::Lambda::EventSourceMapping": Kept(
        ("EventSourceArn",), f"{_PAGES}aws-resource-lambda-eventsourcemapping.html"
    ),
    # That of the set-up is the domain's master: another one would have no rights in it.
    "AWS::IAM::Role": Kept(("Path", "RoleName"), f"{_PAGES}aws-resource-iam-role.html"),
}
"""By type: what holds data, receives logs, or lets them through."""


def compact(resources: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The resources of a template that are of a kept type, each with its type and its kept properties."""
    return {
        key: {
            "Type": resource["Type"],
            **{
                name: value
                for name, value in sorted(resource.get("Properties", {}).items())
                if name in KEPT[resource["Type"]].properties
            },
        }
        for key, resource in sorted(resources.items())
        if resource["Type"] in KEPT
    }


def broken(released: Mapping[str, Any], resources: Mapping[str, Any]) -> list[str]:
    """What an update from the release would take away or replace, each as `logical id: what`."""
    today = compact(resources)
    found = []
    for key, then in released.items():
        now = today.get(key)
        if now is None:
            found.append(f"{key}: is not there any more, as {then['Type']}")
            continue
        changed = sorted(name for name in {*then, *now} if then.get(name) != now.get(name))
        found += [f"{key}: {name} is {now.get(name)} and was {then.get(name)}" for name in changed]
    return found


def read(stage: str) -> dict[str, Any]:
    """The release's resources of a stage."""
    resources: dict[str, Any] = json.loads((FOLDER / f"{stage}.json").read_text("utf-8"))
    return resources


def text(resources: Mapping[str, Any]) -> str:
    """As it is stored: a line a resource, so that a difference can be read."""
    rows = (f"  {json.dumps(key)}: {json.dumps(value, sort_keys=True)}" for key, value in compact(resources).items())
    return "{\n" + ",\n".join(rows) + "\n}\n"


if __name__ == "__main__":
    for name in STAGES:
        (FOLDER / f"{name}.json").write_text(text(built(name).resources), "utf-8")
