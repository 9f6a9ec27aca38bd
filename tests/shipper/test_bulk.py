"""Bulk bodies and replies; `bulk_replies/` holds what a real engine answered (3.7.0, and 2.19.3 with security)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shipper import bulk
from shipper.bulk import BulkReply
from shipper.model import Document, Outcome, Reason, Verdict
from tests.shipper.fakes import doc, docs, item, patient, reply

REPLIES = {file.stem: json.loads(file.read_text()) for file in (Path(__file__).parent / "bulk_replies").glob("*.json")}

LETTERS = {
    "+": Verdict.DONE,
    "=": Verdict.DUPLICATE,
    "r": Verdict.RETRY,
    "s": Verdict.RESCUE,
    "x": Verdict.DEAD,
    "!": Verdict.RAISE,
}

# A letter an item: + indexed, = there already, r try again, s rescue, x dead, ! raise. One letter where the request was
# refused whole.
EXPECTED = {
    "active_shards_timeout": "r",
    "array_mixed_types": "s",
    "auto_create_off": "r+",
    "auto_create_pattern": "r+",
    "bad_date_bigint_infinite": "sss",
    "bad_index_name": "x+xx",
    "bad_json_source": "s+",
    "bad_keys": "ssss",
    "bad_utf8_action": "x",
    "bad_utf8_source": "s+",
    "block_cluster_read_only": "r",
    "block_create_index": "++",
    "block_metadata": "r+",
    "block_metadata_new_field": "r",
    "block_read": "++",
    "block_read_only": "r+",
    "block_read_only_allow_delete": "r+",
    "block_write": "r+",
    "body_action_not_json": "x",
    "body_bad_action": "s",
    "body_bad_action_json": "x",
    "body_blank": "x",
    "body_content_type": "x",
    "body_empty": "x",
    "body_gzip_cut": "+",
    "body_no_newline": "s",
    "body_type_param": "s",
    "breaker_inflight": "r",
    "breaker_parent": "r",
    "delete_update": "r+r",
    "depth_1200": "s",
    "depth_array": "s",
    "depth_object": "s",
    "dotted_merge": "s",
    "filtered_conflict": "+=",
    "filtered_error_only": "r",
    "filtered_ok": "+",
    "http_413": "x",
    "http_413_gzip": "x",
    "id_empty": "s+",
    "id_too_long": "x",
    "immense_term": "s+",
    "immense_term_flat_object": "s",
    "index_closed": "r+",
    "item_500_mapping_update_timeout": "s+",
    "item_500_null_pointer": "ss+",
    "mapper_parsing": "+s",
    "max_shards": "r+",
    "nan_duplicate_key_nonobject": "sss+",
    "no_index": "x",
    "object_then_scalar": "+s",
    "ok_created": "+",
    "ok_gzip": "+",
    "pipeline_missing": "s",
    "rejected_indexing_pressure": "r",
    "rejected_write_queue": "rrrr",
    "rejected_write_queue_whole": "r",
    "require_alias": "r",
    "scalar_then_object": "+s",
    "security_denied_create": "!+",
    "security_denied_item": "+!!",
    "security_denied_mapping": "!+",
    "security_no_role": "!",
    "security_ok": "+",
    "security_unauthenticated": "!",
    "security_unknown_user": "!",
    "security_wrong_password": "!",
    "template_object_then_scalar": "+ss",
    "total_fields": "s",
    "unassigned_primary": "r+",
    "version_conflict": "=+",
}
NO_REPLY = {"body_not_gzip"}
WHOLE = sorted(name for name in EXPECTED if not 200 <= REPLIES[name]["http_status"] < 300)


def items_of(name: str) -> list[Any]:
    body = REPLIES[name]["body"]
    return list(body.get("items", [])) if isinstance(body, dict) else []


def sent_for(name: str, count: int | None = None) -> list[Document]:
    """Documents with the ids that the reply names."""
    sent = docs(count or len(items_of(name)) or 1)
    results: list[dict[str, Any]] = [next(iter(raw.values()), {}) for raw in items_of(name)]
    for document, result in zip(sent, results, strict=False):
        document.id = result.get("_id", document.id)
    return sent


def outcomes_of(name: str, count: int | None = None) -> list[Outcome]:
    found = REPLIES[name]
    return bulk.outcomes(sent_for(name, count), BulkReply(found["http_status"], found["body"]))


def reason_of(name: str, at: int = 0) -> Reason:
    reason = outcomes_of(name)[at].reason
    assert reason
    return reason


def dead(reason: str, type_: str = "mapper_parsing_exception", **error: Any) -> Reason:
    """The reason made of one item's error."""
    refused = {"create": {"status": 400, "error": {"type": type_, "reason": reason, **error}}}
    found = bulk.outcomes([doc(1)], BulkReply(200, {"items": [refused]}))[0].reason
    assert found
    return found


