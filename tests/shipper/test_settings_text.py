"""How the environment spells each type."""

from __future__ import annotations

from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper.sample import Rule
from shipper.settings_text import (
    READER_OF_TYPE,
    MultilineRule,
    Pairs,
    StripRule,
    read_bool,
    read_list,
    read_multiline,
    read_names,
    read_number,
    read_pairs,
    read_strip_rules,
    written,
)
from tests.shipper.fakes import patient
from tests.shipper.test_sample import some_rules

BOOLEANS = [("true", True), ("false", False), ("True", True), ("FALSE", False)]


@pytest.mark.parametrize(("text", "value"), BOOLEANS)
def test_a_boolean_is_true_or_false(text: str, value: bool) -> None:
    assert read_bool(text) is value


@pytest.mark.parametrize("text", ["", "1", "0", "yes", "on", " true"])
def test_anything_else_is_no_boolean(text: str) -> None:
    with pytest.raises(ValueError, match="neither true nor false"):
        read_bool(text)


def test_a_number_is_of_its_kind() -> None:
    assert read_number(int)("-12") == -12
    assert read_number(float)("2.5") == 2.5
    for kind, text in ((int, "2.5"), (int, ""), (float, "x"), (int, "1" * 5_000)):
        with pytest.raises(ValueError, match="is not a number"):
            read_number(kind)(text)


LISTS = [("a,b.c", ("a", "b.c")), (" a , b ", ("a", "b")), ("a,,b,", ("a", "b")), ("", ()), (" , ", ())]


@pytest.mark.parametrize(("text", "values"), LISTS)
def test_a_list_is_what_is_between_commas(text: str, values: tuple[str, ...]) -> None:
    assert read_list(text) == values


@pytest.mark.parametrize(("text", "values"), [*LISTS, ("off", ()), (" off ", ()), ("off,a", ("off", "a"))])
def test_off_is_no_name(text: str, values: tuple[str, ...]) -> None:
    assert read_names(text) == values


RULES: dict[str, tuple[str, tuple[MultilineRule, ...]]] = {
    "nothing": ("", ()),
    "blank": (" \n", ()),
    "no rules": ("[]", ()),
    "start": ('[{"log_group": "/g", "start": "^x"}]', (MultilineRule("/g", start="^x"),)),
    "continue": ('[{"log_group": "/g", "continue": "^x"}]', (MultilineRule("/g", continues="^x"),)),
    "any group": ('[{"start": "^x"}]', (MultilineRule("*", start="^x"),)),
    "two": ('[{"start": "a"}, {"continue": "b"}]', (MultilineRule("*", "a"), MultilineRule("*", "", "b"))),
    "nothing in it": ("[{}]", (MultilineRule("*"),)),
}


@pytest.mark.parametrize(("text", "rules"), RULES.values(), ids=RULES)
def test_rules_are_read(text: str, rules: tuple[MultilineRule, ...]) -> None:
    assert read_multiline(text) == rules


BAD_RULES: dict[str, tuple[str, str]] = {
    "not JSON": ("^x", "not JSON"),
    "nested without end": ("[" * 100_000, "not JSON"),
    "an object": ('{"start": "x"}', "must be a JSON list of rules"),
    "a text in the list": ('[{"start": "x"}, "y"]', "rule 2 must be an object of strings"),
    "a pattern that is a number": ('[{"start": 5}]', "rule 1 must be an object of strings"),
    "a key that nobody knows": (
        '[{"start": "x", "stop": "y", "end": "z"}]',
        "rule 1 has unknown keys end, stop; known are continue, log_group, start",
    ),
}


@pytest.mark.parametrize(("text", "said"), BAD_RULES.values(), ids=BAD_RULES)
def test_bad_rules_are_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_multiline(text)


STRIP_RULES: dict[str, tuple[str, tuple[StripRule, ...]]] = {
    "nothing": ("", ()),
    "blank": (" \n", ()),
    "no rules": ("[]", ()),
    "all": (
        '[{"log_group": "/g*", "strip": ["a.b", "c"], "keep": ["a.b.d"]}]',
        (StripRule("/g*", ("a.b", "c"), ("a.b.d",)),),
    ),
    "any group": ('[{"strip": ["a"]}]', (StripRule("*", ("a",)),)),
    "two": ('[{"log_group": "/g"}, {"keep": ["a"]}]', (StripRule("/g"), StripRule("*", (), ("a",)))),
}


