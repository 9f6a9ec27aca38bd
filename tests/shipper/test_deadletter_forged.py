"""Envelopes that somebody else wrote: refused, within bounds, and never with any other error."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper import bulk, deadletter
from shipper.deadletter import BadEnvelope
from tests.shipper.fakes import INDEX, doc, patient
from tests.shipper.test_deadletter import letter_of, text


def body_of(ndjson: bytes) -> str:
    return base64.b64encode(gzip.compress(ndjson)).decode()


def forged(**changes: Any) -> str:
    """A good envelope of one document with some keys changed; those set to None are gone."""
    envelope = {**json.loads(deadletter.pack(letter_of(doc(1)))), **changes}
    return json.dumps({key: value for key, value in envelope.items() if value is not None})


def action(**changes: Any) -> str:
    """The body of a letter with one document whose action is changed."""
    line = json.dumps({"create": {"_index": INDEX, "_id": "1", **changes}}).encode()
    return body_of(line + b'\n{"a":1}\n')


FORGED = [
    pytest.param("", id="empty"),
    pytest.param("hello", id="not JSON"),
    pytest.param("[1]", id="not an object"),
    pytest.param("{}", id="nothing in it"),
    pytest.param("[" * 2_000, id="nested without end"),
    pytest.param(json.dumps({"Records": [{"s3": {}}]}), id="somebody else's message"),
    pytest.param(forged(version=2), id="a version to come"),
    pytest.param(forged(version="1"), id="a version as text"),
    pytest.param(forged(version=None), id="no version"),
    pytest.param(forged(kind="index"), id="unknown kind"),
    pytest.param(forged(kind=["documents"]), id="kind is a list"),
    pytest.param(forged(reason=None), id="no reason"),
    pytest.param(forged(reason={"type": "t"}), id="reason too short"),
    pytest.param(forged(reason={"type": "t", "message": "m", "evil": 1}), id="reason with another key"),
    pytest.param(forged(reason="t"), id="reason is a text"),
    pytest.param(forged(source=None), id="no source"),
    pytest.param(forged(source=[]), id="source is a list"),
    pytest.param(forged(source={"owner": "1"}), id="source too short"),
    pytest.param(forged(count=None), id="no count"),
    pytest.param(forged(count="many"), id="count is a word"),
    pytest.param(forged(count=[1]), id="count is a list"),
    pytest.param(forged(count=0), id="more documents than counted"),
    pytest.param(forged(count=2), id="fewer documents than counted"),
    pytest.param(forged(count=-1), id="negative count"),
    pytest.param(forged(attempts=None), id="no attempts"),
    pytest.param(forged(first_failed_at=None), id="no time"),
    pytest.param(forged(failed_at=5), id="time of the last failure is a number"),
    pytest.param(forged(history={}), id="history is an object"),
    pytest.param(forged(history=["t"]), id="history of texts"),
    pytest.param(forged(history=[{"at": "t"}]), id="history without reasons"),
    pytest.param(forged(history=[{"type": "t", "message": "m", "status": 1, "field": ""}]), id="history without times"),
    pytest.param(forged(ingested_at_ms=-1), id="time of the transform is negative"),
    pytest.param(forged(ingested_at_ms="1"), id="time of the transform is a text"),
    pytest.param(forged(ingested_at_ms=253_402_300_800_000), id="time of the transform that no date can say"),
    pytest.param(forged(body=None), id="no body"),
    pytest.param(forged(body=""), id="empty body"),
    pytest.param(forged(body=5), id="body is a number"),
    pytest.param(forged(body="no base64!"), id="body is not base64"),
    pytest.param(forged(body=body_of(b"")[:8] + "!" + body_of(b"")[8:], count=0), id="base64 with a mark in it"),
    pytest.param(forged(body="é"), id="body is not ASCII"),
    pytest.param(forged(body="aGVsbG8="), id="body is not gzip"),
    pytest.param(forged(body=base64.b64encode(gzip.compress(b"x")[:-4]).decode()), id="gzip cut short"),
    pytest.param(forged(body={"s3_key": 5}), id="pointer is a number"),
    pytest.param(forged(body={"bucket": "mine"}), id="pointer without key"),
    pytest.param(forged(body=body_of(b'{"create":{"_index":"cwl-1","_id":"1"}}')), id="no last newline"),
    pytest.param(forged(body=body_of(b'{"create":{"_index":"cwl-1","_id":"1"}}\n')), id="action without source"),
    pytest.param(forged(body=body_of(b"\n\n")), id="blank lines"),
    pytest.param(
        forged(body=body_of(b'{"create":{"_index":"cwl-1","_id":"1"}}\n{}\n{}\n')), id="three lines and a newline"
    ),
    pytest.param(
        forged(body=body_of(b'{"create":{"_index":"cwl-1","_id":"1"}}\n{}\n{}')), id="a third line without one"
    ),
    pytest.param(forged(body=body_of(b'{"delete":{"_index":"cwl-1","_id":"1"}}\n{}\n')), id="delete"),
    pytest.param(forged(body=body_of(b'{"index":{"_index":"cwl-1","_id":"1"}}\n{}\n')), id="index, which overwrites"),
    pytest.param(forged(body=body_of(b'["create"]\n{}\n')), id="action is a list"),
    pytest.param(forged(body=body_of(b'{"create":"x"}\n{}\n')), id="action's inside is a text"),
    pytest.param(forged(body=body_of(b'{"create":["_index","_id"]}\n{}\n')), id="action's inside is a list"),
    pytest.param(forged(body=body_of(b'{"create":{"_index":"cwl-1"}}\n{}\n')), id="no id"),
    pytest.param(forged(body=body_of(b'{"create":{"_index":"cwl-1","_id":"1"}}\n[1]\n')), id="source is a list"),
    pytest.param(forged(body=body_of(b'{"create":{"_index":"cwl-1","_id":"1"}}\n{"a":\n')), id="source is not JSON"),
    pytest.param(forged(body=action(_index=".opendistro_security")), id="the security index"),
    pytest.param(forged(body=action(_index="other-2026.11.24")), id="another index"),
    pytest.param(forged(body=action(_index="CWL-2026.11.24")), id="another index that looks alike"),
    pytest.param(forged(body=action(_index=["cwl-1"])), id="index is a list"),
    pytest.param(forged(body=action(_id=5)), id="id is a number"),
    pytest.param(forged(body=action(routing="x")), id="another action key"),
    pytest.param(forged(body=action(pipeline="drop")), id="a pipeline"),
    pytest.param(forged(body=action(require_alias=True)), id="another option"),
]


def test_of_a_history_longer_than_we_write_the_latest_ten_are_read() -> None:
    history = [{"type": "t", "message": "m", "status": 1, "field": "", "at": str(number)} for number in range(15)]
    found = deadletter.unpack(forged(history=history)).history
    assert [failure.at for failure in found] == [str(number) for number in range(5, 15)]


@pytest.mark.parametrize("message", FORGED)
def test_a_forged_envelope_is_refused(message: str) -> None:
    """Row 58: whoever can write to the queue must not be able to write anywhere else."""
    with pytest.raises(BadEnvelope):
        deadletter.documents_in(deadletter.unpack(message))


def test_the_envelope_that_the_forgeries_were_made_of_is_good() -> None:
    assert [document.id for document in deadletter.documents_in(deadletter.unpack(forged()))] == ["id-1"]
    assert [document.id for document in deadletter.documents_in(deadletter.unpack(forged(body=action())))] == ["1"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=5,
)
keys = st.sampled_from(
    [
        *("version", "kind", "reason", "source", "count", "attempts", "first_failed_at", "body"),
        *("failed_at", "history", "ingested_at_ms"),
    ]
)


@pytest.mark.parametrize("read", [deadletter.unpack, deadletter.pointer_of])
@patient
@given(text | json_values.map(json.dumps) | st.dictionaries(keys, json_values, max_size=2).map(lambda c: forged(**c)))
def test_no_message_raises_anything_else(read: Callable[[str], Any], message: str) -> None:
    try:
        read(message)
    except BadEnvelope as error:
        assert str(error)  # noqa: PT017 - most messages are refused, some are not


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"reason": {"type": [], "message": "m"}}, id="reason type is a list"),
        pytest.param({"reason": {"type": "t", "message": None}}, id="reason message is null"),
        pytest.param({"source": {"owner": "", "log_group": {}, "log_stream": ""}}, id="log group is an object"),
        pytest.param({"reason": {"type": "t", "message": "m", "status": "400", "field": ""}}, id="status is a text"),
        pytest.param({"attempts": True}, id="attempts is a boolean"),
        pytest.param({"first_failed_at": 5}, id="time is a number"),
    ],
)
def test_an_envelope_with_texts_that_are_none_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(BadEnvelope):
        deadletter.unpack(forged(**changes))


def test_a_gzip_bomb_is_refused() -> None:
    bomb = base64.b64encode(gzip.compress(bytes(2**20)) * 200).decode()
    assert len(bomb) < deadletter.MAX_ENVELOPE_BYTES
    with pytest.raises(BadEnvelope):
        deadletter.unpack(forged(kind="payload", body=bomb))


def test_what_is_said_of_a_forged_envelope_is_bounded() -> None:
    with pytest.raises(BadEnvelope) as raised:
        deadletter.unpack(forged(kind="x" * 100_000))
    assert len(str(raised.value)) <= bulk.MAX_REASON_CHARS
