"""How the environment spells each type."""

from __future__ import annotations

from typing import Any

import pytest

from shipper.settings_text import MultilineRule, read_bool, read_list, read_multiline, read_number, written

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
]


@pytest.mark.parametrize(("value", "text"), WRITTEN)
def test_a_value_is_written(value: Any, text: str) -> None:
    assert written(value) == text
