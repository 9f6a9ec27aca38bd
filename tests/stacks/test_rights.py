"""Each role may do what its code was seen to do and what Lambda does for it, nothing of what tempts, and no more.

The functions run through all their paths with the environment that the template gives them. What they call is recorded
(calls.py) and judged by the policies of the same template (policies.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest

from shipper import canary
from shipper.failures import KEY_PREFIX as RECORDS
from tests.shipper.fakes import REGION
from tests.stacks.built import (
    DEAD_LETTERS,
    DOMAIN,
    FAILED_EVENTS,
    FLUENTD_ROLE,
    RETRIES,
    SUBSCRIBER,
    Built,
    built,
    example,
    of_config,
)
from tests.stacks.calls import all_log_groups, log_stream
from tests.stacks.handler_paths import WATCHED, called
from tests.stacks.policies import ACCOUNT, Call, Deployed, allows, unused
from tests.stacks.test_collection_checks import ARN as COLLECTION_ARN
from tests.stacks.test_collection_checks import COLLECTION

OPTIONS: dict[str, Any] = {"encryption_key": "own", "tracing": True, "log_group_prefixes": (WATCHED,)}
STACKS: dict[str, Callable[[], Built]] = {
    "a domain": lambda: built("dev"),
    "a domain in a VPC": lambda: of_config(example("vpc")),
    "a collection, with all options": lambda: built("dev", **COLLECTION, **OPTIONS),
}


def _target(deployed: Deployed) -> str:
    return deployed.arn(DOMAIN) if DOMAIN in deployed.resources else COLLECTION_ARN


@cache
def _by_code(kind: str, function: str) -> frozenset[Call]:
    """What a function's code was seen to call."""
    deployed = Deployed(STACKS[kind]().resources)
    return called(deployed, function, _target(deployed))


def _by_lambda(stack: Built, function: str) -> Iterator[Call]:
    """What Lambda calls in the name of a function's role: the template says for which of its features."""
    deployed = Deployed(stack.resources)
    own = stack.properties(function)
    # https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html
    yield from _writes(deployed.value(own["LoggingConfig"]["LogGroup"]), "2026/11/24/[$LATEST]0f1e2d3c")
    # https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html#events-sqs-permissions
    for source in stack.of_type("AWS::Lambda::EventSourceMapping").values():
        if source["FunctionName"] == {"Ref": function}:
            for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes"):
                yield Call(f"sqs:{action}", deployed.value(source["EventSourceArn"]))
    # https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
    for config in stack.of_type("AWS::Lambda::EventInvokeConfig").values():
        if config["FunctionName"] == {"Ref": function} and "DestinationConfig" in config:
            bucket = deployed.value(config["DestinationConfig"]["OnFailure"]["Destination"])
            yield Call("s3:ListBucket", bucket)
            yield Call("s3:PutObject", f"{bucket}/{RECORDS}{deployed.name(function)}/2026/11/24/record")
    # https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
    if "VpcConfig" in own:
        yield from (Call(f"ec2:{action}", "*") for action in INTERFACES)
    # https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html
    if "TracingConfig" in own:
        yield from (Call(f"xray:{action}", "*") for action in ("PutTraceSegments", "PutTelemetryRecords"))


INTERFACES = (
    *("CreateNetworkInterface", "DescribeNetworkInterfaces", "DescribeSubnets", "DeleteNetworkInterface"),
    *("AssignPrivateIpAddresses", "UnassignPrivateIpAddresses"),
)

_WITH_KEY = {
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
    "sqs:SendMessage": ("GenerateDataKey", "Decrypt"),
    "sqs:ReceiveMessage": ("Decrypt",),
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
    "s3:PutObject": ("GenerateDataKey",),
    "s3:GetObject": ("Decrypt",),
}


