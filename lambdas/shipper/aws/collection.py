"""A serverless collection for the set-up: its own API, and the service's word of what it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from shipper.collection import LOOK
from shipper.setup import Domain, Reply
from shipper.setup_plan import Request
from shipper.ship import Unreachable

_STATUSES = {"AccessDeniedException": 403, "ThrottlingException": 429}
"""The statuses of errors that pass: this kind of API sends them all as 400."""


class ServerlessCollection:
    """Implements `setup.Domain`: hands every request on to the collection's own `api`, but for `LOOK`.

    `make_client` makes a client of `opensearchserverless`.
    """

    def __init__(self, api: Domain, make_client: Callable[[Config], Any]) -> None:
        self._api = api
        self._make_client = make_client

    def ask(self, request: Request, timeout_s: float) -> Reply:
        """Send one request. Raises `Unreachable` where no reply came in `timeout_s`."""
        if request.path != LOOK:
            return self._api.ask(request, timeout_s)
        once = Config(connect_timeout=timeout_s, read_timeout=timeout_s, retries={"total_max_attempts": 1})
        try:
            return Reply(200, self._make_client(once).batch_get_collection(**request.body))
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
            return Reply(_STATUSES.get(code, status), {"message": str(error)})
        except BotoCoreError as error:
            raise Unreachable(f"{type(error).__name__}: {error}") from error
