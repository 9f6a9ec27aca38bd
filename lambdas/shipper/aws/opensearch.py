"""The domain's `_bulk` through opensearch-py, every request signed with SigV4."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn
from urllib.parse import urlsplit

from isal import igzip
from opensearchpy import OpenSearch, RequestsHttpConnection
from opensearchpy.exceptions import ConnectionError as TransportFailure
from opensearchpy.exceptions import SerializationError, TransportError
from requests.auth import AuthBase
from urllib3 import Timeout

from shipper import jsontext
from shipper.aws.deadline import DeadlineAdapter
from shipper.bulk import FILTER_PATH, BulkReply
from shipper.ship import Unreachable

MAX_TIMEOUT_S = 70.0
"""A stuck mapping update answers after 60 s: a client that hangs up before never hears which document it was."""

_GZIP_LEVEL = 1
_HEADERS = {"content-type": "application/x-ndjson"}


class _Connection(RequestsHttpConnection):
    """Follows no redirect, since a signed batch of logs goes to the domain and nowhere else; gzip by igzip.

    `timeout` holds for the request as a whole.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for scheme in ("http://", "https://"):
            self.session.mount(scheme, DeadlineAdapter())

    def perform_request(self, *args: Any, timeout: float | None = None, **kwargs: Any) -> Any:
        whole = {"timeout": Timeout(total=timeout or MAX_TIMEOUT_S), "allow_redirects": False}
        return super().perform_request(*args, **{**kwargs, **whole})

    def _raise_error(self, status_code: int, raw_data: str | bytes, _content_type: str | None = None) -> NoReturn:
        raise TransportError(status_code, "", _parsed(raw_data))

    def _gzip_compress(self, body: bytes) -> bytes:
        return igzip.compress(body, compresslevel=_GZIP_LEVEL)


def client(endpoint: str, auth: AuthBase) -> OpenSearch:
    """A client for one endpoint. It retries nothing itself: `ship.deliver` does, with the invocation's time in view."""
    url = urlsplit(endpoint)
    return OpenSearch(
        hosts=[{"host": url.hostname, "port": url.port or (443 if url.scheme == "https" else 80)}],
        use_ssl=url.scheme == "https",
        verify_certs=True,
        http_auth=auth,
        http_compress=True,
        connection_class=_Connection,
        max_retries=0,
        retry_on_timeout=False,
    )


class OpenSearchSink:
    """Implements `ship.Sink`. `make_client` is called at the first request and again after a broken connection."""

    def __init__(self, make_client: Callable[[], OpenSearch]) -> None:
        self._make_client = make_client
        self._client: OpenSearch | None = None

    def bulk(self, body: bytes, timeout_s: float) -> BulkReply:
        """POST `_bulk`. Raises `Unreachable` where no reply came in `timeout_s`."""
        if self._client is None:
            self._client = self._make_client()
        try:
            reply = self._client.transport.perform_request(
                "POST",
                "/_bulk",
                params={"filter_path": FILTER_PATH},
                body=body,
                timeout=min(timeout_s, MAX_TIMEOUT_S),
                headers=dict(_HEADERS),
            )
        except TransportFailure as error:
            # A frozen function's sockets may be dead, and credentials may have changed: start afresh.
            self._client = None
            raise Unreachable(f"{type(error).__name__}: {error.error}") from error
        except SerializationError:
            return BulkReply(status=200, body=None)
        except TransportError as error:
            return BulkReply(status=int(error.status_code), body=error.info)
        return BulkReply(status=200, body=reply)


def _parsed(raw: str | bytes) -> Any:
    """An error's body; None for the HTML of a proxy in between."""
    try:
        return jsontext.loads(raw)
    except ValueError:
        return None
