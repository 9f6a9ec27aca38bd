"""Messages that make naive code slow, by name; the argument scales their size."""

from __future__ import annotations

import json
from collections.abc import Callable


def _record(text: str) -> str:
    return json.dumps({"stream": "stdout", "message": text})


HOSTILE: dict[str, Callable[[int], list[str]]] = {
    "continuation lines": lambda times: [_record("\tat com.shop.A.b(A.java:1)")] * (20_000 * times),
    "one long line": lambda times: [_record("a" * 500_000 * times)],
    "one long line of blanks": lambda times: [_record(" " * 500_000 * times)],
    "one long line of digits": lambda times: [_record("1" * 500_000 * times)],
    "one long line of words": lambda times: [_record("password a=b " * 40_000 * times)],
    "one long line of dots": lambda times: [_record("a." * 250_000 * times)],
    "many lines in one event": lambda times: [
        _record("\n".join(["java.lang.Error: x", "\tat a.B.c(D.java:1)"] * 10_000 * times))
    ],
    "many keys": lambda times: [json.dumps({f"k{number}": number for number in range(20_000 * times)})],
    "braces": lambda times: [_record("{" * 100_000 * times)],
    "broken ends of JSON": lambda times: ['{"a": ' * 50_000 * times],
}
