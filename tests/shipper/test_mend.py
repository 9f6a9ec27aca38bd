"""What the engine would refuse is mended, nothing else is touched, and nothing is lost."""

from __future__ import annotations

import copy
import json
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper import jsontext
from shipper.mend import MAX_KEY_CHARS, Mender, field_count, free_names, nested_count, overflow
from tests.growth import assert_grows_with_size
from tests.shipper.fakes import patient

DEPTH = 19


def mend(text: str, depth: int = DEPTH) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    """(the fields of a JSON text as they can be sent, what goes aside, kinds of repair)."""
    mender = Mender(depth)
    mended = mender.mend(jsontext.loads(text), jsontext.loads_exact(text))
    return mended, mender.aside, sorted(mender.kinds)


LONG = "k" * MAX_KEY_CHARS
KEYS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "empty": ({"": 1}, {"_": 1}),
    "empty beside its new name": ({"": 1, "_": 2}, {"__2": 1, "_": 2}),
    "empty beside an object of its new name": ({"_.a": 2, "": 1}, {"_.a": 2, "__2": 1}),
    "blank": ({" ": 1, "\t": 2}, {"_": 1, "__2": 2}),
    "a dot": ({".": 1}, {"_": 1}),
    "a dot in front": ({".a": 1}, {"_a": 1}),
    "a dot at the end": ({"a.": 1}, {"a_": 1}),
    "two dots": ({"a..b": 1}, {"a__b": 1}),
    "a blank between dots": ({"a. .b": 1}, {"a_ _b": 1}),
    "a name of the engine's by its new name": ({".id": 1}, {"_id_2": 1}),
    "its own child beside it": ({"a": 1, "a.b": 2}, {"a": 1, "a_b": 2}),
    "its own child in front of it": ({"a.b": 2, "a": 1}, {"a_b": 2, "a": 1}),
    "its grandchild": ({"a.b.c": 3, "a.b": 2}, {"a_b_c": 3, "a.b": 2}),
    "all of them": ({"a": 1, "a.b": 2, "a.b.c": 3}, {"a": 1, "a_b": 2, "a_b_c": 3}),
    "a child beside its new name": ({"a": 1, "a.b": 2, "a_b": 3}, {"a": 1, "a_b_2": 2, "a_b": 3}),
    "one new name of several": (
        {"a": 1, "a.b.c": 2, "a.b_c": 3, "a_b_c_2": 4},
        {"a": 1, "a_b_c": 2, "a_b_c_3": 3, "a_b_c_2": 4},
    ),
    "a child whose new name is the engine's": ({"_doc": 1, "_doc.count": 5}, {"_doc": 1, "_doc_count_2": 5}),
    "too long": ({LONG + "x": 1}, {LONG: 1}),
    "too long, with dots": ({f"{'k.' * 300}": 1}, {"k_" * 256: 1}),
    "too long and alike": (
        {LONG + "x": 1, LONG + "y": 2, LONG: 3},
        {LONG[:-8] + "_2": 1, LONG[:-8] + "_3": 2, LONG: 3},
    ),
    "as many dots as objects are too many": ({"a." * 19 + "b": 1}, {"a_" * 19 + "b": 1}),
    "in an object": ({"a": {"": 1}}, {"a": {"_": 1}}),
    "in an object in a list": ({"a": [[{"": 1}]]}, {"a": [[{"_": 1}]]}),
}


@pytest.mark.parametrize(("fields", "mended"), KEYS.values(), ids=KEYS)
def test_a_key_that_is_refused_gets_another_name(fields: dict[str, Any], mended: dict[str, Any]) -> None:
    assert field_count(fields, DEPTH - 1) < 0
    assert mend(json.dumps(fields)) == (mended, {}, ["key"])


