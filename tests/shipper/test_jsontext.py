"""Strict JSON, and the one thing that is mended: a lone surrogate."""

from __future__ import annotations

import json
import re
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper import jsontext
from tests.shipper.fakes import patient

LONE = re.compile("[\ud800-\udfff]")

READ: dict[str, tuple[str, Any]] = {
    "an object": ('{"a": [1, -2.5, true, null, "x"]}', {"a": [1, -2.5, True, None, "x"]}),
    "space around the value": (" \n\t[1]\r\n", [1]),
    "the last of duplicate keys wins": ('{"a":1,"a":2}', {"a": 2}),
    "the largest exact integer": ("18446744073709551615", 2**64 - 1),
    "a larger one loses its last digits, as in JavaScript": ("12345678901234567890123", 1.2345678901234568e22),
    "a surrogate pair is one character": (r'"\ud83d\ude00"', "\U0001f600"),
    "a lone high surrogate": (r'"a\ud83db"', "a\ufffdb"),
    "a lone low surrogate": (r'"\udE00"', "\ufffd"),
    "a lone surrogate in capitals": (r'"\uD83D"', "\ufffd"),
    "a high surrogate before an escape": (r'"\ud83d\n"', "\ufffd\n"),
    "a lone surrogate in a key": (r'{"\udfff": 1}', {"\ufffd": 1}),
    "a pair beside a lone one": (r'"\ud83d\ud83d\ude00"', "\ufffd\U0001f600"),
    "a lone surrogate beside a big number": (r'["\ud800", 12345678901234567890123]', ["\ufffd", 1.2345678901234568e22]),
    "an escaped backslash before ud": (r'"\\ud800"', r"\ud800"),
    "U+2028 and U+0085 are text": ('"a\u2028b\u0085c"', "a\u2028b\u0085c"),
}

REFUSED = {
    "nothing": "",
    "cut short": '{"a": 1',
    "text behind it": "{} x",
    "NaN": '{"a": NaN}',
    "Infinity": "[Infinity]",
    "minus Infinity": "[-Infinity]",
    "a number beyond a double": '{"a": 1e400}',
    "NaN beside a lone surrogate": r'["\ud800", NaN]',
    "a number beyond a double beside a lone surrogate": r'["\ud800", 1e400]',
    "thousands of digits beside a lone surrogate": r'["\ud800", ' + "1" * 5_000 + "]",
    "1,025 levels": "[" * 1025 + "]" * 1025,
    "deep beside a lone surrogate": r'["\ud800", ' + "[" * 100_000 + "]" * 100_000 + "]",
    "single quotes": "{'a': 1}",
    "a leading zero": "[01]",
    "a bare control character": '"a\x01"',
    "a byte order mark": "\ufeff{}",
    "a cut escape": r'"\ud8"',
}

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize("as_bytes", [False, True], ids=["text", "bytes"])
@pytest.mark.parametrize(("text", "value"), READ.values(), ids=READ)
def test_json_is_read(text: str, value: Any, as_bytes: bool) -> None:
    assert jsontext.loads(text.encode() if as_bytes else text) == value


@pytest.mark.parametrize("as_bytes", [False, True], ids=["text", "bytes"])
@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_what_is_not_json_is_refused(text: str, as_bytes: bool) -> None:
    with pytest.raises(ValueError, match=r"."):
        jsontext.loads(text.encode() if as_bytes else text)


EXACT: dict[str, tuple[str, Any]] = {
    "the bounds of a long": ("[9223372036854775807, -9223372036854775808]", [2**63 - 1, -(2**63)]),
    "beyond them": ("[9223372036854775808, -9223372036854775809]", ["9223372036854775808", "-9223372036854775809"]),
    "more digits than Python reads": ("1" * 5_000, "1" * 5_000),
    "a fraction": ("1.5", 1.5),
}


@pytest.mark.parametrize(("text", "value"), EXACT.values(), ids=EXACT)
def test_a_large_integer_is_read_as_its_digits(text: str, value: Any) -> None:
    assert jsontext.loads_exact(text) == value


@pytest.mark.parametrize("name", ["nothing", "cut short", "text behind it", "NaN", "deep beside a lone surrogate"])
def test_what_is_not_json_has_no_digits(name: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        jsontext.loads_exact(REFUSED[name])


@pytest.mark.parametrize("text", ['"\ud800"', '"\ud800\\ud800"'], ids=["alone", "beside an escaped one"])
def test_a_surrogate_that_is_not_escaped_ends_in_a_value_or_a_refusal(text: str) -> None:
    try:
        value = jsontext.loads(text)
    except ValueError:
        return
    assert value == "\ufffd\ufffd"


@pytest.mark.parametrize("raw", [b'"\xff"', b'"\xff\\ud800"', b'\xff\xfe"\x00'], ids=["alone", "with escape", "UTF-16"])
def test_bytes_that_are_not_utf8_are_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        jsontext.loads(raw)


def test_a_thousand_levels_are_read() -> None:
    value, levels = jsontext.loads("[" * 1024 + "]" * 1024), 1
    while value:
        value, levels = value[0], levels + 1
    assert levels == 1024


def test_json_is_written_compact_and_in_utf8() -> None:
    assert jsontext.dumps({"a": [1, 2.5, None], "ж": "\u2028"}) == '{"a":[1,2.5,null],"ж":"\u2028"}'.encode()


DEEP: list[Any] = []
for _ in range(300):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    "value", [2**64, {1, 2}, "\ud800", DEEP], ids=["65 bits", "a set", "a surrogate", "300 levels"]
)
def test_what_json_cannot_hold_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        jsontext.dumps(value)


@hypothesis.settings(patient, max_examples=100)
@given(json_values)
def test_what_is_written_is_read_again(value: Any) -> None:
    assert jsontext.loads(jsontext.dumps(value)) == value


@hypothesis.settings(patient, max_examples=100)
@given(st.text(st.characters(exclude_categories=[])))
def test_each_lone_surrogate_becomes_one_replacement_character(text: str) -> None:
    written = json.dumps(text)
    assert jsontext.loads(written) == LONE.sub("\ufffd", json.loads(written))
