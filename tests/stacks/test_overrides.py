"""Fields from a file: each type as it is written, and every fault by its name."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from shipper.settings import MultilineRule
from stacks import overrides
from stacks.stages import STAGES, StageConfig

DEV = STAGES["dev"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, {}, id="nothing"),
        pytest.param({"cluster": "shop"}, {"cluster": "shop"}, id="text"),
        pytest.param({"architecture": "x86_64"}, {"architecture": "x86_64"}, id="one of some texts"),
        pytest.param({"instance_count": 3}, {"instance_count": 3}, id="number"),
        pytest.param({"off_peak_hour_utc": 3}, {"off_peak_hour_utc": 3}, id="number or nothing"),
        pytest.param({"off_peak_hour_utc": None}, {"off_peak_hour_utc": None}, id="nothing, as JSON has it"),
        pytest.param({"protected": True}, {"protected": True}, id="truth"),
        pytest.param({"reader_roles": ["a", "b"]}, {"reader_roles": ("a", "b")}, id="list"),
        pytest.param(
            {"silent_after_min": {"host": 10, "application": 5}},
            {"silent_after_min": (("host", 10), ("application", 5))},
            id="table",
        ),
        pytest.param(
            {"filter_patterns": {"host": "ERROR"}}, {"filter_patterns": (("host", "ERROR"),)}, id="table of texts"
        ),
    ],
)
def test_a_field_is_taken_as_it_is_written(changes: dict[str, Any], expected: dict[str, Any]) -> None:
    assert overrides.apply(DEV, changes) == (replace(DEV, **expected), [])


def test_settings_are_changed_one_by_one() -> None:
    """What the stage says of the others stays: local's letters come back in a second."""
    rules = [{"log_group": "*", "start": "^x"}]
    changes = {"settings": {"join": False, "max_tries": 7, "strip": ["a", "b.*"], "multiline": rules, "redact": "all"}}
    config, problems = overrides.apply(STAGES["local"], changes)
    assert problems == []
    expected = STAGES["local"].settings.with_values(
        join=False, max_tries=7, strip=("a", "b.*"), multiline=(MultilineRule("*", "^x"),), redact=("all",)
    )
    assert config.settings == expected
    assert config.settings.backoff_s == 1


def test_a_profile_is_a_setting() -> None:
    config, problems = overrides.apply(DEV, {"settings": {"profile": "incumbent", "join": True}})
    assert problems == []
    assert (config.settings.message, config.settings.join) == ("raw", True)


@pytest.mark.parametrize(
    ("changes", "problems"),
    [
        pytest.param({"clutser": "shop"}, ["clutser: no such field"], id="unknown"),
        pytest.param({"name": "prod"}, ["name: no such field"], id="the name is the table's"),
        pytest.param({"cluster": 7}, ["cluster: 7 is not a text"], id="text"),
        pytest.param({"instance_count": "3"}, ["instance_count: '3' is not a whole number"], id="number as text"),
        pytest.param({"instance_count": 1.5}, ["instance_count: 1.5 is not a whole number"], id="part of a number"),
        pytest.param({"instance_count": True}, ["instance_count: True is not a whole number"], id="truth for number"),
        pytest.param({"protected": 1}, ["protected: 1 is not true or false"], id="number for truth"),
        pytest.param({"subnet_ids": "a"}, ["subnet_ids: 'a' is not a list of texts"], id="text for list"),
        pytest.param(
            {"filter_patterns": {"host": 1}},
            ["filter_patterns: {'host': 1} is not a table of texts"],
            id="number among texts",
        ),
        pytest.param({"subnet_ids": [1]}, ["subnet_ids: [1] is not a list of texts"], id="list of numbers"),
        pytest.param(
            {"silent_after_min": {"host": "1"}},
            ["silent_after_min: {'host': '1'} is not a table of whole numbers"],
            id="table of texts",
        ),
        pytest.param({"settings": "all"}, ["settings: 'all' is not a table of settings"], id="settings"),
        pytest.param(
            {"settings": {"endpoint": "https://x", "bucket": "b"}},
            ["settings.bucket: is written by the stack", "settings.endpoint: is written by the stack"],
            id="settings of the stack",
        ),
        pytest.param(
            {"settings": {"max_tries": "often", "jion": True}, "memory_mib": "1", "nope": 1},
            [
                "settings.max_tries: 'often' is not a number",
                "settings.jion: no such setting",
                "memory_mib: '1' is not a whole number",
                "nope: no such field",
            ],
            id="all at once",
        ),
    ],
)
def test_what_cannot_be_read_is_named_and_left_as_it_was(changes: dict[str, Any], problems: list[str]) -> None:
    assert overrides.apply(DEV, changes) == (DEV, problems)


def test_every_field_but_the_name_can_be_written() -> None:
    """A new type of field fails here, and not when somebody first writes one."""
    for each in fields(StageConfig):
        _, problems = overrides.apply(DEV, {each.name: object()})
        assert len(problems) == 1
        assert ("no such field" in problems[0]) is (each.name == "name")


def test_a_file_has_a_table_for_each_stage(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[dev]\ncluster = "a"\n[prod]\ncluster = "b"\n[prod.settings]\njoin = false\n', "utf-8")
    assert overrides.read(str(file), "prod") == {"cluster": "b", "settings": {"join": False}}
    assert overrides.read(file, "dev") == {"cluster": "a"}
    assert overrides.read(str(file), "local") == {}


def test_a_stage_of_your_own_is_like_one_of_ours() -> None:
    """A second cluster is a second stage."""
    config, problems = overrides.configured({"shop": {"like": "prod", "cluster": "shop"}}, "shop")
    assert (config, problems) == (replace(STAGES["prod"], name="shop", cluster="shop"), [])
    assert config.problems() == []


@pytest.mark.parametrize("source", [None, {}, {"dev": {}}], ids=str)
def test_a_stage_that_nobody_describes_is_named(source: Any) -> None:
    with pytest.raises(overrides.Unreadable, match=r"^stage: 'shop' is none of local, dev, prod, nor a table"):
        overrides.configured(source, "shop")


def test_the_context_can_hold_the_tables_itself() -> None:
    assert overrides.read({"dev": {"cluster": "a"}}, "dev") == {"cluster": "a"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param("[dev", r"^config: .*c\.toml is no TOML: ", id="no TOML"),
        pytest.param(
            "[stage]\n", r"^config: 'stage' is none of local, dev, prod: say which of them it is `like`$", id="no stage"
        ),
        pytest.param("dev = 1\n", "^config: dev is not a table of fields$", id="no table"),
    ],
)
def test_a_file_that_is_none_is_named(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "c.toml"
    file.write_text(content, "utf-8")
    with pytest.raises(overrides.Unreadable, match=message):
        overrides.read(str(file), "dev")


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(overrides.Unreadable, match=r"^config: no\.toml cannot be read: No such file or directory$"):
        overrides.read("no.toml", "dev")
