"""A document that was refused for its fields, as one that any mapping takes: found by text, its reason beside it."""

from __future__ import annotations

from dataclasses import replace

from shipper import jsontext
from shipper.envelope import SYSTEM_FIELDS, TRACE_FIELDS
from shipper.model import Document, Fields, Reason

_KEPT = (*SYSTEM_FIELDS, *TRACE_FIELDS, "@lines")


def rescued(document: Document, reason: Reason) -> Document:
    """The same document with its own fields moved aside into `@unmapped`, a JSON text, and `@shipper.error`.

    As a text because the engine took that in every case tried, and refused some as an object: more than 1,000 levels,
    numbers of more than 1,000 digits.
    """
    source: Fields = jsontext.loads(document.source)
    kept: Fields = {key: source.pop(key) for key in _KEPT if isinstance(source.get(key), str | int)}
    notes = source.pop("@shipper") if isinstance(source.get("@shipper"), dict) else {}
    error = {"type": reason.type, "field": reason.field, "reason": reason.message}
    try:
        aside = {"@shipper": {**notes, "error": error}, "@unmapped": jsontext.dumps(source).decode()}
        return replace(document, source=jsontext.dumps(kept | aside))
    except ValueError:
        # A letter can hold what nests deeper than the writer goes: then all of it is the text.
        aside = {"@shipper": {"error": error}, "@unmapped": document.source.decode()}
        return replace(document, source=jsontext.dumps(kept | aside))
