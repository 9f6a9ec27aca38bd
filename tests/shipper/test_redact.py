"""No secret leaves, and nothing else is touched."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, get_args

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper.detectors import DETECTORS, Detector
from shipper.redact import Form, Redactor, redactor
from tests.shipper.fakes import patient

ALL = Redactor()
FORMS = get_args(Form)


@pytest.mark.parametrize("text", ["", "GET /orders/404 200 4ms", "swept 12 carts in 31 ms"])
def test_text_without_a_hint_is_passed_on_unread(text: str) -> None:
    assert not ALL.maybe(text)
    assert ALL.text(text)[0] is text


def test_only_the_detectors_that_were_chosen_act() -> None:
    text = "password=hunter2 of jo@example.com"
    assert Redactor(["email"]).text(text) == ("password=hunter2 of [redacted:email]", {"email": 1})
    assert Redactor([]).text(text) == (text, {})
    assert not Redactor([]).maybe(text)
    assert Redactor([]).value({"password": "hunter2"}) == ({"password": "hunter2"}, {})


def test_hits_are_counted_by_detector() -> None:
    assert ALL.text("a@example.com, b@example.com, token=x1")[1] == {"email": 2, "secret": 1}


def test_equal_secrets_have_equal_digests() -> None:
    hashing = Redactor(form="hash")
    first, second, other = (hashing.text(f"password={value} x")[0] for value in ("hunter2", "hunter2", "hunter3"))
    assert first == second != other
    assert first == "password=[redacted:secret#f52fbd32b2b3] x"


def test_the_last_four_are_kept_of_long_secrets_only() -> None:
    keeping = Redactor(form="last4")
    assert keeping.text("card 4111111111111111")[0] == "card [redacted:card*1111]"
    assert keeping.text("password=hunter2")[0] == "password=[redacted:secret]"


CUSTOM = {"badge": r"badge-(?P<secret>\d+)", "room": r"R\d{3}", "nothing": "z*"}


def test_custom_patterns_act_too() -> None:
    own = Redactor([], CUSTOM)
    assert own.maybe("any text")
    assert own.text("badge-77 in R101") == ("badge-[redacted:badge] in [redacted:room]", {"badge": 1, "room": 1})


def test_custom_patterns_act_beside_a_lone_surrogate() -> None:
    own = Redactor([], CUSTOM)
    text = "\ud800 é badge-77 in R101"
    assert own.text(text) == ("\ud800 é badge-[redacted:badge] in [redacted:room]", {"badge": 1, "room": 1})


FAULTS: dict[str, tuple[Callable[[], Redactor | None], str]] = {
    "an unknown detector": (lambda: Redactor(["email", "iban"]), "no such detector: iban; known are private_key"),
    "an unknown form": (lambda: redactor(("all",), (), "blur"), "form 'blur' is none of mask, last4, hash"),
    "no pattern": (lambda: Redactor([], {"room": "("}), "pattern 'room' is no regular expression"),
    "a built-in's name": (lambda: Redactor([], {"email": "x"}), "pattern 'email': a name is a few"),
    "a long name": (lambda: Redactor([], {"a" * 41: "x"}), "a name is a few"),
    "a name that would be read again": (lambda: Redactor([], {"a]b": "x"}), "pattern 'a]b': a name is a few"),
}


@pytest.mark.parametrize(("make", "message"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_named(make: Callable[[], Redactor | None], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        make()


VALUES: dict[str, tuple[Any, Any]] = {
    "a string": ("token=abc", "token=[redacted:secret]"),
    "deep inside": ({"a": [{"b": "jo@example.com"}, 1]}, {"a": [{"b": "[redacted:email]"}, 1]}),
    "a key that names a secret": ({"db_password": "any text"}, {"db_password": "[redacted:secret]"}),
    "in any spelling": (
        {"Api-Key": "x1", "clientSecret": "y"},
        {"Api-Key": "[redacted:secret]"} | {"clientSecret": "[redacted:secret]"},
    ),
    "a list of them": ({"token": ["a1", "b2"]}, {"token": ["[redacted:secret]", "[redacted:secret]"]}),
    "a card that is a number": ({"pan": [4111111111111111, 1]}, {"pan": ["[redacted:card]", 1]}),
    "JSON in a string": ({"log": '{"password":"x y"}'}, {"log": '{"password":"[redacted:secret]"}'}),
}


@pytest.mark.parametrize(("value", "redacted"), VALUES.values(), ids=VALUES)
def test_values_are_walked(value: Any, redacted: Any) -> None:
    before = json.dumps(value)
    assert ALL.value(value)[0] == redacted
    assert ALL.maybe(before)
    assert json.dumps(value) == before


SAME: dict[str, Any] = {
    "no secret": {"a": [1, None, True, {"b": "c"}], "d": 1.5},
    "a number": {"password": 1234},
    "long numbers": {
        "order": 4111111111111112,
        "time_ns": 1795143845123000000,
        "big": 2**63,
        "minus": -4111111111111111,
    },
    "an empty one": {"password": "", "token": None, "secret": "null"},
    "one that is gone already": {"password": "[redacted:secret]"},
    "a key that only begins so": {"token_type": "x", "passwordResetAt": "today"},
}


@pytest.mark.parametrize("value", SAME.values(), ids=SAME)
def test_a_value_without_a_secret_is_the_same_object(value: Any) -> None:
    redacted, hits = ALL.value(value)
    assert redacted is value
    assert not hits


PARTS = [
    *(row.example[0] for row in DETECTORS),
    *(
        "password",
        "token",
        "=",
        ": ",
        "=>",
        '"',
        "'",
        '\\"',
        "\\",
        "\n",
        " ",
        ",",
        "&",
        ")",
        "]",
        "@",
        ".",
        "-",
        "://",
        ":",
    ),
    *(
        "Bearer ",
        "Basic ",
        "Authorization: ",
        "[redacted:email]",
        "[redacted:",
        "hunter2",
        "a1",
        "eyJ",
        "4111 1111 1111 1111",
    ),
    *("jo@example.com", "-----", "null", "é", "\ud800"),
]
hostile = st.lists(st.sampled_from(PARTS), max_size=12).map("".join)
redactors = st.sampled_from([Redactor(form=form) for form in FORMS])


@hypothesis.settings(patient, max_examples=500)
@hypothesis.example(ALL, "://jo@example.com@x")
@given(redactors, hostile | st.text(max_size=60))
def test_redacting_twice_changes_nothing_more(redactor: Redactor, text: str) -> None:
    once, hits = redactor.text(text)
    assert redactor.text(once) == (once, {})
    assert bool(hits) == (once != text)
    assert len(once) <= len(text) + 48 * sum(hits.values())


@hypothesis.settings(patient, max_examples=300)
@given(redactors, st.text(max_size=40), st.sampled_from(DETECTORS), st.text(max_size=40))
def test_no_text_around_a_secret_hides_it(redactor: Redactor, before: str, row: Detector, after: str) -> None:
    text, secret = row.example
    assert secret not in redactor.text(f"{before} {text} {after}")[0]


@hypothesis.settings(patient, max_examples=300)
@given(st.text(st.characters(exclude_characters="=:@-", exclude_categories=["N", "Cs"]), max_size=80))
def test_text_that_cannot_hold_a_secret_is_unchanged(text: str) -> None:
    hypothesis.assume("basic" not in text.lower() and "eyJ" not in text)
    assert ALL.text(text) == (text, {})


@hypothesis.settings(patient, max_examples=200)
@given(hostile)
def test_what_cannot_be_is_never_there(text: str) -> None:
    if not ALL.maybe(text):
        assert ALL.text(text) == (text, {})
    raw = json.dumps({"log": text})
    if not ALL.maybe(raw):
        assert ALL.value({"log": text}) == ({"log": text}, {})


def test_text_made_to_need_many_passes_gets_a_few() -> None:
    first_of_a_run = Redactor([], {"x": "(?:^|[^a-z])(?P<secret>z)"})
    assert first_of_a_run.text("zz zzz zzzzzz") == (
        "[redacted:x]" * 2 + " " + "[redacted:x]" * 3 + " " + "[redacted:x]" * 4 + "zz",
        {"x": 9},
    )


def test_what_stands_for_a_secret_is_left_alone() -> None:
    own = Redactor([], {"word": "[a-z]+", "colon": ":"})
    assert own.text("a: b") == ("[redacted:word][redacted:colon] [redacted:word]", {"word": 2, "colon": 1})


def test_a_record_with_escapes_in_its_json_is_looked_at() -> None:
    assert ALL.maybe(r'{"log":"jo\u0040example.com"}')
