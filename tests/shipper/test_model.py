"""The ledger: received is the sum of all other terms, or the invocation fails."""

from __future__ import annotations

from dataclasses import replace

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper.model import (
    Batch,
    DeadLetter,
    Document,
    Ledger,
    LedgerImbalance,
    LogEvent,
    Metadata,
    Reason,
    Record,
    Source,
)
from tests.shipper.fakes import patient

TERMS = ("indexed", "duplicate", "joined", "filtered", "sampled", "requeued", "dead_lettered")

counts = st.integers(0, 10_000)
balanced = st.lists(counts, min_size=7, max_size=7).map(
    lambda terms: Ledger(received=sum(terms), **dict(zip(TERMS, terms, strict=True)))
)


def test_an_empty_ledger_is_balanced() -> None:
    Ledger().assert_balanced()


@pytest.mark.parametrize("term", TERMS)
def test_each_term_accounts_for_what_was_received(term: str) -> None:
    Ledger(**{"received": 3, term: 3}).assert_balanced()


@pytest.mark.parametrize("term", ["received", *TERMS])
def test_one_event_too_many_in_any_term_is_an_imbalance(term: str) -> None:
    ledger = Ledger(27, 2, 3, 4, 5, 6, 7)
    ledger.assert_balanced()
    with pytest.raises(LedgerImbalance):
        replace(ledger, **{term: getattr(ledger, term) + 1}).assert_balanced()


def test_the_imbalance_says_what_was_counted() -> None:
    with pytest.raises(LedgerImbalance, match=r"received 3 events, accounted for 2: .*'indexed': 2"):
        Ledger(received=3, indexed=2).assert_balanced()


def test_terms_begin_with_what_was_received() -> None:
    assert list(Ledger(*range(1, 9)).terms().items()) == list(zip(("received", *TERMS), range(1, 9), strict=True))


@hypothesis.settings(patient, max_examples=50)
@given(balanced, balanced)
def test_balanced_ledgers_add_up_to_a_balanced_one(one: Ledger, other: Ledger) -> None:
    both = one + other
    both.assert_balanced()
    assert both.terms() == {name: count + other.terms()[name] for name, count in one.terms().items()}


def test_a_batch_counts_the_events_that_went_into_anothers_document() -> None:
    documents = (
        Document("cwl-2026.11.24", "1", b"{}", "", ("1", "2", "3")),
        Document("cwl-2026.11.24", "4", b"{}", "", ("4",)),
    )
    assert Batch(Source("o", "g", "s"), 4, documents).joined == 2
    assert Batch(Source("o", "g", "s"), 5, documents, filtered=1).joined == 2


def test_what_is_not_told_is_nothing() -> None:
    reason, source = Reason("t", "m"), Source("o", "g", "s")
    assert (reason.status, reason.field) == (0, "")
    batch = Batch(source, 1, ())
    assert (batch.filtered, batch.sampled, batch.stripped_bytes, batch.ingested_at_ms) == (0, 0, 0, 0)
    record = Record(LogEvent("1", 0, "x"), {}, "x", "x")
    assert (record.partial, record.part, record.headless, record.stripped_bytes) == (False, 0, False, 0)
    metadata = Metadata({}, None)
    assert (metadata.field_count, metadata.stripped_bytes) == (0, 0)
    letter = DeadLetter("documents", reason, source, 1, b"")
    assert (letter.attempts, letter.ingested_at_ms) == (1, 0)
