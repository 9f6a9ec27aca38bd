"""Fields of a message as the AWS-generated function finds them."""

from __future__ import annotations

from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper.expand import expand, json_in, message_counts, number
from tests.growth import assert_grows_with_size
from tests.shipper.fakes import patient

# What Node.js answers: `1 * text` where parseFloat and isFinite say that it is a number.
NUMBERS: dict[str, int | float | None] = {
    "0": 0,
    "42": 42,
    "-42": -42,
    "+42": 42,
    "007": 7,
    "1.10": 1.1,
    "5.": 5,
    ".5": 0.5,
    "-.5": -0.5,
    "-0": 0,
    " 12 ": 12,
    "\t12\n": 12,
    "1e5": 100_000,
    "1E+5": 100_000,
    "25e-1": 2.5,
    "0x1F": 31,
    "0X1f": 31,
    "0b11": 3,
    "0B11": 3,
    "0o17": 15,
    " 0x1F ": 31,
    "9007199254740993": 9007199254740992,
    "12345678901234567890123": 1.2345678901234568e22,
    "1e308": 1e308,
    "1e-400": 0,
    "": None,
    " ": None,
    ".": None,
    "+": None,
    "e5": None,
    "1e": None,
    "1.2.3": None,
    "12abc": None,
    "1 2": None,
    "1,000": None,
    "1_000": None,
    "0x": None,
    "0x1G": None,
    "-0x1F": None,
    "0b12": None,
    "0o18": None,
    "Infinity": None,
    "-Infinity": None,
    "inf": None,
    "NaN": None,
    "nan": None,
    "true": None,
    "null": None,
    "1e400": None,
    "1" * 400: None,
    "\u0661\u0662": None,
    "\uff11": None,
}


@pytest.mark.parametrize(("text", "value"), NUMBERS.items(), ids=[repr(text)[:40] for text in NUMBERS])
def test_numbers_are_those_of_javascript(text: str, value: float | None) -> None:
    found = number(text)
    assert found == value
    assert isinstance(found, int) == isinstance(value, int)


@pytest.mark.parametrize("text", ["0x1" + "0" * 256, "0b1" + "0" * 1024], ids=["hexadecimal", "binary"])
def test_a_number_beyond_a_double_is_none_in_any_radix(text: str) -> None:
    assert number(text) is None


@pytest.mark.parametrize("space", ["\x1f", "\x85", "\u180e", "\u200b"], ids=ascii)
def test_what_javascript_takes_for_no_white_space_stops_a_number(space: str) -> None:
    assert number(f"{space}12") is None


@pytest.mark.parametrize("space", ["\u00a0", "\ufeff", "\u2028"], ids=["no-break", "byte order mark", "line separator"])
def test_javascripts_white_space_does_not_stop_a_number(space: str) -> None:
    assert number(f"{space}12{space}") == 12


def test_a_long_run_of_digits_costs_no_time() -> None:
    assert_grows_with_size(lambda digits: number(digits + "x"), "1" * 60_000)


@hypothesis.settings(patient, max_examples=100)
@given(st.integers(-(2**53), 2**53))
def test_every_exact_integer_is_itself(value: int) -> None:
    assert number(str(value)) == value
    assert isinstance(number(str(value)), int)


@hypothesis.settings(patient, max_examples=100)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_double_is_itself(value: float) -> None:
    assert number(repr(value)) == value


@hypothesis.settings(patient, max_examples=200)
@given(st.text("0123456789.eE+-xXbBo_ \u0661", max_size=8))
def test_no_text_makes_a_number_raise(text: str) -> None:
    found = number(text)
    assert found is None or abs(found) < float("inf")


