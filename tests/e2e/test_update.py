"""The stack deployed again: with no change nothing is done, and an update under load loses no line.

The update is of code and configuration, as from one release to the next; that of the templates is in
tests/stacks/test_release.py. With it comes the function that subscribes new log groups. The
last deployment leaves the stack as the other tests know it.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.cdk import ROOT
from local.deploy import Deployer
from local.processes import Run
from local.stack import STACK, STAGE
from tests.e2e.conftest import Chain, subscription_event, wait

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

Deploy = Callable[..., tuple[str, dict[str, str]]]
_BETWEEN_EVENTS_S = 0.5
_LINES_OF_AN_EVENT = 5


@pytest.fixture
def deploy(chain: Chain, tmp_path: Path) -> Iterator[Deploy]:
    cluster = chain.stack.outputs["LogGroupPrefix"].strip("/").split("/")[-1]
    with Run(tmp_path / "logs") as run:

        def of(folder: Path, **context: str) -> tuple[str, dict[str, str]]:
            """`cdk deploy` of the app in a folder, as the chain was deployed; what it said, and the outputs."""
            said: list[str] = []
            outputs = tmp_path / "outputs.json"
            # The functions are of the package that the app imports.
            env = {**os.environ, "PYTHONPATH": str(folder / "lambdas")}
            deployer = Deployer(run, chain.stack.aws, env, on_line=said.append, app_folder=folder)
            deployer.deploy(STAGE, outputs, cluster=cluster, **context)
            return "\n".join(said), json.loads(outputs.read_text("utf-8"))[STACK]

        yield of


@pytest.fixture
def next_release(tmp_path: Path) -> Path:
    """The app with other code in the functions."""
    folder = tmp_path / "next"
    folder.mkdir()
    for name in ("app.py", "cdk.json"):
        shutil.copy(ROOT / name, folder)
    for name in ("stacks", "lambdas"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    with (folder / "lambdas" / "shipper" / "handlers" / "subscriber.py").open("a") as code:
        code.write("# The next release.\n")
    (folder / "cdk.out").mkdir()
    (folder / "cdk.out" / ".packages").symlink_to(ROOT / "cdk.out" / ".packages")
    return folder


class Writer(threading.Thread):
    """Invokes the subscriber with numbered lines of one log stream until it is stopped.

    As CloudWatch Logs does it, asynchronously: Lambda tries again what an update interrupts. So does the local AWS, but
    not for its own subscriptions.
    """

    def __init__(self, chain: Chain) -> None:
        super().__init__()
        self._chain = chain
        self._told = threading.Event()
        self.stream = f"update-{uuid.uuid4().hex}"
        self.count = 0

    def run(self) -> None:
        functions, name = self._chain.client("lambda"), self._chain.stack.outputs["SubscriberFunction"]
        while not self._told.wait(_BETWEEN_EVENTS_S):
            payload = json.dumps(self._event(range(self.count, self.count + _LINES_OF_AN_EVENT))).encode()
            functions.invoke(FunctionName=name, InvocationType="Event", Payload=payload)["Payload"].read()
            self.count += _LINES_OF_AN_EVENT
        functions.close()

    def _event(self, numbers: range) -> dict[str, Any]:
        now_ms = int(time.time() * 1000)
        lines = [{"id": f"{self.stream}-{n}", "timestamp": now_ms, "message": f"line {n}"} for n in numbers]
        return subscription_event(
            {
                "messageType": "DATA_MESSAGE",
                "owner": "123456789012",
                "logGroup": self._chain.stack.outputs["LogGroupPrefix"] + "application",
                "logStream": self.stream,
                "subscriptionFilters": ["all"],
                "logEvents": lines,
            }
        )

    def stop(self) -> None:
        self._told.set()
        self.join()

    def found(self) -> Counter[str]:
        """How often each line is in the index."""
        body = {"query": {"match_phrase": {"@log_stream": self.stream}}, "size": 10_000, "_source": ["@message"]}
        self._chain.search.indices.refresh(index="cwl-*", ignore_unavailable=True)
        hits = self._chain.search.search(index="cwl-*", body=body)["hits"]["hits"]
        return Counter(hit["_source"]["@message"] for hit in hits)


def _function(chain: Chain) -> tuple[Any, ...]:
    """Code, memory and environment of the subscriber."""
    found = chain.client("lambda").get_function_configuration(FunctionName=chain.stack.outputs["SubscriberFunction"])
    return found["CodeSha256"], found["MemorySize"], json.dumps(found["Environment"], sort_keys=True)


def _into_a_late_group(chain: Chain, watch: str) -> str:
    """Make a log group, have the watch hear of it, and write a line into it; its log stream."""
    logs, stream = chain.client("logs"), f"late-{uuid.uuid4().hex}"
    for _ in range(2):
        log_group = f"/late/{uuid.uuid4().hex}"
        logs.create_log_group(logGroupName=log_group)
        event = {"detail": {"eventName": "CreateLogGroup", "requestParameters": {"logGroupName": log_group}}}
        reply = chain.client("lambda").invoke(FunctionName=watch, Payload=json.dumps(event).encode())
        done = json.loads(reply["Payload"].read())
        if done != {"already": 1}:  # the hourly look may come before the announcement, but not twice
            break
    assert done == {"subscribed": 1}
    logs.create_log_stream(logGroupName=log_group, logStreamName=stream)
    events = [{"timestamp": int(time.time() * 1000), "message": "late"}]
    logs.put_log_events(logGroupName=log_group, logStreamName=stream, logEvents=events)
    return stream


def test_a_deployment_without_a_change_does_nothing(deploy: Deploy) -> None:
    said, outputs = deploy(ROOT)
    assert "(no changes)" in said
    assert "GroupWatchFunction" not in outputs


def test_an_update_and_the_way_back_lose_no_line(
    chain: Chain, deploy: Deploy, next_release: Path, tmp_path: Path
) -> None:
    settings = tmp_path / "next.toml"
    settings.write_text('[local]\nmemory_mib = 640\nlog_group_prefixes = ["/late/"]\n[local.settings]\nmax_tries = 5\n')
    before, writer = _function(chain), Writer(chain)
    writer.start()
    try:
        _, outputs = deploy(next_release, config=str(settings))
        updated = _function(chain)
        late = _into_a_late_group(chain, outputs["GroupWatchFunction"])
        assert chain.wait_found(late, 1)[0]["@message"] == "late"
        deploy(ROOT)
    finally:
        writer.stop()
    assert all(was != now for was, now in zip(before, updated, strict=True))
    assert _function(chain)[1:] == before[1:]
    expected = Counter(f"line {number}" for number in range(writer.count))
    wait(lambda: len(writer.found()) >= writer.count)
    assert writer.found() == expected
    assert writer.count > 10
