"""The chain as it is deployed: CloudWatch Logs, both functions, both queues, the search engine, the command line."""

from __future__ import annotations

import base64
import gzip
import json
import time
from typing import Any

import pytest

from local import story
from shipper import index_template
from tests.e2e.conftest import Chain, subscription_event, wait
from tests.e2e.test_domain_setup import LEFT_OUT

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

TRACE = [
    "java.lang.IllegalStateException: no stock for 77-120",
    "\tat com.shop.Stock.take(Stock.java:41)",
    "Caused by: java.net.SocketTimeoutException: Read timed out",
    "\tat com.shop.Db.query(Db.java:7)",
]


def record(text: str, stream: str = "stdout") -> str:
    return json.dumps({"message": text, "stream": stream, "kubernetes": {"pod_name": "orders-1", "pod_id": "x"}})


@pytest.mark.parametrize("group", ["application", "dataplane", "host"])
def test_a_line_of_each_log_group_becomes_a_search_hit(chain: Chain, group: str) -> None:
    stream = chain.put(group, [record("GET /cart 404")])
    (document,) = chain.wait_found(stream, 1)
    assert document["@message"] == "GET /cart 404"
    assert document["@log_group"] == chain.stack.outputs["LogGroupPrefix"] + group
    assert document["kubernetes"] == {"pod_name": "orders-1"}


def test_a_stack_trace_becomes_one_document_among_the_other_streams_lines(chain: Chain) -> None:
    lines = [line for text in TRACE for line in (record(text, "stderr"), record("GET / 200"))]
    found = chain.wait_found(chain.put("application", lines), 5)
    assert [document["@message"] for document in found if document.get("@lines")] == ["\n".join(TRACE)]
    assert len(found) == 5


def test_the_check_of_cloudwatch_is_answered(chain: Chain) -> None:
    assert chain.invoke(subscription_event({"messageType": "CONTROL_MESSAGE", "logEvents": []})) == {}


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        pytest.param({"awslogs": {"data": "!!"}}, "bad_input", id="not base64"),
        pytest.param({"awslogs": {"data": base64.b64encode(b"plain").decode()}}, "bad_gzip", id="not gzip"),
        pytest.param({"awslogs": {"data": base64.b64encode(gzip.compress(b"{")).decode()}}, "bad_json", id="not JSON"),
        pytest.param(subscription_event([1]), "bad_shape", id="not an object"),
        pytest.param(subscription_event({"messageType": "NEW_MESSAGE"}), "unknown_type", id="not a known type"),
    ],
)
def test_a_bad_payload_is_dead_lettered_whole(chain: Chain, event: Any, reason: str) -> None:
    ledger = chain.invoke(event)
    assert (ledger["received"], ledger["dead_lettered"]) == (1, 1)
    assert chain.letters(reason)
    shown = json.loads(chain.shipper("dlq", "show", "--reason", reason, "--json"))
    assert (shown["kind"], shown["content"]) == ("payload", [event])


def test_a_record_that_does_not_fit_the_mapping_is_found_by_its_text(chain: Chain) -> None:
    chain.wait_found(chain.put("application", [record('{"clash": {"id": 1}}')]), 1)
    stream = chain.put("application", [record('{"clash": "text"}'), record("its neighbour")])
    rescued, neighbour = sorted(
        chain.wait_found(stream, 2), key=lambda document: str(document["@message"]), reverse=True
    )
    assert (rescued["@message"], neighbour["@message"]) == ('{"clash": "text"}', "its neighbour")
    assert json.loads(rescued["@unmapped"])["log_processed"] == {"clash": "text"}
    assert rescued["@shipper"]["error"]["field"] == "log_processed.clash"
    assert "@shipper" not in neighbour
    assert not chain.letters("mapper_parsing_exception")


def test_a_refused_record_is_repaired_and_replayed_once(chain: Chain) -> None:
    now_ms = int(time.time() * 1000)
    index, body = story.strict_day(now_ms)
    chain.search.indices.create(index=index, body=body)
    old = story.order_of_old(now_ms)
    stream = chain.put("application", [old.message], at_ms=old.timestamp_ms)
    wait(lambda: chain.letters("strict_dynamic_mapping_exception"))
    assert chain.found(stream) == []
    replay = ("dlq", "replay", "--reason", "strict_dynamic_mapping_exception", "--yes")
    chain.shipper(*replay, expected_code=1)
    chain.shipper(*replay, "--drop", story.CLASHING_FIELD)
    (document,) = chain.wait_found(stream, 1)
    assert document["log_processed"] == {"level": "warn", "msg": "order sent late"}
    assert not chain.letters("strict_dynamic_mapping_exception")


def test_what_comes_while_the_domain_is_away_heals_by_itself(chain: Chain) -> None:
    chain.gate.close()
    try:
        stream = chain.put("application", [record(f"line {number}") for number in range(50)])
        wait(lambda: chain.gate.refused >= 2)
    finally:
        chain.gate.open()
    found = chain.wait_found(stream, 50)
    assert [document["@message"] for document in found] == [f"line {number}" for number in range(50)]


def test_the_same_event_delivered_twice_is_one_document(chain: Chain) -> None:
    event = subscription_event(
        {
            "messageType": "DATA_MESSAGE",
            "owner": "123456789012",
            "logGroup": "/aws/containerinsights/demo/application",
            "logStream": "delivered-twice",
            "subscriptionFilters": ["all"],
            "logEvents": [{"id": "e-1", "timestamp": 1_795_000_000_000, "message": "once"}],
        }
    )
    first, second = chain.invoke(event), chain.invoke(event)
    assert (first["indexed"], first["duplicate"]) == (1, 0)
    assert (second["indexed"], second["duplicate"]) == (0, 1)
    assert len(chain.found("delivered-twice")) == 1


def test_the_deployment_has_set_the_domain_up_and_says_what_it_left_out(chain: Chain) -> None:
    template = chain.search.indices.get_index_template(name=index_template.NAME)["index_templates"][0]
    assert template["index_template"]["version"] == index_template.VERSION
    assert chain.stack.outputs["DomainSetup"].endswith(
        f": component template, index template; not there, so left out: {', '.join(LEFT_OUT)}"
    )
