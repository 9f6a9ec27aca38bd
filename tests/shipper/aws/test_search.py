from __future__ import annotations

import gzip
import json
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from requests_aws4auth import AWS4Auth

from shipper.audit import Found
from shipper.aws.opensearch import client
from shipper.aws.search import Index, SearchFailed
from shipper.compare import Stored
from tests.loopback import Answer, Loopback
from tests.shipper.fakes import REGION

GROUP = "/aws/containerinsights/demo/application"
Play = Callable[..., tuple[Index, Loopback]]


@pytest.fixture
def play() -> Iterator[Play]:
    """An index whose domain gives these answers."""
    with ExitStack() as running:

        def made(*answers: Any) -> tuple[Index, Loopback]:
            played = [one if isinstance(one, Answer) else Answer(200, json.dumps(one).encode()) for one in answers]
            server = running.enter_context(Loopback(played))
            auth = AWS4Auth("testing", "testing", REGION, "es")
            return Index(server.url, lambda: client(server.url, auth)), server

        yield made


def hit(id_: str, **source: Any) -> dict[str, Any]:
    return {"_id": id_, "_index": "cwl-2026.11.24", "_source": {"@log_group": GROUP, **source}}


def page(*hits: dict[str, Any], scroll: str = "s") -> dict[str, Any]:
    shards = {"total": 1, "successful": 1, "skipped": 0, "failed": 0}
    return {"_scroll_id": scroll, "_shards": shards, "hits": {"hits": list(hits), "total": {"value": len(hits)}}}


def test_documents_come_page_by_page_and_only_those_of_the_group(play: Play) -> None:
    first = page(
        hit("a", **{"@timestamp": "t", "@lines": 3, "@shipper": {"fixed": ["clock"]}}),
        hit("b", **{"@log_group": GROUP + "/of-another"}),
    )
    index, server = play(first, page(hit("c", **{"@lines": "many"})), page(), {})
    assert list(index.between(GROUP, 1, 2)) == [("a", Found(3, "t", True)), ("c", Found(1, "", False))]
    request = server.requests[0]
    assert request.path.startswith("/cwl-*/_search")
    assert "aws4_request" in request.headers["authorization"]


def test_whole_documents_come_with_the_names_of_their_indices(play: Play) -> None:
    index, server = play(page(hit("a", n=1), hit("b", **{"@log_group": GROUP + "/of-another"})), page(), {})
    assert list(index.documents(GROUP, 1, 2)) == [("a", Stored("cwl-2026.11.24", {"@log_group": GROUP, "n": 1}))]
    assert json.loads(gzip.decompress(server.requests[0].body))["_source"] is True


def test_a_collection_is_read_page_by_page_without_a_scroll() -> None:
    first, second = {**hit("a"), "sort": [1, "a"]}, {**hit("b"), "sort": [2, "b"]}
    answers = [Answer(200, json.dumps(page(*hits)).encode()) for hits in ((first,), (second,), ())]
    with Loopback(answers) as server:
        auth = AWS4Auth("testing", "testing", REGION, "aoss")
        index = Index(server.url, lambda: client(server.url, auth), scrolls=False)
        assert [id_ for id_, _ in index.between(GROUP, 1, 2)] == ["a", "b"]
    assert [json.loads(gzip.decompress(sent.body)).get("search_after") for sent in server.requests] == [
        None,
        [1, "a"],
        [2, "b"],
    ]
    assert not any("scroll" in sent.path for sent in server.requests)


def test_documents_are_found_by_their_ids(play: Play) -> None:
    index, _ = play(page(hit("a", **{"@lines": 2})), page(hit("z")))
    ids = ["a", *map(str, range(1_000)), "z"]
    assert index.with_ids(ids) == {"a": Found(2, ""), "z": Found(1, "")}


def test_no_ids_need_no_search(play: Play) -> None:
    index, server = play({})
    assert index.with_ids([]) == {}
    assert server.requests == []


@pytest.mark.parametrize(("hits", "newest"), [([hit("a", **{"@timestamp": "t"})], "t"), ([], "")])
def test_the_newest_document_of_a_group(play: Play, hits: list[dict[str, Any]], newest: str) -> None:
    index, _ = play(page(*hits))
    assert index.newest(GROUP) == newest


def test_a_search_that_takes_too_long_is_one_line() -> None:
    with Loopback([Answer(delay_s=5)]) as server:
        index = Index(server.url, lambda: client(server.url, AWS4Auth("testing", "testing", REGION, "es")))
        with pytest.raises(SearchFailed, match=f"the domain {server.url} does not answer here"):
            index.search({}, timeout_s=0.05)


def test_health_and_free_space(play: Play) -> None:
    index, server = play({"status": "green"}, [{"node": "n"}])
    assert (index.health(), index.allocation()) == ({"status": "green"}, [{"node": "n"}])
    assert "bytes=b" in server.requests[1].path


def test_the_mapping_of_an_index(play: Play) -> None:
    mapped: dict[str, Any] = {"cwl-a": {"mappings": {"properties": {}}}}
    index, server = play(mapped, mapped)
    assert (index.mapping("cwl-a"), index.mapping("cwl-b")) == ({"properties": {}}, None)
    assert server.requests[0].path.startswith("/cwl-a/_mapping?ignore_unavailable=true")


@pytest.mark.parametrize(
    ("settings", "limit"), [({"index.mapping.total_fields.limit": "100"}, 100), ({"index.codec": "default"}, 1_000)]
)
def test_how_many_fields_an_index_may_have(play: Play, settings: dict[str, str], limit: int) -> None:
    index, server = play({"cwl-a": {"settings": settings}})
    assert index.max_fields("cwl-a") == limit
    assert server.requests[0].path == "/cwl-a/_settings?flat_settings=true"


def test_a_mapping_is_put(play: Play) -> None:
    index, server = play({"acknowledged": True})
    index.put_mapping("cwl-a", {"dynamic": "false"})
    (request,) = server.requests
    assert (request.method, request.path) == ("PUT", "/cwl-a/_mapping")
    assert json.loads(gzip.decompress(request.body)) == {"dynamic": "false"}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            Answer(403, b'{"message": "not signed"}'),
            "the domain answers 403: not signed; may you read it? Of a stage: is your role one of its operator_roles?",
        ),
        (
            Answer(403, b'{"Message": "User: anonymous is not"}'),
            "the domain answers 403: User: anonymous is not; may",
        ),
        (
            Answer(400, b'{"error": {"type": "parsing_exception", "reason": "no\\n query"}}'),
            "the domain answers 400: parsing_exception: no query",
        ),
        (Answer(502, b"<html>"), "the domain answers 502: no reason"),
    ],
)
def test_a_refusal_is_one_line(play: Play, answer: Answer, said: str) -> None:
    index, _ = play(answer)
    with pytest.raises(SearchFailed, match=re.escape(said)):
        index.health()
    with pytest.raises(SearchFailed):
        list(index.between(GROUP, 1, 2))


def test_an_unreachable_domain_is_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        index = Index(url, lambda: client(url, AWS4Auth("testing", "testing", REGION, "es")))
        with pytest.raises(SearchFailed, match=f"the domain {url} does not answer here"):
            index.search({})


def test_an_answer_that_is_no_json_is_one_line(play: Play) -> None:
    index, _ = play(Answer(200, b"no json"))
    with pytest.raises(SearchFailed, match="cannot be used"):
        index.health()
