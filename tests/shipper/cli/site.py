"""A deployed stack for the tests of audit, trace and status: CloudWatch and queues on moto, the rest is played."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from botocore.exceptions import ClientError

from shipper import deadletter
from shipper.audit import Found
from shipper.aws.search import SearchFailed
from shipper.cli.deployment import Site
from shipper.decode import decode
from shipper.model import Ledger, LogEvent, Payload, Reason, Source
from shipper.model import Payload as SubscriptionPayload
from shipper.pipeline import transform
from shipper.times import milliseconds
from tests.shipper.fakes import REFUSED, SETTINGS, FakeSink, LocalAws, aws_client, deployment_on, lambda_event

GROUP = "/aws/containerinsights/demo/application"
SOURCE = Source("123456789012", GROUP, "pod-1")
FUNCTION = "subscriber"
VARIABLES = {"SHIPPER_ENDPOINT": "https://search.example.com", "SHIPPER_MAX_TRIES": "3"}


@dataclass
class FakeIndex:
    """Documents of one log group, in memory."""

    documents: dict[str, Found] = field(default_factory=dict)
    hits: list[dict[str, Any]] = field(default_factory=list)
    searched: list[Mapping[str, Any]] = field(default_factory=list)
    away: bool = False
    status: str = "green"
    disks: list[dict[str, Any]] = field(default_factory=list)
    mappings: dict[str, dict[str, Any]] = field(default_factory=dict)

    def _asked(self) -> None:
        if self.away:
            raise SearchFailed("the domain does not answer here")

    def between(self, _: str, from_ms: int, to_ms: int) -> Iterator[tuple[str, Found]]:
        self._asked()
        for id_, found in self.documents.items():
            if from_ms <= milliseconds(found.timestamp) < to_ms:
                yield id_, found

    def with_ids(self, ids: Sequence[str]) -> dict[str, Found]:
        self._asked()
        return {id_: self.documents[id_] for id_ in ids if id_ in self.documents}

    def search(self, body: Mapping[str, Any]) -> tuple[list[dict[str, Any]], int]:
        self._asked()
        self.searched.append(body)
        return self.hits[: body["size"]], len(self.hits)

    def newest(self, _: str) -> str:
        self._asked()
        return max((found.timestamp for found in self.documents.values()), default="")

    def health(self) -> dict[str, Any]:
        self._asked()
        return {"status": self.status, "number_of_data_nodes": 2}

    def allocation(self) -> list[dict[str, Any]]:
        self._asked()
        return self.disks

    def mapping(self, name: str) -> dict[str, Any] | None:
        self._asked()
        return self.mappings.get(name)

    def max_fields(self, _: str) -> int:
        return 8

    def put_mapping(self, name: str, body: Mapping[str, Any]) -> None:
        self.mappings[name] = merged(self.mappings[name], body)


def merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping after `new` was put: what it says counts, its `_meta` as a whole, and the rest stays."""
    inner = {
        name: merged(old[name], value)
        for name, value in new.items()
        if name != "_meta" and isinstance(value, Mapping) and name in old
    }
    return {**old, **new, **inner}


class FakeFunction:
    """A client of Lambda whose function indexes what it takes."""

    def __init__(self, index: FakeIndex) -> None:
        self.taken: list[Any] = []
        self.error = ""
        self.ledger: Ledger | None = None
        self._index = index

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - boto3's names
        if self.error:
            answer = json.dumps({"errorMessage": self.error}).encode()
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(answer)}
        event = json.loads(Payload)
        self.taken.append(event)
        payload = decode(event, max_decoded_bytes=10**6)
        ledger = self.ledger or Ledger(*[len(payload.events)] * 2 if isinstance(payload, SubscriptionPayload) else [])
        if isinstance(payload, SubscriptionPayload) and self.ledger is None:
            self._index.documents |= _documents(payload)
        return {"Payload": io.BytesIO(json.dumps(ledger.terms()).encode())}

    def get_function_configuration(self, *, FunctionName: str) -> dict[str, Any]:  # noqa: N803
        return {"LastModified": "2026-11-24T12:00:00.000+0000", "Environment": {"Variables": VARIABLES}}


def _documents(payload: Payload) -> dict[str, Found]:
    batch = transform(payload, SETTINGS, int(time.time() * 1000))
    return {
        document.id: Found(json.loads(document.source).get("@lines", 1), document.timestamp)
        for document in batch.documents
    }


class SubscribedLogs:
    """moto's CloudWatch Logs, with a subscription filter: moto makes one only for a function that it can invoke.

    `policies` are those of the account, of which moto knows nothing; where `denied` is, they may not be read.
    """

    def __init__(self, logs: Any) -> None:
        self.filters = [{"filterName": "all", "destinationArn": f"arn:x:function:{FUNCTION}", "filterPattern": ""}]
        self.policies: list[dict[str, Any]] = []
        self.denied: ClientError | None = None
        self._logs = logs

    def __getattr__(self, name: str) -> Any:
        return getattr(self._logs, name)

    def get_paginator(self, name: str) -> Any:
        pages = self._logs.get_paginator(name)
        return _CameAtOnce(pages) if name == "filter_log_events" else pages

    def describe_subscription_filters(self, **_: Any) -> dict[str, Any]:
        return {"subscriptionFilters": self.filters}

    def describe_account_policies(self, **_: Any) -> dict[str, Any]:
        if self.denied:
            raise self.denied
        return {"accountPolicies": self.policies}


