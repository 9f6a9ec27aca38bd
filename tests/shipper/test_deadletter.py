from __future__ import annotations

import base64
import gzip
import json
import random
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper import bulk, deadletter
from shipper.model import Batch, DeadLetter, Document, Failure, Outcome, Reason, Source, Verdict
from tests.shipper.fakes import REFUSED, SOURCE, doc, docs, patient

AT = "2026-11-24T12:00:00Z"
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
hostile = st.text(max_size=40)
reasons = st.builds(Reason, type=text, message=text, status=st.integers(0, 599), field=text)
letters = st.builds(
    DeadLetter,
    kind=st.sampled_from(["documents", "payload"]),
    reason=reasons,
    source=st.builds(Source, owner=text, log_group=text, log_stream=text),
    count=st.integers(0, 10**6),
    body=st.binary(max_size=2_000),
    first_event_at=text,
    last_event_at=text,
    first_failed_at=text,
    attempts=st.integers(1, 10**6),
    failed_at=text,
    history=st.lists(st.builds(Failure, reasons, text), max_size=10).map(tuple),
    ingested_at_ms=st.integers(0, 253_402_300_799_999),
)


def letter_of(*documents: Document, reason: Reason = REFUSED) -> DeadLetter:
    return deadletter.of_documents(documents, reason, SOURCE, failed_at=AT, attempts=1)


def refused(document: Document, type_: str = "t", field: str = "", message: str = "m") -> Outcome:
    return Outcome(document, Verdict.DEAD, Reason(type_, message, 400, field))


def without_previews(letter: DeadLetter) -> DeadLetter:
    return replace(
        letter,
        reason=replace(letter.reason, message=bulk.bounded(letter.reason.message)),
        history=tuple(
            replace(failure, reason=replace(failure.reason, message=bulk.bounded(failure.reason.message)))
            for failure in letter.history
        ),
    )


@patient
@given(letters)
def test_a_letter_comes_back_as_it_was_packed(letter: DeadLetter) -> None:
    assert deadletter.unpack(deadletter.pack(letter)) == without_previews(letter)


@patient
@given(letters)
def test_a_letter_comes_back_by_its_pointer_and_body(letter: DeadLetter) -> None:
    message = deadletter.pack_pointer(letter, "letters/1.gz")
    assert deadletter.pointer_of(message) == "letters/1.gz"
    assert deadletter.unpack(message, gzip.compress(letter.body)) == without_previews(letter)
    assert deadletter.pointer_of(deadletter.pack(letter)) == ""


@patient
@given(hostile, hostile, hostile)
def test_an_envelope_is_ascii_without_control_characters(type_: str, message: str, log_group: str) -> None:
    """SQS refuses all else (trap 3); moto would not."""
    reason = Reason(type_, message + "\x00\x1b[31m\ud800", 400, "\u009b")
    letter = DeadLetter("documents", reason, Source("", log_group, "\udfff"), 0, b"\x00\xff")
    assert re.fullmatch(r"[\x20-\x7f]*", deadletter.pack(letter))
    assert deadletter.unpack(deadletter.pack(letter)).body == letter.body


@patient
@given(st.lists(st.builds(doc, st.integers(0, 10**9), text), min_size=1, max_size=10))
def test_the_documents_of_a_letter_come_back_byte_for_byte(documents: list[Document]) -> None:
    found = deadletter.documents_in(deadletter.unpack(deadletter.pack(letter_of(*documents))))
    assert bulk.encode(found) == bulk.encode(documents)
    assert [document.timestamp for document in found] == [document.timestamp for document in documents]


def test_an_envelope_is_versioned_and_says_all_but_the_content() -> None:
    envelope = json.loads(deadletter.pack(letter_of(doc(7), doc(3))))
    body = gzip.decompress(base64.b64decode(envelope.pop("body")))
    assert body == bulk.encode([doc(7), doc(3)])
    assert envelope == {
        "version": 1,
        "kind": "documents",
        "reason": {"type": REFUSED.type, "status": 400, "field": "n", "message": REFUSED.message},
        "source": {
            "owner": SOURCE.owner,
            "log_group": SOURCE.log_group,
            "log_stream": SOURCE.log_stream,
            "first_event_at": doc(3).timestamp,
            "last_event_at": doc(7).timestamp,
        },
        "count": 2,
        "attempts": 1,
        "first_failed_at": AT,
    }


