from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from requests_aws4auth import AWS4Auth

from shipper.audit import Found
from shipper.aws.opensearch import client
from shipper.aws.search import Index, SearchFailed
from tests.shipper.fakes import REGION, Answer, Loopback

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


def test_health_and_free_space(play: Play) -> None:
    index, server = play({"status": "green"}, [{"node": "n"}])
    assert (index.health(), index.allocation()) == ({"status": "green"}, [{"node": "n"}])
    assert "bytes=b" in server.requests[1].path


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(403, b'{"message": "not signed"}'), "the domain answers 403: not signed"),
        (
            Answer(400, b'{"error": {"type": "parsing_exception", "reason": "no\\n query"}}'),
            "the domain answers 400: parsing_exception: no query",
        ),
        (Answer(502, b"<html>"), "the domain answers 502: no reason"),
    ],
)
def test_a_refusal_is_one_line(play: Play, answer: Answer, said: str) -> None:
    index, _ = play(answer)
    with pytest.raises(SearchFailed, match=said):
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
