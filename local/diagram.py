"""The picture of the stack, docs/images/architecture.svg: laid out by hand, checked against the template by a test.

It has its own background and fonts of the reader's machine, and goes with a light and a dark page.
"""

from __future__ import annotations

from typing import NamedTuple
from xml.sax.saxutils import escape

from local.cdk import ROOT

FILE = ROOT / "docs" / "images" / "architecture.svg"

_WIDTH, _HEIGHT = 1120, 700
_TITLE = "From the pods of a cluster to OpenSearch, and where that goes which cannot be indexed"


class Box(NamedTuple):
    """Something that works or keeps: `parts` are the paths of its resources within the construct, by their starts."""

    x: int
    y: int
    kind: str
    service: str
    title: str
    says: str
    parts: tuple[str, ...] = ()
    width: int = 190
    height: int = 76


class Way(NamedTuple):
    """An arrow along `points`, with words at a place. `kind` is `main`, `fault` or `aside`."""

    kind: str
    points: tuple[tuple[int, int], ...]
    words: tuple[str, ...]
    at: tuple[int, int]
    anchor: str = "start"


BOXES = (
    Box(12, 190, "outside", "EKS cluster", "Fluentd", "reads the pods' logs", width=144),
    Box(262, 190, "logs", "CloudWatch Logs", "Log groups", "application, dataplane, host", ("Subscriptions",)),
    Box(550, 190, "compute", "Lambda", "Subscriber", "joins, strips, ships", ("Functions/Subscriber",)),
    Box(876, 190, "search", "OpenSearch Service", "Domain", "cwl-YYYY.MM.DD", ("Search",)),
    Box(550, 64, "compute", "Lambda, each minute", "Canary", "measures end to end", ("Canary",)),
    Box(876, 64, "compute", "Lambda, each deployment", "Set-up", "template, roles, retention", ("Setup",)),
    Box(262, 336, "store", "S3", "Failed events", "and bodies of large letters", ("Queues/FailedEvents",)),
    Box(608, 336, "store", "SQS", "Retry queue", "until the domain is back", ("Queues/Retries",), width=176),
    Box(876, 336, "compute", "Lambda", "Replay", "the same documents again", ("Functions/Replay",)),
    Box(550, 476, "store", "SQS", "Dead-letter queue", "each with its reason", ("Queues/DeadLetters",)),
    Box(876, 476, "logs", "CloudWatch, SNS", "Alarms, dashboard", "each with its runbook", ("Observability",)),
    Box(550, 608, "outside", "On call", "cwl-shipper", "status, dlq, audit, trace"),
)

WAYS = (
    Way("main", ((156, 228), (262, 228)), ("PutLogEvents",), (201, 218), "middle"),
    Way("main", ((452, 228), (550, 228)), ("subscription", "filter"), (499, 204), "middle"),
    Way("main", ((740, 228), (876, 228)), ("_bulk",), (812, 245), "middle"),
    Way("aside", ((550, 102), (357, 102), (357, 190)), ("writes a line into each",), (368, 92)),
    Way("aside", ((740, 102), (774, 102), (774, 208), (876, 208)), ("looks for it",), (784, 160)),
    Way("aside", ((971, 140), (971, 190)), ("sets it up",), (981, 170)),
    Way("fault", ((566, 266), (566, 374), (452, 374)), ("after Lambda's", "own tries"), (464, 350)),
    Way("fault", ((696, 266), (696, 336)), ("not now: 429, 5xx,", "or out of time"), (706, 296)),
    Way("main", ((784, 360), (876, 360)), (), (0, 0)),
    Way("main", ((971, 336), (971, 266)), ("_bulk",), (981, 306)),
    Way("fault", ((586, 266), (586, 476)), ("refused for good",), (596, 448)),
    Way("fault", ((876, 390), (828, 390), (828, 514), (740, 514)), ("refused again, or", "too many tries"), (838, 438)),
    Way("fault", ((357, 412), (357, 514), (550, 514)), ("S3 announces it",), (368, 504)),
    Way("main", ((645, 552), (645, 608)), ("read",), (655, 600)),
    Way("aside", ((971, 552), (971, 630), (740, 630)), ("wakes",), (981, 606)),
    Way("main", ((740, 662), (1084, 662), (1084, 228), (1066, 228)), ("_bulk: what was repaired",), (930, 653)),
)

