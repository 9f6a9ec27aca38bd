"""How rounds become a row."""

from __future__ import annotations

from tests.bench.delivery import Case, Measured, Side
from tests.bench.worker import Done


def side(*per_s: int) -> Side:
    """One sandbox for each of these, of one second and as many documents."""
    return Side([Done(2 * count, count, took_s=1, under_way_s=0.75, cpu_s=0.5) for count in per_s], engine_s=1)


def test_a_row_has_the_median_of_the_rounds_ratios_and_not_the_ratio_of_medians() -> None:
    case = Case("java", 1_000, 2)
    row = Measured(case, [side(50, 50), side(80, 80), side(90, 90)], [side(100, 100), side(100, 100), side(90, 90)])
    found = row.row()
    assert (found["documents_per_s"], found["ceiling_per_s"]) == (160, 200)
    assert (found["percent"], found["spread"], found["rounds"]) == (80, "50 - 100", 3)
    assert found["percent_waiting"] == 75


def test_cpu_is_that_for_a_thousand_documents() -> None:
    one = side(500, 500)
    assert (one.cpu_ms, one.engine_ms) == (1_000, 500)


def test_each_invocation_at_once_has_events_of_its_own() -> None:
    first, second = Case("java", 1_000, 2).works()
    assert second.first == first.payloads * first.events
