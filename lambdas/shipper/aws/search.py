"""Reading the daily indices and the domain's own state, every request signed as those of the functions are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

from opensearchpy import OpenSearch
from opensearchpy.exceptions import ConnectionError as TransportFailure
from opensearchpy.exceptions import OpenSearchException, TransportError
from opensearchpy.helpers import scan

from shipper.audit import Found
from shipper.compare import Stored
from shipper.document import INDEX_PATTERN
from shipper.index_mapping import DEFAULT_LIMIT

_PAGE = 1_000
_LENIENT = {"ignore_unavailable": "true", "allow_no_indices": "true"}
_LIMIT = "index.mapping.total_fields.limit"
_DENIED = (401, 403)


class SearchFailed(Exception):
    """The domain does not answer, or refuses; one line says which."""


class Index:
    """The daily indices as a person's tools read them. All methods raise `SearchFailed`.

    `make_client` is called at the first request. A serverless collection does not scroll.
    """

    def __init__(self, endpoint: str, make_client: Callable[[], OpenSearch], *, scrolls: bool = True) -> None:
        self._endpoint = endpoint
        self._scrolls = scrolls
        self._client = cache(make_client)

    def between(self, log_group: str, from_ms: int, to_ms: int) -> Iterator[tuple[str, Found]]:
        """(id, document) of a log group, from the one time to before the other, in no order; of any number."""
        fields = ["@lines", "@log_group", "@timestamp", "@shipper.fixed"]
        for hit in self._scan(log_group, from_ms, to_ms, fields):
            yield hit["_id"], _found(hit["_source"])

    def documents(self, log_group: str, from_ms: int, to_ms: int) -> Iterator[tuple[str, Stored]]:
        """The same, with all of each document."""
        for hit in self._scan(log_group, from_ms, to_ms, True):
            yield hit["_id"], Stored(hit["_index"], hit["_source"])

    def _scan(self, log_group: str, from_ms: int, to_ms: int, fields: Sequence[str] | bool) -> Iterator[dict[str, Any]]:
        """The hits of a log group in a time, with these fields of their sources, or all."""
        times = {"gte": from_ms, "lt": to_ms, "format": "epoch_millis"}
        wanted = {"bool": {"filter": [_of_group(log_group), {"range": {"@timestamp": times}}]}}
        query = {"query": wanted, "_source": fields}
        with self._one_line():
            for hit in self._all(query):
                # Where the group's name is mapped as text, the phrase also finds longer names.
                if hit["_source"].get("@log_group") == log_group:
                    yield hit

    def with_ids(self, ids: Sequence[str]) -> dict[str, Found]:
        """Those of these documents that are there, on whatever day."""
        there: dict[str, Found] = {}
        for at in range(0, len(ids), _PAGE):
            some = list(ids[at : at + _PAGE])
            body = {"query": {"ids": {"values": some}}, "_source": ["@lines", "@timestamp", "@shipper.fixed"]}
            hits, _ = self.search({**body, "size": len(some)})
            there |= {hit["_id"]: _found(hit["_source"]) for hit in hits}
        return there

    def search(self, body: Mapping[str, Any], *, timeout_s: float | None = None) -> tuple[list[dict[str, Any]], int]:
        """(hits, number of all that match) of one search, in `timeout_s` if that is not None."""
        with self._one_line():
            found = self._client().search(
                index=INDEX_PATTERN, body=dict(body), params=_LENIENT, request_timeout=timeout_s
            )["hits"]
        return found["hits"], found["total"]["value"]

    def newest(self, log_group: str) -> str:
        """`@timestamp` of the newest document of a log group, "" where there is none."""
        newest_first = [{"@timestamp": {"order": "desc", "unmapped_type": "date"}}]
        hits, _ = self.search({"query": _of_group(log_group), "size": 1, "sort": newest_first})
        return str(hits[0]["_source"]["@timestamp"]) if hits else ""

    def health(self) -> dict[str, Any]:
        """`_cluster/health`."""
        with self._one_line():
            return dict(self._client().cluster.health())

    def allocation(self) -> list[dict[str, Any]]:
        """`_cat/allocation`: a row a node, numbers as texts; sizes in bytes."""
        with self._one_line():
            return list(self._client().cat.allocation(params={"format": "json", "bytes": "b"}))

    def mapping(self, name: str) -> dict[str, Any] | None:
        """`_mapping` of one index, None where there is no such index."""
        with self._one_line():
            found = self._client().indices.get_mapping(index=name, params=_LENIENT)
        return dict(found[name]["mappings"]) if name in found else None

    def max_fields(self, name: str) -> int:
        """How many fields an index that is there may have."""
        with self._one_line():
            found = self._client().indices.get_settings(index=name, params={"flat_settings": "true"})
        return int(found[name]["settings"].get(_LIMIT, DEFAULT_LIMIT))

    def put_mapping(self, name: str, body: Mapping[str, Any]) -> None:
        """Change what `body` names of the mapping of one index."""
        with self._one_line():
            self._client().indices.put_mapping(index=name, body=dict(body))

    def _all(self, query: dict[str, Any]) -> Iterator[dict[str, Any]]:
        if self._scrolls:
            yield from scan(self._client(), query, index=INDEX_PATTERN, size=_PAGE, params=_LENIENT)
            return
        # https://docs.aws.amazon.com/opensearch-service/latest/developerguide/serverless-pit.html
        in_order = [{"@timestamp": {"unmapped_type": "date"}}, {"@id": {"unmapped_type": "keyword"}}]
        page = {**query, "size": _PAGE, "sort": in_order}
        while hits := self._client().search(index=INDEX_PATTERN, body=page, params=_LENIENT)["hits"]["hits"]:
            yield from hits
            page["search_after"] = hits[-1]["sort"]

    @contextmanager
    def _one_line(self) -> Iterator[None]:
        try:
            yield
        except TransportFailure as error:
            reason = f"the domain {self._endpoint} does not answer here: go where it does ({type(error).__name__})"
            raise SearchFailed(reason) from error
        except TransportError as error:
            advice = (
                "; may you read it? Of a stage: is your role one of its operator_roles?"
                if error.status_code in _DENIED
                else ""
            )
            raise SearchFailed(f"the domain answers {error.status_code}: {_reason(error.info)}{advice}") from error
        except OpenSearchException as error:
            raise SearchFailed(f"the domain's answer cannot be used: {error}") from error


def _of_group(log_group: str) -> dict[str, Any]:
    return {"match_phrase": {"@log_group": log_group}}


def _found(source: Mapping[str, Any]) -> Found:
    lines, fixed = source.get("@lines", 1), (source.get("@shipper") or {}).get("fixed") or ()
    return Found(lines if isinstance(lines, int) else 1, str(source.get("@timestamp", "")), "clock" in fixed)


def _reason(info: Any) -> str:
    """What an error's body says, in one line."""
    # What is in front of the nodes has words of its own: of a signature `message`, of IAM's rules `Message`.
    words = ("error", "message", "Message")
    error = next((info[word] for word in words if word in info), "") if isinstance(info, Mapping) else info
    said = f"{error.get('type')}: {error.get('reason')}" if isinstance(error, Mapping) else str(error or "no reason")
    return " ".join(said.split())[:300]