def test_every_real_reply_has_its_verdicts_in_the_table() -> None:
    assert set(EXPECTED) | NO_REPLY == set(REPLIES)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_real_reply_gives_each_document_its_verdict(name: str) -> None:
    assert [outcome.verdict for outcome in outcomes_of(name)] == [LETTERS[letter] for letter in EXPECTED[name]]


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_document_is_safe_only_where_its_own_item_says_so(name: str) -> None:
    safe = (Verdict.DONE, Verdict.DUPLICATE)
    found = outcomes_of(name)
    assert [outcome.document for outcome in found] == sent_for(name)
    for outcome, raw in zip(found, items_of(name) or [{}], strict=True):
        result = raw.get("create", {})
        written = result.get("status") in (200, 201) and "error" not in result
        assert (outcome.verdict in safe) == (written or result.get("status") == 409)
        assert (outcome.reason is None) == (outcome.verdict is Verdict.DONE)


@pytest.mark.parametrize("name", WHOLE)
def test_a_request_refused_whole_gives_every_document_the_same_verdict(name: str) -> None:
    found = outcomes_of(name, count=3)
    assert [outcome.verdict for outcome in found] == [LETTERS[EXPECTED[name]]] * 3


def filtered(body: Any) -> Any:
    """A reply's body as the engine's filter_path leaves it."""
    kept = {path.split(".", 2)[2] for path in bulk.FILTER_PATH.split(",") if path.startswith("items.*.")}
    items = []
    for raw in body["items"]:
        ((operation, result),) = raw.items()
        out: dict[str, Any] = {}
        for path in sorted(kept):
            value: Any = result
            for key in path.split("."):
                value = value.get(key) if isinstance(value, dict) else None
            if value is not None:
                inner = out
                *parents, last = path.split(".")
                for key in parents:
                    inner = inner.setdefault(key, {})
                inner[last] = value
        items.append({operation: out} if out else {})
    return {"took": body["took"], "errors": body["errors"], "items": items}


@pytest.mark.parametrize("name", sorted(name for name in EXPECTED if items_of(name)))
def test_the_filter_path_leaves_all_that_is_read(name: str) -> None:
    found = REPLIES[name]
    for sent in (sent_for(name), sent_for(name)[::-1]):
        whole, part = BulkReply(200, found["body"]), BulkReply(200, filtered(found["body"]))
        assert bulk.outcomes(sent, part) == bulk.outcomes(sent, whole)


REASONS = [
    ("mapper_parsing", 1, "mapper_parsing_exception", 400, "n"),
    ("array_mixed_types", 0, "illegal_argument_exception", 400, "mix"),
    ("object_then_scalar", 1, "mapper_parsing_exception", 400, "o"),
    ("template_object_then_scalar", 1, "mapper_parsing_exception", 400, "v"),
    ("template_object_then_scalar", 2, "mapper_parsing_exception", 400, "v"),
    ("bad_date_bigint_infinite", 0, "mapper_parsing_exception", 400, "@timestamp"),
    ("total_fields", 0, "illegal_argument_exception", 400, ""),
    ("block_read_only_allow_delete", 0, "cluster_block_exception", 429, ""),
    ("block_cluster_read_only", 0, "cluster_block_exception", 403, ""),
    ("http_413", 0, "http_413", 413, ""),
    ("security_unauthenticated", 0, "http_401", 401, ""),
    ("body_content_type", 0, "Content-Type header [text/plain] is not supported", 406, ""),
    ("filtered_error_only", 0, "unreadable_reply", 0, ""),
]