@pytest.mark.parametrize(("text", "rules"), STRIP_RULES.values(), ids=STRIP_RULES)
def test_strip_rules_are_read(text: str, rules: tuple[StripRule, ...]) -> None:
    assert read_strip_rules(text) == rules


BAD_STRIP_RULES: dict[str, tuple[str, str]] = {
    "not JSON": ("a.b", "not JSON"),
    "an object": ("{}", "must be a JSON list of rules"),
    "a text in the list": ('[{}, "a"]', "rule 2 must be an object of log_group, strip and keep"),
    "a key that nobody knows": ('[{"path": []}]', "rule 1 must be an object of log_group, strip and keep"),
    "a path that is no list": ('[{"strip": "a"}]', "rule 1: log_group is a text, strip and keep are lists of texts"),
    "a number among the paths": ('[{}, {"keep": ["a", 7]}]', "rule 2: log_group is a text"),
    "a log group that is none": ('[{"log_group": null}]', "rule 1: log_group is a text"),
}


@pytest.mark.parametrize(("text", "said"), BAD_STRIP_RULES.values(), ids=BAD_STRIP_RULES)
def test_bad_strip_rules_are_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_strip_rules(text)


def test_pairs_are_a_json_object_of_texts() -> None:
    assert read_pairs("") == read_pairs(" ") == read_pairs("{}") == ()
    assert read_pairs('{"badge": "b-\\\\d+", "a": ""}') == (("badge", r"b-\d+"), ("a", ""))
    for text, said in (("badge", "not JSON"), ("[]", "must be a JSON object of strings"), ('{"a": 1}', "of strings")):
        with pytest.raises(ValueError, match=said):
            read_pairs(text)


WRITTEN: list[tuple[Any, str]] = [
    ("text", "text"),
    ("", ""),
    (True, "true"),
    (False, "false"),
    (7, "7"),
    (2.5, "2.5"),
    ((), ""),
    (("a", "b.c"), "a,b.c"),
    ((MultilineRule("/g", "a", "b"),), '[{"log_group": "/g", "start": "a", "continue": "b"}]'),
    ((MultilineRule(""),), '[{"log_group": ""}]'),
    ((StripRule("/g", ("a",)),), '[{"log_group": "/g", "strip": ["a"], "keep": []}]'),
    ((Rule("r", "drop", pattern="x"),), '[{"name": "r", "action": "drop", "pattern": "x"}]'),
    ((("a", "x"), ("b", "")), '{"a": "x", "b": ""}'),
]


@pytest.mark.parametrize(("value", "text"), WRITTEN)
def test_a_value_is_written(value: Any, text: str) -> None:
    assert written(value) == text


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
lists = st.lists(texts, max_size=3).map(tuple)
of_type: dict[str, st.SearchStrategy[Any]] = {
    "str": texts,
    "bool": st.booleans(),
    "int": st.integers(),
    "float": st.floats(allow_nan=False),
    "tuple[str, ...]": st.lists(st.text("abc._*", min_size=1), max_size=3).map(tuple),
    "tuple[MultilineRule, ...]": st.lists(st.builds(MultilineRule, texts, texts, texts), max_size=3).map(tuple),
    "tuple[StripRule, ...]": st.lists(st.builds(StripRule, texts, lists, lists), max_size=3).map(tuple),
    "tuple[Rule, ...]": st.lists(some_rules, max_size=3, unique_by=lambda rule: rule.name).map(tuple),
    "Pairs": st.dictionaries(texts, texts, max_size=3).map(lambda pairs: tuple(pairs.items())),
}


def test_every_type_is_tried() -> None:
    assert of_type.keys() == READER_OF_TYPE.keys()
    assert Pairs == tuple[tuple[str, str], ...]


@pytest.mark.parametrize("kind", of_type)
@hypothesis.settings(patient, max_examples=100)
@given(st.data())
def test_what_is_written_is_read_again(kind: str, data: st.DataObject) -> None:
    value = data.draw(of_type[kind])
    assert READER_OF_TYPE[kind](written(value)) == value
