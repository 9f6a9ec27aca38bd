"""JSON as the shipper reads and writes it: strict, and forgiving in the one place where a good log line needs it."""

from __future__ import annotations

import json
from typing import Any, NoReturn

import orjson

_LONG_DIGITS = 20


def loads(text: str | bytes) -> Any:
    """Parse JSON strictly: no NaN or Infinity, the last of duplicate keys wins, lone surrogates become U+FFFD.

    Raises `ValueError` for what is not JSON or nests deeper than the parser goes (1,024 levels).
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        if (b"\\ud" if isinstance(text, bytes) else "\\ud") not in text.lower():  # type: ignore[operator]
            raise
        return _loads_surrogates(text)


def loads_exact(text: str) -> Any:
    """Parse JSON whose integers beyond 64 bits become their digits as text, where `loads` makes floats of them.

    Raises `ValueError`. Slow: for the rare record that holds one.
    """
    try:
        return json.loads(text, parse_constant=_refuse, parse_int=_exact_int)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def dumps(value: Any) -> bytes:
    """Compact UTF-8 JSON. Raises `ValueError` for what JSON cannot hold."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError as error:
        raise ValueError(str(error)) from None


def fragment(value: Any) -> orjson.Fragment:
    """JSON that is written already, to stand in a value for `dumps`. Raises `ValueError` as `dumps` does."""
    return orjson.Fragment(dumps(value))


def _loads_surrogates(text: str | bytes) -> Any:
    """A lone surrogate escape is valid JSON (RFC 8259, 8.2) that orjson refuses: read it the slow way, mend it."""
    try:
        value = json.loads(text, parse_constant=_refuse)
        mended = json.dumps(value, ensure_ascii=False).encode("utf-16-le", "surrogatepass")
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return orjson.loads(mended.decode("utf-16-le", "replace"))


def _exact_int(digits: str) -> int | str:
    if len(digits) > _LONG_DIGITS:
        return digits
    value = int(digits)
    return value if -(2**63) <= value < 2**63 else digits


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
