"""The function behind the custom resource that sets the domain up: CloudFormation invokes it at a deploy."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from shipper import collection, failures
from shipper.aws.clock import SystemClock
from shipper.aws.collection import ServerlessCollection
from shipper.aws.domain import OpenSearchDomain, answer
from shipper.aws.inbox import Inbox
from shipper.aws.opensearch import client
from shipper.aws.telemetry import Telemetry
from shipper.engine import Unsupported
from shipper.handlers.services import boto3_client, signer
from shipper.setup import Domain, SetupFailed, set_up
from shipper.setup_plan import Plan, Taken

PHYSICAL_ID = "cwl-domain-setup"
"""Always the same: another one would make CloudFormation delete what it takes for the old resource."""

IDENTITY_VARIABLE = "CWL_SETUP_IDENTITY"
QUEUE_VARIABLE = "CWL_SETUP_DEAD_LETTER_QUEUE"
BUCKET_VARIABLE = "CWL_SETUP_BUCKET"

_MOST_LOOKED_AT = 10
_HIDDEN_S = 30


def handler(event: Any, context: Any) -> None:
    """Set the domain up at creation and update. At deletion everything stays: the logs are worth more than the stack.

    Raises only where CloudFormation cannot be answered: then Lambda invokes this again.
    """
    telemetry = Telemetry("domain_setup", "INFO")
    if event["RequestType"] == "Delete":
        answer(event, PHYSICAL_ID)
        return
    if event["RequestType"] == "Create":
        _delete_test_event(os.environ, telemetry)
    plan = Plan.from_properties(event["ResourceProperties"])
    domain = _target(plan)
    clock = SystemClock(context.get_remaining_time_in_millis)
    try:
        report = set_up(plan, domain, clock, os.environ[IDENTITY_VARIABLE])
    except (SetupFailed, Unsupported, Taken) as error:
        telemetry.refused("domain not set up", error=str(error))
        answer(event, PHYSICAL_ID, failure=f"The domain is not set up. {error}")
        return
    telemetry.logger.info("domain set up", extra={"done": report.done, "skipped": report.skipped})
    answer(event, PHYSICAL_ID, data={"Summary": report.summary()})


def _delete_test_event(env: Mapping[str, str], telemetry: Telemetry) -> None:
    """Delete the one message with which S3 tried the queue as the stack was made: an alarm would go off for it.

    Every other message stays. Where this fails the message stays, too, and a replay takes it away.
    """
    inbox = Inbox(boto3_client("sqs"), env[QUEUE_VARIABLE])
    try:
        messages = list(inbox.messages(limit=_MOST_LOOKED_AT, hide_s=_HIDDEN_S))
        tests = [message for message in messages if failures.is_test_event(message.body, env[BUCKET_VARIABLE])]
        inbox.delete(tests)
        inbox.show_again(message for message in messages if message not in tests)
    except (ClientError, BotoCoreError) as error:
        telemetry.refused("test event stays", error=str(error))


def _target(plan: Plan) -> Domain:
    service = collection.SERVICE if plan.collection else "es"
    api = OpenSearchDomain(lambda: client(plan.endpoint, signer(os.environ, service), compress=False))
    if not plan.collection:
        return api
    return ServerlessCollection(api, lambda config: boto3_client("opensearchserverless", config=config))
