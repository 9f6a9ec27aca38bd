from __future__ import annotations

from typing import Any

import pytest

from shipper.index_mapping import dynamic, families, freeze, thaw
from shipper.index_template import index_template

KEYWORD = {"type": "keyword"}
MAPPING: dict[str, Any] = {
    "dynamic": "true",
    "_meta": {"team": "logs"},
    "properties": {
        "@message": {"type": "text", "fields": {"exact": KEYWORD}},
        "@shipper": {"dynamic": "false", "properties": {"fixed": KEYWORD}},
        "kubernetes": {"properties": {"labels": {"dynamic": "true", "properties": {"app": KEYWORD, "tier": KEYWORD}}}},
        "orders": {"type": "nested", "dynamic": "strict", "properties": {"id": KEYWORD}},
    },
}


def test_fields_are_counted_by_the_object_that_they_stand_in() -> None:
    assert families(MAPPING) == {
        "": 4,
        "kubernetes.labels": 2,
        "@message": 1,
        "@shipper": 1,
        "kubernetes": 1,
        "orders": 1,
    }
    assert families({}) == {}


@pytest.mark.parametrize(
    ("mapping", "found"),
    [
        pytest.param(
            MAPPING, {"": "true", "@shipper": "false", "kubernetes.labels": "true", "orders": "strict"}, id="strings"
        ),
        pytest.param({}, {"": "true"}, id="the engine's default"),
        pytest.param({"dynamic": False}, {"": "false"}, id="a truth value"),
    ],
)
def test_who_has_a_word_of_its_own_about_new_fields(mapping: dict[str, Any], found: dict[str, str]) -> None:
    assert dynamic(mapping) == found


def test_a_freeze_names_every_object_that_would_go_on_growing_or_refusing() -> None:
    labels = {"type": "object", "dynamic": "false"}
    assert freeze(MAPPING) == {
        "dynamic": "false",
        "properties": {
            "kubernetes": {"type": "object", "properties": {"labels": labels}},
            "orders": {"type": "nested", "dynamic": "false"},
        },
        "_meta": {"team": "logs", "before_freeze": {"": "true", "kubernetes.labels": "true", "orders": "strict"}},
    }


def test_the_labels_of_the_template_are_frozen_with_the_rest() -> None:
    body = freeze(index_template()["template"]["mappings"])
    assert body["_meta"] == {"before_freeze": {"": "true", "kubernetes.labels": "true"}}


@pytest.mark.parametrize(
    ("mapping", "body"),
    [
        pytest.param(MAPPING, {}, id="nothing is frozen"),
        pytest.param({"dynamic": "false"}, {"dynamic": "true", "_meta": {}}, id="somebody else's freeze"),
        pytest.param(
            {**MAPPING, "dynamic": "false", "_meta": freeze(MAPPING)["_meta"]},
            {
                "dynamic": "true",
                "properties": {
                    "kubernetes": {
                        "type": "object",
                        "properties": {"labels": {"type": "object", "dynamic": "true"}},
                    },
                    "orders": {"type": "nested", "dynamic": "strict"},
                },
                "_meta": {"team": "logs"},
            },
            id="ours: each object as it was",
        ),
    ],
)
def test_a_freeze_is_taken_back(mapping: dict[str, Any], body: dict[str, Any]) -> None:
    assert thaw(mapping) == body


def test_a_second_freeze_keeps_what_was_before_the_first() -> None:
    frozen = {"dynamic": "false", "_meta": {"before_freeze": {"": "true"}}, "properties": {"a": {"dynamic": "true"}}}
    assert freeze(frozen)["_meta"] == {"before_freeze": {"": "true", "a": "true"}}


def test_what_is_frozen_is_not_frozen_again() -> None:
    assert freeze({"dynamic": "false", "properties": {"@shipper": {"dynamic": "false"}}}) == {}
