"""The rules of join-*.conf at work on lines: what concat does with them, but for its timeouts.

Its three questions come in this order: a start begins a new event, an end joins and closes one that is open, a
continuation joins one that is open; anything else closes what is open and passes alone
(https://github.com/fluent-plugins-nursery/fluent-plugin-concat).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from shipper.k8s.fluentd_conf import Section

_ONIGMO = {r"\z": r"\Z", "(?m:": "(?s:", "[[:alpha:]]": r"[^\W\d_]", r"\h": "[0-9a-fA-F]"}
_TOKEN = re.compile(r"\[\[:alpha:\]\]|\(\?m:|\\.|[\[\]]|[^\\\[\]]", re.DOTALL)


def regexp(literal: str) -> re.Pattern[str]:
    """Ruby's `/…/` as Python reads it. Raises `ValueError` when it is cut, for example at a " #"."""
    if not (len(literal) > 1 and literal.startswith("/") and literal.endswith("/")):
        raise ValueError(f"no regexp: {literal}")
    return re.compile("".join(_tokens(literal[1:-1])))


def _tokens(body: str) -> Iterator[str]:
    in_class = False
    for token in _TOKEN.findall(body):
        if in_class and token == r"\h":
            yield "0-9a-fA-F"
            continue
        in_class = token == "[" or (in_class and token != "]")
        yield _ONIGMO.get(token, token)


@dataclass(frozen=True, slots=True)
class Rule:
    """One concat: what begins, continues and ends an event."""

    label: str
    start: re.Pattern[str]
    more: re.Pattern[str]
    end: re.Pattern[str] | None

    def join(self, texts: list[str]) -> list[str]:
        """The events that these texts, of one container and stream, become."""
        events: list[list[str]] = []
        is_open = False
        for text in texts:
            if self.start.search(text):
                events.append([text])
                is_open = True
            elif is_open and self.end and self.end.search(text):
                events[-1].append(text)
                is_open = False
            elif is_open and self.more.search(text):
                events[-1].append(text)
            else:
                events.append([text])
                is_open = False
        return ["\n".join(event) for event in events]


def rules(root: Section) -> Iterator[Rule]:
    """Each rule in the order in which a line meets them, from the label behind the join of split lines."""
    labels = {label.argument: label for label in root.all("label")}
    name = labels["@containers"].only("match").parameters["@label"]
    while (concat := labels[name].all("filter")[0].parameters)["@type"] == "concat":
        end = concat.get("multiline_end_regexp")
        yield Rule(
            label=name,
            start=regexp(concat["multiline_start_regexp"]),
            more=regexp(concat["continuous_line_regexp"]),
            end=regexp(end) if end else None,
        )
        name = labels[name].only("match").parameters["@label"]


def join(all_rules: list[Rule], lines: list[str]) -> list[str]:
    """The events that lines of one container and stream become."""
    for rule in all_rules:
        lines = rule.join(lines)
    return lines
