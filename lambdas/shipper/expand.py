"""JSON inside a message, expanded as the AWS-generated function does it, and the system fields lifted out first."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from shipper import jsontext
from shipper.model import Fields

SYSTEM_PREFIX = "@aws."
"""With `emitSystemFields` CloudWatch puts `@aws.account` and `@aws.region` among the extracted fields."""

# What JavaScript's Number() reads and the incumbent takes for a number (ECMA-262, StringToNumber).
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_RADIX = re.compile(r"0(?:[xX][0-9a-fA-F]+|[oO][0-7]+|[bB][01]+)")
_SPACE = "\t\n\v\f\r \xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000\ufeff"
_BEGINS_A_NUMBER = frozenset("0123456789+-." + _SPACE)
_MAX_EXACT = 2**53
_EXACT_DIGITS = 16
_MAX_WRITABLE = 250
"""orjson reads 1,024 levels and writes 254: JSON in between stays the text that it is."""


def expand(message: str, extracted: Mapping[str, Any] | None) -> Fields:
    """The fields of one event, the caller's to change: those that CloudWatch extracted, else its message's JSON.

    JSON counts from the first `{` to the end of the message. Extracted fields, even none (`{}`), stop that; fields
    that only hold system fields do not.
    """
    if extracted is None:
        return json_in(message) or {}
    fields = (json_in(message) or {}) if message_counts(extracted) else {}
    for key, value in extracted.items():
        if key.startswith(SYSTEM_PREFIX):
            fields[key] = deepcopy(value)
        elif value:
            _put(fields, key, value)
    return fields


def message_counts(extracted: Mapping[str, Any] | None) -> bool:
    """Whether the fields are those of the message's JSON, given what CloudWatch extracted."""
    if extracted is None:
        return True
    for key in extracted:
        if not key.startswith(SYSTEM_PREFIX):
            return False
    return bool(extracted)


def json_in(text: str) -> Fields | None:
    """The JSON object that `text` ends with, from its first brace on; None where there is none."""
    start = text.find("{")
    if start < 0:
        return None
    try:
        value = jsontext.loads(text[start:] if start else text)
    except ValueError:
        return None
    if not isinstance(value, dict) or (_may_be_deep(text) and not _writable(value)):
        return None
    return value


def _may_be_deep(text: str) -> bool:
    return len(text) > 2 * _MAX_WRITABLE and text.count("{") + text.count("[") > _MAX_WRITABLE


def number(text: str) -> int | float | None:
    """What JavaScript's `1 * text` gives where it is a finite number: `007` is 7, `0x1F` is 31, `1_000` is none."""
    if text[:1] not in _BEGINS_A_NUMBER:
        return None
    if text.isascii() and text.isdigit() and len(text) < _EXACT_DIGITS:
        return int(text)
    text = text.strip(_SPACE)
    try:
        if _DECIMAL.fullmatch(text):
            value = float(text)
        elif _RADIX.fullmatch(text):
            value = float(int(text, 0))
        else:
            return None
    except OverflowError:
        return None
    if not math.isfinite(value):
        return None
    return int(value) if value.is_integer() and abs(value) <= _MAX_EXACT else value


def _writable(value: Fields) -> bool:
    try:
        jsontext.dumps(value)
    except ValueError:
        return False
    return True


def _put(fields: Fields, key: str, value: Any) -> None:
    """One extracted field as the incumbent has it: a number where it looks like one, its JSON beside it as `$key`."""
    if not isinstance(value, str):
        fields[key] = deepcopy(value)
    elif (as_number := number(value)) is not None:
        fields[key] = as_number
    else:
        if (parsed := json_in(value)) is not None:
            fields["$" + key] = parsed
        fields[key] = value
