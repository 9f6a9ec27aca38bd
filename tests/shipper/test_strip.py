"""Keys go by dotted path, and nothing else does."""

from __future__ import annotations

import copy
from fnmatch import fnmatchcase
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper import jsontext
from shipper.settings import DEFAULT_STRIP
from shipper.strip import Stripper, Taken
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
    assert [taken.path for taken in Stripper(paths).strip(fields)] == stripped
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
    assert sorted(taken.path for taken in Stripper(DEFAULT_STRIP).strip(fields)) == sorted(DEFAULT_STRIP)
    assert fields == kept


Kept = tuple[dict[str, Any], list[str], list[str], dict[str, Any], list[str]]

RECORD = {"log": "x", "kubernetes": {"labels": {"app": "a", "tier": "b"}, "pod_id": "1", "host": "h"}}
KEPT: dict[str, Kept] = {
    "every key of an object": (
        RECORD,
        ["kubernetes.labels.*"],
        [],
        {"log": "x", "kubernetes": {"pod_id": "1", "host": "h"}},
        ["kubernetes.labels.app", "kubernetes.labels.tier"],
    ),
    "keys that end alike": (
        {"a": {"x_id": 1, "id": 2, "x_ids": 3}},
        ["a.*_id"],
        [],
        {"a": {"id": 2, "x_ids": 3}},
        ["a.x_id"],
    ),
    "keys in any object": (
        {"a": {"id": 1}, "b": {"id": 2, "c": 3}, "id": 4},
        ["*.id"],
        [],
        {"b": {"c": 3}, "id": 4},
        ["a.id", "b.id"],
    ),
    "every key": ({"a": 1, "b": {"c": 2}}, ["*"], [], {}, ["a", "b"]),
    "every key but one": ({"a": 1, "b": {"c": 2}}, ["*"], ["a"], {"a": 1}, ["b"]),
    "one character, one of some": ({"a1": 1, "a2": 2, "a12": 3}, ["a?", "[ab]12"], [], {}, ["a1", "a2", "a12"]),
    "a key that is spelt like a glob": ({"a*": 1, "[b]": 2, "ab": 3}, ["[b]"], [], {"a*": 1, "ab": 3}, ["[b]"]),
    "a key of several lines": ({"a\nb": 1}, ["a*"], [], {}, ["a\nb"]),
    "keep inside of what goes": (
        RECORD,
        ["kubernetes"],
        ["kubernetes.labels.app"],
        {"log": "x", "kubernetes": {"labels": {"app": "a"}}},
        ["kubernetes.labels.tier", "kubernetes.pod_id", "kubernetes.host"],
    ),
    "keep an object inside": ({"a": {"b": {"c": 1}, "d": 2}}, ["a"], ["a.b"], {"a": {"b": {"c": 1}}}, ["a.d"]),
    "keep what is not there": ({"a": {"b": 1}}, ["a"], ["a.c"], {}, ["a.b"]),
    "keep inside of a text": ({"a": "b"}, ["a"], ["a.b"], {}, ["a"]),
    "keep inside of an empty object": ({"a": {}, "b": 1}, ["a"], ["a.b"], {"b": 1}, ["a"]),
    "keep the whole object": ({"a": {"b": 1}}, ["a.b"], ["a"], {"a": {"b": 1}}, []),
    "keep what goes, too": ({"a": 1}, ["a"], ["a"], {"a": 1}, []),
    "keep by a glob": ({"a": {"x": 1, "y": 2}, "b": {"x": 3}}, ["*"], ["*.x"], {"a": {"x": 1}, "b": {"x": 3}}, ["a.y"]),
    "keep by a glob in the middle": (
        {"a": {"b": {"x": 1, "y": 2}}},
        ["a"],
        ["a.*.x"],
        {"a": {"b": {"x": 1}}},
        ["a.b.y"],
    ),
}


