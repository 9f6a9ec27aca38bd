"""Container logs as Fluentd really delivers them: how many records of the ground truth come out whole.

Each case's `recommended` events arrive as a good collector sends them, `upstream` as AWS's own manifest does: there
the lines of one event are glued without a newline, and stdout is mixed with stderr.
"""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from shipper.model import LogEvent, Payload, Source
from shipper.pipeline import transform
from shipper.settings import Settings
from tests.shipper.fakes import NOW_MS

SAMPLES = Path(__file__).parent / "samples"
CASES = sorted(folder.name for folder in SAMPLES.glob("[0-9]*"))
STANDARD = Settings()

Place = tuple[str, str]
"""The log file, and `stdout`, `stderr` or `journal`."""


@dataclass(frozen=True, slots=True)
class Score:
    """Records of the ground truth that come out whole and alone; `several` counts those of several lines."""

    whole: int
    several: int


@dataclass(frozen=True, slots=True)
class Came:
    """A document, as far as it matters here."""

    text: str
    event_ids: tuple[str, ...]


def content(case: str, name: str) -> str:
    plain = SAMPLES / case / name
    if plain.exists():
        return plain.read_text("utf-8")
    return gzip.decompress((SAMPLES / case / f"{name}.gz").read_bytes()).decode()


@cache
def truth(case: str) -> dict[Place, list[str]]:
    texts: dict[Place, list[str]] = defaultdict(list)
    for record in json.loads(content(case, "expected.json")):
        texts[record["file"], record["stream"]].append(record["text"].strip("\r\n"))
    return texts


def payloads(case: str, source: str) -> Iterator[Payload]:
    """CloudWatch never mixes two log streams in one payload."""
    streams: dict[tuple[str, str], list[LogEvent]] = defaultdict(list)
    for number, line in enumerate(content(case, f"{source}.jsonl").rstrip("\n").split("\n")):
        event: dict[str, Any] = json.loads(line)
        streams[event["group"], event["stream"]].append(LogEvent(str(number), event["timestamp"], event["message"]))
    for (group, stream), events in streams.items():
        yield Payload(Source("123456789012", group, stream), tuple(events))


@cache
def outcome(case: str, source: str) -> dict[Place, list[Came]]:
    files = {file for file, _ in truth(case)}
    came: dict[Place, list[Came]] = defaultdict(list)
    for payload in payloads(case, source):
        # The upstream manifest cuts names at a dot; what is no container's is from the journal.
        stream = payload.source.log_stream.removesuffix(".log")
        file = next((file for file in files if file.startswith(stream)), "journal.jsonl")
        for document in transform(payload, STANDARD, NOW_MS).documents:
            fields = json.loads(document.source)
            came[file, fields.get("stream", "journal")].append(Came(fields["@message"], document.event_ids))
    return came


def compared(text: str, source: str) -> str:
    text = text.strip("\r\n")
    return text if source == "recommended" else re.sub("[\r\n]", "", text)


def score(case: str, source: str) -> tuple[Score, list[str]]:
    """The score, and what is missing."""
    whole = several = 0
    missing: list[str] = []
    came = outcome(case, source)
    for place, texts in truth(case).items():
        left = Counter(compared(record.text, source) for record in came[place])
        for text in texts:
            if left[compared(text, source)] > 0:
                left[compared(text, source)] -= 1
                whole += 1
                several += "\n" in text
            else:
                missing.append(text)
    return Score(whole, several), missing


