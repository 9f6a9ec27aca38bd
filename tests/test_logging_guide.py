"""The guide for application developers: each of its lines goes through the real transform, as Fluentd delivers it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from shipper.model import LogEvent, Payload
from shipper.pipeline import transform
from shipper.settings import Settings
from tests.shipper.fakes import NOW_MS, SOURCE

GUIDE = (Path(__file__).resolve().parents[1] / "docs" / "logging-guide.md").read_text("utf-8")
EXAMPLES = re.findall(r"```log\n(.*?)\n```\n```json\n(.*?)\n```", GUIDE, re.DOTALL)
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"


def documents(text: str) -> list[dict[str, Any]]:
    """What a container's lines become, each of them an event of its own."""
    records = [{"stream": "stdout", "message": line, "kubernetes": {"pod_name": "p"}} for line in text.split("\n")]
    events = tuple(LogEvent(f"e-{at}", NOW_MS + at, json.dumps(record)) for at, record in enumerate(records))
    batch = transform(Payload(SOURCE, events), Settings(), NOW_MS)
    return [json.loads(document.source) for document in batch.documents]


def rows(header: str) -> list[list[str]]:
    """The cells of the table below a heading row that begins like this."""
    table = GUIDE[GUIDE.index(header) :].partition("\n\n")[0]
    return [row.strip("| ").split(" | ") for row in table.split("\n")[2:]]


def quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


LEVELS = rows("| `@level` | values")
LEVEL_NAMES = quoted(re.findall(r"A field named (.*?), in any", GUIDE, re.DOTALL)[0])
TRACE_KEYS = [key for row in rows("| written by | keys") for key in quoted(row[1])]
NESTS = quoted(re.findall(r"at the top or inside (.*?):\n", GUIDE, re.DOTALL)[0])
FORMS = {
    "traceparent": f"00-{TRACE_ID}-00f067aa0ba902b7-01",
    "b3": f"{TRACE_ID}-00f067aa0ba902b7-1",
    "uber-trace-id": f"{TRACE_ID}:00f067aa0ba902b7:0:1",
    **dict.fromkeys(("AWS-XRAY-TRACE-ID", "xray_trace_id"), f"1-{TRACE_ID[:8]}-{TRACE_ID[8:]}"),
    "x-amzn-trace-id": f"Root=1-{TRACE_ID[:8]}-{TRACE_ID[8:]};Sampled=1",
}
"""How a value looks, where it is not the id alone."""


@pytest.mark.parametrize(("text", "expected"), EXAMPLES, ids=[text[:60] for text, _ in EXAMPLES])
def test_each_example_becomes_what_stands_under_it(text: str, expected: str) -> None:
    (made,) = documents(text)
    wanted = {"@message": text, **json.loads(expected)}
    assert {name: made.get(name) for name in wanted} == wanted


def test_no_example_is_left_out() -> None:
    assert len(EXAMPLES) == GUIDE.count("```log\n") > 12
    assert min(len(LEVELS), len(LEVEL_NAMES), len(TRACE_KEYS), len(NESTS)) > 5


@pytest.mark.parametrize(
    ("level", "value"),
    [(level, value) for level, values, number in LEVELS for value in (*quoted(values), int(number))],
)
def test_each_level_of_the_table_is_understood(level: str, value: str | int) -> None:
    spellings = {value, value.upper()} if isinstance(value, str) else {value}
    assert {documents(json.dumps({"level": one}))[0].get("@level") for one in spellings} == {level}


@pytest.mark.parametrize("name", LEVEL_NAMES)
def test_each_name_of_a_level_is_looked_at(name: str) -> None:
    assert documents(json.dumps({name: "error"}))[0]["@level"] == "ERROR"


@pytest.mark.parametrize("key", TRACE_KEYS)
def test_each_key_of_the_table_is_looked_at(key: str) -> None:
    assert documents(json.dumps({key: FORMS.get(key, TRACE_ID)}))[0]["@trace_id"] == TRACE_ID


@pytest.mark.parametrize("nest", NESTS)
def test_each_object_of_a_logger_is_looked_into(nest: str) -> None:
    assert documents(json.dumps({nest: {"trace_id": TRACE_ID}}))[0]["@trace_id"] == TRACE_ID


@pytest.mark.parametrize(
    ("setting", "written"),
    [
        ("max_join_lines", "1,000 lines"),
        ("max_join_bytes", "512 KiB"),
        ("max_join_gap_ms", "60 s between"),
        ("max_fields", "| fields of a document | 500 |"),
        ("max_depth", "| depth of JSON | 19 |"),
    ],
)
def test_each_limit_is_that_of_the_settings(setting: str, written: str) -> None:
    assert written in GUIDE
    number = int(re.sub(r"\D", "", written))
    unit = {"max_join_bytes": 1024, "max_join_gap_ms": 1000}.get(setting, 1)
    assert getattr(Settings(), setting) == number * unit