@pytest.mark.parametrize(("name", "at", "type_", "status", "field"), REASONS)
def test_a_reason_names_type_status_and_field(name: str, at: int, type_: str, status: int, field: str) -> None:
    reason = reason_of(name, at)
    assert (reason.type, reason.status, reason.field) == (type_, status, field)
    assert reason.message


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("dotted_merge", "lab.app"),
        ("immense_term", "k"),
        ("immense_term_flat_object", "f._value"),
    ],
)
def test_a_reason_names_the_field_in_every_wording_of_the_engine(name: str, field: str) -> None:
    assert reason_of(name).field == field


QUOTED = [
    ("mapper_parsing", 1, "abc"),
    ("bad_date_bigint_infinite", 0, "not a date"),
    ("bad_date_bigint_infinite", 1, "9223372036854775808"),
    ("bad_date_bigint_infinite", 2, "Infinity"),
    ("bad_keys", 0, "zz"),
    ("scalar_then_object", 1, "a=1"),
    pytest.param(
        "immense_term",
        0,
        "120, 120",
    ),
]


@pytest.mark.parametrize(("name", "at", "value"), QUOTED)
def test_a_reason_does_not_quote_the_value(name: str, at: int, value: str) -> None:
    assert value not in reason_of(name, at).message


def test_what_the_engine_says_deeper_down_is_part_of_the_reason() -> None:
    assert reason_of("depth_object").message.startswith("failed to parse: The depth of the field has exceeded")


def test_a_deeper_reason_is_not_said_twice() -> None:
    assert dead("failed to parse", caused_by={"reason": "to parse"}).message == "failed to parse"


def test_a_value_over_many_lines_is_left_out_to_its_end() -> None:
    reason = dead("failed to parse field [n] of type [long]. Preview of field's value: 'secret\nand 'more' secret'")
    assert reason.message == "failed to parse field [n] of type [long]. Preview of field's value: (left out)"


def test_the_first_bytes_of_a_value_are_left_out_too() -> None:
    said = "immense term. The prefix of the first immense term is: '[112, 119]', and more"
    left = "immense term. The prefix of the first immense term is: (left out), and more"
    assert bulk.bounded(said) == left


def test_a_reply_that_does_not_say_when_to_come_again_says_at_once() -> None:
    assert BulkReply(429).retry_after_s == 0


@pytest.mark.parametrize("size", [499, 500, 501, 100_000])
def test_a_reason_is_bounded(size: int) -> None:
    assert len(dead("y" * size).message) == min(size, bulk.MAX_REASON_CHARS)


def test_the_type_of_a_reason_is_bounded() -> None:
    assert len(dead("m", "t" * 100_000).type) <= 1_000


def test_the_field_of_a_reason_is_bounded() -> None:
    assert len(dead(f"failed to parse field [{'k' * 100_000}] of type [long]").field) <= 1_000


UNREADABLE = [
    pytest.param(None, id="not JSON"),
    pytest.param("<html>", id="a text"),
    pytest.param([1, 2], id="a list"),
    pytest.param({}, id="no items"),
    pytest.param({"items": {"create": {"status": 201}}}, id="items that are no list"),
    pytest.param({"items": [item(201)]}, id="an item too few"),
    pytest.param({"items": [item(201)] * 3}, id="an item too many"),
    pytest.param({"items": [{}, {}]}, id="empty items"),
    pytest.param({"items": ["create", None]}, id="items that are no objects"),
    pytest.param({"items": [{"create": None}, {"create": 201}]}, id="results that are no objects"),
    pytest.param({"items": [{"create": {}}, {"create": {"status": None}}]}, id="no status"),
    pytest.param({"items": [{"create": {"status": "201"}}, {"create": {"status": 201.5}}]}, id="status is no number"),
    pytest.param({"items": [{"index": {"status": 201}}, {"delete": {"status": 200}}]}, id="another operation"),
    pytest.param({"items": [{"create": {"status": 100}}, {"create": {"status": 302}}]}, id="a status of no meaning"),
    pytest.param({"items": [{"create": {"status": True}}, {"create": {"status": 0}}]}, id="a status out of range"),
]


