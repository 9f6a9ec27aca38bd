from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from shipper import metrics
from shipper.model import Outcome, Reason, Verdict
from shipper.ship import Delivery
from tests.shipper.fakes import NOW_MS, batch_of, doc, docs
from tests.shipper.test_bulk import EXPECTED, outcomes_of


def test_every_name_says_its_unit() -> None:
    names = {*metrics.BY_SERVICE, *metrics.BY_LOG_GROUP, *metrics.BY_ERROR_TYPE, *metrics.OF_CANARY}
    units = {name: metrics.unit(name) for name in names}
    assert {name for name, unit in units.items() if unit == "Bytes"} == {"sent_bytes", "stripped_bytes"}
    ages = {"newest_event_age_ms", "canary_age_ms"}
    assert {name for name, unit in units.items() if unit == "Milliseconds"} == {"bulk_ms", *ages}
    assert set(units.values()) == {"Bytes", "Milliseconds", "Count"}


def test_the_ledger_and_what_is_measured_beside_it_are_all_there_is_of_the_service() -> None:
    measured = [*metrics.of_delivery(Delivery()), *metrics.of_batch(batch_of(docs(1)))]
    assert sorted([*metrics.LEDGER_TERMS, *measured]) == sorted(metrics.BY_SERVICE)


def test_a_delivery_is_measured() -> None:
    delivery = Delivery(rescued=1, retried=Counter(a=2, b=3), bodies_bytes=[10, 20], bulk_ms=7)
    assert metrics.of_delivery(delivery) == {"rescued": 1, "retried": 5, "sent_bytes": 30, "bulk_ms": 7}


def test_secrets_and_stripped_bytes_of_a_batch_are_measured() -> None:
    batch = replace(batch_of(docs(1)), stripped_bytes=9, redacted={"email": 2, "secret": 1})
    assert metrics.of_batch(batch) == {"stripped_bytes": 9, "redacted": 3}


@pytest.mark.parametrize("name", [name for name, letters in EXPECTED.items() if "r" in letters])
def test_every_error_that_an_engine_was_seen_to_make_us_retry_has_a_name(name: str) -> None:
    retried = Counter(o.reason.type for o in outcomes_of(name) if o.verdict is Verdict.RETRY and o.reason)
    assert metrics.by_error_type(retried) == retried
    assert retried


def test_what_an_engine_or_a_proxy_makes_up_is_one_value_of_the_dimension() -> None:
    made_up = {f"{number}_exception": 1 for number in range(1_000)}
    assert metrics.by_error_type({**made_up, "http_999": 2, "unreachable": 3}) == {"other": 1_002, "unreachable": 3}


def failed(number: int, verdict: Verdict) -> Outcome:
    return Outcome(doc(number), verdict, Reason("t", "m"))


FRESH = [
    pytest.param(Delivery(indexed=3), {"newest_event_age_ms": 8_000}, id="all of it there"),
    pytest.param(
        Delivery(indexed=2, waiting=[failed(2, Verdict.RETRY)]), {"newest_event_age_ms": 9_000}, id="the newest waits"
    ),
    pytest.param(
        Delivery(indexed=2, dead=[failed(2, Verdict.DEAD)]), {"newest_event_age_ms": 9_000}, id="the newest is refused"
    ),
    pytest.param(Delivery(waiting=[failed(n, Verdict.RETRY) for n in range(3)]), {}, id="nothing was taken"),
]


@pytest.mark.parametrize(("delivery", "expected"), FRESH)
def test_freshness_is_the_age_of_the_newest_event_that_can_be_found(
    delivery: Delivery, expected: dict[str, int]
) -> None:
    assert metrics.freshness(batch_of(docs(3)), delivery, NOW_MS + 10_000) == expected


def test_an_event_from_the_future_is_fresh() -> None:
    assert metrics.freshness(batch_of(docs(3)), Delivery(), NOW_MS) == {"newest_event_age_ms": 0}


def test_of_a_batch_without_documents_nothing_is_fresh() -> None:
    assert metrics.freshness(batch_of([]), Delivery(), NOW_MS) == {}
