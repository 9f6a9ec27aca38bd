"""Fluentd's configuration: sections with parameters, every `@include` put in its place.

Lenient, as the check of a user's own manifest must be: what Fluentd would refuse or pass over in silence is a fault
with its place, and the rest is read. The syntax: https://docs.fluentd.org/configuration/config-file
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

_OPENING = re.compile(r"<(?P<name>\w+)(?P<argument>(?:\s[^>]*)?)>(?:\s+#.*)?")
_COMMENT = re.compile(r"\s#.*", re.DOTALL)
_QUOTED = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'""", re.DOTALL)
_FROM_ENVIRONMENT = re.compile(
    r"""\#\{\s*ENV(?:\[\s*['"](?P<key>\w+)['"]\s*\]|\.fetch\(\s*['"](?P<fetched>\w+)['"]\s*\))"""
    r"""(?:\s*\|\|\s*['"](?P<default>[^'"}]*)['"])?\s*\}"""
)
_DELIMITER = re.compile(r"""\\.|[\[\]{}"']""", re.DOTALL)
_NUMBERS = re.compile(r"(\d{1,3})(?:-(\d{1,3}))?")
_LOOKS_SO = re.compile(r"^[ \t]*(?:<(?:source|match|filter|label|system|worker)\b|@include\b)", re.MULTILINE)

# A value that never closes is one line, a file that includes others for ever is no file, and no node has more cores.
_MAX_VALUE_LINES = 100
_MAX_INCLUDES = 500
_MAX_DEPTH = 20
_MAX_WORKERS = 256
_EVERY_WORKER = range(1_000)


@dataclass(frozen=True, slots=True)
class Place:
    """A line, counted from 1, of a file."""

    file: str
    line: int


