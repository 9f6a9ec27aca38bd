"""What code calls, as it calls it: AWS by an event of botocore, a domain or a collection by its signed requests.

What is recorded are the actions and resources that IAM is asked about. https://docs.aws.amazon.com/service-authorization/
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast
from unittest import mock
from urllib.parse import unquote, urlsplit

import boto3
import botocore.handlers
from botocore.awsrequest import AWSResponse
from requests import ConnectionError as NotConnected
from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter

from shipper.aws import opensearch
from shipper.ship import Unreachable
from tests.shipper.fakes import REGION, FakeSink, without_waiting
from tests.stacks.policies import ACCOUNT, Call

Params = Mapping[str, Any]


def queue(params: Params) -> str:
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{params['QueueUrl'].rpartition('/')[2]}"


def stored(params: Params) -> str:
    return f"arn:aws:s3:::{params['Bucket']}/{params['Key']}"


def log_stream(params: Params) -> str:
    """A stream without a name where the call is of its group: so AWS itself says it when it denies one."""
    group, stream = (params.get(name, "") for name in ("logGroupName", "logStreamName"))
    return f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}:log-stream:{stream}"


def all_log_groups(_: Params) -> str:
    """A group without a name: https://github.com/hashicorp/terraform-provider-aws/issues/8804 ."""
    return log_stream({})


def function(params: Params) -> str:
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{params['FunctionName']}"


def stack(params: Params) -> str:
    return f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{params['StackName']}/0f1e2d3c"


def anything(_: Params) -> str:
    return "*"


def _all(*operations: str, on: Callable[[Params], str]) -> dict[str, tuple[str, Callable[[Params], str]]]:
    """Operations with actions of their own names."""
    return {operation: (operation, on) for operation in operations}


OPERATIONS: dict[str, tuple[str, Callable[[Params], str]]] = {
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
    **_all("sqs:ReceiveMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility", on=queue),
    "sqs:ChangeMessageVisibilityBatch": ("sqs:ChangeMessageVisibility", queue),
    "sqs:DeleteMessageBatch": ("sqs:DeleteMessage", queue),
    "sqs:SendMessageBatch": ("sqs:SendMessage", queue),
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
    **_all("s3:GetObject", "s3:PutObject", on=stored),
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/permissions-reference-cwl.html
    **_all("logs:CreateLogStream", "logs:PutLogEvents", on=log_stream),
    **_all("logs:DescribeLogStreams", "logs:FilterLogEvents", on=log_stream),
    **_all("logs:DescribeSubscriptionFilters", "logs:PutSubscriptionFilter", on=log_stream),
    **_all("logs:DescribeLogGroups", on=all_log_groups),
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatchlogs.html
    **_all("logs:DescribeAccountPolicies", on=anything),
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html
    **_all("cloudwatch:GetMetricData", on=anything),
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscloudformation.html
    **_all("cloudformation:DescribeStacks", on=stack),
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html
    **_all("lambda:GetFunctionConfiguration", on=function),
    "lambda:Invoke": ("lambda:InvokeFunction", function),
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonopensearchserverless.html
    "opensearchserverless:BatchGetCollection": ("aoss:BatchGetCollection", anything),
}
"""Action and resource of each operation of the SDK. One that is not here fails the test whose code calls it."""


_ASKED_TOO = {
    # Of which log groups is documented nowhere. https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/
    # API_DescribeAccountPolicies.html
    "logs:DescribeAccountPolicies": Call("logs:DescribeSubscriptionFilters", "*"),
}
"""What IAM is asked beside that, for the operations that need two rights."""


def call_of(operation: str, params: Params) -> Call:
    """What IAM is asked for an operation, `service:Name` as the SDK calls both."""
    if operation not in OPERATIONS:
        raise AssertionError(f"what right does {operation} need? Say it in OPERATIONS")
    action, resource = OPERATIONS[operation]
    return Call(action, resource(params), frozenset(("aoss:collection", name) for name in params.get("names", ())))


Reply = tuple[int, Any]


def new_domain(method: str, path: str) -> Reply:
    """One that has every API, and nothing in it."""
    if path == "/":
        return 200, {"version": {"number": "3.7.0", "distribution": "opensearch"}}
    return (404, {}) if method == "GET" else (200, {"acknowledged": True})


@dataclass
class Recorder:
    """`calls` are all that was asked of AWS, and of the domain or collection `arn`.

    That one answers as `domain` says, bulk requests as `sink` does; AWS as `answers` say by operation, else as moto.
    """

    arn: str
    answers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    sink: FakeSink = field(default_factory=FakeSink)
    domain: Callable[[str, str], Reply] = new_domain
    calls: set[Call] = field(default_factory=set)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Record what is done by clients that are made meanwhile; within moto."""
        hooks = [
            ("provide-client-params", self._note),
            ("before-call", self._answer),
            ("before-parameter-build.sqs.ReceiveMessage", without_waiting),
        ]
        with (
            mock.patch.object(botocore.handlers, "BUILTIN_HANDLERS", [*botocore.handlers.BUILTIN_HANDLERS, *hooks]),
            mock.patch.object(boto3, "DEFAULT_SESSION", None),
            mock.patch.object(opensearch, "DeadlineAdapter", return_value=_Played(self)),
        ):
            yield

    def ask(self, request: PreparedRequest) -> Reply:
        """Note a signed request to the domain, and answer it."""
        method, path = str(request.method), unquote(urlsplit(str(request.url)).path)
        (service,) = re.findall(rf"/{REGION}/(\w+)/aws4_request", str(request.headers["Authorization"]))
        self.calls.add(_SIGNED_FOR[service](self.arn, method, path))
        if path != "/_bulk":
            return self.domain(method, path)
        try:
            reply = self.sink.bulk(gzip.decompress(cast("bytes", request.body)), 1)
        except Unreachable as error:
            raise NotConnected from error
        return reply.status, reply.body

    def _note(self, params: Params, model: Any, **_: Any) -> None:
        operation = f"{model.service_model.service_name}:{model.name}"
        self.calls.add(call_of(operation, params))
        if also := _ASKED_TOO.get(operation):
            self.calls.add(also)

    def _answer(self, model: Any, **_: Any) -> Any:
        answer = self.answers.get(model.name)
        return None if answer is None else (AWSResponse("", 200, {}, None), answer)


_SIGNED_FOR: dict[str, Callable[[str, str, str], Call]] = {
    # https://docs.aws.amazon.com/opensearch-service/latest/developerguide/ac.html
    "es": lambda arn, method, path: Call(f"es:ESHttp{method.capitalize()}", f"{arn}{path}"),
    # https://docs.aws.amazon.com/opensearch-service/latest/developerguide/serverless-data-access.html
    "aoss": lambda arn, _method, _path: Call("aoss:APIAccessAll", arn),
}
"""What IAM is asked for a request, by the service that its signature names."""


class _Played(BaseAdapter):
    """Takes the connections' place."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self._recorder = recorder

    def send(self, request: PreparedRequest, *_: Any, **__: Any) -> Response:
        response = Response()
        response.status_code, body = self._recorder.ask(request)
        response._content = json.dumps(body).encode()
        response.headers["Content-Type"] = "application/json"
        response.request, response.url = request, str(request.url)
        return response

    def close(self) -> None:
        pass