@pytest.mark.parametrize("body", UNREADABLE)
def test_a_reply_that_proves_nothing_has_everything_sent_again(body: Any) -> None:
    assert [outcome.verdict for outcome in bulk.outcomes(docs(2), BulkReply(200, body))] == [Verdict.RETRY] * 2


@pytest.mark.parametrize("status", [200, 201, 299])
def test_only_from_200_to_299_does_a_status_say_done(status: int) -> None:
    (of_item,) = bulk.outcomes([doc(1)], BulkReply(200, {"items": [item(status)]}))
    (of_reply,) = bulk.outcomes([doc(1)], BulkReply(status, {"items": [item(201)]}))
    assert (of_item.verdict, of_reply.verdict) == (Verdict.DONE, Verdict.DONE)


@pytest.mark.parametrize("status", [199, 300, 399])
def test_a_status_beside_those_proves_nothing(status: int) -> None:
    (of_item,) = bulk.outcomes([doc(1)], BulkReply(200, {"items": [item(status)]}))
    (of_reply,) = bulk.outcomes([doc(1)], BulkReply(status, {"items": [item(201)]}))
    assert (of_item.verdict, of_reply.verdict) == (Verdict.RETRY, Verdict.RETRY)
    assert of_item.reason
    assert of_item.reason.type == "unreadable_reply"


def test_an_item_without_status_leaves_its_neighbours_alone() -> None:
    found = bulk.outcomes(docs(3), BulkReply(200, {"items": [item(201), {}, item(201)]}))
    assert [outcome.verdict for outcome in found] == [Verdict.DONE, Verdict.RETRY, Verdict.DONE]


def test_an_items_error_counts_even_where_the_reply_says_that_there_are_none() -> None:
    """Row 35 of the fault matrix."""
    body = {
        "errors": False,
        "items": [item(400, "mapper_parsing_exception"), item(400, "some_exception"), item(201, "some_exception")],
    }
    found = bulk.outcomes(docs(3), BulkReply(200, body))
    assert [outcome.verdict for outcome in found] == [Verdict.RESCUE, Verdict.DEAD, Verdict.RETRY]


@pytest.mark.parametrize("status", [201, 400, 409])
def test_an_item_that_is_another_documents_proves_nothing(status: int) -> None:
    """Row 34 of the fault matrix: the order of the reply is not that of the request."""
    items = [{"create": {**item(status)["create"], "_id": id_}} for id_ in ("id-0", "id-2", "id-1")]
    first, *others = bulk.outcomes(docs(3), BulkReply(200, {"items": items}))
    expected = {201: Verdict.DONE, 400: Verdict.DEAD, 409: Verdict.RETRY}[status]
    assert first.verdict is expected
    assert [outcome.verdict for outcome in others] == [Verdict.RETRY] * 2
    assert [outcome.reason.type for outcome in others if outcome.reason] == ["unreadable_reply"] * 2


STATUSES = [
    (200, "some_exception", "r"),
    (400, "some_exception", "x"),
    (400, "index_closed_exception", "r"),
    (400, "validation_exception", "r"),
    (400, "cluster_block_exception", "r"),
    (400, "index_create_block_exception", "r"),
    (400, "mapper_parsing_exception", "s"),
    (400, "illegal_argument_exception", "s"),
    (400, "strict_dynamic_mapping_exception", "s"),
    (400, "security_exception", "!"),
    (401, "", "!"),
    (400, "index_not_found_exception", "r"),
    (403, "index_create_block_exception", "r"),
    (403, "cluster_block_exception", "r"),
    (403, "security_exception", "!"),
    (403, "some_exception", "!"),
    (403, "", "!"),
    (404, "index_not_found_exception", "r"),
    (404, "some_exception", "x"),
    (405, "some_exception", "x"),
    (406, "some_exception", "x"),
    (408, "some_exception", "r"),
    (409, "version_conflict_engine_exception", "="),
    (409, "some_exception", "r"),
    (413, "some_exception", "x"),
    (418, "some_exception", "r"),
    (429, "mapper_parsing_exception", "r"),
    (429, "illegal_argument_exception", "r"),
    (500, "mapper_exception", "s"),
    (500, "null_pointer_exception", "s"),
    (500, "some_exception", "r"),
    (503, "mapper_parsing_exception", "r"),
    (599, "", "r"),
]


