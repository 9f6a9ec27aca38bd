"""Log events that are odd, by the number of their row: what is to be marked in their documents, and what they hold."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tests.faults.chain import event_at
from tests.shipper.fakes import NOW_MS

_DAY_MS = 86_400_000


@dataclass(frozen=True)
class Odd:
    """Log events, the kinds of repair that each one's document is marked with, and a text that it holds as JSON."""

    events: tuple[Any, ...]
    fixed: tuple[str, ...] = ()
    holds: str = ""


def _line(message: Any, *fixed: str, holds: str = "", **changes: Any) -> Odd:
    return Odd((event_at(0, message, **changes),), fixed, holds)


def _fields(fields: Any, *fixed: str, holds: str = "") -> Odd:
    return _line(json.dumps(fields), *fixed, holds=holds)


def _nested(levels: int) -> str:
    return '{"a":' * levels + "1" + "}" * levels


ODD: dict[str, Odd] = {
    "07 empty": _line(""),
    "07 null": _line(None),
    "07 a number": _line(404, holds='"404"'),
    "07 the event is a text": Odd(("not an event",), ("clock",), "not an event"),
    "08 NUL": _line("a\0b", holds=r"a\u0000b"),
    "08 control characters": _line("\x01\x1b[31mred\x7f", holds=r"\u001b[31mred"),
    "09 a lone surrogate": _line("a\ud83db", holds="a\ufffdb"),
    "09 a lone surrogate in a key": _line(r'{"\udfff": 1}', holds="\ufffd"),
    "10 one megabyte": _line("x" * 1_000_000, holds="x" * 1_000_000),
    "10 a field of one megabyte": _fields({"path": "y" * 1_000_000}, holds="y" * 1_000_000),
    "11 21 levels": _line(_nested(21), "deep"),
    "11 1,000 levels": _line(_nested(1_000)),
    "11 100,000 levels": _line(_nested(100_000)),
    "12 2^63": _fields({"n": 2**63}, "number", holds="9223372036854775808"),
    "12 5,000 digits": _line('{"n": ' + "9" * 5_000 + "}", holds="9" * 5_000),
    "13 NaN": _line('{"n": NaN}', holds="NaN"),
    "13 1e400": _line('{"n": 1e400}', holds="1e400"),
    "14 a key twice": _line('{"n": 1, "n": 2}', holds='"n":2'),
    "15 an empty key": _fields({"log": "x", "": "kept"}, "key", holds="kept"),
    "15 a dot": _fields({".": "kept"}, "key", holds="kept"),
    "15 a dot in front": _fields({".a": "kept"}, "key", holds="kept"),
    "15 two dots": _fields({"a..b": "kept"}, "key", holds="kept"),
    "16 _id": _fields({"_id": "kept"}, "metadata", holds="kept"),
    "16 _source": _fields({"_source": {"a": "kept"}}, "metadata", holds="kept"),
    "16 _index": _fields({"_index": "kept"}, "metadata", holds="kept"),
    "17 1,001 keys": _fields({f"k{number}": number for number in range(1_001)}, "fields", holds="@unmapped"),
    "17 10,000 keys": _fields({f"k{number}": number for number in range(10_000)}, "fields", holds="@unmapped"),
    "18 a value and an object": _fields({"a": 1, "a.b": "kept"}, "key", holds="kept"),
    "18 an array of several types": _fields({"a": [1, "kept", {"b": 1}]}, "types", holds="kept"),
    "19 negative": _line("x", "clock", holds="-1", timestamp=-1),
    "19 in the future": _line("x", "clock", holds=str(NOW_MS + 2 * _DAY_MS), timestamp=NOW_MS + 2 * _DAY_MS),
    "19 a word": _line("x", "clock", holds="soon", timestamp="soon"),
    "19 a number as text": _line("x", timestamp=str(NOW_MS)),
    "19 a fraction": _line("x", timestamp=NOW_MS + 0.5),
    "20 no id": Odd(({"timestamp": NOW_MS, "message": "a"}, {"timestamp": NOW_MS, "message": "b"})),
    "20 one id for two lines": Odd((event_at(0, "a"), event_at(0, "b"))),
    "21 across midnight": Odd((event_at(0, "a"), event_at(1, "b", timestamp=NOW_MS - _DAY_MS // 2 - 1))),
}
