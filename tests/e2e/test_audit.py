"""A deployed stack proves that nothing is missing, names what is, and brings it back.

The local AWS gives a subscription other ids than FilterLogEvents. So the log group here has no subscription: what the
audit finds missing comes by its repair alone, with the ids of CloudWatch.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result

from shipper.cli.main import cli
from tests.e2e.conftest import Chain

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

TRACE_ID = uuid.uuid4().hex
JAVA = [
    f"2026-11-20 03:04:05.230 ERROR [checkout,{TRACE_ID},9ab3e4410cd2f87e] 1 --- [main] c.s.Checkout : cart is locked",
    "java.lang.IllegalStateException: cart C-4 is locked",
    "\tat com.shop.checkout.CartLock.take(CartLock.java:21)",
    "Caused by: java.util.concurrent.TimeoutException: lock held by C-4/2",
    "\tat com.shop.checkout.CartLock.await(CartLock.java:55)",
]
PLAIN = [f"line {number} \uc8fc\ubb38 \x1b[31mred" for number in range(20)]

Cwl = Callable[..., Result]


@pytest.fixture
def cwl(chain: Chain) -> Cwl:
    def run(*args: str) -> Result:
        """The command as it is typed, after all that was written can be found."""
        chain.search.indices.refresh(index="cwl-*", ignore_unavailable=True)
        return CliRunner().invoke(cli, args, env={**chain.stack.environment(os.environ), "COLUMNS": "100"})

    return run


@pytest.fixture
def log_group(chain: Chain) -> str:
    """A log group with two streams, of which nothing is in the index."""
    logs, name = chain.client("logs"), f"/aws/containerinsights/audit-{uuid.uuid4().hex}/application"
    logs.create_log_group(logGroupName=name)
    now_ms = int(time.time() * 1000) - 5_000
    for stream, messages in (("checkout-1_shop_checkout", JAVA), ("plain-1_shop_plain", PLAIN)):
        logs.create_log_stream(logGroupName=name, logStreamName=stream)
        events = [{"timestamp": now_ms + 10 * at, "message": message} for at, message in enumerate(messages)]
        logs.put_log_events(logGroupName=name, logStreamName=stream, logEvents=events)
    return name


def audited(cwl: Cwl, log_group: str, *args: str) -> dict[str, Any]:
    result = cwl("audit", "--log-group", log_group, "--from", "1h", "--settle", "0", "--json", *args)
    assert not result.exception or isinstance(result.exception, SystemExit), result.output
    found = json.loads(result.stdout)
    assert result.exit_code == (3 if found["missing"] and "sent" not in found else 0), result.output
    return dict(found)


def counts(found: dict[str, Any]) -> tuple[int, ...]:
    return tuple(found[name] for name in ("events", "present", "joined", "missing", "extra"))


def test_what_is_missing_is_named_and_brought_back_and_a_stranger_is_named(
    cwl: Cwl, chain: Chain, log_group: str
) -> None:
    assert counts(audited(cwl, log_group)) == (25, 0, 0, 25, 0)
    sent = audited(cwl, log_group, "--repair", "--yes")["sent"]
    assert (sent["received"], sent["indexed"], sent["joined"]) == (25, 21, 4)
    assert counts(audited(cwl, log_group)) == (25, 21, 4, 0, 0)

    query = {"query": {"match_phrase": {"@log_group": log_group}}, "size": 100}
    hits = chain.search.search(index="cwl-*", body=query)["hits"]["hits"]
    joined = next(hit for hit in hits if hit["_source"].get("@lines") == 5)
    lost = [joined, *[hit for hit in hits if hit is not joined][:2]]
    for hit in lost:
        chain.search.delete(index=hit["_index"], id=hit["_id"])
    chain.search.index(
        index=joined["_index"], id="stranger", body={**joined["_source"], "@id": "stranger", "@lines": 1}
    )
    found = audited(cwl, log_group)
    assert counts(found) == (25, 18, 0, 7, 1)
    assert {hit["_id"] for hit in lost} < {event["id"] for event in found["missing_events"]}
    assert found["extra_ids"] == ["stranger"]

    shown = cwl("audit", "--log-group", log_group, "--from", "1h", "--settle", "0", "--repair", "--yes")
    assert shown.exit_code == 0
    assert "7 events sent: 3 indexed, 4 joined, 0 there already" in shown.stderr
    assert "\x1b" not in shown.output
    assert counts(audited(cwl, log_group)) == (25, 21, 4, 0, 1)

    traced = cwl("trace", TRACE_ID)
    assert traced.exit_code == 0
    assert "cart is locked" in traced.stdout


def test_status_is_one_page(cwl: Cwl, chain: Chain) -> None:
    found = json.loads(cwl("status", "--json").stdout)
    groups = [reading["of"] for reading in found["readings"] if reading["figure"] == "behind_s"]
    assert groups == [chain.stack.outputs["LogGroupPrefix"] + kind for kind in ("application", "dataplane", "host")]
    cluster = next(reading for reading in found["readings"] if reading["figure"] == "cluster")
    assert cluster["light"] in ("green", "amber")
    shown = cwl("status")
    assert shown.exit_code == {"green": 0, "amber": 3, "red": 1}[found["light"]]
    assert "dead-letter queue" in shown.stdout
