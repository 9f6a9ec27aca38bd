"""One row of the fault matrix."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault and its proof.

    - `must`: what must happen; `counter`: the term of the ledger or the metric that shows it.
    - `cases`: node ids of the tests that make it happen: a function, one case of it, or with a `*` at the end all
      whose id begins so.
    - `gap`: what is not built or cannot be tested here, and why; without `cases` there has to be one.
    """

    number: int
    fault: str
    must: str
    counter: str = ""
    cases: tuple[str, ...] = ()
    gap: str = ""


def cases(file: str, *names: str) -> tuple[str, ...]:
    """Node ids of one file below tests/."""
    return tuple(f"tests/{file}.py::{name}" for name in names)
