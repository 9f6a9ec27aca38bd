from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from shipper.cost import (
    MONTH_DAYS,
    PRICES,
    UnknownPrice,
    Workload,
    bill,
    levers,
    prices,
    problems,
    total,
)

USD = prices({})
LOAD = Workload(gb_per_day=10, instance_type="t3.medium.search")
LARGE = replace(
    LOAD, gb_per_day=50, instance_type="or2.large.search", instances=3, masters=3, replicas=1, index_days=90
)


def costs(load: Workload, **changed: float) -> dict[str, float]:
    return {line.item: line.usd for line in bill(load, prices(changed))}


LINES: dict[str, tuple[Workload, str, float]] = {
    "taken in": (LOAD, "CloudWatch takes it in", 10 * MONTH_DAYS * 0.50),
    "kept": (LOAD, "CloudWatch keeps it", 10 * 30 * 0.15 * 0.03),
    "one node": (LOAD, "domain's nodes", 730 * 0.073),
    "nodes and masters": (LARGE, "domain's nodes", 730 * (3 * 0.200 + 3 * 0.135)),
    "volumes": (
        replace(LOAD, event_bytes=500, index_bytes=250, replicas=1),
        "domain's volumes",
        10 * 30 * 0.5 * 2 / 0.76 * 0.122,
    ),
    "volumes of what is left": (
        replace(LOAD, event_bytes=500, index_bytes=250, indexed=0.5),
        "domain's volumes",
        10 * 30 * 0.25 / 0.76 * 0.122,
    ),
    "managed storage, once": (
        replace(LARGE, event_bytes=500, index_bytes=250),
        "domain's managed storage",
        50 * 90 * 0.5 * 0.024,
    ),
    "polls": (LOAD, "queues", 5 * 730 * 3600 / 20 / 1e6 * 0.40),
    "bucket": (LOAD, "bucket", 10 * 0.0001 * 14 * 0.023),
}


@pytest.mark.parametrize(("load", "item", "usd"), LINES.values(), ids=LINES)
def test_a_line_is_its_formula(load: Workload, item: str, usd: float) -> None:
    assert costs(load)[item] == pytest.approx(usd)


def test_the_functions_run_for_cpu_and_for_waiting() -> None:
    """A million payloads of 1,000 events, with 1 GiB: CPU for each event, one wait for each payload."""
    million = 1e6 * 1_000 * 500 / 1e9 / MONTH_DAYS
    load = replace(LOAD, gb_per_day=million, event_bytes=500, events_per_payload=1_000, memory_mib=1_024)
    run_s = 1_000 * 19.4e-6 / (1_024 / 1_769) + 0.049
    assert load.payloads == pytest.approx(1e6)
    assert costs(load)["functions"] == pytest.approx(0.20 + 1e6 * run_s * 0.0000133334)


def test_more_than_a_core_makes_a_payload_no_faster() -> None:
    whole, more = (costs(replace(LOAD, memory_mib=size), lambda_requests=0)["functions"] for size in (1_769, 3_538))
    assert more == pytest.approx(2 * whole)


def test_only_some_nodes_have_managed_storage() -> None:
    assert "domain's managed storage" not in costs(LOAD)


def test_the_sum_is_of_all_lines() -> None:
    assert total(bill(LOAD, USD)) == pytest.approx(sum(costs(LOAD).values()))


GROWS: dict[str, Callable[[Workload], Workload]] = {
    "more logs": lambda load: replace(load, gb_per_day=load.gb_per_day * 2),
    "longer in CloudWatch": lambda load: replace(load, log_days=2 * load.log_days),
    "longer in the domain": lambda load: replace(load, index_days=2 * load.index_days),
    "copies": lambda load: replace(load, replicas=load.replicas + 1),
    "nodes": lambda load: replace(load, instances=load.instances + 1),
    "smaller payloads": lambda load: replace(load, events_per_payload=10),
    "larger documents": lambda load: replace(load, index_bytes=600),
}


