"""A serverless collection, known by its URL and by the service's word of it."""

from __future__ import annotations

from typing import Any

import pytest

from shipper.collection import engine_of, service_of
from shipper.engine import SERVERLESS, Unsupported

ENDPOINT = "https://07tjusf2h91cunochc.eu-west-1.aoss.amazonaws.com"
DETAILS = {"id": "07tjusf2h91cunochc", "name": "logs", "type": "SEARCH", "status": "ACTIVE"}


@pytest.mark.parametrize(
    ("endpoint", "service"),
    [
        pytest.param(ENDPOINT, "aoss", id="a collection"),
        pytest.param(ENDPOINT.replace("aoss", "aoss-fips"), "aoss", id="by its FIPS name"),
        pytest.param(ENDPOINT + ".cn", "aoss", id="in China"),
        pytest.param("https://search-logs-x.eu-west-1.es.amazonaws.com", "es", id="a domain"),
        pytest.param("https://vpc-logs.aoss.eu-west-1.es.amazonaws.com", "es", id="a domain of that name"),
        pytest.param("https://logs.example.com", "es", id="a name of one's own"),
        pytest.param("", "es", id="none"),
    ],
)
def test_requests_are_signed_for_the_service_that_the_url_is_of(endpoint: str, service: str) -> None:
    assert service_of(endpoint) == service


def found(**changes: Any) -> dict[str, Any]:
    return {"collectionDetails": [{**DETAILS, **changes}], "collectionErrorDetails": []}


def test_a_search_collection_takes_the_logs() -> None:
    assert engine_of(found(), name="logs", endpoint=ENDPOINT) == SERVERLESS


REFUSALS: list[Any] = [
    pytest.param(
        found(type="TIMESERIES"), "logs is of type TIMESERIES, which takes no document ids: .* SEARCH", id="time series"
    ),
    pytest.param(
        found(type="VECTORSEARCH"), "logs is of type VECTORSEARCH, which takes no document ids: .* SEARCH", id="vectors"
    ),
    pytest.param(found(status="CREATING"), "logs is CREATING: deploy again when it is ACTIVE", id="not ready"),
    pytest.param(found(id="another"), "logs is another, and .* is another's: check existing_endpoint", id="another's"),
    pytest.param({"collectionDetails": []}, "no collection logs in this account and Region", id="none"),
    pytest.param(None, "no collection logs in this account and Region", id="no answer that can be read"),
]


@pytest.mark.parametrize(("answer", "message"), REFUSALS)
def test_what_cannot_take_the_logs_is_refused_with_what_to_do(answer: Any, message: str) -> None:
    with pytest.raises(Unsupported, match=message):
        engine_of(answer, name="logs", endpoint=ENDPOINT)
