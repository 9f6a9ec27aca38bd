"""The runner of the mutants: what it draws, how it knows a change again, and that its list is of this code."""

from __future__ import annotations

import pytest

from tests.reliability import mutants
from tests.reliability.mutants import EQUAL, MODULES, Change, Place
from tests.reliability.sabotage import ROOT

PLACES = [Place("bulk", "chunks", "core/AddNot", nth, nth) for nth in range(50)]


def test_a_sample_is_drawn_once_in_order_and_the_same_for_the_same_seed() -> None:
    drawn = mutants.sampled(PLACES, 10, seed=1)
    assert len(drawn) == 10
    assert drawn == sorted(set(drawn), key=PLACES.index)
    assert drawn == mutants.sampled(PLACES, 10, seed=1)
    assert drawn != mutants.sampled(PLACES, 10, seed=2)


@pytest.mark.parametrize("size", [None, 50, 51])
def test_all_are_tried_where_the_sample_is_not_smaller(size: int | None) -> None:
    assert mutants.sampled(PLACES, size, seed=1) == PLACES


BEFORE = "def f(a):\n    if a > 1:\n        return a\n    return 1\n"
CHANGED = {
    "an operator": (BEFORE.replace(">", ">="), "if a > 1:", "if a >= 1:"),
    "the second of two equal numbers": (BEFORE.replace("return 1", "return  2"), "return 1", "return  2"),
    "two lines": (BEFORE.replace("a > 1:\n        return a", "[]"), "if a > 1:\nreturn a", "if []"),
}


@pytest.mark.parametrize(("after", "gone", "come"), CHANGED.values(), ids=CHANGED)
def test_a_change_is_the_lines_that_differ(after: str, gone: str, come: str) -> None:
    assert mutants.changed(PLACES[0], BEFORE, after) == Change("bulk", "chunks", gone, come)


def test_a_change_is_the_same_where_lines_above_it_were_added() -> None:
    after = BEFORE.replace(">", "<")
    assert mutants.changed(PLACES[0], "\n" * 9 + BEFORE, "\n" * 9 + after) == mutants.changed(PLACES[0], BEFORE, after)


ENTRY = "[[equal]]\nmodule = 'bulk'\nwhere = 'chunks'\nwhy = 'w'\nbefore = 'x > 1'\nafter = ['x > 2', 'x >= 1']\n"


def test_an_entry_of_the_list_stands_for_all_its_changes() -> None:
    listed = mutants.equal(ENTRY)
    assert listed == {Change("bulk", "chunks", "x > 1", "x > 2"), Change("bulk", "chunks", "x > 1", "x >= 1")}


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        pytest.param(ENTRY.replace("'w'", "''"), "no reason for x > 1", id="no reason"),
        pytest.param(ENTRY + ENTRY, "listed twice", id="listed twice"),
    ],
)
def test_a_list_that_cannot_be_meant_is_refused(toml: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        mutants.equal(toml)


def test_what_is_listed_is_still_in_the_code() -> None:
    """A full run tells of all that is stale; this sees most of it at once."""
    listed = mutants.equal(EQUAL.read_text("utf-8"))
    lines = {
        module: {
            line.strip() for line in (ROOT / "lambdas" / "shipper" / f"{module}.py").read_text("utf-8").splitlines()
        }
        for module in MODULES
    }
    gone = [str(change) for change in listed if not set(change.before.splitlines()) <= lines[change.module]]
    assert gone == []


SEEN, LISTED, MISSED = (Change("bulk", "chunks", "x", after) for after in ("seen", "listed", "missed"))


@pytest.mark.parametrize(
    ("drawn", "survived", "figures"),
    [
        pytest.param([SEEN], [], "1 mutants, 1 seen, 0 equal, 0 not seen", id="seen"),
        pytest.param([LISTED], [LISTED], "1 mutants, 0 seen, 1 equal, 0 not seen", id="listed"),
        pytest.param([LISTED], [], "1 mutants, 0 seen, 1 equal, 0 not seen", id="listed and not tried"),
        pytest.param([MISSED], [MISSED], "1 mutants, 0 seen, 0 equal, 1 not seen", id="missed"),
        pytest.param(
            [SEEN, SEEN, LISTED, MISSED], [LISTED, MISSED], "4 mutants, 2 seen, 1 equal, 1 not seen", id="each"
        ),
    ],
)
def test_a_mutant_counts_as_seen_as_equal_or_as_missed(
    drawn: list[Change], survived: list[Change], figures: str
) -> None:
    assert mutants.counted("bulk", drawn, survived, {LISTED}) == f"bulk: {figures}"
    assert mutants.counted("model", drawn, survived, {LISTED}).startswith("model: 0 mutants")