@pytest.mark.parametrize("load", [LOAD, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("change", GROWS.values(), ids=GROWS)
def test_more_of_anything_costs_more(load: Workload, change: Callable[[Workload], Workload]) -> None:
    assert total(bill(change(load), USD)) > total(bill(load, USD))


def saved(load: Workload) -> dict[str, float]:
    return {lever.change: lever.usd for lever in levers(load, USD)}


def test_a_lever_saves_what_the_bill_is_less() -> None:
    less = total(bill(LARGE, USD)) - total(bill(replace(LARGE, replicas=0), USD))
    assert saved(LARGE)["one copy less of each index"] == pytest.approx(less)


def test_the_largest_lever_is_first_and_the_impossible_one_last() -> None:
    *found, impossible = levers(LARGE, USD)
    assert [lever.usd for lever in found] == sorted((lever.usd for lever in found), reverse=True)
    assert impossible.usd > found[-1].usd
    assert "impossible" in impossible.catch


@pytest.mark.parametrize(
    ("load", "change"),
    [
        (replace(LOAD, log_days=7), "CloudWatch for 7 days"),
        (replace(LOAD, log_days=3), "CloudWatch for 7 days"),
        (LOAD, "one copy less of each index"),
        (LOAD, "Fluentd leaves metadata out, as in k8s/"),
        (replace(LOAD, index_days=1), "indices for half as long"),
    ],
    ids=["7 days already", "less already", "no copy", "lean already", "a day already"],
)
def test_what_changes_nothing_is_no_lever(load: Workload, change: str) -> None:
    assert change not in saved(load)


def test_lean_records_save_what_cloudwatch_does_not_get() -> None:
    """The index has the same documents: half the bytes of an event are half the GB, and the same number of events."""
    load = replace(LOAD, event_bytes=950)
    assert saved(load)["Fluentd leaves metadata out, as in k8s/"] == pytest.approx(
        costs(load)["CloudWatch takes it in"] / 2 + costs(load)["CloudWatch keeps it"] / 2 + costs(load)["bucket"] / 2
    )


def test_sampling_does_not_touch_what_cloudwatch_takes() -> None:
    assert saved(LOAD)["filters and sampling leave out a quarter"] == pytest.approx(costs(LOAD)["domain's volumes"] / 4)


def test_the_cheaper_log_class_is_named_as_impossible() -> None:
    (infrequent,) = (lever for lever in levers(LOAD, USD) if "Infrequent" in lever.change)
    assert infrequent.usd == pytest.approx(10 * MONTH_DAYS * 0.25)
    assert "no subscription filters" in infrequent.catch


def test_prices_can_be_changed_and_types_added() -> None:
    changed = prices({"logs_ingest": 1.0, "x9.large.search": 2.0})
    assert changed["logs_ingest"] == 1.0
    assert changed["logs_storage"] == PRICES["logs_storage"].usd
    assert total(bill(replace(LOAD, instance_type="x9.large.search"), changed)) > 2.0 * 730


@pytest.mark.parametrize(
    "raises",
    [
        lambda: prices({"logs_ingset": 1.0}),
        lambda: bill(replace(LOAD, instance_type="x9.large.search"), USD),
        lambda: bill(replace(LOAD, masters=3, master_type="x9.large.search"), USD),
    ],
    ids=["a name", "a type", "a master's type"],
)
def test_an_unknown_price_is_named(raises: Callable[[], Any]) -> None:
    with pytest.raises(UnknownPrice, match=r"logs_ingset|x9\.large\.search"):
        raises()


@pytest.mark.parametrize(
    ("load", "count"),
    [
        (replace(LOAD, gb_per_day=6), 0),
        (replace(LOAD, gb_per_day=6, instance_type="t3.small.search"), 1),
        (replace(LOAD, gb_per_day=20), 1),
        (replace(LOAD, gb_per_day=20, instances=10), 0),
        (replace(LOAD, gb_per_day=20, instance_type="r7g.large.search"), 0),
    ],
    ids=["fits", "a smaller type", "too much", "fits many", "a type whose limit is not known"],
)
def test_a_node_that_is_too_small_is_named(load: Workload, count: int) -> None:
    found = problems(load)
    assert len(found) == count
    assert all(f"{load.instance_type} takes" in problem for problem in found)


def test_every_price_has_its_page() -> None:
    assert all(price.page.startswith("https://") and price.unit and price.usd > 0 for price in PRICES.values())
