"""The service's word of a collection, on moto, and everything else handed on."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError
from moto import mock_aws

from shipper.aws.collection import ServerlessCollection
from shipper.collection import LOOK
from shipper.setup import Reply
from shipper.setup_plan import Request
from shipper.ship import Unreachable
from tests.shipper.fakes import REGION

ASKED = Request("POST", LOOK, {"names": ["logs"]})


class Api:
    """The collection's own API."""

    def __init__(self) -> None:
        self.asked: list[tuple[Request, float]] = []

    def ask(self, request: Request, timeout_s: float) -> Reply:
        self.asked.append((request, timeout_s))
        return Reply(200, "its own")


class Refusing:
    def __init__(self, error: Exception) -> None:
        self._error = error

    def batch_get_collection(self, **_: Any) -> Any:
        raise self._error


def service(config: Config) -> Any:
    return boto3.client("opensearchserverless", region_name=REGION, config=config)


def test_the_service_tells_what_the_collection_is() -> None:
    with mock_aws():
        made = service(Config())
        rules = [{"ResourceType": "collection", "Resource": ["collection/logs"]}]
        policy = json.dumps({"Rules": rules, "AWSOwnedKey": True, "KmsARN": "auto"})
        made.create_security_policy(name="key", type="encryption", policy=policy)
        made.create_collection(name="logs", type="TIMESERIES")
        reply = ServerlessCollection(Api(), service).ask(ASKED, 5)
    (details,) = reply.body["collectionDetails"]
    assert (reply.status, details["name"], details["type"]) == (200, "logs", "TIMESERIES")


def test_everything_else_is_asked_of_the_collection_itself() -> None:
    api, request = Api(), Request("GET", "/_index_template/cwl")
    assert ServerlessCollection(api, service).ask(request, 5) == Reply(200, "its own")
    assert api.asked == [(request, 5)]


def client_error(code: str, status: int = 400) -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "BatchGetCollection")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (client_error("AccessDeniedException"), 403),
        (client_error("ThrottlingException"), 429),
        (client_error("InternalServerException", 500), 500),
        (client_error("ValidationException"), 400),
    ],
    ids=lambda value: value.response["Error"]["Code"] if isinstance(value, ClientError) else "",
)
def test_an_error_of_the_service_is_a_reply_that_tells_whether_to_wait(error: ClientError, status: int) -> None:
    reply = ServerlessCollection(Api(), lambda _: Refusing(error)).ask(ASKED, 5)
    assert reply.status == status
    assert "calling the BatchGetCollection operation: m" in reply.reason


def test_a_service_out_of_reach_is_told() -> None:
    away = EndpointConnectionError(endpoint_url="https://aoss.eu-west-1.amazonaws.com")
    with pytest.raises(Unreachable, match=r"EndpointConnectionError: Could not connect"):
        ServerlessCollection(Api(), lambda _: Refusing(away)).ask(ASKED, 5)


def test_the_time_that_is_left_holds_for_the_service_too() -> None:
    configs: list[Any] = []

    def noted(config: Config) -> Any:
        configs.append(config)
        return Refusing(client_error("ThrottlingException"))

    ServerlessCollection(Api(), noted).ask(ASKED, 5)
    (config,) = configs
    assert (config.connect_timeout, config.read_timeout) == (5, 5)
    assert config.retries == {"total_max_attempts": 1}
