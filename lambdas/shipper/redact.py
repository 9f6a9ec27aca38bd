"""Takes secrets out of text and JSON before anything leaves: documents, dead letters, error texts.

Text that holds none of the detectors' hints is passed on unread.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Literal, get_args

from shipper import patterns
from shipper.detectors import DETECTORS, NAMES, SUFFIXES, Detector, is_secret

Form = Literal["mask", "last4", "hash"]
"""`[redacted:email]`, with the last four characters, or with a short digest by which equal values are recognised.
The digest has no key: whoever can guess a value (a card, a weak password) can find it again."""

_IS_DONE = re.compile(r"\[redacted:[a-z0-9_]+(?:[*#].{4,12})?\]?")
MAX_NAME_CHARS = 40
_PASSES = 4
"""What is taken out can lay bare the start of what stands right behind it; more than two are made of purpose."""
_LONG_NUMBER = 10**14
"""The smallest of 15 digits, as the shortest card has."""

_LAST4_FROM = 12
"""Characters of a secret from which four do not give it away."""

# One byte for one: capitals become small letters and digits 0, so that a hint is found by a plain substring search.
_FOLD = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789", b"abcdefghijklmnopqrstuvwxyz000000000")
_ESCAPE = r"\u00"  # JSON may write any character so
_IS_NAME = re.compile(rf"[a-z][a-z0-9_]{{0,{MAX_NAME_CHARS - 1}}}")


class Redactor:
    """Made once, used for every record; it holds no state.

    `which` are names of built-in detectors; `custom` are patterns by name, whose group `secret` or whole match is taken
    out. Raises `ValueError` naming what is unknown or no pattern.
    """

    def __init__(self, which: Iterable[str] = NAMES, custom: Mapping[str, str] = {}, form: Form = "mask") -> None:
        chosen = tuple(which)
        if unknown := sorted(set(chosen) - set(NAMES)):
            raise ValueError(f"no such detector: {', '.join(unknown)}; known are {', '.join(NAMES)}")
        self._form = form
        self._rules = (
            *((row, re.compile(row.pattern)) for row in DETECTORS if row.name in chosen),
            *((Detector(name, text, (), ("", "")), _own(name, text)) for name, text in custom.items()),
        )
        hints = sorted({hint for row, _ in self._rules for hint in row.hints}, key=len)
        self._hints = tuple(hint for at, hint in enumerate(hints) if not any(other in hint for other in hints[:at]))
        self._searches_all = bool(custom)
        self._by_key = "secret" in chosen

    def maybe(self, raw: str) -> bool:
        """Whether `raw`, a text or the JSON of a whole record, can hold anything to redact; False is certain."""
        return self._searches_all or _ESCAPE in raw or any(map(_folded(raw).__contains__, self._hints))

    def text(self, text: str) -> tuple[str, dict[str, int]]:
        """The text without its secrets, and the number of them by detector."""
        hits: dict[str, int] = {}
        return self._text(text, hits), hits

    def value(self, value: Any) -> tuple[Any, dict[str, int]]:
        """A JSON value without the secrets in its strings, and their number; itself where there is none.
        The string of a key that names a secret is one. Keys stay as they are, and numbers but those of cards."""
        hits: dict[str, int] = {}
        return self._value(value, hits), hits

    def _text(self, text: str, hits: dict[str, int]) -> str:
        folded = _folded(text)
        if not self._searches_all and not any(map(folded.__contains__, self._hints)):
            return text
        likely = [rule for rule in self._rules if not rule[0].hints or any(map(folded.__contains__, rule[0].hints))]
        for _ in range(_PASSES):
            before = text
            for row, pattern in likely:
                text = self._without(row, pattern, text, hits)
            if text is before:
                break
        return text

    def _without(self, row: Detector, pattern: re.Pattern[str], text: str, hits: dict[str, int]) -> str:
        pieces, kept, group = [], 0, pattern.groupindex.get("secret", 0)
        # RE2 takes no lone surrogates; a custom pattern sees "?" in their place.
        for match in pattern.finditer(text if row.hints else text.encode("utf-8", "replace").decode()):
            start, end = match.span(group)
            secret = text[start:end]
            if secret and not _is_done(text, start, secret) and (not row.check or row.check(secret)):
                pieces += [text[kept:start], self._instead(row.name, secret)]
                kept = end
                hits[row.name] = hits.get(row.name, 0) + 1
        return "".join((*pieces, text[kept:])) if pieces else text

    def _instead(self, name: str, secret: str) -> str:
        # No `=` or `:` after the name: `secret:` would be found the next time.
        if self._form == "hash":
            return f"[redacted:{name}#{hashlib.sha256(secret.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}]"
        if self._form == "last4" and len(secret) >= _LAST4_FROM:
            return f"[redacted:{name}*{secret[-4:]}]"
        return f"[redacted:{name}]"

    def _value(self, value: Any, hits: dict[str, int], key: str = "") -> Any:
        if isinstance(value, str):
            return self._whole(value, hits) if self._by_key and _names_secret(key) else self._text(value, hits)
        if isinstance(value, dict):
            new = {name: self._value(inner, hits, name) for name, inner in value.items()}
            return new if any(new[name] is not inner for name, inner in value.items()) else value
        if isinstance(value, list):
            items = [self._value(inner, hits, key) for inner in value]
            return items if any(new is not inner for new, inner in zip(items, value, strict=True)) else value
        return self._number(value, hits) if type(value) is int and value >= _LONG_NUMBER else value

    def _number(self, value: int, hits: dict[str, int]) -> int | str:
        digits = str(value)
        redacted = self._text(digits, hits)
        return value if redacted == digits else redacted

    def _whole(self, value: str, hits: dict[str, int]) -> str:
        if _IS_DONE.fullmatch(value) or not is_secret(value):
            return value
        hits["secret"] = hits.get("secret", 0) + 1
        return self._instead("secret", value)


def _is_done(text: str, start: int, secret: str) -> bool:
    """Whether a secret is, or begins inside, what stands for one."""
    done = _IS_DONE.match(text, max(0, text.rfind("[redacted:", max(0, start - MAX_NAME_CHARS - 24), start + 10)))
    return bool(_IS_DONE.fullmatch(secret) or (done and done.start() < start < done.end() and done[0][-1] == "]"))


def _folded(text: str) -> str:
    return text.encode("utf-8", "surrogatepass").translate(_FOLD).decode("latin-1")


def _names_secret(key: str) -> bool:
    return key.lower().replace("_", "").replace("-", "").replace(".", "").endswith(SUFFIXES)


def _own(name: str, text: str) -> re.Pattern[str]:
    if not _IS_NAME.fullmatch(name) or name in NAMES:
        raise ValueError(
            f"pattern {name!r}: a name is a few small letters, digits and _, and none of {', '.join(NAMES)}"
        )
    try:
        return patterns.compile_capturing(text)
    except ValueError as error:
        raise ValueError(f"pattern {name!r} is no regular expression ({error})") from None


@cache
def redactor(which: tuple[str, ...], custom: tuple[tuple[str, str], ...], form: str) -> Redactor | None:
    """The redactor that three settings ask for, made once; None where they ask for none. Raises `ValueError`."""
    if form not in get_args(Form):
        raise ValueError(f"form {form!r} is none of {', '.join(get_args(Form))}")
    if not which and not custom:
        return None
    chosen = dict.fromkeys(name for given in which for name in (NAMES if given == "all" else (given,)))
    return Redactor(chosen, dict(custom), form)  # type: ignore[arg-type]
