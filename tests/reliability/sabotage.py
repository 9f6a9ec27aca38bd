"""Faults put into the code one at a time, and the test that is red for each: `make sabotage`.

The package is changed in a copy; a sabotage whose text is no longer in the code is an error, not a pass.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[2]
MACHINE = "tests/reliability/test_machine.py"
_PACKAGE = "lambdas"
_MACHINE_STEPS = "50000"


@dataclass(frozen=True)
class Sabotage:
    """In `file` of the package `before` becomes `after`, once; `tests` are those that should see it."""

    file: str
    before: str
    after: str
    tests: str = MACHINE


SABOTAGES = {
    "a 429 counts as indexed": Sabotage("bulk.py", '_rule("", (429,), Verdict.RETRY', '_rule("", (429,), Verdict.DONE'),
    "a 409 counts as indexed": Sabotage(
        "bulk.py", "(409,), Verdict.DUPLICATE", "(409,), Verdict.DONE", "tests/shipper/test_bulk.py"
    ),
    "a reply that is too short is trusted": Sabotage(
        "bulk.py", "or len(items) != len(documents)", "", "tests/shipper/test_bulk.py"
    ),
    "`index` in place of `create`": Sabotage("bulk.py", '{"create":', '{"index":'),
    "no reply counts as well": Sabotage("ship.py", "return bulk.unreachable(documents, str(error))", "return []"),
    "the ledger is off by one": Sabotage(
        "ship.py", "requeued=len(delivery.waiting) + kept,", "requeued=len(delivery.waiting) + kept + 1,"
    ),
    "an imbalance is not noticed": Sabotage(
        "model.py", "if accounted != self.received:", "if accounted > self.received:", "tests/shipper/test_model.py"
    ),
    "refused documents are not buried": Sabotage(
        "ship.py", "letters.bury(deadletter.of_outcomes(delivery.dead,", "(deadletter.of_outcomes(delivery.dead,"
    ),
    "the replay function deletes before the domain has confirmed": Sabotage(
        "replay.py", "return Replayed(not delivery.waiting,", "return Replayed(True,"
    ),
    "the command line deletes before the domain has confirmed": Sabotage(
        "replay_many.py",
        "staying = {owner[id(outcome.document)] for outcome in delivery.waiting}",
        "staying = set()",
        "tests/shipper/test_replay_many.py",
    ),
    "a letter is parked without being buried": Sabotage(
        "replay.py",
        "letters.bury([replace(failed_again(letter, reason, clock), attempts=letter.attempts + receives)])",
        "pass",
    ),
    "entries that a queue did not take are forgotten": Sabotage(
        "aws/queue.py",
        "        if not pending:\n            return\n",
        "        return\n",
        "tests/shipper/aws/test_queue.py",
    ),
    "a body goes to no bucket": Sabotage("aws/queue.py", "self._client().put_object(Bucket", "dict(Bucket"),
    "stdout and stderr are joined as one": Sabotage(
        "multiline.py", "streams.setdefault(record.stream, [])", 'streams.setdefault("", [])'
    ),
    "rescued documents lose their fields": Sabotage(
        "rescue.py", '"@unmapped": jsontext.dumps(source).decode()', '"@unmapped": "{}"'
    ),
    "the index is not of the event's day": Sabotage("document.py", "_index(timestamp[:10])", '_index("2026-11-25")'),
}


@dataclass(frozen=True)
class Caught:
    """How a run of the tests ended: the first that was red, and what it said; "" where all were green."""

    test: str
    said: str


def tried(sabotage: Sabotage, root: Path) -> Caught:
    """Run the tests on the sabotaged code in `root`. Raises `LookupError` where there is nothing to change."""
    file = root / _PACKAGE / "shipper" / sabotage.file
    whole = file.read_text("utf-8")
    if sabotage.before not in whole:
        raise LookupError(f"{sabotage.file} has no {sabotage.before!r}")
    file.write_text(whole.replace(sabotage.before, sabotage.after, 1), "utf-8")
    try:
        return _run(sabotage.tests, root)
    finally:
        file.write_text(whole, "utf-8")


def copied(folder: Path) -> Path:
    """The project in a folder: a copy of the package, and links to all else."""
    for entry in ROOT.iterdir():
        if entry.name != _PACKAGE and not entry.name.startswith("."):
            (folder / entry.name).symlink_to(entry)
    shutil.copytree(ROOT / _PACKAGE, folder / _PACKAGE, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def _run(tests: str, root: Path) -> Caught:
    command = [sys.executable, "-B", "-m", "pytest", tests, "-q", "-x", "-p", "no:randomly", "-p", "no:cacheprovider"]
    path = f"{root / _PACKAGE}{os.pathsep}{root}"
    env = {
        **os.environ,
        "PYTHONPATH": path,
        "MACHINE_STEPS": _MACHINE_STEPS,
        "MACHINE_SEED": "7",
        "MACHINE_SHRINK": "0",
    }
    done = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return Caught("", "")
    failed = re.search(r"^FAILED (\S+)", done.stdout, re.MULTILINE)
    said = re.search(r"^[\s|]*E\s+(?:\w+\.)*(\w*(?:Error|Imbalance|Failed).*)$", done.stdout, re.MULTILINE)
    if failed is None:
        raise LookupError(f"the tests did not run: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return Caught(failed[1].partition("::")[2], said[1][:120] if said else "")


@click.command(help=__doc__)
def main() -> None:
    """Try all, and print what caught each."""
    table = Table("sabotage", "caught by", "which says", box=None, header_style="dim")
    missed = 0
    with TemporaryDirectory() as folder:
        root = copied(Path(folder))
        for name, sabotage in SABOTAGES.items():
            caught = tried(sabotage, root)
            missed += not caught.test
            table.add_row(name, caught.test or "nothing", caught.said)
    Console().print(table)
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
