"""Small changes to the code, one at a time, each of which a test should see: `make mutants`, `make mutants-sample`.

cosmic-ray makes the changes; for each, a fork of this process runs the mirrored tests on the changed source, which is
never written to disk. Told is what survives and is not in `equal_mutants.toml`, with the reason why no test can see it.
docs/reliability.md has the figures of a full run.
"""

from __future__ import annotations

import contextlib
import difflib
import gc
import io
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tomllib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import click
import hypothesis
import pytest
from rich.console import Console

from tests.reliability.sabotage import ROOT

MODULES = {
    "model": ("test_model.py",),
    "bulk": ("test_bulk.py",),
    "deadletter": ("test_deadletter.py", "test_deadletter_forged.py"),
    "multiline": ("test_multiline.py",),
}
"""The ledger, the table of verdicts, the envelope of letters, the joiner; the tests that mirror them."""

EQUAL = Path(__file__).with_name("equal_mutants.toml")

_PYTHON = ROOT / ".venv-mutants" / "bin" / "python"
_POINTLESS = (
    "core/ReplaceBinaryOperator_BitOr_.*",  # nobody evaluates `int | None`
    "core/ReplaceBinaryOperator_(?!Add_Sub|Sub_Add|Mul_FloorDiv|Mod_Mul)[A-Z].*",  # one wrong sum is as good as ten
    "core/ReplaceComparisonOperator_(Eq|NotEq|Lt|LtE|Gt|GtE)_Is(Not)?",
    "core/ReplaceComparisonOperator_Is(Not)?_(?!Is)[A-Z].*",
    "core/RemoveDecorator",
    "core/Variable.*",
)
_TO_READERS = "@dataclass("
"""Whether a class is frozen or has slots changes no outcome: it is there for who reads, and for speed."""

_TEST_CPU_S = 10.0
"""Of one test: what takes longer goes round in a loop, and counts as seen. The longest takes two seconds."""

_MEMORY_BYTES = 4 * 2**30
"""Of one run, for the loops that collect something."""


@dataclass(frozen=True)
class Place:
    """Something to change: the `nth` place of the module at which `operator` can; `where` is the function or class."""

    module: str
    where: str
    operator: str
    nth: int
    line: int


class Change(NamedTuple):
    """The lines that differ, without their indent: no line number, so that it is the same after edits elsewhere."""

    module: str
    where: str
    before: str
    after: str

    def __str__(self) -> str:
        lines = [
            *(f"- {line}" for line in self.before.splitlines()),
            *(f"+ {line}" for line in self.after.splitlines()),
        ]
        return "\n".join([f"{self.module}.py: {self.where or 'constants'}", *lines])


@dataclass(frozen=True)
class Mutant:
    """A change, and the whole source after it."""

    change: Change
    source: str


def changed(place: Place, before: str, after: str) -> Change:
    """What a source that was `before` looks like where it was changed."""
    lines = list(difflib.ndiff(before.splitlines(), after.splitlines()))
    gone, come = ("\n".join(line[2:].strip() for line in lines if line[:2] == sign) for sign in ("- ", "+ "))
    return Change(place.module, place.where, gone, come)


def equal(toml: str) -> frozenset[Change]:
    """The list of what no test can see. Raises `ValueError` for a line without a reason, or that is there twice."""
    changes: list[Change] = []
    for entry in tomllib.loads(toml)["equal"]:
        if not entry["why"]:
            raise ValueError(f"no reason for {entry['before']}")
        changes += [Change(entry["module"], entry["where"], entry["before"], after) for after in entry["after"]]
    if twice := [str(change) for change in changes if changes.count(change) > 1]:
        raise ValueError(f"listed twice: {twice[0]}")
    return frozenset(changes)


def sampled(places: Sequence[Place], size: int | None, seed: int) -> list[Place]:
    """So many of the places, the same for the same seed, in their order; all without a size."""
    if size is None or size >= len(places):
        return list(places)
    return [places[at] for at in sorted(random.Random(seed).sample(range(len(places)), size))]


def places_in(modules: Iterable[str]) -> list[Place]:
    """All that is worth a change."""
    found = [Place(**place) for place in _cosmic_ray("places", files=[_file(m) for m in modules], pointless=_POINTLESS)]
    lines = {module: _source(module).splitlines() for module in modules}
    return [place for place in found if not lines[place.module][place.line - 1].startswith(_TO_READERS)]


def made(places: Sequence[Place]) -> list[Mutant]:
    """The changes themselves."""
    wanted = [(_file(place.module), place.operator, place.nth) for place in places]
    sources = _cosmic_ray("sources", wanted=wanted)
    return [
        Mutant(changed(place, _source(place.module), after), after)
        for place, after in zip(places, sources, strict=True)
    ]


def _cosmic_ray(what: str, **asked: Any) -> list[Any]:
    command = [str(_PYTHON), "-m", "tests.reliability.mutated", what]
    done = subprocess.run(command, cwd=ROOT, input=json.dumps(asked), stdout=subprocess.PIPE, text=True, check=True)
    answer: list[Any] = json.loads(done.stdout)
    return answer


def _file(module: str) -> str:
    return f"lambdas/shipper/{module}.py"