@dataclass(slots=True)
class Section:
    """`<name argument>` with what is in it; values as they are written, with their quotes."""

    name: str
    argument: str = ""
    place: Place = Place("", 0)
    parameters: dict[str, str] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    sections: list[Section] = field(default_factory=list)

    @property
    def type(self) -> str:
        """The plugin, "" where none is named; `type` is its key before v0.12."""
        return self.text("@type") or self.text("type")

    def text(self, key: str, default: str = "") -> str:
        """A value without its quotes."""
        value = self.parameters.get(key)
        return default if value is None else value[1:-1] if _QUOTED.fullmatch(value) else value

    def is_true(self, key: str) -> bool:
        """Whether Fluentd takes a value for true; a key alone is."""
        return key in self.parameters and self.text(key).lower() in {"true", "yes", ""}

    def all(self, name: str) -> list[Section]:
        """The sections of that name right below this one."""
        return [section for section in self.sections if section.name == name]

    def only(self, name: str) -> Section:
        """The one section of that name."""
        (section,) = self.all(name)
        return section

    def walk(self) -> Iterator[Section]:
        """This section and all below it, in the order of the text."""
        waiting = [self]
        while waiting:
            section = waiting.pop()
            yield section
            waiting += reversed(section.sections)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with the text itself."""

    place: Place
    what: str


@dataclass(frozen=True, slots=True)
class Parsed:
    """A configuration; `missing` are the includes that lead to no file."""

    root: Section
    faults: tuple[Fault, ...]
    missing: tuple[Fault, ...]


def looks_so(text: str) -> bool:
    """Whether a text is a configuration of Fluentd."""
    return bool(_LOOKS_SO.search(text))


def resolved(text: str, environment: Mapping[str, str]) -> str:
    """The text with each `#{ENV['NAME'] || 'default'}` replaced; where neither is known it stays."""

    def value(found: re.Match[str]) -> str:
        known = environment.get(found["key"] or found["fetched"], found["default"])
        return found[0] if known is None else known

    return _FROM_ENVIRONMENT.sub(value, text)


def parse(texts: Mapping[str, str], *names: str) -> Parsed:
    """The configuration that begins in the files `names`, of all the files there are, by their names."""
    reader = _Reader(texts)
    for name in names:
        reader.read(name)
    return Parsed(reader.root, tuple(reader.faults), tuple(reader.missing))


def by_worker(root: Section) -> list[Section]:
    """What each worker runs: all that stands in no `<worker>`, and what stands in one of its number.

    Workers that run the same are given once; a worker that no section names is left out.
    https://docs.fluentd.org/deployment/multi-process-workers
    """
    spans = {_workers(section) for section in root.all("worker")}
    if not spans:
        return [root]
    if len(spans) > _MAX_WORKERS:
        return [replace(root, sections=list(_run_by(None, root)))]
    first_of_its_kind = {number for span in spans for number in (span.start, span.stop)}
    numbers = sorted(number for number in first_of_its_kind if any(number in span for span in spans))
    return [replace(root, sections=list(_run_by(number, root))) for number in numbers]


def _run_by(number: int | None, root: Section) -> Iterator[Section]:
    """The sections of a worker, or those of all without a number."""
    for section in root.sections:
        if section.name != "worker":
            yield section
        elif number is None or number in _workers(section):
            yield from section.sections


def _workers(section: Section) -> range:
    """Those of a `<worker N>` or `<worker N-M>`; all of them where no number is to be read, or none is left."""
    found = _NUMBERS.fullmatch(section.argument)
    return (range(int(found[1]), int(found[2] or found[1]) + 1) if found else None) or _EVERY_WORKER


def main_files(texts: Mapping[str, str]) -> list[str]:
    """The files that no other includes: `fluent.conf`, or whatever a mount and a start command make of it."""
    included = {
        other
        for name, text in texts.items()
        for line in text.split("\n")
        if (words := line.split(None, 1)) and words[0] in _INCLUDE and len(words) > 1
        for other in _named(words[1], texts)
        if other != name
    }
    return [name for name in texts if name not in included] or list(texts)[:1]


_INCLUDE = {"@include", "include"}


def _named(pattern: str, texts: Mapping[str, str]) -> list[str]:
    """A ConfigMap has no folders: the last part of the path is the key."""
    wanted = _COMMENT.sub("", pattern).strip("\"' ").rpartition("/")[2]
    return sorted(name for name in texts if fnmatchcase(name, wanted))


class _Reader:
    """One pass over the files."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.root = Section("ROOT")
        self.faults: list[Fault] = []
        self.missing: list[Fault] = []
        self._texts = texts
        self._open_files: list[str] = []
        self._includes = 0

    def read(self, name: str, target: Section | None = None) -> None:
        """Put what a file says into a section."""
        target = target or self.root
        open_sections = [target]
        self._open_files.append(name)
        lines = self._texts[name].split("\n")
        index = 0
        while index < len(lines):
            statement, behind = _statement(lines, index)
            if statement and not statement.startswith("#"):
                self._take(open_sections, statement, Place(name, index + 1))
            index = behind
        for section in open_sections[1:]:
            self._fault(section.place, f"<{section.name}> is not closed")
        self._open_files.pop()

    def _take(self, open_sections: list[Section], statement: str, place: Place) -> None:
        if statement.startswith("</"):
            self._close(open_sections, statement, place)
        elif opening := _OPENING.fullmatch(statement):
            section = Section(opening["name"], opening["argument"].strip(), place)
            open_sections[-1].sections.append(section)
            open_sections.append(section)
        else:
            key, _, rest = statement.partition(" ")
            if key in _INCLUDE:
                self._include(open_sections[-1], rest, place)
            else:
                self._parameter(open_sections[-1], key, rest, place)

    def _close(self, open_sections: list[Section], statement: str, place: Place) -> None:
        section = open_sections[-1]
        if not statement.startswith(f"</{section.name}>") or len(open_sections) == 1:
            self._fault(place, f"{statement} closes <{section.name}>")
        if len(open_sections) > 1:
            open_sections.pop()

    def _include(self, section: Section, pattern: str, place: Place) -> None:
        names = [name for name in _named(pattern, self._texts) if name not in self._open_files]
        if not names:
            self.missing.append(Fault(place, f"@include {pattern}: no such file"))
        for name in names:
            self._includes += 1
            if self._includes > _MAX_INCLUDES or len(self._open_files) > _MAX_DEPTH:
                self._fault(place, "@include goes on and on")
                return
            self.read(name, section)

    def _parameter(self, section: Section, key: str, value: str, place: Place) -> None:
        if key in section.parameters:
            self._fault(place, f"<{section.name} {section.argument}> has {key} twice")
        section.parameters[key] = value
        section.places[key] = place

    def _fault(self, place: Place, what: str) -> None:
        self.faults.append(Fault(place, what))


def _statement(lines: list[str], index: int) -> tuple[str, int]:
    """What stands in a line, as `key value` without its comment, and the index behind it.

    A value in quotes or brackets goes on until it closes.
    """
    first = lines[index].strip()
    if first.startswith(("#", "<")):
        return first, index + 1
    key, value = (*first.split(None, 1), "", "")[:2]
    if value[:1] not in {'"', "'", "[", "{"}:
        return f"{key} {_COMMENT.sub('', value).rstrip()}".rstrip(), index + 1
    open_ones: list[str] = []
    taken: list[str] = []
    for number in range(index, min(len(lines), index + _MAX_VALUE_LINES)):
        line = lines[number].rstrip() if taken else value
        end = _end(line, open_ones)
        taken.append(line[:end])
        if end is not None:
            return "\n".join([f"{key} {taken[0]}", *taken[1:]]), number + 1
    return f"{key} {value}", index + 1


def _end(line: str, open_ones: list[str]) -> int | None:
    """Behind what closes the value in this line, if anything does; `open_ones`: quotes and brackets before it."""
    for found in _DELIMITER.finditer(line):
        char = found[0]
        if open_ones and open_ones[-1] in "\"'":
            if char == open_ones[-1]:
                open_ones.pop()
        elif char in "[{" or (char in "\"'" and (char == '"' or not open_ones)):
            open_ones.append(char)
        elif char in "]}" and open_ones:
            open_ones.pop()
        if not open_ones:
            return found.end()
    return None
