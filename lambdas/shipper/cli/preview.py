"""What a replay would send: how many documents, and what a repair changes in them, field by field."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.text import Text

from shipper import jsontext
from shipper.aws.clock import SystemClock
from shipper.aws.inbox import Message
from shipper.cli import letters
from shipper.cli.deployment import Deployment
from shipper.cli.letters import Entry
from shipper.cli.terminal import safe, shortened
from shipper.deadletter import BadEnvelope
from shipper.model import DeadLetter, Document, Rejected
from shipper.repair import NO_REPAIR, BadRepair, Repair
from shipper.replay_many import prepared
from shipper.settings import Settings

_EXAMPLES = 3
_MAX_ERRORS = 20
_MAX_VALUE_CHARS = 200
_MAX_TEXT_CHARS = 500
_STYLES = {"-": "red", "+": "green"}


@dataclass(slots=True)
class Preview:
    """Counts, and the first few (letter id, document as it is, as it would be sent) and (letter id, why it stays).

    `staying` counts the letters that would still be in the dead-letter queue: as they are, or as new ones.
    """

    letters: int = 0
    documents: int = 0
    changed: int = 0
    staying: int = 0
    examples: list[tuple[str, Document, Document]] = field(default_factory=list)
    errors: list[tuple[str, str]] = field(default_factory=list)


def previewed(found: Deployment, runs: Iterable[Sequence[Message]], repair: Repair) -> Preview:
    """Go through the letters as a replay would, and send nothing."""
    preview, now_ms = Preview(), SystemClock().now_ms()
    for message in (message for run in runs for message in run):
        preview.letters += 1
        try:
            pairs = _pairs(letters.in_full(message, found), found, repair, now_ms)
        except (BadEnvelope, BadRepair) as error:
            preview.staying += 1
            preview.errors = [*preview.errors, (message.id, str(error))][:_MAX_ERRORS]
            continue
        preview.documents += len(pairs)
        preview.changed += sum(before != after for before, after in pairs)
        shown = [(message.id, before, after) for before, after in pairs if before != after or not repair.changes]
        preview.examples = [*preview.examples, *shown][:_EXAMPLES]
    return preview


def as_fields(preview: Preview) -> dict[str, Any]:
    """The same as an object of JSON."""
    examples = [
        {"letter": letter_id, "id": after.id, "changes": [list(change) for change in changes(before, after)]}
        for letter_id, before, after in preview.examples
    ]
    counts = {name: getattr(preview, name) for name in ("letters", "documents", "changed", "staying")}
    return {**counts, "errors": dict(preview.errors), "examples": examples}


def show(out: Console, letter_id: str, before: Document, after: Document) -> None:
    """Print what changes in a document, or the document where nothing does."""
    out.print(f"letter {letter_id}, document {safe(after.id)} for {after.index}", soft_wrap=True)
    if found := changes(before, after):
        for change in found:
            out.print(line(change))
    else:
        out.print_json(safe(jsontext.dumps(shortened(jsontext.loads(after.source), _MAX_TEXT_CHARS)).decode()))


def changes(before: Document, after: Document) -> list[tuple[str, str, Any]]:
    """("-" or "+", dotted path, value) of each field that differs, in the order of the paths; the index is `_index`."""
    old = {"_index": before.index, **dict(_leaves("", jsontext.loads(before.source)))}
    new = {"_index": after.index, **dict(_leaves("", jsontext.loads(after.source)))}
    found = []
    for path in sorted(old.keys() | new.keys()):
        if path in old and (path not in new or old[path] != new[path]):
            found.append(("-", path, old[path]))
        if path in new and (path not in old or old[path] != new[path]):
            found.append(("+", path, new[path]))
    return found


def line(change: tuple[str, str, Any]) -> Text:
    """A change as it is shown."""
    sign, path, value = change
    written = jsontext.dumps(shortened(value, _MAX_VALUE_CHARS)).decode()
    return Text(f"  {sign} {safe(path)}: {safe(written)}", style=_STYLES[sign])


def _pairs(entry: Entry, found: Deployment, repair: Repair, now_ms: int) -> list[tuple[Document, Document]]:
    """Each document as it is, and as it would be sent. Raises `BadEnvelope` and `BadRepair`."""
    if not entry.readable:
        raise BadEnvelope(entry.letter.reason.message)
    settings = found.settings_for([entry.letter])
    before, after = (_documents(entry.letter, settings, now_ms, one) for one in (NO_REPAIR, repair))
    return list(zip(before, after, strict=True))


def _documents(letter: DeadLetter, settings: Settings, now_ms: int, repair: Repair) -> tuple[Document, ...]:
    """Raises `BadEnvelope`, also for a payload that cannot be read still: it would be buried once more; `BadRepair`."""
    batch = prepared(letter, settings, now_ms, repair)
    if isinstance(batch, Rejected):
        raise BadEnvelope(batch.reason.message)
    return batch.documents


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and (value or not path):
        for key, inner in value.items():
            yield from _leaves(f"{path}.{key}" if path else key, inner)
    else:
        yield path, value
