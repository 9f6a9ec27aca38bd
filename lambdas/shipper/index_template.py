"""The index template of the daily indices: what each system field is, and what becomes of an application's own.

https://docs.opensearch.org/latest/im-plugin/index-templates/; what was tried is in
docs/adr/0003-fields-are-mended-before-they-are-sent.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shipper.document import INDEX_PATTERN

NAME = "cwl"
OWNER = "cwl-shipper"
VERSION = 4
"""Grows with every change of the body, so that a setup can tell an older template from a newer one."""

MAX_FIELDS = 1_000
"""Of one index; a search over all fields is refused from 1,025 on."""

MAX_DEPTH = 20

_PROSE = "^(message|msg|error|err|exception|stack|stack_?trace|reason|description|detail|text)$"


WORDS: dict[str, Any] = {"type": "match_only_text"}
"""Words to search for, without scores or positions: a quarter smaller than `text`."""


def index_template(
    *,
    shards: int = 1,
    replicas: int = 1,
    refresh_s: int = 30,
    serverless: bool = False,
    text: Mapping[str, Any] = WORDS,
    composed_of: Sequence[str] = (),
) -> dict[str, Any]:
    """The body of `PUT _index_template/cwl`, with `shards` primaries and `replicas` copies of each.

    A `serverless` collection is told neither these nor the refresh: the service decides them. `text` is the mapping of
    what is read as words; fields of the component templates `composed_of` are added.
    """
    return {
        "index_patterns": [INDEX_PATTERN],
        "priority": 200,
        "version": VERSION,
        "_meta": {"owner": OWNER},
        "composed_of": list(composed_of),
        "template": {
            "settings": {**_LENIENT, **({} if serverless else _of_a_domain(shards, replicas, refresh_s))},
            "mappings": _mappings(text, sorts_by_id=serverless),
        },
    }


_LENIENT = {
    # A value that does not fit its field is kept in `_source` and not indexed, rather than the document refused.
    "index.mapping.ignore_malformed": True,
    # A bare word is looked for in every field, whatever its type.
    "index.query_string.lenient": True,
}


def _of_a_domain(shards: int, replicas: int, refresh_s: int) -> dict[str, Any]:
    """What the service decides for a collection, and what its indices have by default as those of a domain do."""
    return {
        "index.number_of_shards": shards,
        "index.number_of_replicas": replicas,
        "index.codec": "best_compression",
        "index.refresh_interval": f"{refresh_s}s",
        "index.mapping.total_fields.limit": MAX_FIELDS,
        "index.mapping.depth.limit": MAX_DEPTH,
        "index.query.default_field": ["*"],
    }


def _mappings(text: Mapping[str, Any], *, sorts_by_id: bool) -> dict[str, Any]:
    return {
        "dynamic": True,
        # The first value of the day would decide: after a date, or a number in quotes, other texts do not fit.
        "date_detection": False,
        "numeric_detection": False,
        "dynamic_templates": [
            {
                "prose": {
                    "match_mapping_type": "string",
                    "match_pattern": "regex",
                    "match": _PROSE,
                    "mapping": dict(text),
                }
            },
            {"strings": {"match_mapping_type": "string", "mapping": _keyword()}},
            # The default, a 32-bit `float`, takes the fraction off an epoch time.
            {"decimals": {"match_mapping_type": "double", "mapping": {"type": "double"}}},
        ],
        "properties": {
            # A document without a time is invisible in Dashboards: better refused than taken.
            "@timestamp": {"type": "date", "ignore_malformed": False},
            "@message": dict(text),
            "log": dict(text),
            # A column in which no two are alike is a tenth of an index, and only a collection is read in its order.
            "@id": {**_keyword(), **({} if sorts_by_id else {"doc_values": False})},
            **{name: _keyword() for name in ("@owner", "@log_group", "@log_stream")},
            **{name: _keyword() for name in ("@trace_id", "@span_id", "@level", "stream")},
            "@lines": {"type": "integer"},
            "@shipper": _notes(text),
            # Kept and never looked at, so that the engine takes anything in them.
            "@fields": {"type": "object", "enabled": False},
            "@unmapped": {"type": "object", "enabled": False},
            "kubernetes": {
                "properties": {
                    **{name: _keyword() for name in ("pod_name", "namespace_name", "container_name", "host")},
                    "labels": {"type": "object", "dynamic": True},
                }
            },
        },
    }


def _notes(text: Mapping[str, Any]) -> dict[str, Any]:
    error = {"type": _keyword(), "field": _keyword(), "reason": dict(text)}
    return {
        "dynamic": False,
        "properties": {
            "fixed": _keyword(),
            "part": {"type": "integer"},
            "headless": {"type": "boolean"},
            "error": {"dynamic": False, "properties": error},
        },
    }


def _keyword() -> dict[str, Any]:
    """A value to filter and count by. What is longer than 1,024 characters is not indexed, and not refused."""
    return {"type": "keyword", "ignore_above": 1_024}
