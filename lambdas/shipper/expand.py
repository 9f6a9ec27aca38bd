"""JSON inside a message, expanded as the AWS-generated function does it, and the system fields lifted out first."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from shipper import jsontext
from shipper.model import Fields

SYSTEM_PREFIX = "@aws."
"""With `emitSystemFields` CloudWatch puts `@aws.account` and `@aws.region` among the extracted fields."""

# What JavaScript's Number() reads and the incumbent takes for a number (ECMA-262, StringToNumber).
_DECIMAL = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*", re.ASCII)
_RADIX = re.compile(r"\s*0(?:[xX][0-9a-fA-F]+|[oO][0-7]+|[bB][01]+)\s*", re.ASCII)
_MAX_EXACT = 2**53
_MAX_WRITABLE = 250
"""orjson reads 1,024 levels and writes 254: JSON in between stays the text that it is."""


def expand(message: str, extracted: Mapping[str, Any] | None) -> Fields:
    """The fields of one event: those that CloudWatch extracted, else those of the JSON in its message.

    JSON counts from the first `{` to the end of the message. Extracted fields, even none (`{}`), stop that; fields
    that only hold system fields do not.
    """
    if not extracted:
        return {} if extracted is not None else json_in(message) or {}
    system = {key: value for key, value in extracted.items() if key.startswith(SYSTEM_PREFIX)}
    own = {key: value for key, value in extracted.items() if key not in system}
    fields = _coerced(own) if own else json_in(message) or {}
    fields.update(system)
    return fields


def json_in(text: str) -> Fields | None:
    """The JSON object that `text` ends with, from its first brace on; None where there is none."""
    start = text.find("{")
    if start < 0:
        return None
    try:
        value = jsontext.loads(text[start:] if start else text)
    except ValueError:
        return None
    if not isinstance(value, dict) or (text.count("{") + text.count("[") > _MAX_WRITABLE and not _writable(value)):
        return None
    return value


def number(text: str) -> int | float | None:
    """What JavaScript's `1 * text` gives where it is a finite number: `007` is 7, `0x1F` is 31, `1_000` is none."""
    if _RADIX.fullmatch(text):
        value = float(int(text.strip(), 0))
    elif _DECIMAL.fullmatch(text):
        value = float(text)
    else:
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


def _coerced(extracted: Mapping[str, Any]) -> Fields:
    fields: Fields = {}
    for key, value in extracted.items():
        if not value:
            continue
        if not isinstance(value, str):
            fields[key] = value
        elif (as_number := number(value)) is not None:
            fields[key] = as_number
        else:
            if (parsed := json_in(value)) is not None:
                fields["$" + key] = parsed
            fields[key] = value
    return fields