@pytest.mark.parametrize(("status", "type_", "letter"), STATUSES)
def test_an_error_is_routed_by_type_first_and_then_by_status(status: int, type_: str, letter: str) -> None:
    body = {"items": [item(status, type_)]}
    assert bulk.outcomes([doc(1)], BulkReply(200, body))[0].verdict is LETTERS[letter]


NO_REASON: list[Any] = [None, "", "<html>Bad Gateway</html>", [], {"error": None}, {"error": []}, {"message": None}]


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("body", NO_REASON)
def test_an_error_of_a_proxy_is_waited_for(status: int, body: Any) -> None:
    """Row 32: HTML or nothing at all in place of a reply."""
    found = bulk.outcomes(docs(2), BulkReply(status, body))
    assert [outcome.verdict for outcome in found] == [Verdict.RETRY] * 2
    assert found[0].reason == Reason(f"http_{status}", f"HTTP status {status}", status)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 401, 403])
@pytest.mark.parametrize("body", NO_REASON)
def test_a_redirect_and_a_denial_are_for_the_operator(status: int, body: Any) -> None:
    """Rows 25 and 36: however long one waits, the endpoint and the rights stay what they are."""
    found = bulk.outcomes(docs(2), BulkReply(status, body))
    assert [outcome.verdict for outcome in found] == [Verdict.RAISE] * 2
    assert found[0].reason == Reason(f"http_{status}", f"HTTP status {status}", status)


THROTTLED = "403 Request throttled due to too many requests /_bulk"


@pytest.mark.parametrize(
    ("body", "letter"),
    [
        pytest.param({"message": THROTTLED}, "r", id="in the service's words"),
        pytest.param({"Message": THROTTLED}, "r", id="in other letters"),
        pytest.param({"error": {"type": "t", "reason": "ThrottlingException"}}, "r", id="in the node's words"),
        pytest.param(
            {"error": {"type": "security_exception", "reason": "throttled"}}, "!", id="no rights all the same"
        ),
        pytest.param({"Message": "User: anonymous is not authorized"}, "!", id="no rights"),
        pytest.param({"message": ["throttled"]}, "!", id="no text"),
    ],
)
def test_throttling_that_comes_as_403_is_waited_for(body: Any, letter: str) -> None:
    """Row 24."""
    found = bulk.outcomes(docs(2), BulkReply(403, body))
    assert [outcome.verdict for outcome in found] == [LETTERS[letter]] * 2


def test_what_the_service_says_is_the_reason() -> None:
    found = bulk.outcomes(docs(1), BulkReply(403, {"message": THROTTLED}))
    assert found[0].reason == Reason("http_403", THROTTLED, 403)


@pytest.mark.parametrize(
    "type_", ["null_pointer_exception", "mapper_exception", "illegal_argument_exception", "security_exception"]
)
@pytest.mark.parametrize("status", [500, 503])
def test_no_document_is_at_fault_when_a_node_fails_the_whole_request(status: int, type_: str) -> None:
    """Rescued, and refused once more by the same fault, a whole batch would be buried."""
    found = bulk.outcomes(docs(2), BulkReply(status, {"error": {"type": type_, "reason": "m"}, "status": status}))
    assert [outcome.verdict for outcome in found] == [Verdict.RETRY] * 2


def test_below_500_the_error_of_a_whole_request_decides() -> None:
    found = bulk.outcomes(docs(2), BulkReply(499, {"error": {"type": "security_exception", "reason": "m"}}))
    assert [outcome.verdict for outcome in found] == [Verdict.RAISE] * 2


@pytest.mark.parametrize(
    ("status", "count", "shrinks"),
    [
        (400, 2, True),
        (413, 2, True),
        (400, 1, False),
        (413, 1, False),
        (413, 0, False),
        (200, 2, False),
        (429, 9, False),
        (503, 9, False),
    ],
)
def test_only_a_whole_refusal_of_more_than_one_document_is_narrowed_down(
    status: int, count: int, shrinks: bool
) -> None:
    assert bulk.must_shrink(BulkReply(status), docs(count)) is shrinks


