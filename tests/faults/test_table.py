"""The fault matrix is whole, every test that it names is there, and the page about it is up to date."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.faults.__main__ import PAGE
from tests.faults.fault import Fault
from tests.faults.table import NUMBERS, TABLE, rendered

ROOT = PAGE.parents[1]
CASES = sorted({case for fault in TABLE for case in fault.cases})


@pytest.fixture(scope="module")
def collected() -> set[str]:
    """The node ids of every test in the files that the table names, as pytest finds them."""
    files = sorted({case.split("::")[0] for case in CASES})
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:randomly", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, "-o", "addopts=--import-mode=importlib", *files],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2_000:]
    return set(done.stdout.splitlines())


def names(case: str, node: str) -> bool:
    """Whether a case of the table names this test."""
    return node.startswith(case[:-1]) if case.endswith("*") else case in (node, node.split("[", maxsplit=1)[0])


def test_the_numbers_are_complete() -> None:
    assert [fault.number for fault in TABLE] == list(NUMBERS)


@pytest.mark.parametrize("fault", TABLE, ids=lambda fault: str(fault.number))
def test_a_fault_has_a_test_or_a_reason(fault: Fault) -> None:
    assert fault.fault
    assert fault.must
    assert fault.cases or fault.gap


def test_every_test_that_is_named_is_there(collected: set[str]) -> None:
    assert [case for case in CASES if not any(names(case, node) for node in collected)] == []


def test_every_case_that_is_numbered_belongs_to_its_row(collected: set[str]) -> None:
    """A case whose name begins with a number is one of that row, and named there."""
    stray = []
    for node in collected:
        if node.startswith("tests/faults/") and (number := re.search(r"\[(?P<row>\d\d) ", node)):
            fault = TABLE[int(number["row"]) - 1]
            if not any(names(case, node) for case in fault.cases):
                stray.append(node)
    assert [node for node in stray if "test_each_event_keeps_an_id_of_its_own" not in node] == []


def test_the_page_is_that_of_the_table() -> None:
    assert PAGE.read_text("utf-8") == rendered(), "write it anew: python -m tests.faults"


def test_a_test_that_is_not_there_is_found(collected: set[str]) -> None:
    assert not any(names("tests/faults/test_table.py::test_nothing", node) for node in collected)
    assert not any(
        names("tests/faults/test_replies.py::test_only_what_is_not_safe_is_sent_again[99 *", node) for node in collected
    )
