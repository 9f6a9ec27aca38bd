"""The part of CloudWatch Logs and of Lambda's own queue that the local AWS does not play.

It hands events to a subscription once, with other ids than FilterLogEvents shows. Here they go out with those ids, are
tried three times as Lambda does, and what fails then is a record in the bucket. The pauses are seconds, not minutes.
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
"""

from __future__ import annotations

import base64
import gzip
import json
import random
import threading
import time
import uuid
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from shipper.failures import KEY_PREFIX
from tests.reliability.soak.site import Site
from tests.reliability.soak.writers import Put

_LANES = 8
_PAUSES_S = (0.0, 1.0, 2.0)


class Delivery:
    """Delivers what is submitted, in no certain order; `counts` says how often what happened."""

    def __init__(self, site: Site, seed: int) -> None:
        self.twice = False
        self.counts: Counter[str] = Counter()
        self._logs, self._functions, self._s3 = site.client("logs"), site.client("lambda"), site.client("s3")
        self._outputs = site.stack.outputs
        self._rng = random.Random(f"{seed} delivery")
        self._pool = ThreadPoolExecutor(_LANES)
        self._lock = threading.Lock()
        self._waiting: set[Future[None]] = set()
        self._errors: list[BaseException] = []

    def submit(self, put: Put) -> None:
        """Deliver these events: once, or twice in a time in which that happens."""
        for _ in range(2 if self.twice and self._rng.random() < 0.7 else 1):
            future = self._pool.submit(self._deliver, put)
            with self._lock:
                self._waiting.add(future)
            future.add_done_callback(self._done)

    @property
    def waiting(self) -> int:
        """Deliveries that were not made yet. Raises what one of them raised."""
        if self._errors:
            raise self._errors[0]
        return len(self._waiting)

    def close(self) -> None:
        """Give up what was not delivered."""
        self._pool.shutdown(cancel_futures=True)

    def _done(self, future: Future[None]) -> None:
        with self._lock:
            self._waiting.discard(future)
        if not future.cancelled() and (error := future.exception()):
            self._errors.append(error)

    def _deliver(self, put: Put) -> None:
        event = self._event(put)
        self._count("delivered")
        said: Any = None
        for pause_s in _PAUSES_S:
            time.sleep(pause_s)
            try:
                reply = self._functions.invoke(
                    FunctionName=self._outputs["SubscriberFunction"], Payload=json.dumps(event).encode()
                )
            except (BotoCoreError, ClientError) as error:
                said = {"errorMessage": str(error)}
            else:
                if "FunctionError" not in reply:
                    return
                said = json.loads(reply["Payload"].read() or b"null")
            self._count("failed invocations")
        self._give_up(event, said)

    def _event(self, put: Put) -> dict[str, Any]:
        """The subscription's event of what was put, with the ids of CloudWatch."""
        name = self._outputs["LogGroupPrefix"] + put.group
        found = self._logs.filter_log_events(
            logGroupName=name, logStreamNames=[put.stream], startTime=put.first_ms, endTime=put.last_ms
        )["events"]
        payload = {
            "messageType": "DATA_MESSAGE",
            "owner": "000000000000",
            "logGroup": name,
            "logStream": put.stream,
            "subscriptionFilters": ["all"],
            "logEvents": [
                {"id": one["eventId"], "timestamp": one["timestamp"], "message": one["message"]} for one in found
            ],
        }
        return {"awslogs": {"data": base64.b64encode(gzip.compress(json.dumps(payload).encode())).decode()}}

    def _give_up(self, event: dict[str, Any], said: Any) -> None:
        """Lambda's record of an event that failed for good, where Lambda puts it."""
        function, now = self._outputs["SubscriberFunction"], time.gmtime()
        record = {
            "version": "1.0",
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", now),
            "requestContext": {
                "requestId": str(uuid.uuid4()),
                "functionArn": function,
                "condition": "RetriesExhausted",
                "approximateInvokeCount": len(_PAUSES_S),
            },
            "requestPayload": event,
            "responseContext": {"statusCode": 200, "functionError": "Unhandled"},
            "responsePayload": said,
        }
        key = f"{KEY_PREFIX}{function}/{time.strftime('%Y/%m/%d/%Y-%m-%dT%H.%M.%S', now)}-{uuid.uuid4()}"
        self._s3.put_object(Bucket=self._outputs["FailedEventsBucket"], Key=key, Body=json.dumps(record).encode())
        self._count("given up")

    def _count(self, what: str) -> None:
        with self._lock:
            self.counts[what] += 1