def test_the_same_letter_packs_to_the_same_bytes() -> None:
    assert deadletter.pack(letter_of(doc(1))) == deadletter.pack(letter_of(doc(1)))


def test_documents_with_the_same_reason_and_field_share_a_letter() -> None:
    found = deadletter.of_outcomes(
        [
            refused(doc(1), "a"),
            refused(doc(2), "b"),
            refused(doc(3), "a", "f"),
            refused(doc(4), "a", message="other words"),
            replace(refused(doc(5)), reason=None),
        ],
        SOURCE,
        failed_at=AT,
    )
    assert {(x.reason.type, x.reason.field): [d.id for d in deadletter.documents_in(x)] for x in found} == {
        ("a", ""): ["id-1", "id-4"],
        ("a", "f"): ["id-3"],
        ("b", ""): ["id-2"],
        ("unknown", ""): ["id-5"],
    }


@patient
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 300_000)), max_size=12))
def test_letters_hold_each_failed_document_once_and_stay_bounded(failed: list[tuple[str, int]]) -> None:
    outcomes = [refused(doc(number, "x" * size), type_) for number, (type_, size) in enumerate(failed)]
    found = deadletter.of_outcomes(outcomes, SOURCE, failed_at=AT)
    held = [document.id for letter in found for document in deadletter.documents_in(letter)]
    assert sorted(held) == sorted(outcome.document.id for outcome in outcomes)
    assert all(letter.count == 1 or len(letter.body) <= 512 * 1024 for letter in found)


def test_a_letter_of_what_does_not_compress_fits_a_message() -> None:
    rng = random.Random(1)
    failed = [refused(doc(n, rng.randbytes(20_000).hex()), message="\U0001f600" * 5_000) for n in range(40)]
    found = deadletter.of_outcomes(failed, SOURCE, failed_at=AT)
    assert len(found) > 1
    assert max(len(deadletter.pack(letter)) for letter in found) <= deadletter.MAX_ENVELOPE_BYTES


def test_a_pointer_always_fits_a_message() -> None:
    letter = letter_of(doc(1), reason=replace(REFUSED, field="k" * 1_100_000))
    assert len(deadletter.pack_pointer(letter, "letters/1.gz")) <= deadletter.MAX_ENVELOPE_BYTES


TOO_LONG = "\U0001f600" * 1_100_000


@pytest.mark.parametrize(
    "letter",
    [
        pytest.param({"reason": Reason(TOO_LONG, TOO_LONG, 400, TOO_LONG)}, id="reason"),
        pytest.param({"source": Source(TOO_LONG, TOO_LONG, TOO_LONG)}, id="source"),
        pytest.param({"first_event_at": TOO_LONG, "last_event_at": TOO_LONG, "first_failed_at": TOO_LONG}, id="times"),
        pytest.param({"history": (Failure(Reason(TOO_LONG, TOO_LONG, 400, TOO_LONG), TOO_LONG),) * 50}, id="history"),
    ],
)
def test_no_text_of_a_letter_makes_its_pointer_too_large(letter: dict[str, Any]) -> None:
    message = deadletter.pack_pointer(replace(letter_of(doc(1)), **letter), "letters/1.gz")
    assert len(message) <= deadletter.MAX_ENVELOPE_BYTES
    assert deadletter.unpack(message, gzip.compress(letter_of(doc(1)).body)).body == letter_of(doc(1)).body


def test_a_quoted_value_does_not_get_into_an_envelope() -> None:
    reason = Reason("t", "failed to parse field [n]. Preview of field's value: 'hunter2'")
    assert "hunter2" not in deadletter.pack(letter_of(doc(1), reason=reason))


@pytest.mark.parametrize("event", [None, 1, "text", [], {"a": "\ud800\x00é"}, {"awslogs": {"data": "%%%"}}])
def test_a_payload_letter_holds_the_event_as_received(event: Any) -> None:
    letter = deadletter.of_payload(event, Reason("bad_input", "m"), failed_at=AT)
    found = deadletter.unpack(deadletter.pack(letter))
    assert found == letter
    assert (found.kind, found.count) == ("payload", 1)
    assert json.loads(found.body) == event


