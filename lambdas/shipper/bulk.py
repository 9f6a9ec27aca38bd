"""Bulk requests and their replies as data: documents to NDJSON chunks, a reply to one outcome per document.

https://docs.opensearch.org/latest/api-reference/document-apis/bulk/
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from shipper import jsontext
from shipper.model import Document, Outcome, Reason, Verdict

MAX_REASON_CHARS = 500
"""Of each text of a reason: what an engine or a proxy says can be as long as a log line."""

FILTER_PATH = (
    "took,errors,items.*._id,items.*.status,items.*.error.type,items.*.error.reason,items.*.error.caused_by.reason,"
    "error,status,message,Message"
)
"""What of the reply is read; `items.*.status` keeps one entry per document, so that positions hold."""


@dataclass(frozen=True, slots=True)
class BulkReply:
    """The reply to one bulk request: HTTP status, the parsed JSON body (None where it was not JSON), `Retry-After`."""

    status: int
    body: Any = None
    retry_after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Rule:
    """Errors of this type (of any, if "") with one of these statuses (any, if empty) get this verdict.

    `says` is a word that the error's message holds, in small letters.
    """

    type: str
    statuses: frozenset[int]
    verdict: Verdict
    why: str
    says: str = ""


def _rule(type_: str, statuses: Iterable[int], verdict: Verdict, why: str, *, says: str = "") -> Rule:
    return Rule(type_, frozenset(statuses), verdict, why, says)


# By type first, then by status: status 400 and 403 also stand for faults that an operator can mend, and a log that was
# refused for those must wait and not be buried. The types are those of OpenSearch 3.7 and 2.19 as they were seen.
RULES: tuple[Rule, ...] = (
    _rule("version_conflict_engine_exception", (409,), Verdict.DUPLICATE, "the id is in the index already"),
    _rule("cluster_block_exception", (), Verdict.RETRY, "disk full, index read-only or blocked: lifted later"),
    _rule("index_create_block_exception", (), Verdict.RETRY, "disk full: no new day's index can be made for now"),
    _rule("index_not_found_exception", (), Verdict.RETRY, "automatic creation is off: for the operator"),
    _rule("index_closed_exception", (), Verdict.RETRY, "the day's index is closed: for the operator"),
    _rule("validation_exception", (), Verdict.RETRY, "the shard limit of the cluster is reached: for the operator"),
    _rule("security_exception", (), Verdict.RAISE, "the role is not mapped, or not to this: for the operator"),
    _rule("mapper_parsing_exception", (400,), Verdict.RESCUE, "a field does not fit its mapping"),
    _rule("strict_dynamic_mapping_exception", (400,), Verdict.RESCUE, "the index takes no new fields"),
    _rule("illegal_argument_exception", (400,), Verdict.RESCUE, "fields clash, or the limit of fields is reached"),
    _rule("null_pointer_exception", (500,), Verdict.RESCUE, "the engine trips over the document: it would again"),
    _rule("mapper_exception", (500,), Verdict.RESCUE, "the mapping update is stuck on this document"),
    _rule("", (429,), Verdict.RETRY, "queue full, circuit breaker, flood-stage disk: it says itself to come again"),
    _rule("", (403,), Verdict.RETRY, "the service's own throttling comes as 403", says="throttl"),
    _rule("", (401, 403), Verdict.RAISE, "no valid signature, or no right to the domain"),
    _rule("", (301, 302, 303, 307, 308), Verdict.RAISE, "a redirect is never followed: the endpoint is wrong"),
    _rule("", (408, 500, 502, 503, 504), Verdict.RETRY, "the node or what is in front of it is not well"),
    _rule("", (400, 404, 405, 406, 413), Verdict.DEAD, "the document cannot be indexed as it is"),
)

_ACTION_BYTES = 40
"""Of an action line beside its names, with both newlines."""

_SHRINKABLE = frozenset({400, 413})
"""A whole request refused like this is sent again in halves, down to the document at fault."""

_FIELD = re.compile(
    r"(?:failed to parse field|[Mm]apping for(?: field)?|object mapping|mapper|dynamic introduction of)"
    r" \[(?P<bracketed>[^\]]*)\]"
    r'|in field="(?P<quoted>[^"]*)"'
)
_QUOTED = re.compile(r"(Preview of field's value:) '.*'?|(The prefix of the first immense term is:) '[^']*'", re.DOTALL)


def action(document: Document) -> bytes:
    """The action line: `create`, so that a second delivery changes nothing and answers 409."""
    return _action_head(document.index) + jsontext.dumps(document.id) + b"}}"


@lru_cache(maxsize=64)
def _action_head(index: str) -> bytes:
    return b'{"create":{"_index":' + jsontext.dumps(index) + b',"_id":'


def encode(documents: Iterable[Document]) -> bytes:
    """NDJSON of action and source lines, ending in a newline as the API demands."""
    # Piece by piece: what is put together first stands in memory a second time.
    body = io.BytesIO()
    write = body.write
    for document in documents:
        write(action(document))
        write(b"\n")
        write(document.source)
        write(b"\n")
    return body.getvalue()


def chunks(documents: Iterable[Document], max_bytes: int) -> Iterator[list[Document]]:
    """Documents in order, in runs of at most `max_bytes` when encoded; a larger document stands alone."""
    documents = list(documents)
    if documents and _at_most_bytes(documents) <= max_bytes:
        yield documents
        return
    chunk: list[Document] = []
    size = 0
    for document in documents:
        length = len(action(document)) + len(document.source) + 2
        if chunk and size + length > max_bytes:
            yield chunk
            chunk, size = [], 0
        chunk.append(document)
        size += length
    if chunk:
        yield chunk


def _at_most_bytes(documents: Sequence[Document]) -> int:
    """As many as they can be when encoded: six for each character of an index or id, as JSON may write it."""
    longest = max([len(document.index) + len(document.id) for document in documents])
    return sum([len(document.source) for document in documents]) + (6 * longest + _ACTION_BYTES) * len(documents)


def must_shrink(reply: BulkReply, documents: Sequence[Document]) -> bool:
    """Whether the reply refuses the whole request in a way that smaller requests can narrow down."""
    return reply.status in _SHRINKABLE and len(documents) > 1


def outcomes(documents: Sequence[Document], reply: BulkReply) -> list[Outcome]:
    """One outcome per document. A reply that does not fit what was sent proves nothing: all are to be sent again."""
    if reply.status >= 300 or reply.status < 200:
        reason = _whole_reason(reply)
        # Whatever a node that is not well says of a whole request, no document is at fault.
        verdict = Verdict.RETRY if reply.status >= 500 else _verdict(reason)
        return [Outcome(document, verdict, reason) for document in documents]
    items = reply.body.get("items") if isinstance(reply.body, Mapping) else None
    if not isinstance(items, list) or len(items) != len(documents):
        reason = Reason("unreadable_reply", "the reply to the bulk request does not fit what was sent", reply.status)
        return [Outcome(document, Verdict.RETRY, reason) for document in documents]
    return [_item_outcome(document, item) for document, item in zip(documents, items, strict=True)]


def unreachable(documents: Sequence[Document], message: str) -> list[Outcome]:
    """Outcomes where no reply came: whatever was written answers 409 next time."""
    reason = Reason("unreachable", bounded(message))
    return [Outcome(document, Verdict.RETRY, reason) for document in documents]


def bounded(message: str) -> str:
    """An error text fit to be kept: without the value that it quotes, and short."""
    return _QUOTED.sub(lambda quoted: f"{quoted[1] or quoted[2]} (left out)", message)[:MAX_REASON_CHARS]


def _item_outcome(document: Document, item: Any) -> Outcome:
    # Not `Mapping`: to ask an abstract class, twice for each document, took a third of the time of reading a reply.
    result = item.get("create") if isinstance(item, dict) else None
    if not isinstance(result, dict):
        result = {}
    status = result.get("status")
    if not isinstance(status, int) or not (200 <= status < 300 or status >= 400):
        reason = Reason("unreadable_reply", "an item of the reply has no status of an item")
        return Outcome(document, Verdict.RETRY, reason)
    if result.get("_id", document.id) != document.id:
        reason = Reason("unreadable_reply", "an item of the reply is that of another document")
        return Outcome(document, Verdict.RETRY, reason)
    error = result.get("error")
    if status < 300 and not error:
        return Outcome(document, Verdict.DONE)
    reason = _reason(status, error)
    return Outcome(document, _verdict(reason), reason)


def _verdict(reason: Reason) -> Verdict:
    for rule in RULES:
        if (
            rule.type in ("", reason.type)
            and (not rule.statuses or reason.status in rule.statuses)
            and rule.says in reason.message.lower()
        ):
            return rule.verdict
    return Verdict.RETRY


def _whole_reason(reply: BulkReply) -> Reason:
    if not isinstance(reply.body, Mapping):
        return _reason(reply.status, None)
    error = reply.body.get("error")
    if isinstance(error, str):
        error = {"type": error}
    # What is in front of the node, the service itself, says it in a word of its own.
    said = reply.body.get("message") or reply.body.get("Message")
    if error is None and isinstance(said, str):
        error = {"reason": said}
    return _reason(reply.status, error)


def _reason(status: int, error: Any) -> Reason:
    if not isinstance(error, Mapping):
        return Reason(f"http_{status}", f"HTTP status {status}", status)
    message = str(error.get("reason") or error.get("type") or "")
    cause = error.get("caused_by")
    if isinstance(cause, Mapping) and (deeper := str(cause.get("reason") or "")) not in message:
        message += f": {deeper}"
    named = _FIELD.search(message)
    return Reason(
        type=str(error.get("type") or f"http_{status}")[:MAX_REASON_CHARS],
        message=bounded(message),
        status=status,
        field=(named["bracketed"] or named["quoted"] or "")[:MAX_REASON_CHARS] if named else "",
    )
