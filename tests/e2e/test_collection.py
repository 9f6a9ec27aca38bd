"""What a serverless collection is given and asked, on an engine: its template, `create` by id, reading by pages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from requests_aws4auth import AWS4Auth

from local.engine import Embedded
from local.processes import Run
from shipper import bulk
from shipper.aws import search
from shipper.aws.opensearch import OpenSearchSink, client
from shipper.aws.search import Index
from shipper.engine import SERVERLESS
from shipper.model import Document
from shipper.setup_plan import Plan, steps
from tests.shipper.fakes import NOW_MS, REGION, SOURCE, doc

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

_DAY_MS = 86_400_000


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """An engine with the templates of a collection."""
    with Run(tmp_path) as run, requests.Session() as session:
        session.trust_env = False
        engine = Embedded().start(run)
        for step in steps(Plan(endpoint=engine.url, collection="logs", security=False), SERVERLESS):
            for request in step.requests(None) if step.offered else ():
                session.request(request.method, engine.url + request.path, json=request.body).raise_for_status()
        yield engine.url


def of_a_group(document: Document) -> Document:
    source = {**json.loads(document.source), "@log_group": SOURCE.log_group}
    return replace(document, source=json.dumps(source).encode())


def test_a_collection_takes_each_document_once_and_all_of_them_are_read(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = [of_a_group(doc(number)) for number in range(7)]
    made = client(url, AWS4Auth("testing", "testing", REGION, "aoss"))
    replies = [OpenSearchSink(lambda: made).bulk(bulk.encode(documents), 10) for _ in range(2)]
    made.indices.refresh()
    monkeypatch.setattr(search, "_PAGE", 3)
    read = [
        id_ for id_, _ in Index(url, lambda: made, scrolls=False).between(SOURCE.log_group, NOW_MS, NOW_MS + _DAY_MS)
    ]
    assert [{item["create"]["status"] for item in reply.body["items"]} for reply in replies] == [{201}, {409}]
    assert read == [one.id for one in documents]
