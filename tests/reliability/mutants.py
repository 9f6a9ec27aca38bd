"""Small changes to the code, one at a time, each of which a test should see: `make mutants`.

cosmic-ray changes a copy of the package; the mirrored tests are run on each change. What survives is printed;
docs/reliability.md says what is known of it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from rich.console import Console

from tests.reliability.sabotage import ROOT, copied

MODULES = {
    "model": ("test_model.py",),
    "bulk": ("test_bulk.py",),
    "deadletter": ("test_deadletter.py", "test_deadletter_forged.py"),
    "multiline": ("test_multiline.py",),
}
"""The ledger, the table of verdicts, the envelope of letters, the joiner; the tests that mirror them."""

_PROGRAMS = ROOT / ".venv-mutants" / "bin"
_PYTEST = "-q -x -p no:randomly -p no:cacheprovider"
_TIMEOUT_S = 120.0
_POINTLESS = (
    "core/ReplaceBinaryOperator_BitOr_.*",  # nobody evaluates `int | None`
    "core/ReplaceBinaryOperator_(?!Add_Sub|Sub_Add|Mul_FloorDiv|Mod_Mul)[A-Z].*",  # one wrong sum is as good as ten
    "core/ReplaceComparisonOperator_(Eq|NotEq|Lt|LtE|Gt|GtE)_Is(Not)?",
    "core/ReplaceComparisonOperator_Is(Not)?_(?!Is)[A-Z].*",
    "core/RemoveDecorator",
    "core/Variable.*",
)

_TO_READERS = "\n-@dataclass("
"""Whether a class is frozen or has slots changes no outcome: it is there for who reads, and for speed."""


@dataclass(frozen=True)
class Mutant:
    """A change of one place, as a diff, and whether the tests saw it."""

    diff: str
    seen: bool


def mutants_of(module: str, root: Path) -> Iterator[Mutant]:
    """Try every change of a module in `root`."""
    config, session = root / f"{module}.toml", root / f"{module}.sqlite"
    config.write_text(_config(module), "utf-8")
    _run([str(_PROGRAMS / "cosmic-ray"), "init", str(config), str(session)], root)
    _run([str(_PROGRAMS / "cr-filter-operators"), str(session), str(config)], root)
    _run([str(_PROGRAMS / "cosmic-ray"), "exec", str(config), str(session)], root)
    for line in _run([str(_PROGRAMS / "cosmic-ray"), "dump", str(session)], root).splitlines():
        _, result = json.loads(line)
        if result and result["worker_outcome"] == "normal" and _TO_READERS not in result["diff"]:
            yield Mutant(result["diff"], result["test_outcome"] != "survived")


def _config(module: str) -> str:
    tests = " ".join(f"tests/shipper/{name}" for name in MODULES[module])
    excluded = ", ".join(f"'{pattern}'" for pattern in _POINTLESS)
    return f"""[cosmic-ray]
module-path = "lambdas/shipper/{module}.py"
timeout = {_TIMEOUT_S}
excluded-modules = []
test-command = "{sys.executable} -B -m pytest {tests} {_PYTEST}"

[cosmic-ray.distributor]
name = "local"

[cosmic-ray.filters.operators-filter]
exclude-operators = [{excluded}]
"""


def _run(command: Sequence[str], root: Path) -> str:
    env = {**os.environ, "PYTHONPATH": f"{root / 'lambdas'}{os.pathsep}{root}"}
    done = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{command[0]} failed: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def shown(diff: str) -> str:
    """The changed lines of a diff with their number."""
    return "\n".join(line for line in diff.splitlines() if line[:1] in "+-@" and line[:3] not in ("+++", "---"))


@click.command(help=__doc__)
@click.argument("modules", nargs=-1, type=click.Choice(list(MODULES)))
def main(modules: Sequence[str]) -> None:
    """Print the survivors of each module, and the counts."""
    out = Console(highlight=False, soft_wrap=True)
    for module in modules or MODULES:
        with TemporaryDirectory() as folder:
            found = list(mutants_of(module, copied(Path(folder))))
        count = Counter(mutant.seen for mutant in found)
        for mutant in found:
            if not mutant.seen:
                out.print(f"\n{module}\n{shown(mutant.diff)}", markup=False)
        out.print(f"\n{module}: {len(found)} mutants, {count[True]} seen, {count[False]} not", style="bold")


if __name__ == "__main__":
    main()