NOTES = (
    (50, "one stack, one cdk deploy"),
    (553, "on request: in a VPC, with a key of its own,"),
    (568, "with a domain or a collection that exists"),
)
"""In the corners of the stack, by their height."""

_COLOURS: dict[str, tuple[str, str]] = {
    "page": ("#ffffff", "#0d1117"),
    "stack": ("#f6f8fa", "#151b23"),
    "box": ("#ffffff", "#212830"),
    "text": ("#1f2328", "#f0f6fc"),
    "soft": ("#59636e", "#9198a1"),
    "edge": ("#d1d9e0", "#3d444d"),
    "compute": ("#bc4c00", "#f0883e"),
    "store": ("#1a7f37", "#3fb950"),
    "logs": ("#8250df", "#ab7df8"),
    "search": ("#0969da", "#4493f8"),
    "outside": ("#59636e", "#9198a1"),
    "main": ("#1f2328", "#f0f6fc"),
    "fault": ("#cf222e", "#f85149"),
    "aside": ("#818b98", "#7d8590"),
}
"""Each in light and in dark."""

_RULES = """
text { font: 12px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif }
.title { font-size: 15px; font-weight: 600 }
.service { font-size: 11px }
.way { fill: none; stroke-width: 1.6 }
.way.aside { stroke-dasharray: 5 4 }
.around { stroke-dasharray: 7 5; stroke-width: 1.2 }
"""


def svg() -> str:
    """The whole picture."""
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">',
            f"<title>{_TITLE}</title>",
            f"<style>{_RULES}{_colours(0)}@media (prefers-color-scheme: dark) {{\n{_colours(1)}}}\n</style>",
            f"<defs>{''.join(_head(kind) for kind in ('main', 'fault', 'aside'))}</defs>",
            f'<rect class="page" width="{_WIDTH}" height="{_HEIGHT}" rx="12"/>',
            '<rect class="stack edge-line around" x="246" y="24" width="854" height="558" rx="12"/>',
            *(_text(262, y, "soft", words) for y, words in NOTES),
            *(line for way in WAYS for line in _way(way)),
            *(line for box in BOXES for line in _box(box)),
            "</svg>\n",
        ]
    )


def _colours(theme: int) -> str:
    rules = [
        f".{name} {{ fill: {both[theme]} }} .{name}-line {{ stroke: {both[theme]} }}" for name, both in _COLOURS.items()
    ]
    return "\n".join([*rules, ""])


def _head(kind: str) -> str:
    place = 'viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse"'
    return f'<marker id="{kind}" orient="auto" {place}><path class="{kind}" d="M0 0 8 4 0 8z"/></marker>'


def _way(way: Way) -> list[str]:
    line = " ".join(f"{x} {y}" for x, y in way.points)
    path = f'<path class="way {way.kind}-line {way.kind}" style="fill:none" d="M{line}" marker-end="url(#{way.kind})"/>'
    x, y = way.at
    words = [_text(x, y + 15 * row, "soft", line, way.anchor) for row, line in enumerate(way.words)]
    return [path, *words]


def _box(box: Box) -> list[str]:
    x, y = box.x, box.y
    return [
        f'<rect class="box edge-line" x="{x}" y="{y}" width="{box.width}" height="{box.height}" rx="8"/>',
        f'<rect class="{box.kind}" x="{x}" y="{y + 10}" width="4" height="{box.height - 20}" rx="2"/>',
        _text(x + 16, y + 22, f"service {box.kind}", box.service),
        _text(x + 16, y + 42, "title text", box.title),
        _text(x + 16, y + 62, "soft", box.says),
    ]


def _text(x: int, y: int, names: str, words: str, anchor: str = "start") -> str:
    return f'<text class="{names}" x="{x}" y="{y}" text-anchor="{anchor}">{escape(words)}</text>'


if __name__ == "__main__":
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(svg(), "utf-8")