SCORES: dict[str, dict[str, Score]] = {
    "recommended": {
        "01-java-spring-trace": Score(12, 3),
        "02-java-stderr-interleaved": Score(28, 2),
        "03-python-chained": Score(15, 5),
        "04-go-panic": Score(12, 3),
        "05-node-error-cause": Score(12, 5),
        "06-dotnet-inner": Score(8, 7),
        "07-json-structured": Score(34, 1),
        "08-split-16k": Score(10, 0),
        "09-nginx-access": Score(57, 0),
        "10-text-oddities": Score(25, 2),
        "11-trace-ids": Score(30, 1),
        "12-host-dataplane": Score(21, 1),
        "13-mixed-large": Score(4071, 71),
        "14-slow-writer": Score(9, 2),
    },
    "upstream": {
        "01-java-spring-trace": Score(12, 3),
        "02-java-stderr-interleaved": Score(16, 0),
        "03-python-chained": Score(15, 5),
        "04-go-panic": Score(12, 3),
        "05-node-error-cause": Score(12, 5),
        "06-dotnet-inner": Score(8, 7),
        "07-json-structured": Score(34, 1),
        "08-split-16k": Score(10, 1),
        "09-nginx-access": Score(57, 0),
        "10-text-oddities": Score(24, 4),
        "11-trace-ids": Score(30, 1),
        "12-host-dataplane": Score(11, 0),
        "13-mixed-large": Score(4067, 69),
        "14-slow-writer": Score(9, 2),
    },
}
"""These may only rise."""

# What is missed in `recommended`: the case, how the record begins, and why no rule can know that it is one.
MISSED: dict[str, tuple[str, str]] = {
    "lines that are only indented, among others": (
        "02-java-stderr-interleaved",
        "# A fatal error has been detected by",
    ),
    "indented text that speaks of a frame": ("08-split-16k", "dump of the rule set"),
    "values, each indented by a tab": ("10-text-oddities", "발송 실패"),
    "a banner": ("10-text-oddities", "  ____  _  _"),
    "a statement in SQL": ("10-text-oddities", "SELECT o.id, o.total"),
}

# Joined, but not a stretch of one record of the ground truth, since the collector had lost or moved a part of it.
DAMAGED = {
    ("upstream", "02-java-stderr-interleaved"): 1,
    ("upstream", "08-split-16k"): 1,
    ("upstream", "10-text-oddities"): 1,
    ("upstream", "13-mixed-large"): 2,
}


@pytest.mark.parametrize("source", SCORES)
@pytest.mark.parametrize("case", CASES)
def test_records_come_out_whole(case: str, source: str) -> None:
    assert score(case, source)[0] == SCORES[source][case]


def test_of_the_recommended_form_nearly_all_come_out_whole() -> None:
    texts = [text for case in CASES for texts in truth(case).values() for text in texts]
    several = sum("\n" in text for text in texts)
    scores = SCORES["recommended"].values()
    assert sum(each.whole for each in scores) >= 0.99 * len(texts)
    assert sum(each.several for each in scores) >= 0.95 * several


def test_every_record_that_is_missed_has_its_reason() -> None:
    missing = [(case, text) for case in CASES for text in score(case, "recommended")[1]]
    assert len(missing) == len(MISSED)
    for case, beginning in MISSED.values():
        assert any(where == case and text.startswith(beginning) for where, text in missing)


@pytest.mark.parametrize("source", SCORES)
@pytest.mark.parametrize("case", CASES)
def test_nothing_is_joined_that_was_not_one(case: str, source: str) -> None:
    wrong = 0
    for (file, _), records in outcome(case, source).items():
        texts = [
            re.sub("[\r\n]", "", text) for place, texts in truth(case).items() if place[0] == file for text in texts
        ]
        for record in records:
            if len(record.event_ids) > 1:
                joined = re.sub("[\r\n]", "", record.text)
                wrong += not any(joined in text for text in texts)
    assert wrong == DAMAGED.get((source, case), 0)


@pytest.mark.parametrize("source", SCORES)
@pytest.mark.parametrize("case", CASES)
def test_every_event_is_in_one_record(case: str, source: str) -> None:
    sent = sorted(int(event.id) for payload in payloads(case, source) for event in payload.events)
    came = [id_ for records in outcome(case, source).values() for record in records for id_ in record.event_ids]
    assert sorted(map(int, came)) == sent
