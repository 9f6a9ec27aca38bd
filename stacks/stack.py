"""The one stack of `app.py` (docs/adr/0001-one-stack.md): a name, a protection, and all of the shipping in it."""

from __future__ import annotations

from aws_cdk import Stack
from constructs import Construct

from stacks.log_shipping import LogShipping
from stacks.stages import StageConfig

_UNSEEN = "Default"
"""An id that the CDK leaves out of logical ids: those are as if the parts were the stack's own children."""


class LogShippingStack(Stack):
    """`shipping` in a stack that is named for the stage, with its outputs."""

    def __init__(self, scope: Construct, *, config: StageConfig) -> None:
        super().__init__(
            scope,
            "LogShipping",
            stack_name=f"cwl-shipper-{config.name}",
            termination_protection=config.protected,
            description="Ships the logs of an EKS cluster from CloudWatch Logs to OpenSearch",
        )
        self.shipping = LogShipping(self, _UNSEEN, config=config)
        self.shipping.add_outputs()
