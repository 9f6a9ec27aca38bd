"""Feed a target what a fuzzer makes up: `python -m tests.fuzz [TARGET...]`, in a virtual environment with atheris.

It starts from the corpus and works in build/fuzz; an input that breaks a target is left there. With `--keep` what it
found goes to the corpus: as few inputs as reach every branch that was reached.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from tests.fuzz.targets import TARGETS

CORPUS = Path(__file__).parent / "corpus"
WORK = Path(__file__).resolve().parents[2] / "build" / "fuzz"
_MAX_BYTES = 4_096


@click.command(help=__doc__)
@click.argument("names", nargs=-1, type=click.Choice(list(TARGETS)))
@click.option("--seconds", default=60, show_default=True, type=click.IntRange(1), help="For each target.")
@click.option("--keep", is_flag=True, help="Add to the corpus.")
def main(names: Sequence[str], seconds: int, keep: bool) -> None:
    """Exits with 1 where an input broke a target."""
    broken = 0
    for name in names or TARGETS:
        found, corpus = WORK / name, CORPUS / name
        for folder in (found, corpus):
            folder.mkdir(parents=True, exist_ok=True)
        flags = [f"-max_total_time={seconds}", f"-max_len={_MAX_BYTES}", f"-artifact_prefix={WORK}/{name}-"]
        broken += _fuzz(name, *flags, str(found), str(corpus))
        if keep:
            # By the branches alone: with their counts, too, it would keep ten times as many.
            broken += _fuzz(name, "-merge=1", "-use_counters=0", f"-max_len={_MAX_BYTES}", str(corpus), str(found))
    sys.exit(1 if broken else 0)


def _fuzz(name: str, *arguments: str) -> bool:
    """Whether it failed. A process of its own: the fuzzer ends the one that it runs in."""
    click.echo(f"{name}: {' '.join(arguments)}")
    command = [sys.executable, "-m", "tests.fuzz.one", name, *arguments]
    return subprocess.run(command, check=False).returncode != 0


if __name__ == "__main__":
    main()