SOUND: dict[str, dict[str, Any]] = {
    "nothing": {},
    "other signs": {"a*b": 1, "#": 2, "a,b": 3, "\0": 4, "$a": 5},
    "dots": {"a.b": 1, "a.c": 2, "b": 3},
    "as many dots as may be": {"a." * 18 + "b": 1},
    "a name as long as may be": {LONG: 1},
    "a low line in front": {"_a": 1, "_": 2, "_ids": 3},
    "the engine's names further down": {"a": {"_id": 1, "_source": {"_doc_count": 2}}, "b": [{"_id": 3}]},
    "the bounds of a long": {"a": [2**63 - 1, -(2**63)], "b": 2**63 - 1, "c": -(2**63)},
    "the largest decimal numbers below": {"a": 9.2233720368547748e18, "b": -9.2233720368547748e18},
    "null, true, texts": {"a": None, "b": True, "c": "", "d": [None, "x"]},
}


@pytest.mark.parametrize("fields", SOUND.values(), ids=SOUND)
def test_what_is_taken_stays(fields: dict[str, Any]) -> None:
    assert field_count(fields, DEPTH - 1) >= 0
    assert mend(json.dumps(fields)) == (fields, {}, [])


COUNTS: dict[str, tuple[dict[str, Any], int]] = {
    "none": ({}, 0),
    "values": ({"a": 1, "b": None, "c": []}, 3),
    "an object and its keys": ({"a": {"b": {"c": 1}, "d": 2}}, 4),
    "a list is one": ({"a": [1, 2, 3]}, 1),
    "objects in a list": ({"a": [{"b": 1}, {"c": 2, "d": 3}]}, 4),
    "dots are objects": ({"a.b.c": 1, "d": {"e.f": 2}}, 6),
    "lists in a list": ({"a": [[{"b": 1}], []]}, 2),
}


@pytest.mark.parametrize(("fields", "count"), COUNTS.values(), ids=COUNTS)
def test_fields_are_counted_in_all_levels(fields: dict[str, Any], count: int) -> None:
    assert field_count(fields, DEPTH - 1) == count
    assert nested_count(fields, DEPTH - 1) == count


METADATA = ["_id", "_index", "_source", "_routing", "_field_names", "_ignored", "_seq_no", "_version", "_nested_path"]


@pytest.mark.parametrize("key", [*METADATA, "_primary_term", "_doc_count", "_id.x", "_source.a.b"])
def test_the_engines_own_names_go_aside(key: str) -> None:
    value = {"a": 1}
    assert field_count({key: value}, DEPTH - 1) < 0
    assert mend(json.dumps({key: value, "b": 2})) == ({"b": 2}, {key: value}, ["metadata"])


def nested(levels: int, *, innermost: Any, arrays: bool = False) -> Any:
    """An object in which objects or arrays are inside each other, `levels` in all with the outermost."""
    value = innermost
    for _ in range(levels - 1):
        value = [value] if arrays else {"a": value}
    return {"a": value}


@pytest.mark.parametrize("arrays", [False, True], ids=["objects", "arrays"])
def test_19_levels_pass_and_the_20th_becomes_text(arrays: bool) -> None:
    passing = nested(19, innermost=1, arrays=arrays)
    assert field_count(passing, DEPTH - 1) >= 0
    assert mend(json.dumps(passing)) == (passing, {}, [])
    inner: Any = [1, "x"] if arrays else {"b": "x"}
    deep = nested(19, innermost=inner, arrays=arrays)
    assert field_count(deep, DEPTH - 1) < 0
    cut = nested(19, innermost=jsontext.dumps(inner).decode(), arrays=arrays)
    assert mend(json.dumps(deep)) == (cut, {}, ["deep"])


def test_an_object_that_is_a_field_has_one_level_less() -> None:
    for value, mended, kinds in [
        (nested(18, innermost=1), nested(18, innermost=1), set()),
        (nested(18, innermost={}), nested(18, innermost="{}"), {"deep"}),
        ({"_id": 1}, {"_id": 1}, set()),
        ({"": 2**64}, {"_": str(2**64)}, {"key", "number"}),
    ]:
        mender = Mender(DEPTH)
        assert (nested_count(value, DEPTH - 1) < 0) == bool(kinds)
        assert (mender.nested(value), mender.kinds) == (mended, kinds)


NUMBERS = {
    "2^63": str(2**63),
    "-2^63-1": str(-(2**63) - 1),
    "2^64-1": str(2**64 - 1),
    "2^64": str(2**64),
    "10^30": str(10**30),
    "20 digits": "-12345678901234567890",
    "a thousand digits": "9" * 300,
}


