"""The canary's line on its way through the transform, and what the search for it says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shipper import canary
from shipper.model import LogEvent, Payload, Source
from shipper.pipeline import transform
from shipper.sample import Rule
from shipper.settings import MultilineRule, Settings
from tests.shipper.fakes import NOW_MS

GROUP = "/aws/containerinsights/demo/application"


def document(settings: Settings) -> dict[str, Any]:
    payload = Payload(Source("1", GROUP, canary.STREAM), (LogEvent("e", NOW_MS, canary.line("r-1")),))
    (made,) = transform(payload, settings, NOW_MS).documents
    found: dict[str, Any] = json.loads(made.source)
    return found


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param(Settings(), id="as by default"),
        pytest.param(Settings.for_profile("incumbent"), id="as the incumbent"),
        pytest.param(Settings(multiline=(MultilineRule("*", start=r"^\d{4}-"),)), id="all else continues a record"),
        pytest.param(Settings(redact=("all",)), id="redacted"),
    ],
)
def test_the_line_is_a_document_that_is_marked_and_can_be_found(settings: Settings) -> None:
    found = document(settings)
    assert found["canary"] == "r-1"
    assert (found["@log_group"], found["@log_stream"]) == (GROUP, "cwl-shipper-canary")
    assert found["@timestamp"] == "2026-11-24T12:00:00.000Z"


def test_a_person_reads_what_it_is() -> None:
    assert document(Settings())["@message"] == "cwl-shipper canary r-1"


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        pytest.param((), True, id="no rule"),
        pytest.param((Rule("noise", "drop", pattern="healthz"),), True, id="a rule for others"),
        pytest.param((Rule("all", "drop"),), False, id="dropped"),
        pytest.param((Rule("half", "sample", rates=(("*", 0.5),)),), False, id="sampled"),
        pytest.param((Rule("all", "drop", log_group="*/host"),), True, id="dropped of another group"),
        pytest.param((Rule("canary", "keep", pattern=f"^{canary.TEXT} "), Rule("all", "drop")), True, id="kept before"),
    ],
)
def test_rules_let_the_line_pass_or_not(rules: tuple[Rule, ...], expected: bool) -> None:
    assert canary.passes(Settings(filters=rules), GROUP) is expected


def test_the_search_is_for_the_newest_line_of_the_last_hour_by_fields_that_always_stay() -> None:
    body = canary.query(GROUP, NOW_MS)
    assert body["query"]["bool"]["filter"] == [
        {"match_phrase": {"@log_group": GROUP}},
        {"match_phrase": {"@log_stream": "cwl-shipper-canary"}},
        {"range": {"@timestamp": {"gte": NOW_MS - 3_600_000, "format": "epoch_millis"}}},
    ]
    assert body["size"] == 1


@pytest.mark.parametrize(
    ("timestamps", "expected"),
    [
        pytest.param([], None, id="none"),
        pytest.param(["2026-11-24T11:59:00.000Z"], 60_000, id="of a minute ago"),
        pytest.param(["2026-11-24T11:58:00.000Z", "2026-11-24T11:59:30.000Z"], 30_000, id="the newest counts"),
        pytest.param(["2026-11-24T12:00:01.000Z"], 0, id="of a clock that is ahead"),
        pytest.param(["rubbish"], None, id="without a time"),
    ],
)
def test_the_age_is_that_of_the_newest(timestamps: list[str], expected: int | None) -> None:
    hits = [{"_source": {"@timestamp": timestamp}} for timestamp in timestamps]
    assert canary.age_ms(hits, NOW_MS) == expected