class _CameAtOnce:
    """Pages of events, each of which came when it happened: moto has them all come now."""

    def __init__(self, pages: Any) -> None:
        self._pages = pages

    def paginate(self, **asked: Any) -> Iterator[Any]:
        for page in self._pages.paginate(**asked):
            yield {"events": [{**event, "ingestionTime": event["timestamp"]} for event in page["events"]]}


@dataclass
class PlayedSite:
    """The site, and what a test changes of it."""

    site: Site
    aws: LocalAws
    index: FakeIndex
    function: FakeFunction
    logs: SubscribedLogs

    def write(self, *messages: str, age_s: int = 600) -> None:
        """Put events into the log group, a millisecond apart."""
        first_ms = int(time.time() * 1000) - age_s * 1000
        events = [{"timestamp": first_ms + at, "message": message} for at, message in enumerate(messages)]
        self.logs.put_log_events(logGroupName=GROUP, logStreamName=SOURCE.log_stream, logEvents=events)

    def payload(self) -> Payload:
        """All events of the log group as a subscription hands them over."""
        raw = self.logs.filter_log_events(logGroupName=GROUP)["events"]
        return Payload(SOURCE, tuple(LogEvent(one["eventId"], one["timestamp"], one["message"]) for one in raw))

    def index_all(self, rename: str = "") -> None:
        self.index.documents |= {rename + id_: found for id_, found in _documents(self.payload()).items()}

    def bury_all(self, **forged: Any) -> None:
        """Put the documents of all events into one letter of the dead-letter queue; `log_group` or `count` may lie."""
        batch = transform(self.payload(), SETTINGS, int(time.time() * 1000))
        source = replace(SOURCE, log_group=forged.pop("log_group", GROUP))
        letter = deadletter.of_documents(batch.documents, REFUSED, source, failed_at="2026", attempts=1)
        body = deadletter.pack(replace(letter, **forged))
        self.aws.sqs.send_message(QueueUrl=self.aws.dead_url, MessageBody=body)

    def bury_payload(self, log_group: str = GROUP) -> None:
        """Put all events as they came into a letter."""
        payload = self.payload()
        raw = {
            "messageType": "DATA_MESSAGE",
            "owner": SOURCE.owner,
            "logGroup": log_group,
            "logStream": SOURCE.log_stream,
            "logEvents": [{"id": one.id, "timestamp": one.timestamp, "message": one.message} for one in payload.events],
        }
        letter = deadletter.of_payload(lambda_event(raw), Reason("lambda_failure", "m"), failed_at="2026")
        self.aws.sqs.send_message(QueueUrl=self.aws.dead_url, MessageBody=deadletter.pack(letter))

    def unsubscribe(self) -> None:
        self.logs.filters.clear()

    def subscribe_the_account(self, pattern: str = "", left_out: str = "/shop/noise") -> None:
        """As `subscription = "account"` does it: one policy in place of the filters."""
        self.unsubscribe()
        document = {"DestinationArn": f"arn:x:function:{FUNCTION}", "FilterPattern": pattern}
        criteria = f'LogGroupName NOT IN ["{left_out}"]'
        self.logs.policies = [
            {"policyName": "cwl", "policyDocument": json.dumps(document), "selectionCriteria": criteria}
        ]

    def deny_policies(self) -> None:
        """Take the right away that only such a stage needs."""
        error = {"Code": "AccessDeniedException", "Message": "no"}
        self.logs.denied = ClientError({"Error": error}, "DescribeAccountPolicies")


def play(aws: LocalAws) -> PlayedSite:
    """A site whose log group has one empty stream; within `local_aws()`."""
    settings = replace(SETTINGS, retry_queue_url=aws.retry_url, dead_letter_queue_url=aws.dead_url)
    logs, index = SubscribedLogs(aws_client("logs")), FakeIndex()
    logs.create_log_group(logGroupName=GROUP)
    logs.create_log_stream(logGroupName=GROUP, logStreamName=SOURCE.log_stream)
    function = FakeFunction(index)
    clients = {"logs": logs, "lambda": function, "sqs": aws.sqs}
    outputs = {
        "SubscriberFunction": FUNCTION,
        "ReplayFunction": "replay",
        "MetricsNamespace": "cwl-shipper/test",
        "LogGroupPrefix": GROUP.removesuffix("application"),
    }

    def client(service: str) -> Any:
        return clients.get(service) or aws_client(service)

    found = deployment_on(aws, FakeSink(AssertionError("nothing may be sent")), settings)
    return PlayedSite(Site(found, outputs, client, cast("Any", index)), aws, index, function, logs)
