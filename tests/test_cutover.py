"""The page of the cut-over: what it types can be typed, and its stage can be deployed."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import click
import pytest

from shipper.cli.main import cli
from shipper.compare import CLASH, DIGITS
from shipper.settings import Settings
from stacks import overrides
from stacks.stages import STAGES

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "cutover.md").read_text("utf-8")
TYPED = [line.split()[1:] for line in re.findall(r"^cwl-shipper .*$", PAGE, re.MULTILINE)]
(STAGE,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("words", TYPED, ids=" ".join)
def test_each_command_can_be_typed(words: list[str]) -> None:
    # A command keeps the options for help of its first context: they have to be those of the group.
    context, command, rest = click.Context(cli, **cli.context_settings), cli.commands[words[0]], words[1:]
    while isinstance(command, click.Group):
        command, rest = command.commands[rest[0]], rest[1:]
    command.make_context(command.name, list(rest), parent=context)


def test_the_commands_of_the_page_are_found() -> None:
    assert {words[0] for words in TYPED} == {"compare", "audit", "status", "dlq"}


def test_the_stage_makes_the_documents_of_the_old_function_in_its_domain() -> None:
    config, problems = overrides.apply(STAGES["prod"], overrides.read(tomllib.loads(STAGE), "prod"))
    assert problems + config.problems() == []
    assert config.settings == Settings.for_profile("incumbent")


@pytest.mark.parametrize("why", [CLASH, DIGITS])
def test_what_is_meant_to_differ_is_named(why: str) -> None:
    assert why in " ".join(PAGE.replace("`", "").split())