@cache
def _source(module: str) -> str:
    return (ROOT / _file(module)).read_text("utf-8")


class _Quickly:
    """A plugin: what draws examples comes last, since most mutants need none; no test goes round in a loop."""

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items.sort(key=lambda item: bool(getattr(getattr(item, "obj", None), "is_hypothesis_test", False)))

    def pytest_runtest_setup(self) -> None:
        signal.setitimer(signal.ITIMER_VIRTUAL, _TEST_CPU_S)


def tested(module: str, *options: str) -> int:
    """pytest's exit code for the tests of a module."""
    tests = [f"tests/shipper/{name}" for name in MODULES[module]]
    return pytest.main(
        ["-q", "-x", "--assert=plain", "-p", "no:randomly", "-p", "no:cacheprovider", *options, *tests], [_Quickly()]
    )


def forked(mutant: Mutant) -> int:
    """Begin to test a mutant in a process of its own; what it is."""
    if pid := os.fork():
        return pid
    code = 1  # whatever goes wrong from here on, the change is at fault
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        with contextlib.suppress(ValueError):  # not every system has it
            resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
        _put_in_place(mutant)
        code = tested(mutant.change.module)
    finally:
        os._exit(code)


def _put_in_place(mutant: Mutant) -> None:
    """Have our own modules imported anew, this one from the changed source."""
    for name in [name for name in sys.modules if name.partition(".")[0] in ("shipper", "tests", "local")]:
        del sys.modules[name]
    name = f"shipper.{mutant.change.module}"
    module = sys.modules[name] = ModuleType(name)
    module.__file__ = str(ROOT / _file(mutant.change.module))
    exec(compile(mutant.source, module.__file__, "exec"), module.__dict__)


def survivors(mutants: Iterable[Mutant], jobs: int) -> Iterator[Mutant]:
    """Those that no test saw, as they are found."""
    running: dict[int, Mutant] = {}
    for mutant in mutants:
        if len(running) == jobs:
            yield from _ended(running)
        running[forked(mutant)] = mutant
    while running:
        yield from _ended(running)


def _ended(running: dict[int, Mutant]) -> list[Mutant]:
    pid, status = os.wait()
    mutant = running.pop(pid)
    return [] if status else [mutant]


def _warm_up(modules: Iterable[str], jobs: int) -> None:
    """Import all that the tests need, once for all forks, and see them green; the first failure found is enough."""
    hypothesis.settings.register_profile(
        "unshrunk",
        derandomize=True,
        phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate),
        suppress_health_check=list(hypothesis.HealthCheck),  # a busy machine must not pass for a test that sees
    )
    os.environ["HYPOTHESIS_PROFILE"] = "unshrunk"
    for module in modules:
        with contextlib.redirect_stdout(io.StringIO()) as said:
            code = tested(module, "--collect-only")
        if code:
            sys.exit(f"the tests of {module} cannot be collected:\n{said.getvalue()}")
    gc.freeze()  # half of what a fork takes is else the search for garbage
    unchanged = [Mutant(Change(module, "", "", ""), _source(module)) for module in modules]
    green = {mutant.change.module for mutant in survivors(unchanged, jobs)}
    if red := set(modules) - green:
        sys.exit(f"red without any change: the tests of {', '.join(sorted(red))}")


@click.command(help=__doc__)
@click.argument("modules", nargs=-1, type=click.Choice(list(MODULES)))
@click.option("--sample", type=click.IntRange(min=1), help="Try only so many, drawn from all.")
@click.option("--seed", default=1, show_default=True, help="Another one draws others.")
@click.option("--jobs", type=click.IntRange(min=1), default=os.cpu_count(), show_default="one a core")
def main(modules: Sequence[str], sample: int | None, seed: int, jobs: int) -> None:
    """Print what is not as the list says, and the counts."""
    out = Console(highlight=False, soft_wrap=True)
    modules = modules or list(MODULES)
    known = frozenset(change for change in equal(EQUAL.read_text("utf-8")) if change.module in modules)
    drawn = made(sampled(places_in(modules), sample, seed))
    _warm_up(modules, jobs)
    out.print(f"{len(drawn)} mutants" + (f", drawn with --seed {seed}" if sample else ""))
    survived = []
    for mutant in survivors([mutant for mutant in drawn if not sample or mutant.change not in known], jobs):
        survived.append(mutant.change)
        if mutant.change not in known:
            out.print(f"\nseen by no test: {mutant.change}", markup=False)
    stale = [] if sample else sorted(known.difference(survived))
    for change in stale:
        out.print(f"\nlisted, but seen by a test, or not made any more: {change}", markup=False)
    for module in modules:
        out.print(counted(module, [mutant.change for mutant in drawn], survived, known), style="bold")
    sys.exit(1 if stale or not known.issuperset(survived) else 0)


def counted(module: str, drawn: Iterable[Change], survived: Iterable[Change], known: Collection[Change]) -> str:
    """The figures of a module."""
    changes = [change for change in drawn if change.module == module]
    listed = sum(change in known for change in changes)
    missed = sum(change.module == module and change not in known for change in survived)
    return f"{module}: {len(changes)} mutants, {len(changes) - listed - missed} seen, {listed} equal, {missed} not seen"


if __name__ == "__main__":
    main()
