from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from shipper.cli.preview import changes, line
from shipper.model import Document

CHANGES = [
    pytest.param({"a": 1}, {"a": 1}, [], id="nothing"),
    pytest.param({"a": 1, "b": 2}, {"b": 2}, [("-", "a", 1)], id="a field less"),
    pytest.param({}, {"a": 1}, [("+", "a", 1)], id="a field more"),
    pytest.param({"a": {"b": [1]}}, {"a": {"b": "[1]"}}, [("-", "a.b", [1]), ("+", "a.b", "[1]")], id="another value"),
    pytest.param({"a": {"b": 1}}, {"a": {}}, [("+", "a", {}), ("-", "a.b", 1)], id="an object left empty"),
    pytest.param({"a": {"b": 1}}, {"a": "x"}, [("+", "a", "x"), ("-", "a.b", 1)], id="an object turned into text"),
]


def document(fields: dict[str, Any]) -> Document:
    return Document("cwl-1", "1", json.dumps(fields).encode(), "", ())


@pytest.mark.parametrize(("before", "after", "found"), CHANGES)
def test_each_field_that_differs_is_named(
    before: dict[str, Any], after: dict[str, Any], found: list[tuple[str, str, Any]]
) -> None:
    assert changes(document(before), document(after)) == found


def test_another_index_is_a_change() -> None:
    one = document({})
    assert changes(one, replace(one, index="cwl-2")) == [("-", "_index", "cwl-1"), ("+", "_index", "cwl-2")]


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        (("-", "a.b", 1), "  - a.b: 1"),
        (("+", "a", "\ud55c\uad6d\uc5b4"), '  + a: "\ud55c\uad6d\uc5b4"'),
        (("+", "\x1b[31ma", "\u009bx\u202e"), '  + a: "\ufffdx\ufffd"'),
        (("+", "a", "x" * 1_000_000), f'  + a: "{"x" * 200}\u2026 (1,000,000 characters)"'),
    ],
    ids=["number", "Korean", "hostile", "long"],
)
def test_a_change_is_a_line_that_a_terminal_can_show(change: tuple[str, str, Any], shown: str) -> None:
    assert line(change).plain == shown
