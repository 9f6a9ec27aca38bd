"""The picture against the stack that it shows."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from functools import cache
from itertools import pairwise

import aws_cdk as cdk
import pytest

from local.diagram import BOXES, FILE, WAYS, Way, svg
from tests.stacks.built import ROOT, built

PARTS = sorted(part for box in BOXES for part in box.parts)

TO_BE_SEEN = {
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::Lambda::Function",
    "AWS::Logs::SubscriptionFilter",
    "AWS::OpenSearchService::Domain",
    "AWS::S3::Bucket",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
}


@cache
def resources() -> list[tuple[str, str]]:
    """(path within the shipping, type) of what prod is made of."""
    shipping = built("prod").stack.shipping
    return [
        (child.node.path.removeprefix(f"{shipping.node.path}/"), child.cfn_resource_type)
        for child in shipping.node.find_all()
        if isinstance(child, cdk.CfnResource)
    ]


def test_the_file_is_what_is_drawn_now() -> None:
    assert FILE.read_text("utf-8") == svg(), "run `make diagram`, and look at it"


@pytest.mark.parametrize("page", ["README.md", "docs/architecture.md"])
def test_a_page_shows_it(page: str) -> None:
    assert "images/architecture.svg)" in (ROOT / page).read_text("utf-8")


@pytest.mark.parametrize("part", PARTS)
def test_what_is_drawn_is_deployed(part: str) -> None:
    assert [path for path, _ in resources() if path.startswith(f"{part}/")]


def test_what_works_or_keeps_is_drawn() -> None:
    drawn = tuple(f"{part}/" for part in PARTS)
    missing = [path for path, kind in resources() if kind in TO_BE_SEEN and not path.startswith(drawn)]
    assert missing == []
    assert {kind for _, kind in resources()} >= TO_BE_SEEN


def test_it_is_read_without_another_file() -> None:
    root = ET.fromstring(svg())
    assert not [name for element in root.iter() for name in element.attrib if name.endswith("href")]
    assert "url(http" not in svg()


@pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{way.points[0]} to {way.points[-1]}")
def test_a_way_leads_along_the_grid_from_a_box_to_a_box(way: Way) -> None:
    assert all(here[0] == there[0] or here[1] == there[1] for here, there in pairwise(way.points))
    for x, y in (way.points[0], way.points[-1]):
        edges = [
            box
            for box in BOXES
            if (x in {box.x, box.x + box.width} and box.y <= y <= box.y + box.height)
            or (y in {box.y, box.y + box.height} and box.x <= x <= box.x + box.width)
        ]
        assert len(edges) == 1