@pytest.mark.parametrize(("fields", "paths", "keep", "left", "stripped"), KEPT.values(), ids=KEPT)
def test_globs_and_what_is_kept(
    fields: dict[str, Any], paths: list[str], keep: list[str], left: dict[str, Any], stripped: list[str]
) -> None:
    fields = copy.deepcopy(fields)
    assert [taken.path for taken in Stripper(paths, keep).strip(fields)] == stripped
    assert fields == left


SIZES: dict[str, tuple[dict[str, Any], list[str], list[Taken]]] = {
    'of "a":1,': ({"a": 1, "b": 2}, ["a"], [Taken("a", 6)]),
    'of "a":{"b":1},': ({"a": {"b": 1}, "c": 2}, ["a.b"], [Taken("a.b", 12)]),
    "of the last of two keys with the object around them": (
        {"a": {"b": 1, "c": 2}, "d": 3},
        ["a.*"],
        [Taken("a.b", 6), Taken("a.c", 12)],
    ),
    "of characters that JSON escapes": ({'\n"': "\x01", "b": 1}, ['\n"'], [Taken('\n"', 16)]),
    "of characters of several bytes": ({"é": "비", "b": 1}, ["é"], [Taken("é", 11)]),
}


@pytest.mark.parametrize(("fields", "paths", "taken"), SIZES.values(), ids=SIZES)
def test_the_size_is_that_of_the_json(fields: dict[str, Any], paths: list[str], taken: list[Taken]) -> None:
    assert Stripper(paths).strip(copy.deepcopy(fields)) == taken


def test_a_path_strips_in_its_order_whatever_the_hash_seed() -> None:
    paths = [f"key-{number}" for number in range(20)]
    assert [taken.path for taken in Stripper(reversed(paths)).strip(dict.fromkeys(paths))] == paths[::-1]


names = st.sampled_from("abc")
trees = st.recursive(
    st.integers(0, 2**63)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=3)
    | st.lists(st.none(), max_size=2),
    lambda inner: st.dictionaries(names, inner, max_size=3),
    max_leaves=12,
)
objects = st.dictionaries(names, trees, max_size=3)
path_lists = st.lists(st.lists(names | st.sampled_from(["*", "[ab]"]), min_size=1, max_size=3), max_size=4)


def leaves(value: Any, path: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """The path of each value that is no object, and of each empty object."""
    if not isinstance(value, dict) or not value:
        return {path}
    return {leaf for key, inner in value.items() for leaf in leaves(inner, (*path, key))}


def fits(leaf: tuple[str, ...], path: list[str]) -> bool:
    """Whether the path leads to the leaf or to what it is in."""
    return len(path) <= len(leaf) and all(fnmatchcase(key, step) for key, step in zip(leaf, path, strict=False))


@hypothesis.settings(patient, max_examples=300)
@given(objects, path_lists, path_lists)
def test_only_what_is_under_a_path_and_not_kept_goes(
    fields: dict[str, Any], paths: list[list[str]], keep: list[list[str]]
) -> None:
    before = leaves(fields)
    Stripper(map(".".join, paths), map(".".join, keep)).strip(fields)
    doomed = {
        leaf
        for leaf in before
        if any(fits(leaf, path) for path in paths) and not any(fits(leaf, path) for path in keep)
    }
    assert leaves(fields) - {()} == before - doomed - {()}


@hypothesis.settings(patient, max_examples=300)
@given(objects, path_lists, path_lists)
def test_the_sizes_are_what_the_json_shrank_by(
    fields: dict[str, Any], paths: list[list[str]], keep: list[list[str]]
) -> None:
    """But for one comma, where nothing is left that it could stand before."""
    before = len(jsontext.dumps(fields))
    taken = Stripper(map(".".join, paths), map(".".join, keep)).strip(fields)
    shrank = before - len(jsontext.dumps(fields))
    assert sum(one.size_bytes for one in taken) == shrank + (not fields and bool(taken))
