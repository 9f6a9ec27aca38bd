"""Fluentd's configuration as the tests look at it: sections with parameters, every `@include` put in its place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

FLUENTD = Path(__file__).resolve().parents[2] / "k8s" / "base" / "fluentd"

_OPENING = re.compile(r"<(?P<name>\w+)\s*(?P<argument>[^>]*)>")
_COMMENT = re.compile(r"\s+#.*")


@dataclass(slots=True)
class Section:
    """`<name argument>` with what is in it."""

    name: str
    argument: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    sections: list[Section] = field(default_factory=list)

    def all(self, name: str) -> list[Section]:
        """The sections of that name right below this one."""
        return [section for section in self.sections if section.name == name]

    def only(self, name: str) -> Section:
        """The one section of that name."""
        (section,) = self.all(name)
        return section

    def walk(self) -> Iterator[Section]:
        """This section and all below it."""
        yield self
        for section in self.sections:
            yield from section.walk()


def files(directory: Path = FLUENTD) -> dict[str, str]:
    """The files that the ConfigMap is made of, by name."""
    return {path.name: path.read_text("utf-8") for path in sorted(directory.iterdir())}


def read(texts: Mapping[str, str], name: str = "fluent.conf") -> Section:
    """The whole configuration that starts in `name`.

    Raises `ValueError` for what Fluentd takes in silence: a parameter given twice, an `@include` of no file.
    """
    root = Section("ROOT")
    _read_into(root, texts, name)
    return root


def _read_into(target: Section, texts: Mapping[str, str], name: str) -> None:
    if name not in texts:
        raise ValueError(f"@include {name}: no such file")
    open_sections = [target]
    for line in map(str.strip, texts[name].split("\n")):
        if not line or line.startswith("#"):
            continue
        if line.startswith("</"):
            _close(open_sections, line)
        elif opening := _OPENING.fullmatch(line):
            section = Section(opening["name"], opening["argument"].strip())
            open_sections[-1].sections.append(section)
            open_sections.append(section)
        else:
            _parameter(open_sections[-1], texts, line)
    if open_sections != [target]:
        raise ValueError(f"{name}: <{open_sections[-1].name}> is not closed")


def _close(open_sections: list[Section], line: str) -> None:
    section = open_sections.pop()
    if line != f"</{section.name}>" or not open_sections:
        raise ValueError(f"{line} closes <{section.name}>")


def _parameter(section: Section, texts: Mapping[str, str], line: str) -> None:
    key, _, value = line.partition(" ")
    if key == "@include":
        _read_into(section, texts, value)
    elif key in section.parameters:
        raise ValueError(f"<{section.name} {section.argument}> has {key} twice")
    else:
        section.parameters[key] = value if value.startswith(('"', "[", "{")) else _COMMENT.sub("", value)
