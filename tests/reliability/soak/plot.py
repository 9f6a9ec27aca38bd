"""The picture of a run: three curves over time, and behind them what went wrong when."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from tests.reliability.soak.faults import Happened
from tests.reliability.soak.gauges import Sample
from tests.reliability.soak.schedule import OF_THE_FUNCTIONS, Kind

_SMOOTH = 5
_MINUTES_FROM_S = 240
_COLOURS = dict(zip(Kind, colormaps["tab20"].colors, strict=False))  # type: ignore[attr-defined]


def draw(samples: Sequence[Sample], happened: Sequence[Happened], title: str, file: Path) -> None:
    """Write the picture, as the file's name says it: PNG, SVG."""
    end_s = max([sample.at_s for sample in samples] + [one.to_s for one in happened])
    unit, unit_s = ("minutes", 60.0) if end_s > _MINUTES_FROM_S else ("seconds", 1.0)
    times = [sample.at_s / unit_s for sample in samples]
    figure = Figure(figsize=(12, 8), layout="constrained")
    rate, behind, waiting = figure.subplots(3, sharex=True)
    figure.suptitle(title, fontweight="bold")

    rate.plot(times, _rate([sample.written for sample in samples], samples), color="grey", label="written")
    rate.plot(times, _rate([sample.found for sample in samples], samples), color="tab:blue", label="found")
    rate.set_ylabel("lines a second")
    behind.plot(times, [sample.behind_s for sample in samples], color="tab:red", label="the newest line to be found")
    behind.set_ylabel("seconds behind")
    waiting.plot(times, [sample.undelivered for sample in samples], color="grey", label="deliveries of Lambda")
    waiting.plot(times, [sample.retries for sample in samples], color="tab:orange", label="retry queue")
    waiting.plot(times, [sample.dead for sample in samples], color="tab:green", label="dead-letter queue")
    waiting.set_ylabel("waiting")
    waiting.set_xlabel(unit)
    waiting.set_xlim(0, end_s / unit_s)

    for panel in (rate, behind, waiting):
        _mark(panel, happened, unit_s)
        panel.set_ylim(bottom=0)
        panel.legend(loc="upper right", fontsize="small")
    count = {kind: sum(one.kind is kind for one in happened) for kind in Kind}
    patches = [Patch(color=_COLOURS[kind], label=f"{kind.value}, {count[kind]}\u00d7") for kind in Kind if count[kind]]
    figure.legend(handles=patches, loc="outside lower center", ncols=6, fontsize="small")
    figure.savefig(file, dpi=100)


def _mark(panel: Axes, happened: Sequence[Happened], unit_s: float) -> None:
    """Faults as bands; those of the functions only at the foot, since others go on at the same time."""
    for one in happened:
        beside = one.kind in OF_THE_FUNCTIONS
        height, alpha = (0.05, 1.0) if beside else (1.0, 0.3)
        colour = _COLOURS[one.kind]
        panel.axvspan(one.from_s / unit_s, one.to_s / unit_s, 0, height, color=colour, alpha=alpha, linewidth=0)


def _rate(counts: Sequence[int], samples: Sequence[Sample]) -> list[float]:
    """A second, over the last few samples; a dead domain that comes back is no negative rate."""
    rates = [0.0]
    for at in range(1, len(samples)):
        before = max(0, at - _SMOOTH)
        passed_s = max(samples[at].at_s - samples[before].at_s, 0.1)
        rates.append(max(0.0, (counts[at] - counts[before]) / passed_s))
    return rates
