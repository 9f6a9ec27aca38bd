"""A collection of OpenSearch Serverless in place of a domain: how to tell one, and which type will do.

https://docs.aws.amazon.com/opensearch-service/latest/developerguide/serverless-overview.html
"""

from __future__ import annotations

import re
from typing import Any

from shipper.engine import SERVERLESS, Engine, Unsupported

SERVICE = "aoss"
"""What requests to a collection are signed for; those to a domain are for `es`."""

ENDPOINT = re.compile(r"https://(?P<id>[a-z0-9]{3,40})\.(?P<region>[a-z0-9-]+)\.aoss(-fips)?\.amazonaws\.com(\.cn)?")

LOOK = "BatchGetCollection"
"""In place of `GET /`, which no collection answers: the service tells what it is.

https://docs.aws.amazon.com/opensearch-service/latest/ServerlessAPIReference/API_BatchGetCollection.html
"""


def service_of(endpoint: str) -> str:
    """What requests to this URL are signed for, `es` or `aoss`."""
    return SERVICE if ENDPOINT.fullmatch(endpoint) else "es"


def engine_of(found: Any, *, name: str, endpoint: str) -> Engine:
    """The engine of the collection `name` by the answer to `LOOK`. Raises `Unsupported` with what to do.

    Without document ids a delivery that is repeated makes doubles, and only the type SEARCH takes them
    (https://docs.aws.amazon.com/opensearch-service/latest/developerguide/serverless-overview.html#serverless-usecase).
    """
    details = found.get("collectionDetails") if isinstance(found, dict) else None
    if not details:
        raise Unsupported(f"there is no collection {name} in this account and Region: check existing_collection")
    (collection,) = details
    id_, type_, status = (str(collection.get(key)) for key in ("id", "type", "status"))
    if f"://{id_}." not in endpoint:
        raise Unsupported(f"the collection {name} is {id_}, and {endpoint} is another's: check existing_endpoint")
    if type_ != "SEARCH":
        raise Unsupported(
            f"the collection {name} is of type {type_}, which takes no document ids: a log that is delivered twice "
            "would be in it twice. Make a collection of type SEARCH, since a type cannot be changed, and name that one"
        )
    if status != "ACTIVE":
        raise Unsupported(f"the collection {name} is {status}: deploy again when it is ACTIVE")
    return SERVERLESS