def test_again_counts_the_tries_and_keeps_when_it_first_failed() -> None:
    before = replace(letter_of(doc(1)), first_failed_at="first", attempts=4)
    (found,) = deadletter.again([letter_of(doc(1), reason=Reason("new", "m"))], before)
    assert (found.first_failed_at, found.attempts, found.reason.type) == ("first", 5, "new")


def test_a_history_keeps_the_latest_ten_and_the_number_of_all() -> None:
    letter = letter_of(doc(0), reason=Reason("0", "m"))
    for number in range(1, 13):
        again = deadletter.of_documents([doc(0)], Reason(str(number), "m"), SOURCE, failed_at=f"t{number}", attempts=1)
        (letter,) = (deadletter.unpack(deadletter.pack(found)) for found in deadletter.again([again], letter))
    assert (letter.reason.type, letter.failed_at, letter.first_failed_at, letter.attempts) == ("12", "t12", AT, 13)
    assert [(failure.reason.type, failure.at) for failure in letter.history] == [
        (str(n), f"t{n}") for n in range(2, 12)
    ]


def test_what_failed_again_has_a_history_of_ten_before_it_is_written() -> None:
    before = replace(letter_of(doc(1)), history=tuple(Failure(REFUSED, str(number)) for number in range(10)))
    (found,) = deadletter.again([letter_of(doc(1))], before)
    assert [failure.at for failure in found.history] == [*(str(number) for number in range(1, 10)), AT]


def test_a_history_holds_no_value_that_a_reason_quoted() -> None:
    reason = Reason("t", "failed to parse field [n]. Preview of field's value: 'hunter2'")
    (again,) = deadletter.again([letter_of(doc(1))], letter_of(doc(1), reason=reason))
    assert "hunter2" not in deadletter.pack(again)


def test_a_full_letter_with_a_full_history_fits_a_message() -> None:
    rng = random.Random(1)
    body = rng.randbytes(512 * 1024)
    failure = Failure(Reason(TOO_LONG, TOO_LONG, 400, TOO_LONG), TOO_LONG)
    letter = replace(letter_of(doc(1)), body=body, reason=failure.reason, history=(failure,) * 10)
    assert len(deadletter.pack(letter)) <= deadletter.MAX_ENVELOPE_BYTES


def test_documents_of_a_letter_keep_their_order() -> None:
    sent = docs(50)
    assert [document.id for document in deadletter.documents_in(letter_of(*sent))] == [d.id for d in sent]


@pytest.mark.parametrize(
    ("numbers", "first", "last"),
    [
        pytest.param([7], 7, 7, id="one"),
        pytest.param([7, 3], 3, 7, id="two"),
        pytest.param([5, 3, 9, 7], 3, 9, id="four, in no order"),
    ],
)
def test_a_letter_tells_the_time_of_its_first_and_of_its_last_event(numbers: list[int], first: int, last: int) -> None:
    documents = [doc(number) for number in numbers]
    batch = Batch(SOURCE, len(documents), tuple(documents))
    for letter in (
        letter_of(*documents),
        deadletter.of_batch({}, batch, REFUSED, failed_at=AT),
    ):
        assert (letter.first_event_at, letter.last_event_at) == (doc(first).timestamp, doc(last).timestamp)


def test_a_letter_of_what_was_refused_counts_its_first_try_and_says_what_was_said_first() -> None:
    outcomes = [refused(doc(1), message="first"), refused(doc(2), message="second")]
    (letter,) = deadletter.of_outcomes(outcomes, SOURCE, failed_at=AT)
    assert (letter.attempts, letter.reason.message) == (1, "first")


def test_of_a_history_only_the_latest_ten_are_written() -> None:
    history = tuple(Failure(REFUSED, str(number)) for number in range(15))
    again = deadletter.unpack(deadletter.pack(replace(letter_of(doc(1)), history=history)))
    assert [failure.at for failure in again.history] == [str(number) for number in range(5, 15)]
    written = json.loads(deadletter.pack(replace(letter_of(doc(1)), history=history)))["history"]
    assert [entry["at"] for entry in written] == [str(number) for number in range(5, 15)]


def test_the_last_moment_that_a_date_can_say_is_a_time() -> None:
    letter = replace(letter_of(doc(1)), ingested_at_ms=253_402_300_799_999)
    assert deadletter.unpack(deadletter.pack(letter)).ingested_at_ms == 253_402_300_799_999
