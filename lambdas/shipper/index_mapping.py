"""The mapping of a daily index: how many fields it has, in which objects, and what it makes of new ones.

https://docs.opensearch.org/latest/field-types/mapping-parameters/dynamic/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

DEFAULT_LIMIT = 1_000
"""Fields of an index whose settings do not say `index.mapping.total_fields.limit`."""

_BEFORE = "before_freeze"
"""Key of the mapping's `_meta` that keeps what a freeze changes."""


def families(mapping: Mapping[str, Any]) -> dict[str, int]:
    """How many fields stand directly in each object, by its dotted path, "" for the top; the largest first.

    Together they are what the engine counts against the limit: values, objects, and the fields beside a field.
    """
    found = {path: len(_within(node)) for path, node in _nodes(mapping) if _within(node)}
    return dict(sorted(found.items(), key=lambda family: (-family[1], family[0])))


def dynamic(mapping: Mapping[str, Any]) -> dict[str, str]:
    """What the top ("") and each object that has a word of its own make of new fields: `true`, `false`, `strict`..."""
    return {
        path: str(node["dynamic"]).lower() for path, node in _nodes({"dynamic": "true", **mapping}) if "dynamic" in node
    }


def freeze(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """Body of `PUT INDEX/_mapping` after which new fields are kept and not mapped; {} where it is so already.

    An object with a word of its own, as the template's labels, would go on growing below a frozen top: all are named.
    """
    before = {path: how for path, how in dynamic(mapping).items() if how != "false"}
    if not before:
        return {}
    meta = mapping.get("_meta", {})
    # Of a second freeze, what was before the first.
    kept = {**before, **meta.get(_BEFORE, {})}
    return {**_body(mapping, dict.fromkeys(before, "false")), "_meta": {**meta, _BEFORE: kept}}


def thaw(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """Body of `PUT INDEX/_mapping` that takes a freeze back; {} where there is none.

    Of one that somebody else made, the top alone is known.
    """
    meta = dict(mapping.get("_meta", {}))
    before = meta.pop(_BEFORE, {"": "true"} if dynamic(mapping)[""] == "false" else {})
    return {**_body(mapping, before), "_meta": meta} if before else {}


def _nodes(mapping: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield path, mapping
    for name, field in _within(mapping).items():
        yield from _nodes(field, f"{path}.{name}" if path else name)


def _within(node: Mapping[str, Any]) -> dict[str, Any]:
    return {**node.get("properties", {}), **node.get("fields", {})}


def _body(mapping: Mapping[str, Any], how: Mapping[str, str]) -> dict[str, Any]:
    """A mapping with these values of `dynamic`; the engine wants the type of each object on the way."""
    body: dict[str, Any] = {}
    for path, value in how.items():
        part, node = body, mapping
        for name in path.split(".") if path else ():
            node = node["properties"][name]
            part = part.setdefault("properties", {}).setdefault(name, {"type": node.get("type", "object")})
        part["dynamic"] = value
    return body
