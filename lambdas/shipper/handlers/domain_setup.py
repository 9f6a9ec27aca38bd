"""The function behind the custom resource that sets the domain up: CloudFormation invokes it at a deploy."""

from __future__ import annotations

import os
from typing import Any

from shipper.aws.clock import SystemClock
from shipper.aws.domain import OpenSearchDomain, answer
from shipper.aws.opensearch import client
from shipper.aws.telemetry import Telemetry
from shipper.engine import Unsupported
from shipper.handlers.services import signer
from shipper.setup import SetupFailed, set_up
from shipper.setup_plan import Plan, Taken

PHYSICAL_ID = "cwl-domain-setup"
"""The same for good: another one would make CloudFormation delete what it takes for the old resource."""

IDENTITY_VARIABLE = "CWL_SETUP_IDENTITY"


def handler(event: Any, context: Any) -> None:
    """Set the domain up at creation and update. At deletion everything stays: the logs are worth more than the stack.

    Raises only where CloudFormation cannot be answered: then Lambda invokes this again.
    """
    telemetry = Telemetry("domain_setup", "INFO")
    if event["RequestType"] == "Delete":
        answer(event, PHYSICAL_ID)
        return
    plan = Plan.from_properties(event["ResourceProperties"])
    domain = OpenSearchDomain(lambda: client(plan.endpoint, signer(os.environ, "es"), compress=False))
    clock = SystemClock(context.get_remaining_time_in_millis)
    try:
        report = set_up(plan, domain, clock, os.environ[IDENTITY_VARIABLE])
    except (SetupFailed, Unsupported, Taken) as error:
        telemetry.refused("domain not set up", error=str(error))
        answer(event, PHYSICAL_ID, failure=f"The domain is not set up. {error}")
        return
    telemetry.logger.info("domain set up", extra={"done": report.done, "skipped": report.skipped})
    answer(event, PHYSICAL_ID, data={"Summary": report.summary()})
