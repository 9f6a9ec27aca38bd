"""Arrays: what agrees stays as it is, what does not becomes what one field can hold."""

from __future__ import annotations

import json
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper.arrays import agree, agreed
from tests.shipper.fakes import patient
from tests.shipper.test_jsontext import json_values

ALIKE: dict[str, list[Any]] = {
    "nothing": [],
    "one": [1],
    "whole numbers": [1, 2**60],
    "null beside a text": [None, "a", None],
    "an array beside a value": [[1], 2],
    "objects with other keys": [{"a": 1}, {"b": "x"}, {}],
    "an object beside null": [{"a": 1}, None],
    "dots and the object that they mean": [{"a.b": 1}, {"a": {"b": 2}}],
}

OTHERWISE: dict[str, tuple[list[Any], list[Any] | str]] = {
    "whole and decimal numbers": ([1, 1.5, None], [1.0, 1.5, None]),
    "a whole number that no decimal holds": ([2**53 + 1, 1.5], ["9007199254740993", "1.5"]),
    "number and text": ([1, "a"], ["1", "a"]),
    "boolean and number": ([True, 1], ["true", "1"]),
    "object and text": ([{"a": 1}, "x"], ['{"a":1}', "x"]),
    "an inner array": ([1, ["x"]], ["1", ["x"]]),
    "one key of two types": ([{"a": 1, "b": 2}, {"a": "z", "b": 3}], [{"a": "1", "b": 2}, {"a": "z", "b": 3}]),
    "one key, whole and decimal": ([{"a": 1}, {"a": 1.5}], [{"a": 1.0}, {"a": 1.5}]),
    "a value and an object": ([{"a": 1}, {"a": {"b": 1}}], [{"a": "1"}, {"a": '{"b":1}'}]),
    "a key below": ([{"a": {"b": 1}}, {"a": {"b": "x"}}], [{"a": {"b": "1"}}, {"a": {"b": "x"}}]),
    "dots and the object that they mean": ([{"a.b": 1}, {"a": {"b": "x"}}], [{"a.b": "1"}, {"a": {"b": "x"}}]),
    "dots behind the name of a value": ([{"a": 1}, {"a.b": 2}], '[{"a":1},{"a.b":2}]'),
    "the same behind an object": ([{"a": {"c": 1}}, {"a.b": 2}, {"a": 3}], '[{"a":{"c":1}},{"a.b":2},{"a":3}]'),
}


@pytest.mark.parametrize("items", ALIKE.values(), ids=ALIKE)
def test_what_agrees_is_left_alone(items: list[Any]) -> None:
    assert agree(items)
    assert agreed(items) == items


@pytest.mark.parametrize(("items", "expected"), OTHERWISE.values(), ids=OTHERWISE)
def test_what_differs_is_made_to_agree(items: list[Any], expected: list[Any] | str) -> None:
    assert not agree(items)
    assert json.dumps(agreed(items)) == json.dumps(expected)  # which tells 1 from 1.0


@hypothesis.settings(patient, max_examples=200)
@given(st.lists(json_values, min_size=2, max_size=4))
def test_afterwards_any_array_agrees(items: list[Any]) -> None:
    made = agreed(items)
    assert isinstance(made, str) or agree(made)
