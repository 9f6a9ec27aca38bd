"""The deployed stack under a constant stream of lines, with all that goes wrong: in the end each line is there once.

A seed gives the same faults at the same times again. The report goes to a folder: report.json, soak.png.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from local.cdk import ROOT
from local.errors import LocalError
from local.processes import FOLDER_PREFIX
from tests.reliability.soak.delivery import Delivery
from tests.reliability.soak.ending import Verdict, end
from tests.reliability.soak.faults import Faults, Happened
from tests.reliability.soak.gauges import Gauges, Sample
from tests.reliability.soak.plot import draw
from tests.reliability.soak.schedule import OF_THE_ENGINE, OF_THE_FUNCTIONS, Kind, schedule
from tests.reliability.soak.site import Site, running
from tests.reliability.soak.writers import Odd, Writers

FOLDER = ROOT / "build" / "soak"


@click.command(help=__doc__)
@click.option("--minutes", default=10.0, show_default=True, type=click.FloatRange(0.5, 24 * 60))
@click.option("--seed", type=int, help="Of an earlier run, to have its faults again.")
@click.option("--folder", default=FOLDER, show_default=True, type=click.Path(path_type=Path))
def main(minutes: float, seed: int | None, folder: Path) -> None:
    """Exits with 1 where a line is missing, doubled or strange."""
    out = Console(highlight=False, soft_wrap=True)
    seed = random.randrange(2**32) if seed is None else seed
    out.print(f"SEED={seed} MINUTES={minutes:g}")
    logs = Path(tempfile.mkdtemp(prefix=f"{FOLDER_PREFIX}soak-"))
    try:
        with running(logs, os.environ) as site:
            out.print(f"deployed, on {'OpenSearch' if site.engine.survives else 'osmem'}")
            report = soak(site, seed, minutes * 60, out)
            report.write(folder)
            out.print(_table(report.figures))
            out.print(f"the report is in {folder}")
    except LocalError as error:
        sys.exit(f"cwl-shipper: {error}")
    sys.exit(0 if report.is_good else 1)


@dataclass(frozen=True)
class Report:
    """The figures, what was seen each second, and whether each line is there once."""

    figures: dict[str, Any]
    samples: Sequence[Sample]
    happened: Sequence[Happened]
    is_good: bool

    def write(self, folder: Path) -> None:
        """Put report.json and soak.png into the folder."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "report.json").write_text(json.dumps(self.figures, indent=2) + "\n", "utf-8")
        draw(self.samples, self.happened, _title(self.figures), folder / "soak.png")


@dataclass(frozen=True)
class Course:
    """All that takes part in one run."""

    site: Site
    writers: Writers
    delivery: Delivery
    faults: Faults
    gauges: Gauges


def soak(site: Site, seed: int, seconds: float, out: Console) -> Report:
    """One run on a deployed stack."""
    odd, delivery = Odd(), Delivery(site, seed)
    faults = Faults(site, delivery, odd, seed)
    writers = Writers(site.client("logs"), site.stack.outputs["LogGroupPrefix"], seed, odd, delivery.submit)
    gauges = Gauges(site, writers, delivery, lambda: faults.seconds)
    course = Course(site, writers, delivery, faults, gauges)
    kinds = [kind for kind in OF_THE_ENGINE if site.engine.survives or kind is not Kind.ENGINE_KILLED]
    faults.prepare()
    try:
        writers.start()
        gauges.start()
        faults.play(schedule(seed, seconds, kinds), schedule(seed, seconds, OF_THE_FUNCTIONS))
        time.sleep(max(0.0, seconds - faults.seconds))
        writers.stop()
        wrote_s = faults.seconds
        out.print(f"wrote {len(writers.written.words)} lines in {wrote_s:.0f} s; now it heals")
        faults.heal()
        verdict = end(site, writers.written, delivery, gauges)
    finally:
        writers.stop()
        gauges.stop()
        delivery.close()
    figures = {"seed": seed, "writing_s": round(wrote_s), **_of(course), **_of_the_end(verdict)}
    return Report(figures, gauges.samples, faults.happened, verdict.is_good)


def _of(course: Course) -> dict[str, Any]:
    happened, samples = course.faults.happened, course.gauges.samples
    return {
        "engine": "OpenSearch" if course.site.engine.survives else "osmem",
        "whole_s": round(course.faults.seconds),
        "lines": len(course.writers.written.words),
        "faults": dict(Counter(one.kind.value for one in happened)),
        "fault_s": round(sum(one.to_s - one.from_s for one in happened)),
        "functions_killed": course.faults.killed_functions,
        "deliveries": dict(course.delivery.counts),
        "longest_behind_s": round(max(sample.behind_s for sample in samples)),
        "most_retries": max(sample.retries for sample in samples),
        "happened": [{**asdict(one), "kind": one.kind.value} for one in happened],
    }


def _of_the_end(verdict: Verdict) -> dict[str, Any]:
    found = {"missing": verdict.missing, "doubled": verdict.doubled, "strange": verdict.strange}
    return {
        "trouble": verdict.trouble,
        "letters_replayed": dict(verdict.letters),
        "audit": dict(verdict.audit),
        "counted": {name: len(words) for name, words in found.items()},
        "examples": {name: words[:20] for name, words in found.items()},
    }


def _title(figures: dict[str, Any]) -> str:
    missing, extra = figures["audit"].get("missing", 0), figures["audit"].get("extra", 0)
    return (
        f"{figures['lines']:,} lines in {figures['writing_s'] / 60:.1f} min on {figures['engine']}, "
        f"{sum(figures['faults'].values())} faults: {missing} missing, {extra} extra"
    )


def _table(figures: dict[str, Any]) -> Table:
    table = Table(box=None, show_header=False)
    for name, value in figures.items():
        if name != "happened":
            table.add_row(name.replace("_", " "), json.dumps(value) if isinstance(value, dict) else str(value))
    return table


if __name__ == "__main__":
    main()
