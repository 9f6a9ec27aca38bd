"""The stack as the tests look at it: synthesised without bundling, with the feature flags of cdk.json."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk.assertions import Template

from app import configuration
from stacks.stack import LogShippingStack
from stacks.stages import STAGES, StageConfig

ROOT = Path(__file__).resolve().parents[2]
NO_BUNDLING: dict[str, Any] = {"aws:cdk:bundling-stacks": []}

DOMAIN = "SearchDomain62FD613E"
DEAD_LETTERS = "QueuesDeadLettersF0D5D2AD"
RETRIES = "QueuesRetriesEDA394A4"
FAILED_EVENTS = "QueuesFailedEventsA41BBD2A"
SUBSCRIBER = "FunctionsSubscriber283082B9"
REPLAY = "FunctionsReplay3F656353"
SETUP = "SetupFunctionC1AAAA3A"
CANARY = "CanaryFunction7B473602"
CANARY_ROLE = "CanaryRole9950A1F8"
INVOKE_BY_LOGS = "SubscriptionsInvokeByLogsA5D281A7"
SETUP_ROLE = "SetupRoleBF237B81"
FLUENTD_ROLE = "ClusterAccessRole393CD568"


def flags() -> dict[str, Any]:
    """The context that the CDK's command line reads from cdk.json."""
    context: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text("utf-8"))["context"]
    return context


def app(outdir: Path | None = None, **context: Any) -> cdk.App:
    """An app as the command line makes it, without bundling."""
    return cdk.App(context={**flags(), **NO_BUNDLING, **context}, outdir=str(outdir) if outdir else None)


@dataclass(frozen=True)
class Built:
    """A synthesised stack: `resources` by logical id, as CloudFormation gets them."""

    stack: LogShippingStack
    resources: dict[str, dict[str, Any]]
    outputs: dict[str, Any]

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """Properties by logical id."""
        return {key: value.get("Properties", {}) for key, value in self.resources.items() if value["Type"] == kind}

    def only(self, kind: str) -> dict[str, Any]:
        """Properties of the only resource of its type."""
        (properties,) = self.of_type(kind).values()
        return properties

    def properties(self, logical_id: str) -> dict[str, Any]:
        """Properties of one resource."""
        found: dict[str, Any] = self.resources[logical_id]["Properties"]
        return found

    def statements(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """(logical id of the policy, statement) of every policy of a role."""
        for key, policy in self.of_type("AWS::IAM::Policy").items():
            for statement in policy["PolicyDocument"]["Statement"]:
                yield key, statement


@cache
def of_config(config: StageConfig) -> Built:
    """The stack of a configuration."""
    stack = LogShippingStack(app(), config=config)
    template = Template.from_stack(stack).to_json()
    return Built(stack, template["Resources"], template["Outputs"])


def built(stage: str, **changes: Any) -> Built:
    """The stack of a stage, with some fields changed."""
    return of_config(replace(STAGES[stage], **changes))


EXAMPLES = {
    "new-domain": "prod",
    "existing-domain": "dev",
    "vpc": "prod",
    "existing-log-groups": "dev",
    "more-log-groups": "dev",
    "central-account": "prod",
    "china": "prod",
}
"""The files in examples/ and the stage that each configures."""


@cache
def example(name: str) -> StageConfig:
    """The configuration that an example makes, as the command line reads it."""
    return configuration(app(stage=EXAMPLES[name], config=str(ROOT / "examples" / f"{name}.toml")))


def attribute(logical_id: str, name: str = "Arn") -> dict[str, Any]:
    """`Fn::GetAtt` of a resource."""
    return {"Fn::GetAtt": [logical_id, name]}


def below(logical_id: str, path: str) -> dict[str, Any]:
    """The ARN of something in a resource."""
    return {"Fn::Join": ["", [attribute(logical_id), path]]}


def words(value: str | list[str]) -> list[str]:
    """A policy's one or many."""
    return [value] if isinstance(value, str) else value
