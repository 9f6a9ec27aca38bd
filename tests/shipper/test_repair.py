from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper.model import Document
from shipper.repair import NO_REPAIR, BadRepair, Repair, repaired
from tests.shipper.fakes import docs, patient


def after(fields: dict[str, Any], repair: Repair) -> dict[str, Any]:
    """The fields of one document after the repair."""
    before = Document("cwl-1", "1", json.dumps(fields).encode(), "t", ("1",))
    (document,) = repaired([before], repair)
    assert (document.index, document.id, document.timestamp, document.event_ids) == ("cwl-1", "1", "t", ("1",))
    found: dict[str, Any] = json.loads(document.source)
    return found


REPAIRS = [
    pytest.param({"a": 1, "b": 2}, Repair(drop=("a",)), {"b": 2}, id="drop"),
    pytest.param({"a": {"b": 1, "c": 2}}, Repair(drop=("a.b",)), {"a": {"c": 2}}, id="drop inside"),
    pytest.param({"a": 1, "b": 2}, Repair(drop=("a", "b")), {}, id="drop two"),
    pytest.param({"a": 1}, Repair(drop=("b", "a.b", "b.a")), {"a": 1}, id="drop what is not there"),
    pytest.param({"a": 1}, Repair(rename=(("a", "b"),)), {"b": 1}, id="rename"),
    pytest.param({"a": {"b": [1]}}, Repair(rename=(("a.b", "c.d"),)), {"a": {}, "c": {"d": [1]}}, id="rename inside"),
    pytest.param({"a": 1}, Repair(rename=(("a", "a.b"),)), {"a": {"b": 1}}, id="rename into itself"),
    pytest.param({"a": 1}, Repair(rename=(("x", "a"),)), {"a": 1}, id="rename what is not there"),
    pytest.param({"a": 1}, Repair(rename=(("a", "a"),)), {"a": 1}, id="rename to the same"),
    pytest.param({"a": None}, Repair(rename=(("a", "b"),)), {"b": None}, id="null is a value"),
    pytest.param({"a": {"b": 1}}, Repair(to_string=("a",)), {"a": '{"b":1}'}, id="object to text"),
    pytest.param({"a": [1, "x"]}, Repair(to_string=("a",)), {"a": '[1,"x"]'}, id="list to text"),
    pytest.param({"a": {"b": 1.5}}, Repair(to_string=("a.b",)), {"a": {"b": "1.5"}}, id="number to text"),
    pytest.param({"a": True}, Repair(to_string=("a",)), {"a": "true"}, id="boolean to text"),
    pytest.param({"a": "é"}, Repair(to_string=("a",)), {"a": "é"}, id="text stays"),
    pytest.param({"a": 1}, Repair(to_string=("b", "a.b")), {"a": 1}, id="nothing to turn into text"),
    pytest.param(
        {"a": 1, "b": 2, "c": 3},
        Repair(drop=("a",), rename=(("b", "a"),), to_string=("a",)),
        {"a": "2", "c": 3},
        id="drop, then rename, then text",
    ),
    pytest.param(
        {"a": {"x.y": 1}},
        Repair(to_string=("a.x.y",)),
        {"a": {"x.y": "1"}},
        id="a key with a dot, named as the engine names it",
    ),
    pytest.param({"a.b": {"c.d": 1}}, Repair(rename=(("a.b.c.d", "a.b.c.e"),)), {"a.b": {"c.e": 1}}, id="dots in both"),
    pytest.param(
        {"a.b": 1, "a": {"b": 2, "c": 3}}, Repair(drop=("a.b",)), {"a": {"c": 3}}, id="one field in two forms"
    ),
    pytest.param(
        {"a": [{"b": 1}, {"b": "x"}, 5]},
        Repair(to_string=("a.b",)),
        {"a": [{"b": "1"}, {"b": "x"}, 5]},
        id="objects in a list, named as the engine names them",
    ),
    pytest.param(
        {"a": [{"b": 1}, [{"b": 2, "c": 3}]]}, Repair(drop=("a.b",)), {"a": [{}, [{"c": 3}]]}, id="lists in a list"
    ),
    pytest.param(
        {"a": [{"b": 1}, {"b": 2}]},
        Repair(rename=(("a.b", "a.c"),)),
        {"a": [{"c": 1}, {"c": 2}]},
        id="rename within each object of a list",
    ),
    pytest.param(
        {"a": [{"b": 1}, 5]}, Repair(rename=(("a.b", "c"),)), {"a": [{}, 5], "c": 1}, id="rename out of a list"
    ),
]


@pytest.mark.parametrize(("before", "repair", "expected"), REPAIRS)
def test_a_repair_changes_what_it_names_and_nothing_else(
    before: dict[str, Any], repair: Repair, expected: dict[str, Any]
) -> None:
    assert after(before, repair) == expected


