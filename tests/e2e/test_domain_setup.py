"""The set-up on real engines, and what an index made by its template takes and finds."""

from __future__ import annotations

import json
from typing import Any

import pytest
from opensearchpy import OpenSearch
from requests_aws4auth import AWS4Auth

from local.running import Running
from shipper import bulk, index_template
from shipper.aws.clock import SystemClock
from shipper.aws.domain import OpenSearchDomain
from shipper.aws.opensearch import client
from shipper.decode import decode_payload
from shipper.model import Payload
from shipper.pipeline import transform
from shipper.settings import Settings
from shipper.setup import Report, set_up
from shipper.setup_plan import CUSTOM, Plan
from tests.shipper.fakes import INDEX, NOW_MS, payload_of

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

LEFT_OUT = [
    *("role cwl_writer", "role cwl_reader", "role cwl_operator", "role cwl_admin"),
    *("retention policy", "Dashboards objects"),
]


def set_up_at(url: str, **changes: Any) -> Report:
    domain = OpenSearchDomain(lambda: client(url, AWS4Auth("test", "test", "eu-west-1", "es"), compress=False))
    plan = Plan(endpoint=url, refresh_s=1, writers=("arn:w",), **changes)
    return set_up(plan, domain, SystemClock.until(60), "arn:setup")


LINES = {
    "nginx": '10.0.0.1 - - [20/Nov/2026:03:04:06 +0000] "GET /wp-login.php HTTP/1.1" 404 153',
    "number": '{"msg": "answered", "status": 404}',
    "decimal": '{"msg": "answered", "took": 404.0}',
    "text": '{"msg": "answered", "code": "404"}',
    "other number": '{"msg": "answered", "status": 1404}',
    "within a word": "took 404ms",
}


def found(search: OpenSearch, query: str) -> list[str]:
    """The names of the lines that a bare query finds, as Dashboards sends it."""
    body = {"query": {"query_string": {"query": query}}, "size": 100}
    hits = search.search(index="cwl-*", body=body)["hits"]["hits"]
    return sorted(list(LINES)[int(hit["_id"].rpartition("-")[2])] for hit in hits)


def test_a_domain_is_set_up_again_and_upgraded_and_404_is_found_in_text_and_in_numbers(engine: Running) -> None:
    search = OpenSearch([engine.url])
    search.cluster.put_component_template(
        name=CUSTOM, body={"template": {"mappings": {"properties": {"ours": {"type": "ip"}}}}}
    )
    old = {**index_template.index_template(replicas=0), "version": 1}
    search.indices.put_index_template(name=index_template.NAME, body=old)

    first = set_up_at(engine.url)
    after_first = search.indices.get_index_template(name=index_template.NAME)
    second = set_up_at(engine.url)
    assert (first.skipped, second.skipped) == (LEFT_OUT, LEFT_OUT)
    assert search.indices.get_index_template(name=index_template.NAME) == after_first
    assert after_first["index_templates"][0]["index_template"]["version"] == index_template.VERSION

    payload = decode_payload(json.loads(json.dumps(payload_of(*LINES.values()))))
    assert isinstance(payload, Payload)
    documents = transform(payload, Settings(), NOW_MS).documents
    reply = search.bulk(body=bulk.encode(documents), params={"refresh": "true"})
    assert not reply["errors"]
    mapping = search.indices.get_mapping(index=INDEX)[INDEX]["mappings"]["properties"]
    assert mapping["ours"] == {"type": "ip"}
    assert mapping["@message"] == {"type": "match_only_text"}
    assert found(search, "404") == ["decimal", "nginx", "number", "text"]
    assert found(search, "status:404") == ["number"]
    assert found(search, '"GET /wp-login.php"') == ["nginx"]
