"""The page on configuration against the code, and every example as somebody would deploy it."""

from __future__ import annotations

import json
import re
from dataclasses import MISSING, Field, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import aws_opensearchservice as opensearch

from app import build, synthesise
from stacks import nag
from stacks.stages import STAGES, StageConfig
from tests.stacks.built import EXAMPLES, ROOT, app, example, of_config

PAGE = (ROOT / "docs" / "configuration.md").read_text("utf-8")
ROWS = re.findall(r"^\| `(\w+)` \| (?:`(.*?)`)? \| (.+) \|$", PAGE, re.MULTILINE)


def _written(field: Field[Any]) -> str:
    """A field's default as the file would have it."""
    value = field.default
    if value is None:
        return ""
    if value is MISSING:
        return "{}"
    if str(field.type).startswith("tuple[tuple") and not value:
        return "{}"
    if isinstance(value, tuple) and value:
        return "{ " + ", ".join(f"{name} = {number}" for name, number in value) + " }"
    return json.dumps(value)


def test_the_table_has_every_field_with_its_default() -> None:
    assert [row[:2] for row in ROWS] == [(each.name, _written(each)) for each in fields(StageConfig)][1:]


def test_every_field_is_said_to_do_something() -> None:
    assert all(len(row[2]) > 5 for row in ROWS)


def test_every_example_is_on_the_page_and_known_to_the_tests() -> None:
    files = {file.stem for file in (ROOT / "examples").glob("*.toml")}
    assert files == set(EXAMPLES) == set(re.findall(r"examples/([\w-]+)\.toml", PAGE))


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_can_be_deployed(name: str, tmp_path: Path) -> None:
    """Synthesised with cdk-nag and CloudFormation's own rules; a finding that is not meant raises."""
    made = app(tmp_path, stage=EXAMPLES[name], config=str(ROOT / "examples" / f"{name}.toml"))
    build(made)
    synthesise(made)
    report = json.loads((tmp_path / "validation-report.json").read_text("utf-8"))
    assert "AwsSolutions" in {plugin["pluginName"] for plugin in report["pluginReports"]}


@cache
def _texts(name: str) -> list[str]:
    """Every text in a template, but for what the user wrote."""
    config = example(name)
    stack = of_config(replace(config, settings=STAGES["dev"].settings))
    own = {value for each in fields(config) for value in _leaves(getattr(config, each.name))}
    return [text for text in _leaves(stack.resources) if not any(mine in text for mine in own if ":" in mine)]


def _leaves(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for key, each in value.items() for text in (*_leaves(key), *_leaves(each))]
    if isinstance(value, (list, tuple)):
        return [text for each in value for text in _leaves(each)]
    return [value] if isinstance(value, str) else []


_PRINCIPAL = re.compile(r"(?<![\w.-])(pods\.)?[a-z0-9]+\.amazonaws\.com(?![\w.])")
"""Names of services as principals: the same in every partition.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-services"""


@pytest.mark.parametrize("name", EXAMPLES)
def test_nothing_is_of_one_partition(name: str) -> None:
    for text in _texts(name):
        assert not re.search(r"\barn:aws[a-z-]*:", text), text
        assert "amazonaws" not in _PRINCIPAL.sub("", text).replace("com.amazonaws.", ""), text


def test_the_version_is_the_newest_that_the_cdk_names() -> None:
    """It names what the service offers; https://docs.aws.amazon.com/opensearch-service/latest/developerguide/
    what-is.html#choosing-version"""
    names = [name for name in dir(opensearch.EngineVersion) if name.startswith("OPENSEARCH_")]
    newest = max(tuple(map(int, name.split("_")[1:])) for name in names)
    default = StageConfig(name="any").engine_version
    assert tuple(map(int, default.split("."))) == newest


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_is_open_to_browsers_is_not_said_to_be_signed(name: str) -> None:
    reasons = [
        finding.reason
        for finding in nag.meant(example(name), bodies="b", failed_events="f", indices=[], written=[], searched=[])
        if finding.rule.endswith("OS5")
    ]
    opened = "*" in example(name).access_principals
    assert all(("browser" in reason) is opened for reason in reasons)
    assert bool(reasons) is not bool(example(name).existing_arn)
