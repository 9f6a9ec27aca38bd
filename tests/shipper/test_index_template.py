"""The index template as data; `tests/e2e/test_engine_takes.py` puts it into both engines."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from typing import Any

import pytest

from shipper.index_template import MAX_DEPTH, MAX_FIELDS, VERSION, index_template
from shipper.settings import Settings
from tests.shipper.fakes import INDEX

SETTINGS = index_template()["template"]["settings"]
MAPPINGS = index_template()["template"]["mappings"]
KEYWORD = {"type": "keyword", "ignore_above": 1024}


def mapping_of(path: str) -> dict[str, Any]:
    """The mapping of a field by its dotted path."""
    at: dict[str, Any] = MAPPINGS
    for step in path.split("."):
        at = at["properties"][step]
    return at


def dynamic(name: str, kind: str) -> dict[str, Any]:
    """The mapping that a new field of this name and JSON type gets: the first template that fits."""
    for template in MAPPINGS["dynamic_templates"]:
        (rule,) = template.values()
        if rule["match_mapping_type"] == kind and re.search(rule.get("match", ""), name):
            return dict(rule["mapping"])
    return {}


def test_it_is_for_the_daily_indices_and_has_a_version() -> None:
    body = index_template()
    (pattern,) = body["index_patterns"]
    assert fnmatchcase(INDEX, pattern)
    assert body["version"] == VERSION
    assert body["priority"] > 0


def test_shards_and_replicas_are_the_callers_choice() -> None:
    settings = index_template(shards=3, replicas=2)["template"]["settings"]
    assert (settings["index.number_of_shards"], settings["index.number_of_replicas"]) == (3, 2)
    assert settings == {**SETTINGS, "index.number_of_shards": 3, "index.number_of_replicas": 2}


def test_each_body_is_its_callers_to_change() -> None:
    index_template()["template"]["mappings"]["properties"].clear()
    assert index_template()["template"]["mappings"] == MAPPINGS


def test_it_is_json() -> None:
    assert json.loads(json.dumps(index_template())) == index_template()


def test_a_document_fits_into_an_index_with_room_to_spare() -> None:
    assert SETTINGS["index.mapping.depth.limit"] == MAX_DEPTH > Settings().max_depth
    assert SETTINGS["index.mapping.total_fields.limit"] == MAX_FIELDS >= 2 * Settings().max_fields
    # https://docs.opensearch.org/latest/query-dsl/full-text/query-string/: at most 1,024 clauses, one a field
    assert MAX_FIELDS < 1024


def test_a_bare_word_is_looked_for_in_every_field() -> None:
    assert SETTINGS["index.query.default_field"] == ["*"]
    assert SETTINGS["index.query_string.lenient"] is True


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("@timestamp", {"type": "date", "ignore_malformed": False}),
        ("@message", {"type": "match_only_text"}),
        ("@id", {**KEYWORD, "doc_values": False}),
        ("@owner", KEYWORD),
        ("@log_group", KEYWORD),
        ("@log_stream", KEYWORD),
        ("@trace_id", KEYWORD),
        ("@span_id", KEYWORD),
        ("@level", KEYWORD),
        ("@lines", {"type": "integer"}),
        ("@fields", {"type": "object", "enabled": False}),
        ("@unmapped", {"type": "object", "enabled": False}),
        ("@shipper.fixed", KEYWORD),
        ("@shipper.part", {"type": "integer"}),
        ("@shipper.headless", {"type": "boolean"}),
        ("@shipper.error.field", KEYWORD),
        ("@shipper.error.reason", {"type": "match_only_text"}),
        ("kubernetes.pod_name", KEYWORD),
        ("kubernetes.labels", {"type": "object", "dynamic": True}),
    ],
)
def test_system_fields_are_mapped(path: str, expected: dict[str, Any]) -> None:
    assert mapping_of(path) == expected


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        pytest.param("path", "string", KEYWORD, id="a text is a keyword"),
        pytest.param("message", "string", {"type": "match_only_text"}, id="a sentence is words"),
        pytest.param("stack_trace", "string", {"type": "match_only_text"}, id="a stack trace is words"),
        pytest.param("error_code", "string", KEYWORD, id="a name that only begins like a sentence's is not"),
        pytest.param("took", "double", {"type": "double"}, id="a decimal has 64 bits"),
        pytest.param("status", "long", {}, id="a whole number is what the engine makes of it"),
    ],
)
def test_an_applications_fields_are_mapped_by_their_first_value(name: str, kind: str, expected: dict[str, Any]) -> None:
    assert dynamic(name, kind) == expected


def test_the_notes_of_the_shipper_add_no_fields() -> None:
    assert mapping_of("@shipper")["dynamic"] is False
    assert mapping_of("@shipper.error")["dynamic"] is False


def test_a_collection_is_not_told_what_its_service_decides() -> None:
    """Number of shards, copies and refresh cannot be changed there, and codecs are others."""
    template = index_template(shards=3, replicas=2, serverless=True)["template"]
    assert template["settings"] == {"index.mapping.ignore_malformed": True, "index.query_string.lenient": True}


def test_a_collection_can_be_read_in_the_order_of_the_ids() -> None:
    """It has no scroll, so that reading on needs a sort."""
    mappings = index_template(serverless=True)["template"]["mappings"]
    assert mappings["properties"] == {**MAPPINGS["properties"], "@id": KEYWORD}