@pytest.mark.parametrize("digits", NUMBERS.values(), ids=NUMBERS)
def test_a_number_that_is_no_long_keeps_its_digits_as_text(digits: str) -> None:
    text = f'{{"a": {digits}, "b": {{"c": [{digits}, {digits}]}}, "d": [[{{"e": {digits}}}]]}}'
    assert field_count(jsontext.loads(text), DEPTH - 1) < 0
    mended = {"a": digits, "b": {"c": [digits, digits]}, "d": [[{"e": digits}]]}
    assert mend(text) == (mended, {}, ["number"])


@pytest.mark.parametrize("number", [1e19, -1e19, 1e39, 1.5e308, 2.0**63, -(2.0**63)])
def test_a_decimal_number_as_large_is_text_too(number: float) -> None:
    fields = {"a": number, "b": [number]}
    assert field_count(fields, DEPTH - 1) < 0
    assert mend(json.dumps(fields)) == ({"a": str(number), "b": [str(number)]}, {}, ["number"])


def test_without_the_exact_text_a_number_is_written_as_it_is_known() -> None:
    for exact in (None, {}, {"a": [1]}, {"a": 1}, 7):
        assert Mender(DEPTH).mend({"a": 2**64 - 1, "b": [1e30]}, exact) == {"a": str(2**64 - 1), "b": ["1e+30"]}


def test_an_array_of_several_types_is_made_to_agree() -> None:
    assert field_count({"a": [1, "x"]}, DEPTH - 1) < 0
    assert mend('{"a": [1, "x"], "b": [1, null]}') == ({"a": ["1", "x"], "b": [1, None]}, {}, ["types"])


def test_names_are_given_in_order_and_once() -> None:
    assert free_names({}, ["a"]) == {}
    wanted = {"a.b": "a_b", "a/b": "a_b", "c": "x"}
    assert free_names(wanted, ["a.b", "a/b", "c", "x.y"]) == {"a.b": "a_b", "a/b": "a_b_2", "c": "x_2"}


steps = st.sampled_from(["", " ", "\t", "a", "b", "_", "_id", "_doc", "count", "id", "2", LONG])
keys = st.lists(steps, min_size=1, max_size=3).map(".".join) | st.lists(steps, max_size=3).map("_".join)
texts = st.sampled_from(["", "x", "é"])
edges = st.sampled_from([2**63 - 1, 2**63, -(2**63), 2**64 - 1, 1e30, -(2.0**63), 0.5, 1e-7])
scalars = st.none() | st.booleans() | st.integers(-9, 9) | edges | texts
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=25,
)
documents = st.dictionaries(keys, values, max_size=6)
depths = st.integers(2, 5)


@hypothesis.settings(patient, max_examples=150)
@given(documents, depths)
def test_the_count_is_negative_exactly_where_there_is_something_to_mend(fields: dict[str, Any], depth: int) -> None:
    before, count = copy.deepcopy(fields), field_count(fields, depth - 1)
    mender = Mender(depth)
    mended = mender.mend(fields, None)
    assert (count < 0) == bool(mender.kinds)
    assert (mended == before and json.dumps(mended) == json.dumps(before)) == (not mender.kinds)


@hypothesis.settings(patient, max_examples=150)
@given(documents, depths)
def test_mending_twice_changes_nothing_more(fields: dict[str, Any], depth: int) -> None:
    once = Mender(depth).mend(fields, None)
    assert field_count(once, depth - 1) >= 0
    again = Mender(depth)
    assert json.dumps(again.mend(copy.deepcopy(once), None)) == json.dumps(once)
    assert not again.kinds


@hypothesis.settings(patient, max_examples=200)
@given(documents, depths)
def test_the_same_holds_for_an_object_that_is_a_field(fields: dict[str, Any], depth: int) -> None:
    mender, again = Mender(depth), Mender(depth)
    count = nested_count(fields, depth - 1)
    once = mender.nested(fields)
    assert (count < 0) == bool(mender.kinds)
    assert nested_count(once, depth - 1) >= 0
    assert json.dumps(again.nested(copy.deepcopy(once))) == json.dumps(once)


