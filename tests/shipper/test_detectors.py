"""The rows of the detectors: what each finds, what none of them takes for a secret, and how long they take."""

from __future__ import annotations

import json
from typing import Any, get_args

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper.detectors import DETECTORS, NAMES, Detector
from shipper.redact import Form, Redactor
from tests.growth import assert_grows_with_size
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
    "what only begins like one that is gone": ("pwd=[redacted:x]hunter2 x", "pwd=[redacted:secret] x"),
    "several": ("pwd=a1,token=b2", "pwd=[redacted:secret],token=[redacted:secret]"),
    "a key block that is cut off": ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc", "[redacted:private_key]"),
    "an address": ("to <jo.doe@example.com>", "to <[redacted:email]>"),
    "an address in a URL": ("://jo@example.com@x", "://[redacted:email]@x"),
    "addresses that touch": ("jo@example.com.-al@example.com", "[redacted:email][redacted:email]"),
    "a card": ("card 4111111111111111.", "card [redacted:card]."),
    "a card with dashes": ("5555-5555-5555-4444", "[redacted:card]"),
    "American Express": ("3782 822463 10005", "[redacted:card]"),
    "Korean around it": ("비밀번호 password=비밀 입니다", "비밀번호 password=[redacted:secret] 입니다"),
}


@pytest.mark.parametrize(("text", "redacted"), REDACTED.values(), ids=REDACTED)
def test_secrets_are_taken_out(text: str, redacted: str) -> None:
    assert ALL.text(text)[0] == redacted
    assert ALL.maybe(text)


JSON: dict[str, tuple[str, str]] = {
    "null before another key": ('{"token":null,"user":"jo"}', '{"token":null,"user":"jo"}'),
    "a boolean": ('{"secret":true,"user":"jo"}', '{"secret":true,"user":"jo"}'),
    "a number": ('{"token":12345,"pwd":-1.5e3,"user":"jo"}', '{"token":12345,"pwd":-1.5e3,"user":"jo"}'),
    "an object": ('{"credentials":{"user":"jo"},"token":{}}', '{"credentials":{"user":"jo"},"token":{}}'),
    "an empty text": ('{"password":"","token":"x1"}', '{"password":"","token":"[redacted:secret]"}'),
    "a list": ('{"token": [ "a1", "b2" ],"x":1}', '{"token": [ "[redacted:secret]" ],"x":1}'),
    "a list over lines": ('{"token":[\n  "a1",\n  "b2"\n]}', '{"token":[\n  "[redacted:secret]"\n]}'),
    "a list of numbers": ('{"token":[1,2],"secret":[]}', '{"token":[1,2],"secret":[]}'),
    "a list that holds brackets": ('{"token":["a]1"]}', '{"token":["[redacted:secret]"]}'),
    "headers": ('{"Authorization":["Bearer opaque"]}', '{"Authorization":["Bearer [redacted:authorization]"]}'),
    "headers of nothing": ('{"Authorization":null,"x":{"authorization":{}}}',) * 2,
}


@pytest.mark.parametrize(("text", "redacted"), JSON.values(), ids=JSON)
def test_json_stays_json(text: str, redacted: str) -> None:
    assert ALL.text(text)[0] == redacted
    assert json.loads(redacted)
    assert ALL.text(json.dumps(text))[0] == json.dumps(redacted)


UNQUOTED: dict[str, tuple[str, str]] = {
    "a number": ("password=1234, x", "password=[redacted:secret], x"),
    "braces in front": ("password={noop}abc x", "password=[redacted:secret] x"),
    "a list": ("headers={authorization=[Bearer abc]}", "headers={authorization=[Bearer [redacted:authorization]]}"),
    "Python's list": ("{'token': ['a', 'b']}", "{'token': ['[redacted:secret]']}"),
    "a comma before a quote": ('token=a1,"x"', 'token=[redacted:secret],"x"'),
}


@pytest.mark.parametrize(("text", "redacted"), UNQUOTED.values(), ids=UNQUOTED)
def test_what_looks_like_json_and_is_none(text: str, redacted: str) -> None:
    assert ALL.text(text)[0] == redacted


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
    "URLs": "://" * 70_000,
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
    "lists": 'token=["a' * 20_000,
    "a list without an end": 'token=["' + 'a" ' * 70_000,
    "a list of spaces": 'token=["a"' + " " * 200_000,
    "lists of spaces": 'token=["a"          ' * 10_000,
    "a list of escaped quotes": 'token=["a' + '\\"' * 100_000,
    "numbers": '"token":1' * 20_000,
    "a number": '"token":' + "1" * 200_000,
    "headers": "authorization=[" * 12_000,
    "headers of spaces": ("authorization=[" + " " * 50) * 3_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_time_grows_with_the_length_only(text: str) -> None:
    assert_grows_with_size(lambda some: ALL.text(some + "@"), text)  # without an @ a URL is passed over


def test_every_detector_has_a_name_of_its_own_kind() -> None:
    assert {row.name for row in DETECTORS} == set(NAMES)


SECRET = "hunter2"
names = st.sampled_from(["password", "API-Key", "clientSecret", "db.token"])
plain = st.sampled_from([None, True, 0, -1.5, "", "null", "é", "a,b", "a: b", 'q"q', "x]", "{y"])
values = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=3)
)
secrets = st.sampled_from([SECRET, f"a {SECRET}, b", [SECRET], ["x", SECRET, f"{SECRET}="]])


@hypothesis.settings(patient, max_examples=300)
@given(
    st.dictionaries(names | st.text("ab", max_size=2), values, max_size=4), names, secrets, st.sampled_from([None, 1])
)
def test_a_secret_goes_out_of_json_that_stays_json(fields: dict[str, Any], name: str, secret: Any, indent: Any) -> None:
    text = json.dumps(
        {**fields, "user": "jo", f"x_{name}": secret, "last": [1, "y"]}, indent=indent, ensure_ascii=False
    )
    redacted = ALL.text(text)[0]
    assert SECRET not in redacted
    assert json.loads(redacted).keys() == json.loads(text).keys()
