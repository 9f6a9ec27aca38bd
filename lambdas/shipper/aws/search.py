"""Reading the daily indices and the domain's own state, every request signed as those of the functions are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from opensearchpy import OpenSearch
from opensearchpy.exceptions import ConnectionError as TransportFailure
from opensearchpy.exceptions import OpenSearchException, TransportError
from opensearchpy.helpers import scan

from shipper.audit import Found
from shipper.document import INDEX_PREFIX

INDICES = INDEX_PREFIX + "*"
_PAGE = 1_000
_LENIENT = {"ignore_unavailable": "true", "allow_no_indices": "true"}


class SearchFailed(Exception):
    """The domain does not answer, or refuses; one line says which."""


class Index:
    """The daily indices as a person's tools read them. All methods raise `SearchFailed`.

    `make_client` is called at the first request.
    """

    def __init__(self, endpoint: str, make_client: Callable[[], OpenSearch]) -> None:
        self._endpoint = endpoint
        self._make_client = make_client
        self._made: OpenSearch | None = None

    def between(self, log_group: str, from_ms: int, to_ms: int) -> Iterator[tuple[str, Found]]:
        """(id, document) of a log group, from the one time to before the other, in no order; of any number."""
        times = {"gte": from_ms, "lt": to_ms, "format": "epoch_millis"}
        query = {
            "query": {"bool": {"filter": [_of_group(log_group), {"range": {"@timestamp": times}}]}},
            "_source": ["@lines", "@log_group", "@timestamp", "@shipper.fixed"],
        }
        with self._one_line():
            for hit in scan(self._client(), query, index=INDICES, size=_PAGE, params=_LENIENT):
                # Where the group's name is mapped as text, the phrase also finds longer names.
                if hit["_source"].get("@log_group") == log_group:
                    yield hit["_id"], _found(hit["_source"])

    def with_ids(self, ids: Sequence[str]) -> dict[str, Found]:
        """Those of these documents that are there, on whatever day."""
        there: dict[str, Found] = {}
        for at in range(0, len(ids), _PAGE):
            some = list(ids[at : at + _PAGE])
            body = {"query": {"ids": {"values": some}}, "_source": ["@lines", "@timestamp", "@shipper.fixed"]}
            hits, _ = self.search({**body, "size": len(some)})
            there |= {hit["_id"]: _found(hit["_source"]) for hit in hits}
        return there

    def search(self, body: Mapping[str, Any]) -> tuple[list[dict[str, Any]], int]:
        """(hits, number of all that match) of one search."""
        with self._one_line():
            found = self._client().search(index=INDICES, body=dict(body), params=_LENIENT)["hits"]
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

    def _client(self) -> OpenSearch:
        self._made = self._made or self._make_client()
        return self._made

    @contextmanager
    def _one_line(self) -> Iterator[None]:
        try:
            yield
        except TransportFailure as error:
            reason = f"the domain {self._endpoint} does not answer here: go where it does ({type(error).__name__})"
            raise SearchFailed(reason) from error
        except TransportError as error:
            raise SearchFailed(f"the domain answers {error.status_code}: {_reason(error.info)}") from error
        except OpenSearchException as error:
            raise SearchFailed(f"the domain's answer cannot be used: {error}") from error


def _of_group(log_group: str) -> dict[str, Any]:
    return {"match_phrase": {"@log_group": log_group}}


def _found(source: Mapping[str, Any]) -> Found:
    lines, fixed = source.get("@lines", 1), (source.get("@shipper") or {}).get("fixed") or ()
    return Found(lines if isinstance(lines, int) else 1, str(source.get("@timestamp", "")), "clock" in fixed)


def _reason(info: Any) -> str:
    """What an error's body says, in one line."""
    error = info.get("error", info.get("message", "")) if isinstance(info, Mapping) else info
    said = f"{error.get('type')}: {error.get('reason')}" if isinstance(error, Mapping) else str(error or "no reason")
    return " ".join(said.split())[:300]
