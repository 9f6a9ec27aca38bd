"""Are the documents of a domain those that our transform makes of the same events, but for what is meant to differ?

It needs no second index: the events are read from CloudWatch once more and transformed with the profile `incumbent`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple

from shipper import jsontext
from shipper.audit import Event
from shipper.model import Document, Fields, Payload, Source
from shipper.pipeline import transform
from shipper.settings import Settings

INDEX_FIELD = "_index"
"""Stands for the name of the index among the fields that differ."""

MAX_NAMED = 1_000


class Stored(NamedTuple):
    """A document as a domain has it."""

    index_name: str
    fields: Fields


class Verdict(Enum):
    """What an event, or a document of no event, turned out to be.

    `MEANT` are equal but for meant differences. Of a `MISSING` one the domain has no document, an `EXTRA` document has
    no event.
    """

    EQUAL = "equal"
    MEANT = "meant"
    DIFFERENT = "different"
    MISSING = "missing"
    EXTRA = "extra"


class _Absent(Enum):
    ABSENT = "absent"


ABSENT = _Absent.ABSENT
"""In the place of a value: there is no such field."""


class Difference(NamedTuple):
    """A field of a document: `ours` as the transform makes it, `theirs` as the domain has it; one may be ABSENT."""

    id: str
    path: str
    ours: Any
    theirs: Any


@dataclass(slots=True)
class Comparison:
    """What was found so far; of the differences, the missing and the extra the first `MAX_NAMED` each are named.

    `fields` and `meant` count documents by the field that differs, and by why it may.
    """

    counts: Counter[Verdict] = field(default_factory=Counter)
    fields: Counter[str] = field(default_factory=Counter)
    meant: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)

    @property
    def is_alike(self) -> bool:
        """Whether nothing was found but what is equal or meant."""
        return self.counts.keys() <= {Verdict.EQUAL, Verdict.MEANT}

    @property
    def ids_differ(self) -> bool:
        """No event has the id of a document, but there are documents."""
        return self.counts.keys() == {Verdict.MISSING, Verdict.EXTRA}

    def add(self, ours: Iterable[Document], theirs: Mapping[str, Stored]) -> None:
        """Compare all documents of some events with those that a domain has in their time."""
        made = {document.id: document for document in ours}
        for id_, document in made.items():
            if id_ in theirs:
                self._compare(document, theirs[id_])
            else:
                self._name(Verdict.MISSING, self.missing, id_)
        for id_ in theirs.keys() - made.keys():
            self._name(Verdict.EXTRA, self.extra, id_)

    def _name(self, verdict: Verdict, names: list[str], id_: str) -> None:
        self.counts[verdict] += 1
        if len(names) < MAX_NAMED:
            names.append(id_)

    def _compare(self, document: Document, stored: Stored) -> None:
        meant: set[str] = set()
        real: list[Difference] = []
        for path, ours, theirs in differences(document, stored):
            if why := why_meant(path, ours, theirs):
                meant.add(why)
            else:
                real.append(Difference(document.id, path, ours, theirs))
        self.counts[Verdict.DIFFERENT if real else Verdict.MEANT if meant else Verdict.EQUAL] += 1
        self.meant.update(meant)
        self.fields.update({difference.path for difference in real})
        self.differences += real[: MAX_NAMED - len(self.differences)]


def documents(events: Sequence[Event], source: Source, now_ms: int) -> Iterator[Document]:
    """What the profile `incumbent` makes of events of a log group; `now_ms` is the ingest time."""
    streams: dict[str, list[Event]] = {}
    for event in events:
        streams.setdefault(event.log_stream, []).append(event)
    settings = Settings.for_profile("incumbent")
    for log_stream, own in streams.items():
        payload = Payload(Source(source.owner, source.log_group, log_stream), tuple(event.event for event in own))
        yield from transform(payload, settings, now_ms).documents


def differences(document: Document, stored: Stored) -> Iterator[tuple[str, Any, Any]]:
    """(dotted path, ours, theirs) of each value that is not the same."""
    if document.index != stored.index_name:
        yield INDEX_FIELD, document.index, stored.index_name
    yield from _differences("", jsontext.loads(document.source), stored.fields)


def _differences(path: str, ours: Any, theirs: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in {**ours, **theirs}:
            inner = f"{path}.{key}" if path else key
            yield from _differences(inner, ours.get(key, ABSENT), theirs.get(key, ABSENT))
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for one, other in zip(ours, theirs, strict=True):
            yield from _differences(path, one, other)
    # 1 and 1.0 are one number in JSON, 1 and true are two values.
    elif ours != theirs or isinstance(ours, bool) is not isinstance(theirs, bool):
        yield path, ours, theirs


CLASH = "a key with the name of a system field is kept under @fields"
DIGITS = "a number keeps the digits that JavaScript drops"


def why_meant(path: str, ours: Any, theirs: Any) -> str:
    """Why a difference is one on purpose; "" where it is not. docs/cutover.md has them, too."""
    if path == "@fields" and theirs is ABSENT:
        return CLASH
    if {type(ours), type(theirs)} <= {int, float} and _as_javascript(ours) == _as_javascript(theirs):
        return DIGITS
    return ""


def _as_javascript(number: float) -> float:
    """The number as a double; integers of JSON may be too large for one."""
    try:
        return float(number)
    except OverflowError:
        return float("inf")