def leaves(value: Any) -> list[str]:
    """Every value that holds no other, JSON in texts read, numbers as one type; sorted."""
    if isinstance(value, str):
        try:
            inner = json.loads(value)
        except ValueError:
            return [value]
        return leaves(inner)
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return sorted(leaf for inner in value for leaf in leaves(inner)) or ["empty"]
    return [str(value) if value is None or isinstance(value, bool) else str(float(value))]


@hypothesis.settings(patient, max_examples=150)
@given(documents, depths)
def test_no_value_is_lost(fields: dict[str, Any], depth: int) -> None:
    before = leaves(list(fields.values()) or [[]])
    mender = Mender(depth)
    mended = mender.mend(fields, None)
    assert leaves([*mended.values(), *mender.aside.values()] or [[]]) == before


def size(value: Any) -> int:
    """How many fields are in a value."""
    if isinstance(value, dict):
        return len(value) + sum(map(size, value.values()))
    return sum(map(size, value)) if isinstance(value, list) else 0


OVERFLOW: dict[str, tuple[dict[str, Any], int, list[str]]] = {
    "enough room": ({"a": 1, "b": {"c": 2}}, 3, []),
    "the largest object": ({"a": {"b": 1}, "c": {"d": 1, "e": 2}, "f": 3}, 4, ["c"]),
    "the two largest": ({"a": {"b": 1}, "c": {"d": 1, "e": 2}, "f": 3}, 2, ["a", "c"]),
    "the longest names, where there are no objects": ({"aaa": 1, "a": 2, "aa": 3}, 1, ["aa", "aaa"]),
    "objects in a list": ({"a": [{"b": 1}, {"b": 2}], "cc": 1}, 1, ["a"]),
    "no room": ({"a": 1, "b": [2]}, 0, ["a", "b"]),
    "less than none": ({"a": 1}, -5, ["a"]),
}


@pytest.mark.parametrize(("fields", "max_fields", "taken"), OVERFLOW.values(), ids=OVERFLOW)
def test_the_largest_go_first(fields: dict[str, Any], max_fields: int, taken: list[str]) -> None:
    left = copy.deepcopy(fields)
    assert sorted(overflow(left, max_fields)) == taken
    assert sorted(left) == sorted(fields.keys() - set(taken))


plain_keys = st.text("abc", min_size=1, max_size=3)
plain_values = st.recursive(
    st.integers(0, 9),
    lambda inner: (
        st.lists(st.dictionaries(plain_keys, inner, max_size=3), max_size=3) | st.dictionaries(plain_keys, inner)
    ),
    max_leaves=20,
)


@hypothesis.settings(patient, max_examples=150)
@given(st.dictionaries(plain_keys, plain_values, max_size=8), st.integers(-1, 30))
def test_what_is_taken_out_and_what_is_left_are_what_there_was(fields: dict[str, Any], max_fields: int) -> None:
    left = copy.deepcopy(fields)
    taken = overflow(left, max_fields)
    assert {**left, **taken} == fields
    assert not left.keys() & taken.keys()
    assert len(left) + sum(map(size, left.values())) <= max(0, max_fields)
    assert max(map(size, left.values()), default=0) <= min(map(size, taken.values()), default=10**9)


HOSTILE = {
    "keys that get one and the same name": {
        f"{number:018b}".translate({48: ".", 49: "_"}): 1 for number in range(40_000)
    },
    "keys with a dot in front": {f".{number}": 1 for number in range(40_000)},
    "keys of dots": {"." * number: 1 for number in range(1, 700)},
    "long keys that are alike": {f"{LONG}{number}": 1 for number in range(1_500)},
    "a number as it would be given": {"a": 1} | {f"a{'_.'[number % 2]}b_{number}": 1 for number in range(40_000)},
}


@pytest.mark.parametrize("fields", HOSTILE.values(), ids=HOSTILE)
def test_time_grows_with_the_number_of_keys_only(fields: dict[str, Any]) -> None:
    assert_grows_with_size(lambda some: Mender(DEPTH).mend(dict(some), None), list(fields.items()))
