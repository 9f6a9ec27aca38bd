"""README, pages and changelog against the code: names, commands, settings, links."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from pathlib import Path

import click
import pytest

from shipper.cli.main import cli
from shipper.settings import Settings, described
from stacks.stages import STAGES

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")
TRANSFORM = (ROOT / "docs" / "transform.md").read_text("utf-8")
PAGES = sorted(
    [*ROOT.glob("*.md"), *(page for name in ("docs", "examples", "k8s") for page in (ROOT / name).rglob("*.md"))]
)


def settings_table() -> str:
    rows = [f"| `{name}` | {f'`{default}`' if default else ''} | {what} |" for name, default, what in described()]
    return "\n".join(["| variable | default | what it does |", "| --- | --- | --- |", *rows])


def test_the_settings_table_is_that_of_the_code() -> None:
    assert settings_table() in TRANSFORM, "replace the table in docs/transform.md by:\n" + settings_table()


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\bmake ([a-z-]+)", README))))
def test_each_target_is_in_the_makefile(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)


def _typed(page: Path) -> set[str]:
    """What stands after `cwl-shipper` in code: in a block up to the line's end, in a sentence up to the backtick."""
    text = page.read_text("utf-8")
    blocks = re.findall(r"^ *```.*?^ *```", text, re.DOTALL | re.MULTILINE)
    in_blocks = re.findall(r"(?:^ *|\$ |\| |bin/)cwl-shipper ([a-z].*)", "\n".join(blocks), re.MULTILINE)
    return {*in_blocks, *re.findall(r"`cwl-shipper\s([a-z][^`]*)`", text)}


TYPED = sorted({(page.name, words) for page in PAGES for words in _typed(page)})


@pytest.mark.parametrize("typed", [typed for _, typed in TYPED], ids=[": ".join(one) for one in TYPED])
def test_each_command_and_option_is_there(typed: str) -> None:
    command: click.Command = cli
    words = shlex.split(typed, comments=True)
    while words and isinstance(command, click.Group):
        command = command.commands[words.pop(0)]
    options = {name for param in command.params for name in (*param.opts, *param.secondary_opts)}
    assert {word for word in words if word.startswith("--")} <= options


def test_commands_are_found_in_blocks_and_in_sentences() -> None:
    assert {"k8s check -", "k8s check", "dlq ls", "audit --repair"} <= {typed for _, typed in TYPED}
    assert len(TYPED) > 40


@pytest.mark.parametrize("stage", sorted(set(re.findall(r"stage=(\w+)", README))))
def test_each_stage_is_there(stage: str) -> None:
    assert stage in STAGES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)\s]+)\)", page.read_text("utf-8"))
    assert [link for link in links if not _leads(page, link)] == []


def _leads(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = page.parent / path if path else page
    return target.exists() and (not anchor or anchor in _anchors(target))


def _anchors(page: Path) -> set[str]:
    """Where the headings of a page can be linked to, as GitHub names them."""
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def test_the_changelog_begins_with_this_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert newest is not None
    assert newest[1] == version


def test_the_pins_of_the_functions_are_exact() -> None:
    for file in ("requirements.txt", "requirements-dev.txt", "requirements-checkov.txt", "lambdas/requirements.txt"):
        for line in (ROOT / file).read_text("utf-8").splitlines():
            assert re.match(r"#|-e \.|-r \S+|[\w.-]+==[\w.]+$", line), f"{file}: {line}"


EXAMPLES = re.findall(r"```json\n(.*?)```", TRANSFORM, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_each_example_of_settings_can_be_used(example: str) -> None:
    texts = json.loads(example)
    assert set(Settings.checked_text(texts, delivery=False).to_env()) == {f"SHIPPER_{name.upper()}" for name in texts}
