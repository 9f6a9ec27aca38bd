"""A domain's whole API for the set-up, and the answer that CloudFormation waits for."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from opensearchpy import OpenSearch
from opensearchpy.exceptions import ConnectionError as TransportFailure
from opensearchpy.exceptions import SerializationError, TransportError
from requests import Session
from requests.adapters import HTTPAdapter
from urllib3 import Retry

from shipper.setup import Reply
from shipper.setup_plan import Request
from shipper.ship import Unreachable

_MAX_REASON_CHARS = 1_000
"""CloudFormation takes answers of 4,096 bytes in all
(https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/crpg-ref-responses.html)."""

_ANSWER_S = 10


class OpenSearchDomain:
    """Implements `setup.Domain`. `make_client` is called for each request: credentials may be new by then."""

    def __init__(self, make_client: Callable[[], OpenSearch]) -> None:
        self._make_client = make_client

    def ask(self, request: Request, timeout_s: float) -> Reply:
        """Send one request. Raises `Unreachable` where no reply came in `timeout_s`."""
        try:
            body = self._make_client().transport.perform_request(
                request.method, request.path, body=request.body, timeout=timeout_s, headers=dict(request.headers)
            )
        except TransportFailure as error:
            raise Unreachable(f"{type(error).__name__}: {error.error}") from error
        except SerializationError:
            return Reply(200, None)
        except TransportError as error:
            return Reply(int(error.status_code), error.info)
        return Reply(200, body)


def answer(event: Mapping[str, Any], physical_id: str, *, failure: str = "", data: Mapping[str, str] = {}) -> None:
    """Tell CloudFormation how its request ended: well, or with the reason of the `failure`."""
    body = {
        "Status": "FAILED" if failure else "SUCCESS",
        "Reason": failure[:_MAX_REASON_CHARS],
        "PhysicalResourceId": physical_id,
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "Data": dict(data),
    }
    with Session() as session:
        session.mount("https://", HTTPAdapter(max_retries=Retry(3, backoff_factor=1, allowed_methods=None)))
        # Signed beforehand without a content type: any other than none would not fit the signature.
        done = session.put(
            event["ResponseURL"], json.dumps(body).encode(), headers={"content-type": ""}, timeout=_ANSWER_S
        )
        done.raise_for_status()