def test_no_reply_has_everything_sent_again_with_a_bounded_reason() -> None:
    found = bulk.unreachable(docs(2), "reset " * 1_000)
    assert [outcome.verdict for outcome in found] == [Verdict.RETRY] * 2
    assert found[0].reason
    assert found[0].reason.type == "unreachable"
    assert len(found[0].reason.message) == bulk.MAX_REASON_CHARS


def test_a_body_is_action_and_source_lines_with_create() -> None:
    one = Document("cwl-2026.11.24", 'a"b', b'{"a":1}', "", ())
    assert bulk.encode([one]) == b'{"create":{"_index":"cwl-2026.11.24","_id":"a\\"b"}}\n{"a":1}\n'


def test_a_body_ends_in_a_newline() -> None:
    assert bulk.encode(docs(3)).endswith(b"}\n")
    assert bulk.encode(docs(3)).count(b"\n") == 6
    assert bulk.encode([]) == b""


plain_documents = st.builds(lambda number, size: doc(number, "x" * size), st.integers(0, 10**50), st.integers(0, 300))
any_documents = st.builds(
    lambda id_, size: Document("cwl-2026.11.24", id_, b'"' + b"x" * size + b'"', "", (id_,)),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=100),
    st.integers(0, 50),
)


def assert_chunk_law(documents: list[Document], max_bytes: int) -> None:
    chunks = list(bulk.chunks(documents, max_bytes))
    assert [document for chunk in chunks for document in chunk] == documents
    assert all(chunks)
    for chunk in chunks:
        assert len(chunk) == 1 or len(bulk.encode(chunk)) <= max_bytes


@patient
@given(st.lists(plain_documents, max_size=30), st.integers(1, 2_000))
def test_chunks_keep_order_lose_nothing_and_stay_within_bounds(documents: list[Document], max_bytes: int) -> None:
    assert_chunk_law(documents, max_bytes)


@example([Document("cwl-1", '"' * 100, b"{}", "", ())] * 2, 420)
@patient
@given(st.lists(any_documents, max_size=10), st.integers(1, 2_000))
def test_chunks_stay_within_bounds_for_any_text_as_id(documents: list[Document], max_bytes: int) -> None:
    assert_chunk_law(documents, max_bytes)


def test_chunks_are_filled_before_the_next_begins() -> None:
    sizes = [len(chunk) for chunk in bulk.chunks([doc(1, "x" * 1_000)] * 10, 5_000)]
    assert sizes == [4, 4, 2]


@pytest.mark.parametrize(("less", "sizes"), [(0, [2, 2]), (1, [1, 1, 1, 1])])
def test_a_chunk_may_be_as_large_as_the_limit_and_not_a_byte_more(less: int, sizes: list[int]) -> None:
    four = [doc(1, "x" * 1_000)] * 4
    chunks = bulk.chunks(four, len(bulk.encode(four[:2])) - less)
    assert [len(chunk) for chunk in chunks] == sizes


def test_a_text_of_which_json_makes_six_times_as_much_does_not_pass_the_limit() -> None:
    two = [Document("cwl-2026.11.24", "\x01" * 200, b"{}", "", ())] * 2
    assert [len(chunk) for chunk in bulk.chunks(two, len(bulk.encode(two)) - 1)] == [1, 1]


def test_a_document_over_the_limit_stands_alone() -> None:
    big = doc(2, "x" * 1_000)
    assert list(bulk.chunks([doc(1), big, doc(3)], 500)) == [[doc(1)], [big], [doc(3)]]


@patient
@given(st.lists(st.sampled_from([201, 400, 404, 409, 429, 503]), min_size=1, max_size=10))
def test_each_item_decides_for_its_own_document(statuses: list[int]) -> None:
    verdicts = {201: "+", 400: "s", 404: "r", 409: "=", 429: "r", 503: "r"}
    found = bulk.outcomes(docs(len(statuses)), reply(*statuses))
    assert [outcome.verdict for outcome in found] == [LETTERS[verdicts[status]] for status in statuses]
