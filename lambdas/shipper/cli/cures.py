"""What a reason means in plain words, and what most likely helps; rules as data, the first that fits wins."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shipper.document import INDEX_PREFIX
from shipper.model import Reason
from shipper.repair import places


@dataclass(frozen=True, slots=True)
class Cure:
    """For reasons of this `type` ("" is any) whose message holds the pattern `says`.

    `words` and `cure` may hold {field}, {has} (what the record has there) and the named groups of `says`; `replay` are
    the options of the replay that helps, None where another thing comes first; `before` is a command of ours to run
    before it.
    """

    type: str
    says: str
    words: str
    cure: str
    replay: str | None = ""
    before: str = ""


@dataclass(frozen=True, slots=True)
class Advice:
    """The reason in words, what helps, and the command for it ("" where there is none)."""

    words: str
    cure: str
    command: str


CURES: tuple[Cure, ...] = (
    Cure(
        "mapper_parsing_exception",
        r"failed to parse field \[[^\]]*\] of type \[(?P<type>text|keyword|wildcard|match_only_text)\]",
        "Field `{field}` is mapped as {type}, this record has {has}.",
        "Turn it into text.",
        "--to-string {field}",
    ),
    Cure(
        "mapper_parsing_exception",
        r"failed to parse field \[[^\]]*\] of type \[(?P<type>\w+)\]",
        "Field `{field}` is mapped as {type}, this record has {has}.",
        "Give it another name, or drop it.",
        "--rename {field}={field}_text",
    ),
    Cure(
        "mapper_parsing_exception",
        r"as object, but found a concrete value",
        "Field `{field}` is mapped as an object, this record has {has}.",
        "Give it another name.",
        "--rename {field}={field}_text",
    ),
    Cure(
        "mapper_parsing_exception",
        r"field name cannot|object field starting or ending with a",
        "A field has a name that the engine refuses: empty, or dots only.",
        "Drop the field.",
        None,
    ),
    Cure(
        "strict_dynamic_mapping_exception",
        "",
        "The index takes no new fields, and `{field}` is one; here it is {has}.",
        "Allow it in the index template, or drop it.",
        "--drop {field}",
    ),
    Cure(
        "illegal_argument_exception",
        r"immense term|bytes can be at most",
        "Field `{field}` is a keyword, and its value is longer than the 32,766 bytes that a keyword may have.",
        "Give the field `ignore_above` in the index template, or drop it.",
        "--drop {field}",
    ),
    Cure(
        "illegal_argument_exception",
        r"Limit of total fields \[(?P<limit>\d+)\]",
        "The index has its {limit} fields already, and this record would add more.",
        "Freeze the mapping for the rest of the day: the index then takes new fields without mapping them. "
        "`cwl-shipper mapping show` says which object has so many names: put what makes them into a value, or tomorrow "
        "brings the same.",
        before="mapping freeze {index}",
    ),
    Cure(
        "illegal_argument_exception",
        r"cannot be changed from type \[(?P<from>\w+)\] to \[(?P<to>\w+)\]|can't merge a non object mapping",
        "Field `{field}` is in the index with another type, this record has {has}.",
        "Give it another name.",
        "--rename {field}={field}_other",
    ),
    Cure(
        "",
        r"depth of the (?:nested array )?field has exceeded",
        "The record nests deeper than the engine takes.",
        "Turn the deep object into text.",
        "--to-string log_processed",
    ),
    Cure("null_pointer_exception", "", "The engine trips over this document.", "Drop the odd field.", None),
    Cure(
        "index_closed_exception",
        "",
        "The day's index is closed.",
        "Open it; or write to another one.",
        "--index cwl-{day}-late",
    ),
    Cure("cluster_block_exception", "", "The index is read-only: the disk may be full.", "Free space, then replay."),
    Cure("validation_exception", "", "The cluster has as many shards as it may.", "Delete old indices, then replay."),
    Cure("security_exception", "", "The function's role may not write.", "Map the role, then replay."),
    Cure(
        "unreachable",
        "",
        "The domain gave no answer for as long as the retry queue tried.",
        "See whether the domain is well, then replay.",
    ),
    Cure(
        "lambda_failure",
        "",
        "Lambda gave up on the event: the function timed out, crashed, or was throttled.",
        "Read the function's log and mend what it says, then replay.",
    ),
    Cure(
        "s3_test_event",
        "",
        "S3 tried at the deployment whether it may write here. Nothing is missing.",
        "A replay clears it away.",
    ),
    Cure(
        "unreadable_letter|bad_envelope",
        "",
        "The message is no letter of ours, or what it points at is gone.",
        "Export it and look at it, then purge it.",
        None,
    ),
    Cure(
        r"bad_\w+|too_large|unknown_type",
        "",
        "The function was invoked with something that is no payload of CloudWatch Logs.",
        "Find out who invoked it, then purge it.",
        None,
    ),
    Cure(
        "rejected_execution_exception|circuit_breaking_exception|http_429",
        "",
        "The domain had too much to do.",
        "Replay it slowly.",
        "--rate 100",
    ),
    Cure(
        "",
        "",
        "The engine has refused the document.",
        "Take the field at fault out; --dry-run shows what would be sent.",
    ),
)


def advice(reason: Reason, documents: Sequence[Any]) -> Advice:
    """What is known about a reason; `documents` are those of the letter. The texts may quote a log."""
    for cure in CURES:
        found = re.search(cure.says, reason.message)
        if found and re.fullmatch(cure.type or ".*", reason.type, re.DOTALL):
            break
    path = _path(reason.field, documents)
    known = {
        "field": path or reason.field or "(unnamed)",
        "has": _what(path, documents),
        "day": _day(documents),
        "index": f"{INDEX_PREFIX}{_day(documents)}" if documents else "",
        **(found.groupdict() if found else {}),
    }
    command = ""
    if cure.replay is not None and (reason.field or "{field}" not in cure.replay):
        command = " ".join(["cwl-shipper dlq replay --reason", shlex.quote(reason.type), *_words(cure.replay, known)])
        if cure.before:
            command = " ".join(["cwl-shipper", *_words(cure.before, known), "&&", command])
    return Advice(cure.words.format(**known), cure.cure.format(**known), command)


def _words(options: str, known: Mapping[str, str]) -> list[str]:
    """The words of a command, fit for a shell whatever is in them; what is not known is left out."""
    return [shlex.quote(word) for option in options.split() if (word := option.format(**known))]


def _path(field: str, documents: Sequence[Any]) -> str:
    """The field's whole path: the strict mapping's error names its last part only."""
    for document in documents:
        if not field or not isinstance(document, dict) or any(places(document, field)):
            continue
        for parent, inner in document.items():
            if isinstance(inner, dict) and any(places(inner, field)):
                return f"{parent}.{field}"
    return field


def _what(path: str, documents: Sequence[Any]) -> str:
    for document in documents:
        if isinstance(document, dict) and path:
            for fields, key in places(document, path):
                return _kind(fields[key])
    return "something else"


def _kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case dict():
            return "an object"
        case _:
            return "a list"


def _day(documents: Sequence[Any]) -> str:
    first = documents[0] if documents else None
    return str(first.get("@timestamp", ""))[:10].replace("-", ".") if isinstance(first, dict) else ""
