"""What kind of engine answers, by its own word, and what that means for the paths of its plugins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shipper.index_template import WORDS

_LEAST = {"OpenSearch": (1, 3), "Elasticsearch": (7, 10)}
_WORDS_ONLY_SINCE = (2, 12)
"""https://docs.opensearch.org/latest/field-types/supported-field-types/match-only-text/"""


class Unsupported(Exception):
    """The engine is one that the set-up was not made for; the message says which are."""


@dataclass(frozen=True, slots=True)
class Engine:
    """`name` is OpenSearch, Elasticsearch or OpenSearch Serverless, `version` its first two numbers."""

    name: str
    version: tuple[int, int]

    def __str__(self) -> str:
        return self.name if self.is_serverless else f"{self.name} {self.version[0]}.{self.version[1]}"

    @property
    def is_serverless(self) -> bool:
        return self.name == "OpenSearch Serverless"

    @property
    def is_opensearch(self) -> bool:
        return self.name == "OpenSearch"

    @property
    def plugins(self) -> str:
        """Where the plugins' paths begin."""
        return "/_plugins" if self.is_opensearch else "/_opendistro"

    @property
    def dashboards(self) -> str:
        """Where the service puts Dashboards, or the Kibana that it was."""
        return "/_dashboards" if self.is_opensearch else "/_plugin/kibana"

    @property
    def dashboards_header(self) -> str:
        """The header without which Dashboards takes no write."""
        return "osd-xsrf" if self.is_opensearch else "kbn-xsrf"

    @property
    def text_type(self) -> dict[str, Any]:
        """The smallest mapping in which words and phrases are found."""
        if self.is_opensearch and self.version >= _WORDS_ONLY_SINCE:
            return WORDS
        return {"type": "text", "norms": False}


SERVERLESS = Engine("OpenSearch Serverless", (0, 0))
"""Of any collection: none tells its version, and the service moves it on from one to the next."""


def engine_of(root: Any) -> Engine:
    """The engine by its answer to `GET /`. Raises `Unsupported`.

    A domain in compatibility mode calls itself Elasticsearch 7.10, and then takes the paths of that, too
    (https://docs.aws.amazon.com/opensearch-service/latest/developerguide/rename.html).
    """
    version = root.get("version", {}) if isinstance(root, dict) else {}
    name = "OpenSearch" if version.get("distribution") == "opensearch" else "Elasticsearch"
    numbers = str(version.get("number", "")).split(".")
    if len(numbers) < 2 or not all(number.isdecimal() for number in numbers[:2]):
        raise Unsupported("the endpoint answers, but not as OpenSearch does: check that it is the domain's")
    engine = Engine(name, (int(numbers[0]), int(numbers[1])))
    if engine.version < _LEAST[name]:
        raise Unsupported(f"the domain runs {engine}: upgrade it to OpenSearch 1.3, Elasticsearch 7.10, or later")
    return engine
