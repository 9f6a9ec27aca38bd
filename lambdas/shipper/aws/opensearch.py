"""The domain's `_bulk` through opensearch-py, every request signed with SigV4."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, NoReturn
from urllib.parse import urlsplit

from isal import igzip
from opensearchpy import OpenSearch, RequestsHttpConnection
from opensearchpy.exceptions import ConnectionError as TransportFailure
from opensearchpy.exceptions import SerializationError, TransportError
from requests import Response
from requests.auth import AuthBase
from urllib3 import Timeout

from shipper import jsontext
from shipper.aws.deadline import DeadlineAdapter
from shipper.bulk import FILTER_PATH, BulkReply
from shipper.ship import Unreachable

MAX_TIMEOUT_S = 70.0
"""A stuck mapping update answers after 60 s: a client that hangs up before never hears which document it was."""

_MAX_RETRY_AFTER_S = 900.0
"""As long as a function may run: documents that are to wait longer are handed on at once."""

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
        # The client keeps only the body of an error.
        self.session.hooks["response"].append(_note_retry_after)

    def perform_request(self, *args: Any, timeout: float | None = None, **kwargs: Any) -> Any:
        whole = {"timeout": Timeout(total=timeout or MAX_TIMEOUT_S), "allow_redirects": False}
        return super().perform_request(*args, **{**kwargs, **whole})

    def _raise_error(self, status_code: int, raw_data: str | bytes, _content_type: str | None = None) -> NoReturn:
        raise TransportError(status_code, "", _parsed(raw_data))

    def _gzip_compress(self, body: bytes) -> bytes:
        return igzip.compress(body, compresslevel=_GZIP_LEVEL)


def client(endpoint: str, auth: AuthBase, *, compress: bool = True) -> OpenSearch:
    """A client for one endpoint. It retries nothing itself: `ship.deliver` does, with the invocation's time in view."""
    url = urlsplit(endpoint)
    return OpenSearch(
        hosts=[{"host": url.hostname, "port": url.port or (443 if url.scheme == "https" else 80)}],
        use_ssl=url.scheme == "https",
        verify_certs=True,
        http_auth=auth,
        http_compress=compress,
        connection_class=_Connection,
        max_retries=0,
        retry_on_timeout=False,
    )


class OpenSearchSink:
    """Implements `ship.Sink`. `make_client` is called at the first request and again after a broken connection."""

    def __init__(self, make_client: Callable[[], OpenSearch]) -> None:
        self._make_client = make_client
        self._client: OpenSearch | None = None

    def renew(self) -> None:
        """Make a new client for the next request, with the credentials of then."""
        self._client = None

    def bulk(self, body: bytes, timeout_s: float) -> BulkReply:
        """POST `_bulk`. Raises `Unreachable` where no reply came in `timeout_s`."""
        # Held here: another request of this sink may renew the client meanwhile.
        client = self._client = self._client or self._make_client()
        try:
            reply = client.transport.perform_request(
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
            return BulkReply(int(error.status_code), error.info, _replied.retry_after_s)
        return BulkReply(status=200, body=reply)


class _Replied(threading.local):
    """What the last reply to this thread said beside its body."""

    retry_after_s = 0.0


_replied = _Replied()


def _note_retry_after(response: Response, *_: Any, **__: Any) -> None:
    """Seconds (RFC 9110, 10.2.3). A date counts as none: no proxy of the service was seen to send one."""
    text = response.headers.get("Retry-After", "")
    seconds = float(text) if text.isascii() and text.isdigit() else 0.0
    _replied.retry_after_s = min(seconds, _MAX_RETRY_AFTER_S)


def _parsed(raw: str | bytes) -> Any:
    """An error's body; of one that is plain text its `message`; None for the HTML of a proxy, or what was cut short.

    The service says that it throttles in plain text
    (https://docs.aws.amazon.com/opensearch-service/latest/developerguide/handling-errors.html).
    """
    try:
        return jsontext.loads(raw)
    except ValueError:
        text = raw if isinstance(raw, str) else raw.decode(errors="replace")
        return None if text.lstrip()[:1] in ("", "<", "{", "[") else {"message": text.strip()}
