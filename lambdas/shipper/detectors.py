"""What a secret looks like, as data: one row a kind, with the hints by which text without it is passed on unread.

All patterns are linear: a long run is either consumed at once or entered at its start only.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass


def is_secret(value: str) -> bool:
    """No word that follows `password:` in a message, no placeholder."""
    return value.lower().strip(".!?:*") not in _NO_SECRETS and not value.startswith(("${", "{{"))


def _is_basic(value: str) -> bool:
    """`user:password` in Base64."""
    try:
        return b":" in base64.b64decode(value, validate=True)
    except binascii.Error:
        return False


def _is_luhn(value: str) -> bool:
    """The check digit of ISO/IEC 7812-1."""
    digits = [int(char) for char in reversed(value) if char.isdecimal()]
    total = sum(digits[::2]) + sum((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)[digit] for digit in digits[1::2])
    return total % 10 == 0


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


SUFFIXES = tuple(sorted({name.replace(" ", "") for name in _SECRET_NAMES}))
_QUOTE = r"\\{0,4}[\"']"
_SIGN = r"\s{0,3}(?:=>|:=|[=:])\s{0,3}"
_IS = rf"\\{{0,4}}[\"']?{_SIGN}"
# Up to white space or what ends a value in a query, a list or brackets; not with a comma before the next name.
_BARE = r"(?:[^\s\"'&;,)\]}\\]|,(?![\s\"'\\]|[\w.-]{1,40}[=:])|[)\]}](?=[^\s,;)\]}\"'])|\\(?![\"'nrtu\\]))++"
# Behind a name in quotes (JSON), what has none is a number, an object or a list: none of them is a secret itself.
_NO_JSON = r"(?![\[{]|-?[0-9][0-9.eE+-]*+(?![^\s,}\]\"'\\]))"
_GAP = r"(?:\s|\\{1,4}[nrt])*+"
# All texts of a JSON list, from the first one's quote to the last one's.
_IN_LIST = rf"[^\[\]]+?(?=(?<!\\)(?P=list){_GAP}\])"
_IN_QUOTES = r".+?(?=(?<!\\)(?P=quote))"

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
        rf"(?i:authorization){_IS}(?:\[{_GAP})?\\{{0,4}}[\"']?(?:(?i:bearer|basic|token|digest|negotiate|apikey)\s{{1,3}})?"
        r"(?P<secret>(?![\[{])[^\s\"'\\,;\]]++)",
        ("authorization",),
        ("Authorization: Bearer opaque-token", "opaque-token"),
        is_secret,
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
        r"://[^\s:/@\"'<>]{0,256}:(?P<secret>[^\s/\"'<>]+)@",
        ("@",),
        ("postgres://shop:hunter2@db.shop:5432/orders", "hunter2"),
    ),
    Detector(
        "secret",
        rf"{_named()}(?:(?P<key>{_QUOTE})|\\{{0,4}}){_SIGN}"
        rf"(?:\[{_GAP}(?P<list>{_QUOTE})(?={_IN_LIST})"
        rf"|(?:\[{_GAP})?(?P<quote>{_QUOTE})(?!(?P=quote))(?={_IN_QUOTES})|(?:{_QUOTE})?(?(key){_NO_JSON}))"
        rf"(?P<secret>(?(list){_IN_LIST}|(?(quote){_IN_QUOTES}|{_BARE})))",
        ("pass", "pwd", "secret", "token", "key", "credential"),
        ('{"db_password": "hunt er2"}', "hunt er2"),
        is_secret,
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
