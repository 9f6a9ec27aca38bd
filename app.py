"""The CDK app: stage from the context, its configuration checked as a whole, one stack, cdk-nag over it.

cdk deploy                                    stage dev, cluster eks
cdk deploy -c stage=prod -c cluster=shop
cdk deploy -c config=cwl-shipper.toml         every field of the stage (docs/configuration.md)
cdk deploy -c log_groups=existing             subscribe to log groups that are there already
cdk deploy -c fluentd_identity=none           before the cluster is there (docs/kubernetes.md)

cdk.json starts it with the `python3` of `.venv`, where that exists, and of the PATH otherwise: so it works from
`make`, from any activated environment, and from a shell where nothing is activated.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks, NIST80053R5Checks, ServerlessChecks

from stacks import overrides
from stacks.asset import BundlingFailed
from stacks.log_shipping import BadConfiguration
from stacks.stack import LogShippingStack
from stacks.stages import StageConfig

DEFAULT_STAGE = "dev"
_PACKS = (AwsSolutionsChecks, ServerlessChecks, NIST80053R5Checks)
_LOG_GROUPS = {"new": True, "existing": False}
_TEXTS = ("cluster", "fluentd_identity", "oidc_provider_arn")
"""Fields that the context sets by their own name."""


class UnmetRules(Exception):
    """cdk-nag or CloudFormation's own rules found something; the message names the report."""


def configuration(app: cdk.App) -> StageConfig:
    """The stage's configuration with what the context changes. Raises `BadConfiguration`."""
    name = app.node.try_get_context("stage") or DEFAULT_STAGE
    try:
        config, problems = overrides.configured(app.node.try_get_context("config"), name)
    except overrides.Unreadable as error:
        raise BadConfiguration(str(error)) from error
    context = {field: app.node.try_get_context(field) for field in _TEXTS}
    changes: dict[str, Any] = {field: str(text) for field, text in context.items() if text is not None}
    config = replace(config, **changes)
    if (log_groups := app.node.try_get_context("log_groups")) is not None:
        if log_groups in _LOG_GROUPS:
            config = replace(config, create_log_groups=_LOG_GROUPS[log_groups])
        else:
            problems.append(f"log_groups: {log_groups!r} is none of {', '.join(_LOG_GROUPS)}")
    if problems := problems + config.problems():
        raise BadConfiguration(f"stage {name}: " + "; ".join(problems))
    return config


def build(app: cdk.App) -> LogShippingStack:
    """Put the stack and its checks into the app. Raises `BadConfiguration` or `BundlingFailed`."""
    stack = LogShippingStack(app, config=configuration(app))
    check(app)
    return stack


def check(app: cdk.App) -> None:
    """Have cdk-nag's packs look at the app when it is synthesised; what is meant of what they find is in `nag.py`."""
    cdk.Validations.of(app).add_plugins(*(pack(app) for pack in _PACKS))


def synthesise(app: cdk.App) -> None:
    """Write the assembly. Raises `UnmetRules`."""
    try:
        app.synth()
    except RuntimeError as error:
        # jsii hands every error on as this type; the name is at the start of its text.
        if not str(error).startswith("ValidationFailed"):
            raise
        raise UnmetRules(str(error).partition(": ")[2]) from error


def main(app: cdk.App | None = None) -> None:
    """Synthesise; a fault of the configuration or the bundling is one line, and none is a traceback."""
    app = app or cdk.App()
    try:
        build(app)
        synthesise(app)
    except (BadConfiguration, BundlingFailed, UnmetRules) as error:
        sys.exit(f"cwl-shipper: {error}")


if __name__ == "__main__":
    main()