def _with_keys(stack: Built, calls: frozenset[Call]) -> frozenset[Call]:
    """The calls, and those that SQS and S3 make of them where a queue or the bucket has a key."""
    deployed, keys = Deployed(stack.resources), {}
    for queue, own in stack.of_type("AWS::SQS::Queue").items():
        keys[deployed.arn(queue)] = deployed.value(own.get("KmsMasterKeyId"))
    for bucket, own in stack.of_type("AWS::S3::Bucket").items():
        (rule,) = own["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        keys[deployed.arn(bucket)] = deployed.value(rule["ServerSideEncryptionByDefault"].get("KMSMasterKeyID"))
    return calls | {
        Call(f"kms:{action}", key)
        for call in calls
        if (key := keys.get(call.resource.partition("/")[0]))
        for action in _WITH_KEY.get(call.action, ())
    }


def _writes(log_group: str, stream: str) -> Iterator[Call]:
    resource = log_stream({"logGroupName": log_group, "logStreamName": stream})
    yield from (Call(f"logs:{action}", resource) for action in ("CreateLogStream", "PutLogEvents"))


def _by_fluentd(stack: Built) -> Iterator[Call]:
    """https://github.com/fluent-plugins-nursery/fluent-plugin-cloudwatch-logs ."""
    yield Call("logs:DescribeLogGroups", all_log_groups({}))
    for group in _subscribed(stack):
        yield Call("logs:DescribeLogStreams", log_stream({"logGroupName": group}))
        yield from _writes(group, "ip-10-0-0-1_pod")


def _subscribed(stack: Built) -> list[str]:
    """The log groups of the cluster."""
    filters = stack.of_type("AWS::Logs::SubscriptionFilter").values()
    return [str(Deployed(stack.resources).value(each["LogGroupName"])) for each in filters]


@cache
def _needed(kind: str) -> dict[str, frozenset[Call]]:
    """What is called in the name of each role."""
    stack = STACKS[kind]()
    needed = {FLUENTD_ROLE: frozenset(_by_fluentd(stack))}
    for function, own in stack.of_type("AWS::Lambda::Function").items():
        calls = _by_code(kind, function) | frozenset(_by_lambda(stack, function))
        needed[own["Role"]["Fn::GetAtt"][0]] = _with_keys(stack, calls)
    return needed


@pytest.mark.parametrize("kind", STACKS)
def test_every_role_is_known_here(kind: str) -> None:
    """A role that is not has calls that nobody recorded: give its function a path, or its principal a table."""
    assert set(STACKS[kind]().of_type("AWS::IAM::Role")) == set(_needed(kind))


@pytest.mark.parametrize("kind", STACKS)
def test_every_call_is_allowed(kind: str) -> None:
    deployed = Deployed(STACKS[kind]().resources)
    assert [
        f"{role} may not {call.action} on {call.resource}"
        for role, calls in _needed(kind).items()
        for call in sorted(calls)
        if not allows(deployed.statements(role), call)
    ] == []


NOT_CALLED = {
    "sqs:GetQueueUrl": "The CDK gives it to whoever is invoked by a queue, to tell what the function is told.",
}
"""Actions that nothing calls, and why they are there."""


@pytest.mark.parametrize("kind", STACKS)
def test_no_right_is_left_over(kind: str) -> None:
    deployed = Deployed(STACKS[kind]().resources)
    over = [
        (action, f"{role} does not {action} on {resource}")
        for role, calls in _needed(kind).items()
        for action, resource in unused(deployed.statements(role), calls)
    ]
    assert [said for action, said in over if action not in NOT_CALLED] == []
    assert {action for action, _ in over} == set(NOT_CALLED)


def _of_the_domain(domain: str) -> dict[str, Call]:
    index = f"{domain}/cwl-2026.11.24"
    return {
        "index": Call("es:ESHttpPost", f"{domain}/_bulk"),
        "index elsewhere": Call("es:ESHttpPost", f"{domain}-2/_bulk"),
        "search": Call("es:ESHttpPost", f"{index}/_search"),
        "search by GET": Call("es:ESHttpGet", f"{index}/_search"),
        "search everything": Call("es:ESHttpPost", f"{domain}/_search"),
        "read a document": Call("es:ESHttpGet", f"{index}/_doc/1"),
        "delete a document": Call("es:ESHttpDelete", f"{index}/_doc/1"),
        "delete documents": Call("es:ESHttpPost", f"{index}/_delete_by_query"),
        "delete an index": Call("es:ESHttpDelete", index),
        "change our template": Call("es:ESHttpPut", f"{domain}/_index_template/cwl"),
        "change another template": Call("es:ESHttpPut", f"{domain}/_index_template/other"),
        "map our role": Call("es:ESHttpPut", f"{domain}/_plugins/_security/api/rolesmapping/cwl_writer"),
        "map all_access": Call("es:ESHttpPut", f"{domain}/_plugins/_security/api/rolesmapping/all_access"),
        "change the cluster": Call("es:ESHttpPut", f"{domain}/_cluster/settings"),
        "change the domain": Call("es:UpdateDomainConfig", domain),
        "delete the domain": Call("es:DeleteDomain", domain),
    }


def _of_the_collection(collection: str) -> dict[str, Call]:
    """What may be done within it is not IAM's matter: test_collection.py."""
    return {
        "use the collection": Call("aoss:APIAccessAll", collection),
        "use another collection": Call("aoss:APIAccessAll", f"{collection}2"),
        "look at the collection": Call("aoss:BatchGetCollection", "*", frozenset({("aoss:collection", "logs")})),
        "look at another collection": Call("aoss:BatchGetCollection", "*", frozenset({("aoss:collection", "other")})),
        "delete the collection": Call("aoss:DeleteCollection", collection),
        "change who is let in": Call("aoss:UpdateAccessPolicy", "*"),
    }


def _of_queues_and_bucket(deployed: Deployed) -> dict[str, Call]:
    retries, dead, bucket = (deployed.arn(name) for name in (RETRIES, DEAD_LETTERS, FAILED_EVENTS))
    return {
        "retry": Call("sqs:SendMessage", retries),
        "take retries": Call("sqs:ReceiveMessage", retries),
        "purge retries": Call("sqs:PurgeQueue", retries),
        "bury": Call("sqs:SendMessage", dead),
        "take dead letters": Call("sqs:ReceiveMessage", dead),
        "purge dead letters": Call("sqs:PurgeQueue", dead),
        "send elsewhere": Call("sqs:SendMessage", f"{dead}-2"),
        "write a body": Call("s3:PutObject", f"{bucket}/letters/1.gz"),
        "read a body": Call("s3:GetObject", f"{bucket}/letters/1.gz"),
        "delete a body": Call("s3:DeleteObject", f"{bucket}/letters/1.gz"),
        "write a record": Call("s3:PutObject", f"{bucket}/{RECORDS}1"),
        "read a record": Call("s3:GetObject", f"{bucket}/{RECORDS}1"),
        "write elsewhere": Call("s3:PutObject", f"{bucket}-2/letters/1.gz"),
        "open the bucket": Call("s3:PutBucketPolicy", bucket),
    }


def _of_log_groups(pods: str) -> dict[str, Call]:
    def to(action: str, log_group: str, stream: str = "") -> Call:
        return Call(f"logs:{action}", log_stream({"logGroupName": log_group, "logStreamName": stream}))

    return {
        "write a pod's log": to("PutLogEvents", pods, "pod-1"),
        "write the canary's log": to("PutLogEvents", pods, canary.STREAM),
        "write another group's log": to("PutLogEvents", f"{pods}-2", canary.STREAM),
        "write another function's log": to("PutLogEvents", "/aws/lambda/other", "s"),
        "read logs": to("FilterLogEvents", pods),
        "make a log group": to("CreateLogGroup", pods),
        "delete a log group": to("DeleteLogGroup", pods),
        "subscribe": to("PutSubscriptionFilter", pods),
        "subscribe a watched group": to("PutSubscriptionFilter", f"{WATCHED}one/cluster"),
        "unsubscribe": to("DeleteSubscriptionFilter", pods),
    }


def _of_others(function: str) -> dict[str, Call]:
    # Lambda says in whose code a call is made:
    # https://docs.aws.amazon.com/lambda/latest/dg/permissions-source-function-arn.html
    by_code = frozenset({("lambda:SourceFunctionArn", function)})
    return {
        "invoke": Call("lambda:InvokeFunction", function),
        "change code": Call("lambda:UpdateFunctionCode", function),
        "silence an alarm": Call("cloudwatch:DeleteAlarms", f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:any"),
        "publish": Call("sns:Publish", f"arn:aws:sns:{REGION}:{ACCOUNT}:any"),
        "decrypt anything": Call("kms:Decrypt", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/other"),
        "read a secret": Call("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:any"),
        "take a role": Call("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/any"),
        "pass a role": Call("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/any"),
        "make a user": Call("iam:CreateUser", f"arn:aws:iam::{ACCOUNT}:user/any"),
        **{f"{action} by code": Call(f"ec2:{action}", "*", by_code) for action in INTERFACES},
    }


def _temptations(kind: str) -> dict[str, Call]:
    """What somebody who has taken a function over would like to do, by name."""
    deployed = Deployed(STACKS[kind]().resources)
    pods = next(iter(_subscribed(STACKS[kind]())))
    target = _target(deployed)
    return {
        **(_of_the_domain(target) if DOMAIN in deployed.resources else _of_the_collection(target)),
        **_of_queues_and_bucket(deployed),
        **_of_log_groups(pods),
        **_of_others(deployed.arn(SUBSCRIBER)),
    }


MAY = {
    "FunctionsSubscriberRole": {"index", "use the collection", "retry", "bury", "write a body", "write a record"},
    "FunctionsReplayRole": {"index", "use the collection", "take retries", "bury", "write a body", "read a body"},
    "SetupRole": {
        *("change our template", "map our role", "take dead letters"),
        *("use the collection", "look at the collection"),
    },
    "CanaryRole": {"search", "use the collection", "write the canary's log"},
    "GroupWatchRole": {"subscribe a watched group"},
    "ClusterAccessRole": {"write a pod's log", "write the canary's log"},
}
"""The temptations that are a role's own work."""

_HASH_CHARS = 8
"""At the end of a logical id."""


@pytest.mark.parametrize("kind", STACKS)
def test_whatever_else_would_tempt_is_denied(kind: str) -> None:
    deployed, asked = Deployed(STACKS[kind]().resources), _temptations(kind)
    for role in _needed(kind):
        statements = deployed.statements(role)
        allowed = {name for name, call in asked.items() if allows(statements, call)}
        assert allowed == MAY[role[:-_HASH_CHARS]] & asked.keys(), role
