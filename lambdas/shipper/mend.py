"""Mends what makes OpenSearch refuse a document: keys, depth, numbers, arrays, metadata names, the number of fields.

What is refused was tried on OpenSearch 3.7 and 2.19; see docs/adr/0003-fields-are-mended-before-they-are-sent.md. Most
records need nothing, so a cheap look (`field_count`) decides whether the slow way is gone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from shipper import arrays, jsontext
from shipper.model import Fields

MAX_KEY_CHARS = 512
"""The engine's limit is 50,000; nobody searches by a name of more than this."""

_LONG_MAX = 2**63
_METADATA = frozenset(
    (
        *("_id", "_index", "_source", "_routing", "_field_names", "_ignored", "_seq_no", "_version"),
        *("_nested_path", "_primary_term", "_doc_count"),
    )
)
"""Names of the engine's own: as a key they are ignored, refused, or make every count wrong (`_doc_count`)."""

_NO_NAMES: frozenset[str] = frozenset()
_ODD = -1


def field_count(fields: Fields, room: int, reserved: frozenset[str] = _METADATA) -> int:
    """How many fields a document has in all levels; negative where there is anything to mend.

    `room` is how many objects and arrays may be inside each other below `fields`; none of the names is `reserved`. The
    dots of a key are objects to the engine, and counted as such.
    """
    count = len(fields)
    for key, value in fields.items():
        if key[:1] in _ODD_STARTS or "." in key or len(key) > MAX_KEY_CHARS:
            if _is_odd(key, fields, room, reserved):
                return _ODD
            count += key.count(".")
        kind = type(value)
        if kind is str or kind is bool:
            continue
        if kind is dict or kind is list:
            inner = nested_count(value, room - key.count("."))
            if inner < 0:
                return _ODD
            count += inner
        elif (kind is int or kind is float) and not -_LONG_MAX < value < _LONG_MAX and _is_large(value):
            return _ODD
    return count


_BLANK = "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
_ODD_STARTS = frozenset(("", "_", *_BLANK))
"""How an empty key, a blank one and a metadata name begin."""


def _is_odd(key: str, among: Fields, room: int, reserved: frozenset[str]) -> bool:
    return key.partition(".")[0] in reserved or _good_name(key, among, room) != key


def nested_count(value: Any, room: int) -> int:
    """The same for an object or array that is a field, and one of the `room` that may be inside each other."""
    if not room:
        return _ODD
    if type(value) is dict:
        return field_count(value, room - 1, _NO_NAMES)
    count = 0
    for item in value:
        kind = type(item)
        if kind is dict or kind is list:
            inner = nested_count(item, room - 1)
            if inner < 0:
                return _ODD
            count += inner
        elif (kind is int or kind is float) and not -_LONG_MAX < item < _LONG_MAX and _is_large(item):
            return _ODD
    return count if arrays.agree(value) else _ODD


def _is_large(value: float) -> bool:
    """Whether a number is no `long`, or a float that may once have been such an integer."""
    return not -_LONG_MAX < value < _LONG_MAX and (value != -_LONG_MAX or isinstance(value, float))


class Mender:
    """Mends one record's fields; afterwards `kinds` names the repairs and `aside` holds what goes to `@fields`."""

    def __init__(self, max_depth: int) -> None:
        self._max_depth = max_depth
        self.kinds: set[str] = set()
        self.aside: Fields = {}

    def mend(self, fields: Fields, exact: Any) -> Fields:
        """The fields as they can be sent. `exact` is the same JSON with its large integers as text, or None."""
        for key in [key for key in fields if key.partition(".")[0] in _METADATA]:
            self.aside[key] = fields.pop(key)
            self.kinds.add("metadata")
        return self._object(fields, exact, self._max_depth - 1)

    def nested(self, value: Fields) -> Fields:
        """The same for an object that is a field of the document."""
        return self._object(value, None, self._max_depth - 2)

    def _object(self, value: Fields, exact: Any, room: int) -> Fields:
        names = free_names({key: name for key in value if (name := _good_name(key, value, room)) != key}, value)
        if names:
            self.kinds.add("key")
        inner_exact = exact if isinstance(exact, dict) else {}
        mended: Fields = {}
        for key, inner in value.items():
            name = names.get(key, key)
            mended[name] = self._value(inner, inner_exact.get(key), room - name.count("."))
        return mended

    def _value(self, value: Any, exact: Any, room: int) -> Any:
        if isinstance(value, dict | list):
            if room == 0:
                self.kinds.add("deep")
                return jsontext.dumps(value).decode()
            if isinstance(value, dict):
                return self._object(value, exact, room - 1)
            exact_items = exact if isinstance(exact, list) and len(exact) == len(value) else [None] * len(value)
            items = [self._value(item, same, room - 1) for item, same in zip(value, exact_items, strict=True)]
            return self._agreed(items)
        if isinstance(value, int | float) and _is_large(value):
            self.kinds.add("number")
            return exact if isinstance(exact, str) else str(value)
        return value

    def _agreed(self, items: list[Any]) -> list[Any] | str:
        if arrays.agree(items):
            return items
        self.kinds.add("types")
        return arrays.agreed(items)


def _good_name(key: str, among: Fields, room: int) -> str:
    """A name that the engine takes: not blank, no blank step between dots, no field that is an object's name, too.

    A name that has to change has no dots: it cannot be at odds with any other.
    """
    if not key.strip():
        return "_"
    if len(key) > MAX_KEY_CHARS:
        return key[:MAX_KEY_CHARS].replace(".", "_")
    if "." not in key:
        return key
    steps = key.split(".")
    # `a` and `a.b` in one document: the one a value, the other an object.
    if (
        len(steps) <= room + 1
        and all(map(str.strip, steps))
        and not any(".".join(steps[:at]) in among for at in range(1, len(steps)))
    ):
        return key
    return key.replace(".", "_")


def free_names(wanted: Mapping[str, str], among: Iterable[str]) -> dict[str, str]:
    """The names without dots that some keys of an object shall have, numbered where another key has one already."""
    if not wanted:
        return {}
    taken = {*_METADATA, *among, *(key.partition(".")[0] for key in among)}
    free: dict[str, str] = {}
    numbers: Counter[str] = Counter()
    for key, name in wanted.items():
        base = name[: MAX_KEY_CHARS - _MAX_SUFFIX_CHARS]
        while name in taken:
            numbers[base] += 1
            name = f"{base}_{numbers[base] + 1}"  # noqa: PLW2901 - the next to try
        taken.add(name)
        free[key] = name
    return free


_MAX_SUFFIX_CHARS = 8


def overflow(fields: Fields, max_fields: int) -> Fields:
    """Take out of `fields` the largest of its objects, then the longest keys, until at most `max_fields` are left."""
    taken: Fields = {}
    sizes = {key: 1 + key.count(".") + _size(value) for key, value in fields.items()}
    excess = sum(sizes.values()) - max_fields
    for key in sorted(sizes, key=lambda key: (-sizes[key], -len(key))):
        if excess <= 0:
            break
        taken[key] = fields.pop(key)
        excess -= sizes[key]
    return taken


def _size(value: Any) -> int:
    if isinstance(value, dict):
        return len(value) + sum(str(key).count(".") + _size(inner) for key, inner in value.items())
    return sum(map(_size, value)) if isinstance(value, list) else 0
