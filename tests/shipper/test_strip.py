"""Keys go by dotted path, and nothing else does."""

from __future__ import annotations

import copy
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper.settings import DEFAULT_STRIP, Settings
from shipper.strip import strip
from tests.shipper.fakes import patient

Case = tuple[dict[str, Any], list[str], dict[str, Any], list[str]]

CASES: dict[str, Case] = {
    "a key": ({"a": 1, "b": 2}, ["a"], {"b": 2}, ["a"]),
    "a key with all that is in it": ({"a": {"b": {"c": 1}}}, ["a"], {}, ["a"]),
    "a key inside": ({"a": {"b": 1, "c": 2}}, ["a.b"], {"a": {"c": 2}}, ["a.b"]),
    "an object left empty goes too": ({"a": {"b": 1}}, ["a.b"], {}, ["a.b"]),
    "so do the objects around it": ({"a": {"b": {"c": 1}}, "d": 1}, ["a.b.c"], {"d": 1}, ["a.b.c"]),
    "the last of two keys empties it": ({"a": {"b": 1, "c": 2}}, ["a.b", "a.c"], {}, ["a.b", "a.c"]),
    "null is a value": ({"a": None}, ["a"], {}, ["a"]),
    "what was empty before stays": ({"a": {}}, ["a.b"], {"a": {}}, []),
    "a key that is not there": ({"a": 1}, ["b"], {"a": 1}, []),
    "a path through a text": ({"a": "b"}, ["a.b"], {"a": "b"}, []),
    "a path through a list": ({"a": [{"b": 1}]}, ["a.b"], {"a": [{"b": 1}]}, []),
    "a path into null": ({"a": None}, ["a.b"], {"a": None}, []),
    "a key with a dot in its name is another": ({"a.b": 1}, ["a.b"], {"a.b": 1}, []),
    "a key that begins like it": ({"ab": 1}, ["a"], {"ab": 1}, []),
    "the same path twice": ({"a": 1, "b": 1}, ["a", "a"], {"b": 1}, ["a"]),
    "no paths": ({"a": 1}, [], {"a": 1}, []),
}


@pytest.mark.parametrize(("fields", "paths", "left", "stripped"), CASES.values(), ids=CASES)
def test_paths_are_deleted(fields: dict[str, Any], paths: list[str], left: dict[str, Any], stripped: list[str]) -> None:
    fields = copy.deepcopy(fields)
    assert strip(fields, [path.split(".") for path in paths]) == stripped
    assert fields == left


def test_the_default_takes_what_costs_and_leaves_what_tells() -> None:
    kept = {
        "log": "hello",
        "kubernetes": {"pod_name": "p", "pod_ip": "10.0.0.1", "host": "h", "labels": {"app": "a"}},
        "stream": "stdout",
    }
    fields: dict[str, Any] = copy.deepcopy(kept)
    fields |= {"docker": {"container_id": "c"}, "logtag": "F"}
    fields["kubernetes"] |= {"pod_id": "u", "master_url": "m", "container_image_id": "i", "namespace_id": "n"}
    fields["kubernetes"] |= {"annotations": {"a": "b"}, "namespace_annotations": {}}
    assert sorted(strip(fields, Settings().strip_paths)) == sorted(DEFAULT_STRIP)
    assert fields == kept


names = st.sampled_from("abc")
trees = st.recursive(st.integers(), lambda inner: st.dictionaries(names, inner, max_size=3), max_leaves=12)


def leaves(value: Any, path: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """The path of each value that is no object, and of each empty object."""
    if not isinstance(value, dict) or not value:
        return {path}
    return {leaf for key, inner in value.items() for leaf in leaves(inner, (*path, key))}


@hypothesis.settings(patient, max_examples=150)
@given(st.dictionaries(names, trees, max_size=3), st.lists(st.lists(names, min_size=1, max_size=3), max_size=4))
def test_only_what_is_under_a_path_goes(fields: dict[str, Any], paths: list[list[str]]) -> None:
    before = leaves(fields)
    strip(fields, paths)
    doomed = {leaf for leaf in before if any(list(leaf[: len(path)]) == path for path in paths)}
    assert leaves(fields) - {()} == before - doomed - {()}
