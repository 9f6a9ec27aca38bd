"""The CDK app: stage from the context, its configuration checked as a whole, one stack, cdk-nag over it.

cdk deploy                      stage dev
cdk deploy -c stage=prod -c cluster=shop
"""

from __future__ import annotations

import sys
from dataclasses import replace

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks

from stacks.asset import BundlingFailed
from stacks.log_shipping import LogShipping
from stacks.stages import STAGES, StageConfig

DEFAULT_STAGE = "dev"


class BadConfiguration(ValueError):
    """The stage cannot be deployed; the message names every fault."""


def configuration(app: cdk.App) -> StageConfig:
    """The stage's configuration with what the context changes. Raises `BadConfiguration`."""
    name = app.node.try_get_context("stage") or DEFAULT_STAGE
    if name not in STAGES:
        raise BadConfiguration(f"stage: {name!r} is none of {', '.join(STAGES)}")
    config = STAGES[name]
    if cluster := app.node.try_get_context("cluster"):
        config = replace(config, cluster=cluster)
    if problems := config.problems():
        raise BadConfiguration(f"stage {name}: " + "; ".join(problems))
    return config


def build(app: cdk.App) -> LogShipping:
    """Put the stack and its checks into the app. Raises `BadConfiguration`."""
    stack = LogShipping(app, config=configuration(app))
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    return stack


def main() -> None:
    """Synthesise; a fault of the configuration or of the bundling is one line."""
    app = cdk.App()
    try:
        build(app)
        app.synth()
    except (BadConfiguration, BundlingFailed) as error:
        sys.exit(f"cwl-shipper: {error}")


if __name__ == "__main__":
    main()
