"""The picture of a run: three curves over time, and behind them what went wrong when."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from tests.reliability.soak.faults import Happened
from tests.reliability.soak.gauges import Sample
from tests.reliability.soak.schedule import Kind

_WIDTH, _LEFT, _RIGHT, _TOP = 1100, 64, 24, 92
_PANEL, _GAP, _BOTTOM = 132, 44, 40
_PLOT = _WIDTH - _LEFT - _RIGHT
_SMOOTH = 5
_INK, _FAINT = "#1f2933", "#9aa5b1"
_FACE = "font-family='Helvetica,Arial,sans-serif'"
_COLOURS = {
    Kind.ENGINE_KILLED: "#c0392b",
    Kind.ENGINE_PAUSED: "#e67e22",
    Kind.NETWORK_CUT: "#8e44ad",
    Kind.NETWORK_FLAPS: "#c39bd3",
    Kind.NETWORK_SLOW: "#85929e",
    Kind.DISK_FULL: "#795548",
    Kind.WRITE_BLOCK: "#d4ac0d",
    Kind.FIELD_CLASHES: "#16a085",
    Kind.FIELDS_REFUSED: "#2e7d32",
    Kind.FUNCTIONS_KILLED: "#1a5276",
    Kind.DELIVERED_TWICE: "#5dade2",
}
_BESIDE = (Kind.FUNCTIONS_KILLED, Kind.DELIVERED_TWICE)
"""Shown as a bar above the panels, since other faults go on at the same time."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A name, a colour, and the value of each sample."""

    name: str
    colour: str
    values: list[float]


def svg(samples: Sequence[Sample], happened: Sequence[Happened], title: str) -> str:
    """The picture as a file of its own."""
    end_s = max([sample.at_s for sample in samples] + [one.to_s for one in happened])

    def x(at_s: float) -> float:
        return _LEFT + _PLOT * at_s / end_s

    panels = [
        ("lines a second", [_rate("written", "#9aa5b1", samples), _rate("found", "#1f6feb", samples)]),
        ("seconds behind", [Curve("the newest line that can be found", "#c0392b", [one.behind_s for one in samples])]),
        (
            "waiting",
            [
                Curve("deliveries of Lambda", "#9aa5b1", [float(one.undelivered) for one in samples]),
                Curve("retry queue", "#e67e22", [float(one.retries) for one in samples]),
                Curve("dead-letter queue", "#2e7d32", [float(one.dead) for one in samples]),
            ],
        ),
    ]
    height = _TOP + len(panels) * (_PANEL + _GAP) + _BOTTOM
    out = [
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{_WIDTH}' height='{height}' viewBox='0 0 {_WIDTH} {height}'>",
        "<rect width='100%' height='100%' fill='white'/>",
        _text(_LEFT, 24, title, size=15, weight="bold"),
        *_legend(happened),
    ]
    for number, (name, curves) in enumerate(panels):
        top = _TOP + 16 + number * (_PANEL + _GAP)
        out += _bands(happened, x, top)
        out += _panel(name, curves, [x(sample.at_s) for sample in samples], top)
    out += _ticks(end_s, x, height - _BOTTOM - _GAP + 30)
    return "\n".join([*out, "</svg>", ""])


def _rate(name: str, colour: str, samples: Sequence[Sample]) -> Curve:
    """Lines a second over the last few samples; a dead domain that comes back is no negative rate."""
    counts = [float(getattr(sample, name)) for sample in samples]
    times = [sample.at_s for sample in samples]
    values = [0.0]
    for at in range(1, len(samples)):
        before = max(0, at - _SMOOTH)
        values.append(max(0.0, (counts[at] - counts[before]) / max(times[at] - times[before], 0.1)))
    return Curve(name, colour, values)


def _legend(happened: Sequence[Happened]) -> list[str]:
    kinds = [kind for kind in Kind if any(one.kind is kind for one in happened)]
    out = []
    for number, kind in enumerate(kinds):
        left, top = _LEFT + (number % 6) * 168, 38 + (number // 6) * 20
        times = sum(one.kind is kind for one in happened)
        out += [
            _rect(left, top, 12, 12, kind),
            _text(left + 18, top + 10, f"{kind.value}, {times}\u00d7", size=11),
        ]
    return out


def _rect(x: float, y: float, width: float, height: float, kind: Kind) -> str:
    opacity = 1.0 if kind in _BESIDE else 0.35
    place = f"x='{x:.1f}' y='{y:.1f}' width='{width:.1f}' height='{height:.1f}'"
    return f"<rect {place} fill='{_COLOURS[kind]}' fill-opacity='{opacity}'/>"


def _line(x1: float, x2: float, y: float, colour: str, width: float) -> str:
    return f"<line x1='{x1:.1f}' x2='{x2:.1f}' y1='{y:.1f}' y2='{y:.1f}' stroke='{colour}' stroke-width='{width}'/>"


def _bands(happened: Sequence[Happened], x: Callable[[float], float], top: int) -> list[str]:
    out = []
    for one in happened:
        left, width = x(one.from_s), max(1.0, x(one.to_s) - x(one.from_s))
        at, height = (top - 7, 5) if one.kind in _BESIDE else (top, _PANEL)
        out.append(_rect(left, at, width, height, one.kind))
    return out


def _panel(name: str, curves: Sequence[Curve], xs: Sequence[float], top: int) -> list[str]:
    most = _round_up(max([value for curve in curves for value in curve.values] + [1.0]))
    bottom = top + _PANEL
    out = [_text(_LEFT, top - 12, name, size=12, weight="bold")]
    for share in (0.0, 0.5, 1.0):
        y = bottom - share * _PANEL
        out += [
            _line(_LEFT, _LEFT + _PLOT, y, _FAINT, 0.5),
            _text(_LEFT - 8, y + 4, f"{share * most:g}", size=11, anchor="end"),
        ]
    left = _LEFT + 120
    for curve in curves:
        points = " ".join(
            f"{at:.1f},{bottom - _PANEL * value / most:.1f}" for at, value in zip(xs, curve.values, strict=True)
        )
        out += [
            f"<polyline points='{points}' fill='none' stroke='{curve.colour}' stroke-width='1.6'/>",
            _line(left, left + 18, top - 16, curve.colour, 3),
            _text(left + 24, top - 12, curve.name, size=11),
        ]
        left += 44 + 6 * len(curve.name)
    return out


def _round_up(value: float) -> float:
    """To 1, 2 or 5 times a power of ten."""
    step = 1.0
    while True:
        for factor in (1, 2, 5):
            if factor * step >= value:
                return factor * step
        step *= 10


def _ticks(end_s: float, x: Callable[[float], float], y: float) -> list[str]:
    every_s = _round_up(end_s / 12 / 60) * 60 if end_s > 240 else 20
    out = []
    at_s = 0.0
    while at_s <= end_s:
        words = f"{at_s / 60:g} min" if end_s > 240 else f"{at_s:g} s"
        out.append(_text(x(at_s), y, words, size=11, anchor="middle"))
        at_s += every_s
    return out


def _text(x: float, y: float, words: str, *, size: int, anchor: str = "start", weight: str = "normal") -> str:
    return (
        f"<text x='{x:.1f}' y='{y:.1f}' font-size='{size}' font-weight='{weight}' text-anchor='{anchor}' "
        f"fill='{_INK}' {_FACE}>{escape(words)}</text>"
    )
