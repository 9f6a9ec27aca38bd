"""Takes secrets out of text and JSON before anything leaves: documents, dead letters, error texts.

Detectors are rows of a table. Each has hints, and text that holds none of them is passed on unread. All patterns are
linear: a long run is either consumed at once or entered at its start only.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

Form = Literal["mask", "last4", "hash"]
"""`[redacted:email]`, with the last four characters, or with a short digest by which equal values are recognised.

The digest has no key: whoever can guess a value (a card, a weak password) can find it again.
"""

Compile = Callable[[str], re.Pattern[str]]

_DONE = "[redacted:"
_PASSES = 4
"""What is taken out can lay bare the start of what stands right behind it; more than two are made of purpose."""
_LAST4_FROM = 12
"""Characters of a secret from which four do not give it away."""


def _is_secret(value: str) -> bool:
    """No word that follows `password:` in a message, no placeholder."""
    return (
        value.lower().rstrip(".!?:") not in _NO_SECRETS
        and not value.startswith(("${", "{{"))
        and value.strip("*") != ""
    )


def _is_basic(value: str) -> bool:
    """`user:password` in Base64."""
    try:
        return b":" in base64.b64decode(value, validate=True)
    except binascii.Error:
        return False


def _is_luhn(value: str) -> bool:
    """The check digit of ISO/IEC 7812-1."""
    digits = [int(char) for char in reversed(value) if char.isdecimal()]
    return (
        sum(digit if at % 2 == 0 else (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)[digit] for at, digit in enumerate(digits)) % 10
        == 0
    )


@dataclass(frozen=True, slots=True)
class Detector:
    """`pattern` finds a secret, which is its group `secret` or all of it, if `check` agrees.

    One of `hints` is in every text that it can match, once that is in lower case with each digit a 0. `example` is a
    text and the secret in it; a test holds the rows to their examples.
    """

    name: str
    pattern: str
    hints: tuple[str, ...]
    example: tuple[str, str]
    check: Callable[[str], bool] | None = None


# A name that ends in one of these names a secret; a space stands for `_`, `-`, `.` or nothing.
_SECRET_NAMES = (
    *("password", "passwd", "passphrase", "passcode", "pwd", "secret", "token", "credential", "credentials"),
    *("api key", "access key", "account key", "secret key", "private key", "auth key", "signing key", "encryption key"),
)
_NO_SECRETS = frozenset(
    (
        *("", "null", "none", "nil", "true", "false", "undefined", "empty", "hidden", "masked", "redacted", "string"),
        *("expired", "invalid", "missing", "required", "incorrect", "wrong", "mismatch", "changed", "reset", "failed"),
        *("denied", "rejected", "accepted", "not", "is", "was", "has", "must", "and", "or", "the", "for", "from"),
        *("of", "in", "to", "with", "bearer", "basic", "digest", "token"),
    )
)


def _named() -> str:
    """A pattern for the names that begins with their first letters, which the engine skips to."""
    firsts = "".join(sorted({name[0] for name in _SECRET_NAMES}))
    rests = [[name[1:].replace(" ", "[_.-]?") for name in _SECRET_NAMES if name[0] == first] for first in firsts]
    branches = (
        f"(?<=[{first}{first.upper()}])(?i:{'|'.join(rest)})" for first, rest in zip(firsts, rests, strict=True)
    )
    return f"[{firsts}{firsts.upper()}](?:{'|'.join(branches)})"


_SUFFIXES = tuple(sorted({name.replace(" ", "") for name in _SECRET_NAMES}))
_QUOTE = r"\\{0,4}[\"']"
_IS = r"\\{0,4}[\"']?\s{0,3}(?:=>|:=|[=:])\s{0,3}"
# Up to white space or what ends a value in a query, a list or brackets; a comma only before the next name.
_BARE = r"(?:[^\s\"'&;,)\]}\\]|,(?!\s|[\w.-]{1,40}[=:])|[)\]}](?=[^\s,;)\]}\"'])|\\(?![\"'nrtu\\]))++"

DETECTORS: tuple[Detector, ...] = (
    Detector(
        "private_key",
        r"-----BEGIN (?:[A-Z0-9]+ ){0,4}PRIVATE KEY(?: BLOCK)?-----(?:[^-]|-(?!----))*+"
        r"(?:-----END [A-Z0-9 ]{0,40}-----)?",
        ("private key",),
        ("-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----", "MIIEvQ"),
    ),
    Detector(
        "authorization",
        rf"(?i:authorization){_IS}\\{{0,4}}[\"']?(?:(?i:bearer|basic|token|digest|negotiate|apikey)\s{{1,3}})?"
        r"(?P<secret>[^\s\"'\\,;]++)",
        ("authorization",),
        ("Authorization: Bearer opaque-token", "opaque-token"),
        _is_secret,
    ),
    Detector(
        "authorization",
        r"[bB](?i:earer)\s{1,3}(?P<secret>(?=[A-Za-z._~+/-]{0,200}[0-9])[\w.~+/=-]{8,}+)",
        ("bearer",),
        ("sent Bearer 2YotnFZFEjr1zCsicMWpAA to it", "2YotnFZFEjr1zCsicMWpAA"),
    ),
    Detector(
        "authorization",
        r"[bB](?i:asic)\s{1,3}(?P<secret>[A-Za-z0-9+/]{6,}+={0,2})",
        ("basic",),
        ("sent Basic dXNlcjpodW50ZXIy to it", "dXNlcjpodW50ZXIy"),
        _is_basic,
    ),
    Detector(
        "url_password",
        r"://[^\s:/@\"'<>]{0,256}(?<!\[redacted):(?P<secret>[^\s/\"'<>]+)@",
        ("@",),
        ("postgres://shop:hunter2@db.shop:5432/orders", "hunter2"),
    ),
    Detector(
        "secret",
        rf"{_named()}{_IS}(?:(?P<quote>{_QUOTE})(?=.+?(?<!\\)(?P=quote))|(?:{_QUOTE})?)"
        rf"(?P<secret>(?(quote).+?(?=(?<!\\)(?P=quote))|{_BARE}))",
        ("pass", "pwd", "secret", "token", "key", "credential"),
        ('{"db_password": "hunt er2"}', "hunt er2"),
        _is_secret,
    ),
    Detector(
        "jwt",
        r"eyJ(?<![\w-]eyJ)[\w-]{5,}+\.eyJ[\w-]{5,}+(?:\.[\w-]*+)?",
        ("eyj",),
        ("got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln today", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln"),
    ),
    Detector(
        "aws_secret_key",
        r"(?:[sS](?i:ecret[_ .-]?(?:access)?[_ .-]?key)\W{1,6}|A[KS]IA[A-Z0-9]{16}[\s,:;|]{1,3})"
        r"(?P<secret>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])",
        ("secret", "akia", "asia"),
        ("AKIAIOSFODNN7EXAMPLE,wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    ),
    Detector(
        "aws_access_key_id",  # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
        r"A(?:KIA|SIA)(?<![A-Za-z0-9]A[KS]IA)[A-Z0-9]{16}(?![A-Za-z0-9])",
        ("akia", "asia"),
        ("key AKIAIOSFODNN7EXAMPLE was used", "AKIAIOSFODNN7EXAMPLE"),
    ),
    Detector(
        "email",
        r"(?<![\w.%+-])[\w.%+-]{1,64}@(?!\d+\.\d)[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}\.[A-Za-z]{2,24}(?![\w-])",
        ("@",),
        ("mail to jo.doe+x@mail.example.com bounced", "jo.doe+x@mail.example.com"),
    ),
    Detector(
        "card",
        r"(?:[245][0-9]{3}|6(?:011|5[0-9]{2}))(?<![\w.-].{4})(?P<gap>[ -]?)[0-9]{4}(?P=gap)[0-9]{4}(?P=gap)[0-9]{4}"
        r"(?![\w-]|\.\w)"
        r"|3[47][0-9]{2}(?<![\w.-].{4})(?P<space>[ -]?)[0-9]{6}(?P=space)[0-9]{5}(?![\w-]|\.\w)",
        ("0" * 15, "0000 0000", "0000-0000"),
        ("paid with 4111 1111 1111 1111 today", "4111 1111 1111 1111"),
        _is_luhn,
    ),
)
NAMES = tuple(dict.fromkeys(detector.name for detector in DETECTORS))

# One byte for one: capitals become small letters and digits 0, so that a hint is found by a plain substring search.
_FOLD = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789", b"abcdefghijklmnopqrstuvwxyz000000000")
_ESCAPE = r"\u00"  # JSON may write any character so
_IS_NAME = re.compile(r"[a-z][a-z0-9_]*")


class Redactor:
    """Made once, used for every record; it holds no state.

    `which` are names of built-in detectors, or "all"; `custom` are patterns by name, whose group `secret` or whole
    match is taken out, compiled by `compile`. Raises `ValueError` naming what is unknown or no pattern.
    """

    def __init__(
        self,
        which: Iterable[str] | Literal["all"] = "all",
        custom: Mapping[str, str] | None = None,
        form: Form = "mask",
        compile: Compile = re.compile,  # noqa: A002 - the name that it has in `re`
    ) -> None:
        chosen = NAMES if which == "all" else tuple(which)
        if unknown := sorted(set(chosen) - set(NAMES)):
            raise ValueError(f"no such detector: {', '.join(unknown)}; known are {', '.join(NAMES)}")
        if form not in get_args(Form):
            raise ValueError(f"form {form!r} is none of {', '.join(get_args(Form))}")
        self._form = form
        self._rules = (
            *((row, re.compile(row.pattern)) for row in DETECTORS if row.name in chosen),
            *((Detector(name, text, (), ("", "")), _own(name, text, compile)) for name, text in (custom or {}).items()),
        )
        hints = {hint for row, _ in self._rules for hint in row.hints}
        self._hints = tuple(hint for hint in hints if not any(other in hint for other in hints - {hint}))
        self._searches_all = bool(custom)
        self._by_key = "secret" in chosen

    def maybe(self, raw: str) -> bool:
        """Whether `raw`, a text or the JSON of a whole record, can hold anything to redact; False is certain."""
        return self._searches_all or _ESCAPE in raw or any(map(_folded(raw).__contains__, self._hints))

    def text(self, text: str) -> tuple[str, Counter[str]]:
        """The text without its secrets, and the number of them by detector."""
        hits: Counter[str] = Counter()
        return self._text(text, hits), hits

    def value(self, value: Any) -> tuple[Any, Counter[str]]:
        """A JSON value without the secrets in its strings, and their number; itself where there is none.

        The string of a key that names a secret is one. Keys and numbers stay as they are.
        """
        hits: Counter[str] = Counter()
        return self._value(value, hits), hits

    def _text(self, text: str, hits: Counter[str]) -> str:
        folded = _folded(text)
        if not self._searches_all and not any(map(folded.__contains__, self._hints)):
            return text
        likely = [
            (row, pattern) for row, pattern in self._rules if not row.hints or any(map(folded.__contains__, row.hints))
        ]
        for _ in range(_PASSES):
            before = text
            for row, pattern in likely:
                text = self._without(row, pattern, text, hits)
            if text is before:
                break
        return text

    def _without(self, row: Detector, pattern: re.Pattern[str], text: str, hits: Counter[str]) -> str:
        pieces, kept = [], 0
        group = "secret" if "secret" in pattern.groupindex else 0
        for match in pattern.finditer(text):
            secret = match[group]
            if secret and not secret.startswith(_DONE) and (not row.check or row.check(secret)):
                start, end = match.span(group)
                pieces += [text[kept:start], self._instead(row.name, secret)]
                kept = end
                hits[row.name] += 1
        return "".join((*pieces, text[kept:])) if pieces else text

    def _instead(self, name: str, secret: str) -> str:
        # No `=` or `:` after the name: `secret:` would be found the next time.
        if self._form == "hash":
            return f"{_DONE}{name}#{hashlib.sha256(secret.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}]"
        if self._form == "last4" and len(secret) >= _LAST4_FROM:
            return f"{_DONE}{name}*{secret[-4:]}]"
        return f"{_DONE}{name}]"

    def _value(self, value: Any, hits: Counter[str], key: str = "") -> Any:
        if isinstance(value, str):
            return self._of_secret_key(value, hits) if self._by_key and _names_secret(key) else self._text(value, hits)
        if isinstance(value, dict):
            new = {name: self._value(inner, hits, name) for name, inner in value.items()}
            return new if any(new[name] is not inner for name, inner in value.items()) else value
        if isinstance(value, list):
            items = [self._value(inner, hits, key) for inner in value]
            return items if any(new is not inner for new, inner in zip(items, value, strict=True)) else value
        return value

    def _of_secret_key(self, value: str, hits: Counter[str]) -> str:
        if value.startswith(_DONE) or not _is_secret(value):
            return value
        hits["secret"] += 1
        return self._instead("secret", value)


def _folded(text: str) -> str:
    return text.encode("utf-8", "surrogatepass").translate(_FOLD).decode("latin-1")


def _names_secret(key: str) -> bool:
    return key.lower().replace("_", "").replace("-", "").replace(".", "").endswith(_SUFFIXES)


def _own(name: str, text: str, compile: Compile) -> re.Pattern[str]:  # noqa: A002 - as above
    if not _IS_NAME.fullmatch(name) or name in NAMES:
        raise ValueError(f"pattern {name!r}: a name is small letters, digits and _, and none of {', '.join(NAMES)}")
    try:
        return compile(text)
    except (re.error, ValueError) as error:
        raise ValueError(f"pattern {name!r} is no regular expression ({error})") from None
