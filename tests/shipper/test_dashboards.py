"""The saved objects against the rules by which Dashboards imports them."""

from __future__ import annotations

import json
import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest

from shipper.dashboards import FORM, import_form, saved_objects
from shipper.index_template import index_template

OBJECTS = {(saved["type"], saved["id"]): saved for saved in saved_objects()}
NAMES = [id_ for _, id_ in OBJECTS]
MIGRATES_FROM = {"index-pattern": "7.6.0", "search": "7.9.3", "visualization": "7.10.0", "dashboard": "7.9.3"}


def known_fields(mapping: dict[str, Any], path: str = "") -> set[str]:
    """Every field of our mapping, dotted."""
    found: set[str] = set()
    for name, field in mapping.get("properties", {}).items():
        found |= {path + name} | known_fields(field, f"{path}{name}.")
    return found


FIELDS = known_fields(index_template()["template"]["mappings"])


def test_no_two_objects_are_the_same() -> None:
    assert len(OBJECTS) == len(saved_objects()) == 11


def test_the_index_pattern_is_of_the_daily_indices_by_their_time() -> None:
    attributes = OBJECTS["index-pattern", "cwl"]["attributes"]
    assert attributes == {"title": "cwl-*", "timeFieldName": "@timestamp"}


def test_no_object_runs_or_renders_what_a_log_says() -> None:
    """A chart or a table shows text; Markdown, Vega, scripted fields and formats such as a link do more with it."""
    shown = [
        json.loads(saved["attributes"]["visState"])["type"]
        for (kind, _), saved in OBJECTS.items()
        if kind == "visualization"
    ]
    assert set(shown) <= {"histogram", "line", "area", "pie", "table", "metric"}
    texts = json.dumps(list(OBJECTS.values()))
    assert not re.search("script|fieldFormat|vega|markdown", texts)


@pytest.mark.parametrize("saved", OBJECTS.values(), ids=NAMES)
def test_every_reference_leads_to_an_object_before_it(saved: dict[str, Any]) -> None:
    earlier = list(OBJECTS)[: list(OBJECTS).index((saved["type"], saved["id"]))]
    assert all((to["type"], to["id"]) in earlier for to in saved["references"])


@pytest.mark.parametrize("saved", OBJECTS.values(), ids=NAMES)
def test_every_object_says_from_which_version_it_migrates(saved: dict[str, Any]) -> None:
    assert saved["migrationVersion"] == {saved["type"]: MIGRATES_FROM[saved["type"]]}


@pytest.mark.parametrize("saved", OBJECTS.values(), ids=NAMES)
def test_what_is_named_inside_is_referred_to(saved: dict[str, Any]) -> None:
    attributes = saved["attributes"]
    source = json.loads(attributes.get("kibanaSavedObjectMeta", {}).get("searchSourceJSON", "{}"))
    panels = json.loads(attributes.get("panelsJSON", "[]"))
    named = [source["indexRefName"]] if "indexRefName" in source else []
    named += [panel["panelRefName"] for panel in panels]
    assert [to["name"] for to in saved["references"]] == named


@pytest.mark.parametrize("saved", OBJECTS.values(), ids=NAMES)
def test_only_fields_of_the_template_are_used(saved: dict[str, Any]) -> None:
    attributes = saved["attributes"]
    aggregated = [agg["params"].get("field") for agg in json.loads(attributes.get("visState", "{}")).get("aggs", [])]
    source = json.loads(attributes.get("kibanaSavedObjectMeta", {}).get("searchSourceJSON", "{}"))
    asked = re.findall(r"(@[\w.]+):", source.get("query", {}).get("query", ""))
    used = {*attributes.get("columns", []), *asked, *filter(None, aggregated)}
    assert used <= FIELDS


def test_panels_do_not_cover_one_another() -> None:
    grids = [panel["gridData"] for panel in json.loads(OBJECTS["dashboard", "cwl"]["attributes"]["panelsJSON"])]
    cells = [
        (x, y)
        for grid in grids
        for x in range(grid["x"], grid["x"] + grid["w"])
        for y in range(grid["y"], grid["y"] + grid["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 48


def test_the_form_has_one_file_of_lines_whose_name_dashboards_takes() -> None:
    form = message_from_bytes(f"Content-Type: {FORM}\r\n\r\n".encode() + import_form(), policy=policy.default)
    assert isinstance(form, EmailMessage)
    (part,) = form.iter_parts()
    assert part.get_filename() == "cwl.ndjson"
    assert part.get_param("name", header="content-disposition") == "file"
    lines = part.get_content().decode().strip().split("\n")
    assert [json.loads(line) for line in lines] == saved_objects()
