"""What Lambda gives up on: announced to the dead-letter queue, listed, shown and replayed."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from shipper.aws.inbox import Inbox
from tests.e2e.conftest import Chain, subscription_event, wait

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]


def event_of(stream: str, *messages: str) -> dict[str, Any]:
    now_ms = int(time.time() * 1000)
    return subscription_event(
        {
            "messageType": "DATA_MESSAGE",
            "owner": "123456789012",
            "logGroup": "/aws/containerinsights/demo/application",
            "logStream": stream,
            "subscriptionFilters": ["all"],
            "logEvents": [
                {"id": f"{stream}-{number}", "timestamp": now_ms + number, "message": message}
                for number, message in enumerate(messages)
            ],
        }
    )


@contextmanager
def misconfigured(chain: Chain, destination_arn: str) -> Iterator[None]:
    """The function has a setting that it cannot read, so that it raises; its failures go to a queue."""
    function, functions = chain.stack.outputs["SubscriberFunction"], chain.client("lambda")
    variables = functions.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
    (deployed,) = functions.list_function_event_invoke_configs(FunctionName=function)["FunctionEventInvokeConfigs"]

    def configure(values: dict[str, str], destination: dict[str, Any]) -> None:
        functions.update_function_configuration(FunctionName=function, Environment={"Variables": values})
        functions.put_function_event_invoke_config(
            FunctionName=function,
            Qualifier="$LATEST",
            MaximumRetryAttempts=deployed["MaximumRetryAttempts"],
            MaximumEventAgeInSeconds=deployed["MaximumEventAgeInSeconds"],
            DestinationConfig=destination,
        )

    try:
        configure({**variables, "SHIPPER_MESSAGE": "all"}, {"OnFailure": {"Destination": destination_arn}})
        yield
    finally:
        configure(variables, deployed["DestinationConfig"])


def fail_for_good(chain: Chain, event: Any) -> None:
    """Let Lambda give up on an event: the function raises at each of three tries, and the record is in the bucket.

    The local AWS sends its record to a queue but to no bucket, so the last step is done here: Lambda's own fields that
    it leaves out, and Lambda's key.
    """
    function, sqs = chain.stack.outputs["SubscriberFunction"], chain.client("sqs")
    url = sqs.create_queue(QueueName=f"failed-{uuid.uuid4().hex}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    with misconfigured(chain, arn):
        chain.client("lambda").invoke(FunctionName=function, InvocationType="Event", Payload=json.dumps(event).encode())
        inbox = Inbox(sqs, url)
        wait(lambda: inbox.depth() == (1, 0))
        (message,) = inbox.messages(limit=1, hide_s=30)
    sqs.delete_queue(QueueUrl=url)
    record = {
        "version": "1.0",
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()),
        **json.loads(message.body),
    }
    key = f"aws/lambda/async/{function}/{time.strftime('%Y/%m/%d/%Y-%m-%dT%H.%M.%S')}-{uuid.uuid4()}"
    body = json.dumps(record).encode()
    chain.client("s3").put_object(Bucket=chain.stack.outputs["FailedEventsBucket"], Key=key, Body=body)


def test_what_lambda_gives_up_on_is_announced_shown_and_replayed(chain: Chain) -> None:
    stream = f"given-up-{uuid.uuid4().hex}"
    fail_for_good(chain, event_of(stream, "one", "two"))
    wait(lambda: chain.letters("lambda_failure"))
    (group,) = chain.letters("lambda_failure")
    assert (group["documents"], group["letters"]) == (1, 1)

    shown = json.loads(chain.shipper("dlq", "show", "--reason", "lambda_failure", "--json"))
    assert (shown["kind"], shown["attempts"]) == ("payload", 3)
    assert shown["message"].startswith("RetriesExhausted: ")
    assert "none of text, record, raw" in shown["message"]
    assert [document["@message"] for document in shown["content"]] == ["one", "two"]

    chain.shipper("dlq", "replay", "--reason", "lambda_failure", "--yes")
    assert [document["@message"] for document in chain.wait_found(stream, 2)] == ["one", "two"]
    assert not chain.letters("lambda_failure")


def test_a_replay_doubles_nothing_of_what_was_written_before_lambda_gave_up(chain: Chain) -> None:
    stream = f"half-done-{uuid.uuid4().hex}"
    event = event_of(stream, "one", "two")
    assert chain.invoke(event)["indexed"] == 2
    fail_for_good(chain, event)
    wait(lambda: chain.letters("lambda_failure"))
    assert "2 there already" in chain.shipper("dlq", "replay", "--reason", "lambda_failure", "--yes")
    assert len(chain.found(stream)) == 2


def test_the_test_that_s3_makes_is_taken_away_by_the_deployment_and_else_by_a_replay(chain: Chain) -> None:
    assert not chain.letters("s3_test_event")
    bucket = chain.stack.outputs["FailedEventsBucket"]
    test = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": "2026-11-20T08:00:00.000Z", "Bucket": bucket}
    chain.client("sqs").send_message(QueueUrl=chain.stack.outputs["DeadLetterQueueUrl"], MessageBody=json.dumps(test))
    (group,) = chain.letters("s3_test_event")
    assert group["documents"] == 0
    chain.shipper("dlq", "replay", "--reason", "s3_test_event", "--yes")
    assert not chain.letters("s3_test_event")
