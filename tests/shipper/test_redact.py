"""No secret leaves, and nothing else is touched."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any, cast, get_args

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper.redact import DETECTORS, NAMES, Detector, Form, Redactor
from tests.shipper.fakes import patient

ALL = Redactor()
FORMS = get_args(Form)
NAMED = [f"{row.name} {row.example[0][:20]!r}" for row in DETECTORS]
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
AWS_SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("row", DETECTORS, ids=NAMED)
def test_a_row_takes_the_secret_out_of_its_example(row: Detector, form: Form) -> None:
    text, secret = row.example
    redacted, hits = Redactor([row.name], form=form).text(text)
    assert secret not in redacted
    assert f"[redacted:{row.name}" in redacted
    assert hits == {row.name: 1}
    assert ALL.maybe(text)
    assert ALL.text(text)[0] != text


REDACTED: dict[str, tuple[str, str]] = {
    "a key of AWS": ("key AKIAIOSFODNN7EXAMPLE!", "key [redacted:aws_access_key_id]!"),
    "a temporary key of AWS": ("ASIAIOSFODNN7EXAMPLE", "[redacted:aws_access_key_id]"),
    "AWS credentials": (
        f"aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = {AWS_SECRET}",
        "aws_access_key_id = [redacted:aws_access_key_id]\naws_secret_access_key = [redacted:secret]",
    ),
    "an AWS secret without a sign": (f"SecretAccessKey {AWS_SECRET}", "SecretAccessKey [redacted:aws_secret_key]"),
    "a JWT": (f"got {JWT}, ok", "got [redacted:jwt], ok"),
    "an unsigned JWT": ("eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.", "[redacted:jwt]"),
    "a JWT as token": (f"token={JWT}&x=1", "token=[redacted:secret]&x=1"),
    "a bearer": ("Authorization: Bearer abc", "Authorization: Bearer [redacted:authorization]"),
    "a bearer in JSON": ('{"authorization":"Bearer a.b"}', '{"authorization":"Bearer [redacted:authorization]"}'),
    "a bearer in JSON in JSON": (
        r"{\"authorization\":\"Bearer a.b\"}",
        r"{\"authorization\":\"Bearer [redacted:authorization]\"}",
    ),
    "basic": ("authorization=Basic dXNlcjpwdw==", "authorization=Basic [redacted:authorization]"),
    "a password in a URL": ("redis://:pw1@cache:6379/0", "redis://:[redacted:url_password]@cache:6379/0"),
    "an @ in it": ("amqp://u:p@ss@mq/", "amqp://u:[redacted:url_password]@mq/"),
    "key=value": ("user=jo password=hunter2 tries=3", "user=jo password=[redacted:secret] tries=3"),
    "a prefix": ("SPRING_DATASOURCE_PASSWORD=hunter2", "SPRING_DATASOURCE_PASSWORD=[redacted:secret]"),
    "YAML": ("  password: hunter2", "  password: [redacted:secret]"),
    "Ruby": (":password=>'hunter2'", ":password=>'[redacted:secret]'"),
    "a query": ("GET /?access_token=a1.b2&x=1 HTTP/1.1", "GET /?access_token=[redacted:secret]&x=1 HTTP/1.1"),
    "a connection string": ("Server=db;Pwd=a b;", "Server=db;Pwd=[redacted:secret] b;"),
    "Java's toString": ("Login(user=jo, password=a,b)", "Login(user=jo, password=[redacted:secret])"),
    "quotes with an escape": (r'"secret": "a\"b c", "x": 1', '"secret": "[redacted:secret]", "x": 1'),
    "JSON in JSON": (r"{\"apiKey\":\"a b\",\"x\":1}", r"{\"apiKey\":\"[redacted:secret]\",\"x\":1}"),
    "quotes that never close": ('"api-key": "abc', '"api-key": "[redacted:secret]'),
    "several": ("pwd=a1,token=b2", "pwd=[redacted:secret],token=[redacted:secret]"),
    "a key block that is cut off": ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc", "[redacted:private_key]"),
    "an address": ("to <jo.doe@example.com>", "to <[redacted:email]>"),
    "a card": ("card 4111111111111111.", "card [redacted:card]."),
    "a card with dashes": ("5555-5555-5555-4444", "[redacted:card]"),
    "American Express": ("3782 822463 10005", "[redacted:card]"),
    "Korean around it": ("비밀번호 password=비밀 입니다", "비밀번호 password=[redacted:secret] 입니다"),
}


@pytest.mark.parametrize(("text", "redacted"), REDACTED.values(), ids=REDACTED)
def test_secrets_are_taken_out(text: str, redacted: str) -> None:
    assert ALL.text(text)[0] == redacted
    assert ALL.maybe(text)


UNTOUCHED = {
    "an access line": '203.0.113.9 - - [20/Nov/2026:03:04:05 +0000] "GET /token/keys HTTP/1.1" 404 12 "-" "curl/8.9"',
    "a sentence": "the password was changed, the token is expired",
    "a message about a password": "invalid password: must have 8 characters",
    "a message about a token": "token: expired",
    "an empty password": 'password=; "password": "" token=null secret=***',
    "a placeholder": "password=${DB_PASSWORD} token={{ token }}",
    "a count": "tokens=42 total_tokens: 7",
    "a working directory": "cwd=/app",
    "a commit": "commit 9fceb02d0ae598e95dc970b74767f19372d61af8",
    "an image": "registry/shop@sha256:4bf92f3577b34da6a3ce929d0e0e4736",
    "a package": "react@18.2.0 lodash@4.17.21-rc.one",
    "a URL with a port": "http://shop.example.com:8080/a@b",
    "a number that fails Luhn": "order 4111111111111112",
    "a trace id": "dd.trace_id=4111111111111111115 id-4111111111111111 4111111111111111-x",
    "milliseconds": '{"time":1795143845123,"n":17951438451230}',
    "bearers": "the bearer authentication of the message, Basic authentication",
    "a public key": "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----",
    "a word like a JWT": "eyJhbGciOiJIUzI1NiJ9 alone",
    "a word like a key of AWS": "AKIAIOSFODNN7EXAMPLEX xAKIAIOSFODNN7EXAMPLE",
    "nothing": "",
    "a lone surrogate": "\ud800",
}


@pytest.mark.parametrize("text", UNTOUCHED.values(), ids=UNTOUCHED)
def test_text_without_a_secret_is_unchanged(text: str) -> None:
    assert ALL.text(text) == (text, {})


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


def test_custom_patterns_are_compiled_as_the_caller_wants() -> None:
    seen: list[str] = []

    def compiled(text: str) -> re.Pattern[str]:
        seen.append(text)
        return re.compile(text, re.IGNORECASE)

    assert Redactor([], {"room": r"R\d{3}"}, compile=compiled).text("r101")[0] == "[redacted:room]"
    assert seen == [r"R\d{3}"]


FAULTS: dict[str, tuple[Callable[[], Redactor], str]] = {
    "an unknown detector": (lambda: Redactor(["email", "iban"]), "no such detector: iban; known are private_key"),
    "an unknown form": (lambda: Redactor(form=cast("Form", "blur")), "form 'blur' is none of mask, last4, hash"),
    "no pattern": (lambda: Redactor([], {"room": "("}), "pattern 'room' is no regular expression"),
    "a built-in's name": (lambda: Redactor([], {"email": "x"}), "pattern 'email': a name is"),
    "a name that would be read again": (lambda: Redactor([], {"a]b": "x"}), "pattern 'a]b': a name is"),
}


@pytest.mark.parametrize(("make", "message"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_named(make: Callable[[], Redactor], message: str) -> None:
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
    assert len(once) <= len(text) + 48 * hits.total()


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


HOSTILE = {
    "a secret without an end": 'password="' + "a" * 200_000,
    "names": "password" * 25_000,
    "names with quotes": "password=\"'" * 20_000,
    "names with escaped quotes": 'password=\\"' * 20_000,
    "names with commas": "token=" + "a," * 100_000,
    "local parts": "a." * 100_000 + "@",
    "domains": "@" + "a." * 100_000,
    "at signs": "a@" * 100_000,
    "JWTs": "eyJ" * 70_000,
    "JWTs with dots": "eyJaaaaa." * 22_000,
    "URLs": "://" * 70_000 + "@",
    "a URL": "://" + "a:" * 100_000 + "@",
    "digits": "4" * 200_000,
    "groups of digits": "4111 " * 40_000,
    "bearers": "Bearer " + "a" * 200_000,
    "basics": "Basic " * 33_000,
    "key blocks": "-----BEGIN PRIVATE KEY-----" * 8_000,
    "dashes": "private key" + "-" * 200_000,
    "backslashes": "token" + "\\" * 200_000,
    "keys of AWS": "AKIA" * 50_000,
    "spaces": "secret" + " " * 200_000,
}


def best_s(text: str) -> float:
    times = []
    for _ in range(3):
        before = time.process_time()
        ALL.text(text)
        times.append(time.process_time() - before)
    return min(times)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_time_grows_with_the_length_only(text: str) -> None:
    whole, eighth = best_s(text), best_s(text[: len(text) // 8])
    assert whole < 8 * 4 * eighth + 0.02, (whole, eighth)


def test_a_record_with_escapes_in_its_json_is_looked_at() -> None:
    assert ALL.maybe(r'{"log":"jo\u0040example.com"}')


def test_every_detector_has_a_name_of_its_own_kind() -> None:
    assert {row.name for row in DETECTORS} == set(NAMES)