JSON_IN: dict[str, tuple[str, Any]] = {
    "an object": ('{"a":1}', {"a": 1}),
    "text in front": ('INFO {"a":1}', {"a": 1}),
    "space behind": ('{"a":1} \n', {"a": 1}),
    "the last of duplicate keys wins": ('{"a":1,"a":2}', {"a": 2}),
    "an empty object": ("{}", {}),
    "text behind": ('{"a":1} trailing', None),
    "a brace in the text in front": ('text {x} {"a":1}', None),
    "an array": ("[1,2]", None),
    "an array of objects": ('[{"a":1}]', None),
    "a brace alone": ("{", None),
    "no brace": ("hello", None),
    "nothing": ("", None),
    "NaN": ('{"a":NaN}', None),
    "a number beyond a double": ('{"a":1e400}', None),
    "two objects": ('{"a":1}{"b":2}', None),
    "deeper than can be written again": ('{"a":' * 300 + "1" + "}" * 300, None),
    "deeper than can be read": ('{"a":' * 5_000 + "1" + "}" * 5_000, None),
}


@pytest.mark.parametrize(("text", "value"), JSON_IN.values(), ids=JSON_IN)
def test_json_counts_from_the_first_brace_to_the_end(text: str, value: Any) -> None:
    assert json_in(text) == value


def test_many_braces_beside_each_other_are_no_depth() -> None:
    assert json_in('{"a":[' + "[]," * 2_000 + "[]]}") == {"a": [[]] * 2_001}


LINE = '{"a":1}'


def test_the_fields_are_the_callers_to_change() -> None:
    extracted = {"v": {"a": 1}, "@aws.account": {"b": 2}}
    fields = expand("x", extracted)
    fields["v"]["a"] = fields["@aws.account"]["b"] = 3
    assert extracted == {"v": {"a": 1}, "@aws.account": {"b": 2}}


COUNTS = [
    (None, True),
    ({}, False),
    ({"a": "1"}, False),
    ({"@aws.account": "1"}, True),
    ({"@aws.account": "1", "a": "1"}, False),
    ({"@aws": "1"}, False),
]


@pytest.mark.parametrize(("extracted", "counts"), COUNTS)
def test_the_message_counts_where_cloudwatch_extracted_no_field_of_it(
    extracted: dict[str, Any] | None, counts: bool
) -> None:
    assert message_counts(extracted) is counts


EXPANDED: dict[str, tuple[str, dict[str, Any] | None, dict[str, Any]]] = {
    "JSON in the message": (LINE, None, {"a": 1}),
    "no JSON in the message": ("hello", None, {}),
    "extracted fields stop it": (LINE, {"b": "x"}, {"b": "x"}),
    "even none": (LINE, {}, {}),
    "system fields do not": (
        LINE,
        {"@aws.account": "012345678901", "@aws.region": "eu-west-1"},
        {"a": 1, "@aws.account": "012345678901", "@aws.region": "eu-west-1"},
    ),
    "system fields beside others stay text": (
        LINE,
        {"@aws.account": "0123", "n": "7"},
        {"@aws.account": "0123", "n": 7},
    ),
    "system fields on plain text": ("hello", {"@aws.account": "1"}, {"@aws.account": "1"}),
    "a number": (LINE, {"n": "007"}, {"n": 7}),
    "a zero": (LINE, {"n": "0"}, {"n": 0}),
    "an empty value is left out": (LINE, {"n": "", "m": "x"}, {"m": "x"}),
    "JSON in a value": ("x", {"v": 'got {"b":2}'}, {"$v": {"b": 2}, "v": 'got {"b":2}'}),
    "an array in a value": ("x", {"v": "[1]"}, {"v": "[1]"}),
    "a value of another type": ("x", {"v": 7, "w": {"a": 1}}, {"v": 7, "w": {"a": 1}}),
}


@pytest.mark.parametrize(("message", "extracted", "fields"), EXPANDED.values(), ids=EXPANDED)
def test_fields_are_extracted_or_found_in_json(
    message: str, extracted: dict[str, Any] | None, fields: dict[str, Any]
) -> None:
    assert expand(message, extracted) == fields