@pytest.mark.parametrize("fields", [{"a": 1, "b": 2}, {"a": 1, "b": {}}])
def test_a_rename_overwrites_nothing(fields: dict[str, Any]) -> None:
    with pytest.raises(BadRepair, match="b is there already"):
        after(fields, Repair(rename=(("a", "b"),)))


def test_a_rename_goes_through_no_value() -> None:
    with pytest.raises(BadRepair, match=r"b\.c: b is there already and no object"):
        after({"a": 1, "b": 2}, Repair(rename=(("a", "b.c"),)))


def test_many_values_are_not_renamed_into_one() -> None:
    with pytest.raises(BadRepair, match=r"a\.b is there 2 times"):
        after({"a": [{"b": 1}, {"b": 2}]}, Repair(rename=(("a.b", "c"),)))


def test_what_nests_too_deeply_to_be_written_again_is_no_repair() -> None:
    deep = Document("cwl-1", "1", b'{"a":' + b"[" * 300 + b"]" * 300 + b"}", "", ())
    for repair in (Repair(drop=("b",)), Repair(to_string=("a",))):
        with pytest.raises(BadRepair):
            repaired([deep], repair)


def test_without_a_repair_documents_stay_byte_for_byte() -> None:
    odd = Document("cwl-1", "1", b'{ "a" : 1.0 }', "", ())
    assert repaired([odd], NO_REPAIR) == [odd]


def test_every_document_is_repaired_in_order() -> None:
    found = repaired(docs(3), Repair(rename=(("note", "remark"),)))
    assert [document.id for document in found] == ["id-0", "id-1", "id-2"]


@pytest.mark.parametrize("path", ["@id", "@timestamp", "@message", "@owner", "@log_group", "@log_stream", "@message.x"])
def test_system_fields_may_not_be_touched(path: str) -> None:
    for repair in (Repair(drop=(path,)), Repair(to_string=(path,)), Repair(rename=((path, "a"),))):
        assert repair.problems() == [f"{path}: system fields stay as they are"]
    assert Repair(rename=(("a", path),)).problems()


@pytest.mark.parametrize("path", ["", ".", "a.", ".a", "a..b"])
def test_a_path_has_a_name_between_its_dots(path: str) -> None:
    assert Repair(drop=(path,)).problems() == [f"{path!r} is not a dotted path"]


def test_every_problem_is_named_at_once() -> None:
    found = Repair(drop=("@id", "a..b"), rename=(("x", "@owner"),), to_string=("@message",)).problems()
    assert len(found) == 4


def test_a_good_repair_has_no_problems() -> None:
    assert Repair(("a", "b.c"), (("d", "e.f"),), ("@fields.x",)).problems() == []


names = st.sampled_from(["a", "b", "c"])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-100, 100) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)
paths = st.lists(names, min_size=1, max_size=3).map(".".join)
objects = st.recursive(
    st.integers(-100, 100) | st.lists(st.text(max_size=3), max_size=3),
    lambda inner: st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)


@patient
@given(st.dictionaries(names, json_values, max_size=3), paths)
def test_dropping_twice_is_dropping_once(fields: dict[str, Any], path: str) -> None:
    once = after(fields, Repair(drop=(path,)))
    assert after(once, Repair(drop=(path,))) == once


@patient
@given(st.dictionaries(names, objects, max_size=3), paths)
def test_renaming_there_and_back_changes_nothing_where_it_was_alone(fields: dict[str, Any], path: str) -> None:
    there = after(fields, Repair(rename=((path, "new"),)))
    back = after(there, Repair(rename=(("new", path),)))
    assert back == fields


@patient
@given(st.dictionaries(names, json_values, max_size=3), paths)
def test_turning_into_text_can_be_undone(fields: dict[str, Any], path: str) -> None:
    found = after(fields, Repair(to_string=(path,)))
    inner: Any = found
    outer: Any = fields
    for key in path.split("."):
        inner = inner.get(key) if isinstance(inner, dict) else None
        outer = outer.get(key) if isinstance(outer, dict) else None
    assert inner is None or outer == inner or json.loads(inner) == outer


@pytest.mark.parametrize("index", ["cwl-2026.11.24", "cwl-late", "cwl-a_b-1"])
def test_another_index_takes_the_document_under_its_id(index: str) -> None:
    repair = Repair(index=index)
    assert repair.problems() == []
    (document,) = docs(1)
    assert repaired([document], repair) == [replace(document, index=index)]


@pytest.mark.parametrize("index", ["cwl-", "logs", "cwl-A", "cwl-*", "cwl-a,b", "cwl-a/b", "cwl-a\n", ".cwl-a"])
def test_no_index_but_our_own_is_written(index: str) -> None:
    assert Repair(index=index).problems() == [f"{index!r} is no cwl-* index"]


def test_a_repair_says_what_it_changes() -> None:
    repair = Repair(("a",), (("b", "c"),), ("d",), "cwl-late")
    assert repair.changes == ["drop a", "rename b to c", "turn d into text", "write to cwl-late"]
    assert NO_REPAIR.changes == []
