"""One deployed run for all end-to-end tests: the real stack on the local AWS, a search engine behind a gate."""

from __future__ import annotations

import base64
import gzip
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from opensearchpy import OpenSearch

from local.engine import Embedded
from local.gate import Gate
from local.processes import Run
from local.stack import Deployed, deployed

_WITHIN_S = 180.0


@dataclass(frozen=True)
class Chain:
    """The deployed chain as its users see it."""

    stack: Deployed
    gate: Gate
    search: OpenSearch

    def client(self, service: str) -> Any:
        return self.stack.aws.client(service)

    def put(self, group: str, messages: list[str], at_ms: int = 0) -> str:
        """Write events, of now if no time is given, into a new log stream of a log group; its name."""
        logs, stream = self.client("logs"), f"pod-{uuid.uuid4().hex}"
        name, now_ms = self.stack.outputs["LogGroupPrefix"] + group, at_ms or int(time.time() * 1000)
        logs.create_log_stream(logGroupName=name, logStreamName=stream)
        events = [{"timestamp": now_ms + at, "message": message} for at, message in enumerate(messages)]
        logs.put_log_events(logGroupName=name, logStreamName=stream, logEvents=events)
        return stream

    def invoke(self, event: Any) -> dict[str, Any]:
        """Invoke the subscriber and wait for its answer."""
        reply = self.client("lambda").invoke(
            FunctionName=self.stack.outputs["SubscriberFunction"], Payload=json.dumps(event).encode()
        )
        answer = json.loads(reply["Payload"].read())
        assert "FunctionError" not in reply, answer
        return dict(answer)

    def found(self, stream: str) -> list[dict[str, Any]]:
        """The documents of a log stream, in the order of their times."""
        self.search.indices.refresh(index="cwl-*", ignore_unavailable=True)
        body = {"query": {"match_phrase": {"@log_stream": stream}}, "size": 1000, "sort": ["@timestamp"]}
        hits = self.search.search(index="cwl-*", body=body, params={"ignore_unavailable": "true"})["hits"]["hits"]
        return [hit["_source"] for hit in hits]

    def wait_found(self, stream: str, count: int) -> list[dict[str, Any]]:
        """The documents of a log stream once there are `count`."""
        wait(lambda: len(self.found(stream)) >= count)
        return self.found(stream)

    def shipper(self, *arguments: str, expected_code: int = 0) -> str:
        """What the command line prints."""
        program = Path(sys.executable).parent / "cwl-shipper"
        done = subprocess.run(
            [program, *arguments],
            env=self.stack.environment(os.environ),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == expected_code, done.stdout + done.stderr
        return done.stdout

    def letters(self, reason: str) -> list[dict[str, Any]]:
        """The groups of the dead-letter queue with this reason."""
        groups = [json.loads(line) for line in self.shipper("dlq", "ls", "--json").splitlines()]
        return [group for group in groups if group["reason"] == reason]


def wait(reached: Callable[[], object]) -> None:
    deadline = time.monotonic() + _WITHIN_S
    while not reached():
        assert time.monotonic() < deadline, "it did not come in time"
        time.sleep(0.2)


def subscription_event(payload: Any) -> dict[str, Any]:
    packed = base64.b64encode(gzip.compress(json.dumps(payload).encode())).decode()
    return {"awslogs": {"data": packed}}


@pytest.fixture(scope="session")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    with Run(tmp_path_factory.mktemp("logs")) as run:
        engine = Embedded().start(run)
        target = urlsplit(engine.url)
        with Gate(str(target.hostname), int(target.port or 80)) as gate:
            env = {**os.environ, "OPENSEARCH_URL": f"http://{gate.address}"}
            stack = deployed(run, env, lambda _: None, lambda _: None)
            yield Chain(stack, gate, OpenSearch([engine.url]))
