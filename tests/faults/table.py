"""The fault matrix as data: what can go wrong, what must happen then, and the tests that make it happen."""

from __future__ import annotations

from tests.faults.fault import Fault
from tests.faults.rows_delivery import DELIVERY
from tests.faults.rows_input import INPUT
from tests.faults.rows_queues import QUEUES

TABLE: tuple[Fault, ...] = tuple(sorted((*INPUT, *DELIVERY, *QUEUES), key=lambda fault: fault.number))
NUMBERS = range(1, 65)

_HEAD = """# What can go wrong

Every fault that we know of, what must happen then, what counts it, and the tests that make it happen. This page is
made from `tests/faults/table.py` by `python -m tests.faults`; a test compares the two, and looks for each test that is
named here. A `*` stands for every case whose name begins so. Those below tests/faults check after each delivery that
received = indexed + duplicate + joined + filtered + sampled + requeued + dead_lettered.

"""


def rendered() -> str:
    """The table as the page docs/faults.md."""
    gaps = [fault for fault in TABLE if fault.gap]
    lines = ["| # | fault | what must happen | counted as | tests |", "| --- | --- | --- | --- | --- |"]
    lines += [
        f"| {fault.number} | {fault.fault} | {fault.must} | {fault.counter or 'nothing'} | {_tests(fault)} |"
        for fault in TABLE
    ]
    lines += ["", "## Not built, or not tested here", ""]
    lines += [f"- {fault.number} ({fault.fault}): {fault.gap}" for fault in gaps]
    return _HEAD + "\n".join(lines) + "\n"


def _tests(fault: Fault) -> str:
    if not fault.cases:
        return "none, see below"
    return "<br>".join(f"`{case.replace('|', chr(92) + '|')}`" for case in fault.cases)
