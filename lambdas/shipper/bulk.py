"""Bulk requests and their replies as data: documents to NDJSON chunks, a reply to one outcome per document.

https://docs.opensearch.org/latest/api-reference/document-apis/bulk/
"""

from __future__ import annotations

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
    "took,errors,items.*.status,items.*.error.type,items.*.error.reason,items.*.error.caused_by.reason,error,status"
)
"""What of the reply is read; `items.*.status` keeps one entry per document, so that positions hold."""


@dataclass(frozen=True, slots=True)
class BulkReply:
    """The reply to one bulk request: HTTP status and the parsed JSON body (None where it was not JSON)."""

    status: int
    body: Any = None


@dataclass(frozen=True, slots=True)
class Rule:
    """Errors of this type (of any, if "") with one of these statuses (any, if empty) get this verdict."""

    type: str
    statuses: frozenset[int]
    verdict: Verdict
    why: str


def _rule(type_: str, statuses: Iterable[int], verdict: Verdict, why: str) -> Rule:
    return Rule(type_, frozenset(statuses), verdict, why)


# By type first, then by status: status 400 and 403 also stand for faults that an operator can mend, and a log that was
# refused for those must wait and not be buried.
RULES: tuple[Rule, ...] = (
    _rule("version_conflict_engine_exception", (409,), Verdict.DUPLICATE, "the id is in the index already"),
    _rule("cluster_block_exception", (), Verdict.RETRY, "disk full, index read-only or blocked: lifted later"),
    _rule("index_create_block_exception", (), Verdict.RETRY, "disk full: no new day's index can be made for now"),
    _rule("index_not_found_exception", (), Verdict.RETRY, "automatic creation is off: for the operator"),
    _rule("index_closed_exception", (), Verdict.RETRY, "the day's index is closed: for the operator"),
    _rule("validation_exception", (), Verdict.RETRY, "the shard limit of the cluster is reached: for the operator"),
    _rule("security_exception", (), Verdict.RETRY, "the role mapping is not there (yet): for the operator"),
    _rule("", (429,), Verdict.RETRY, "queue full, circuit breaker, flood-stage disk: it says itself to come again"),
    _rule("", (401, 403), Verdict.RETRY, "rights spread slowly after a deploy; throttling comes as 403 too"),
    _rule("", (408, 500, 502, 503, 504), Verdict.RETRY, "the node or what is in front of it is not well"),
    _rule("", (400, 404, 405, 406, 413), Verdict.DEAD, "the document cannot be indexed as it is"),
)

_SHRINKABLE = frozenset({400, 413})
"""A whole request refused like this is sent again in halves, down to the document at fault."""

_FIELD = re.compile(
    r"(?:failed to parse field|[Mm]apping for(?: field)?|object mapping|mapper) \[(?P<bracketed>[^\]]*)\]"
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
    # Piece by piece: a line put together first would stand in memory a second time.
    return b"".join([piece for document in documents for piece in (action(document), b"\n", document.source, b"\n")])


def chunks(documents: Iterable[Document], max_bytes: int) -> Iterator[list[Document]]:
    """Documents in order, in runs of at most `max_bytes` when encoded; a larger document stands alone."""
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


def must_shrink(reply: BulkReply, documents: Sequence[Document]) -> bool:
    """Whether the reply refuses the whole request in a way that smaller requests can narrow down."""
    return reply.status in _SHRINKABLE and len(documents) > 1


def outcomes(documents: Sequence[Document], reply: BulkReply) -> list[Outcome]:
    """One outcome per document. A reply that does not fit what was sent proves nothing: all are to be sent again."""
    if reply.status >= 300 or reply.status < 200:
        reason = _whole_reason(reply)
        return [_judge(document, reason) for document in documents]
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
    result = item.get("create") if isinstance(item, Mapping) else None
    status = result.get("status") if isinstance(result, Mapping) else None
    if not isinstance(result, Mapping) or not isinstance(status, int):
        reason = Reason("unreadable_reply", "an item of the reply has no status")
        return Outcome(document, Verdict.RETRY, reason)
    error = result.get("error")
    if 200 <= status < 300 and not error:
        return Outcome(document, Verdict.DONE)
    return _judge(document, _reason(status, error))


def _judge(document: Document, reason: Reason) -> Outcome:
    return Outcome(document, _verdict(reason), reason)


def _verdict(reason: Reason) -> Verdict:
    for rule in RULES:
        if rule.type in ("", reason.type) and (not rule.statuses or reason.status in rule.statuses):
            return rule.verdict
    return Verdict.RETRY


def _whole_reason(reply: BulkReply) -> Reason:
    error = reply.body.get("error") if isinstance(reply.body, Mapping) else None
    if isinstance(error, str):
        error = {"type": error}
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
