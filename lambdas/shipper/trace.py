"""Finds trace id, span id and level in a record's fields or its text.

Ids come out in one spelling, so that one search follows a transaction through every service: lower-case hex, 32 or 16
digits. An X-Ray root `1-5759e988-bd862e3fe1be46a994272793` loses its version and dash, as OpenTelemetry writes it;
Datadog's decimal ids become the 16 hex digits that they are. `find` sees every event: what cannot hold an id or a level
is told by plain substring tests and by patterns that begin with literals, which the regex engine skips to.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from shipper.model import Fields


class Trace(NamedTuple):
    """What was found; "" where nothing was."""

    trace_id: str = ""
    span_id: str = ""
    level: str = ""


_TEXT_WITHIN = 8_192
"""Characters of the first line that are searched: a megabyte on one line costs no more than that."""

_LEVEL_WITHIN = 100
_DEPTH = 4

_NAMES_OF_LEVELS = {
    "TRACE": "trace trce verbose vrb",
    "DEBUG": "debug dbug dbg",
    "INFO": "info information informational inf notice",
    "WARN": "warn warning wrn",
    "ERROR": "error err severe fail failure",
    "FATAL": "fatal ftl critical crit alert emerg emergency panic dpanic",
}
_LEVELS = {name: level for level, names in _NAMES_OF_LEVELS.items() for name in names.split()}
_LEVELS |= {name.upper(): level for name, level in _LEVELS.items()}
# Java's, npm's, Loguru's and Google's; as the first word of a line these would be prose.
_FIELD_LEVELS = {
    **_LEVELS,
    **dict.fromkeys(("finest", "finer", "silly"), "TRACE"),
    **dict.fromkeys(("fine", "config"), "DEBUG"),
    **dict.fromkeys(("success", "default", "log", "note"), "INFO"),
}
_PINO = {10: "TRACE", 20: "DEBUG", 30: "INFO", 40: "WARN", 50: "ERROR", 60: "FATAL"}  # and Bunyan
_PYTHON = {10: "DEBUG", 20: "INFO", 30: "WARN", 40: "ERROR", 50: "FATAL"}
# https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber
_OTEL = {number: level for at, level in enumerate(_NAMES_OF_LEVELS) for number in range(4 * at + 1, 4 * at + 5)}
_SYSLOG = dict(enumerate(("FATAL", "FATAL", "FATAL", "ERROR", "WARN", "INFO", "INFO", "DEBUG")))  # RFC 5424, 6.2.1
_KLOG = {"I": "INFO", "W": "WARN", "E": "ERROR", "F": "FATAL"}
_WITHOUT_IDS = {level: Trace(level=level) for level in ("", *_NAMES_OF_LEVELS)}
NOTHING_FOUND = _WITHOUT_IDS[""]

_HEX = r"[0-9a-fA-F]"
_LONG, _SHORT = rf"{_HEX}{{32}}", rf"{_HEX}{{16}}"
_ID = rf"(?:{_LONG}|{_SHORT})"
_IS_ID = re.compile(_ID)
_XRAY_ID = rf"1-({_HEX}{{8}})-({_HEX}{{24}})\b"
_XRAY = re.compile(rf"{_XRAY_ID}(?:@({_SHORT})\b)?")
_XRAY_ROOT = re.compile(rf"Root={_XRAY_ID}(?:.{{0,40}}?\bParent=({_SHORT})\b)?")
_TRACEPARENT = re.compile(rf"(?!ff){_HEX}{{2}}-({_LONG})-({_SHORT})-{_HEX}{{2}}(?:-|$)")
_B3 = re.compile(rf"({_ID})-({_SHORT})(?:-[01d](?:-{_SHORT})?)?")
_JAEGER = re.compile(rf"({_HEX}{{1,32}})(?::|%3A)({_HEX}{{1,16}})(?::|%3A)", re.IGNORECASE)
_ZERO = ("0", "")
_DECIMAL = re.compile(r"[0-9]{17,20}")


def find(fields: Fields, text: str) -> Trace:
    """Trace, span and level of one record: from its fields, else from the first line of its text."""
    trace_id = span_id = level = ""
    named = not _NAMES.isdisjoint(fields)
    if named:
        trace_id, span_id, level = _in_fields(fields)
    line = text[:_TEXT_WITHIN]
    if "\n" in line:
        line = line[: line.index("\n")]
    if not trace_id and ("race" in line or _COMMA.search(line) or _DASH.search(line) or "RACE" in line):
        trace_id, beside = _ids_in_text(line)
        span_id = beside or span_id
    if not level:
        level = _level_in_text(line) or (_level_of_journal(fields) if named else "")
    return Trace(trace_id, span_id, level) if trace_id or span_id else _WITHOUT_IDS[level]


def normal_id(value: Any) -> str:
    """One spelling for a trace or span id in any of the known forms; "" for what is none, or all zeros."""
    if type(value) is int:
        value = str(value)
    if not isinstance(value, str):
        return ""
    if _IS_ID.fullmatch(value):
        return _hex(value)
    if _DECIMAL.fullmatch(value):
        return _hex_of_decimal(value)
    if found := _XRAY.match(value) or _XRAY_ROOT.search(value):
        return _hex(found[1] + found[2])
    return _hex(found[1]) if (found := _TRACEPARENT.match(value)) else ""


def _hex_of_decimal(digits: str) -> str:
    """The 16 hex digits of a decimal id; "" for zero and for more than 64 bits."""
    value = int(digits)
    return f"{value:016x}" if 0 < value < 2**64 else ""


def _hex(digits: str) -> str:
    """Lower case, with the zeros in front that some writers leave out; "" for zero."""
    if digits[:1] in _ZERO and not digits.strip("0"):
        return ""
    return digits.lower().zfill(16 if len(digits) <= 16 else 32)


_Reader = Callable[[Any], tuple[str, str, str]]
"""Makes (trace id, span id, level) of a field's value; "" for what is not in it."""


def _read_trace(value: Any) -> tuple[str, str, str]:
    return normal_id(value), "", ""


def _read_span(value: Any) -> tuple[str, str, str]:
    return "", normal_id(value), ""


def _read_xray(value: Any) -> tuple[str, str, str]:
    if isinstance(value, str) and (found := _XRAY.match(value) or _XRAY_ROOT.search(value)):
        return _hex(found[1] + found[2]), _hex(found[3] or ""), ""
    return normal_id(value), "", ""


def _pair(form: re.Pattern[str]) -> _Reader:
    def read(value: Any) -> tuple[str, str, str]:
        found = isinstance(value, str) and form.match(value)
        return (_hex(found[1]), _hex(found[2]), "") if found else ("", "", "")

    return read


def _datadog_id(value: Any) -> str:
    """Decimal where it can be, whatever its length: only 128 bits are written in hex."""
    text = str(value) if type(value) in (int, str) else ""
    return _hex_of_decimal(text) if text.isdecimal() and len(text) <= 20 else normal_id(text)


def _numbered(levels: dict[int, str]) -> _Reader:
    def read(value: Any) -> tuple[str, str, str]:
        if isinstance(value, str) and value.isdecimal() and len(value) < 4:
            value = int(value)
        return "", "", levels.get(value, "") if type(value) is int else ""

    return read


_read_pino, _read_python, _read_otel, _read_priority = map(_numbered, (_PINO, _PYTHON, _OTEL, _SYSLOG))


def _read_level(value: Any) -> tuple[str, str, str]:
    if not isinstance(value, str):
        return _read_pino(value)
    # Go's slog writes `INFO+2` for what lies between its levels.
    level = _LEVELS.get(value) or _FIELD_LEVELS.get(re.split("[+-]", value.strip().lower(), maxsplit=1)[0])
    return ("", "", level) if level else _read_pino(value)


def _spelled(*names: str) -> Iterator[str]:
    """Each name, given as words, as the conventions of languages and headers write it."""
    for name in names:
        words = name.split()
        pascal = "".join(word[0].upper() + word[1:] for word in words)
        camel = words[0] + pascal[len(words[0]) :]
        yield from ("".join(words), "_".join(words), "-".join(words), ".".join(words), "_".join(words).upper())
        yield from (pascal, camel, "-".join(word[0].upper() + word[1:] for word in words), "-".join(words).upper())
        if words[-1] == "id":
            yield from (pascal[:-2] + "ID", camel[:-2] + "ID")


_READERS: dict[str, _Reader] = {
    # OpenTelemetry, Elastic, Zipkin, Brave's and Micrometer's MDC, Jaeger; headers of B3
    **dict.fromkeys(_spelled("trace id", "otel trace id", "x b3 traceid", "x b3 traceId"), _read_trace),
    **dict.fromkeys(_spelled("span id", "otel span id", "x b3 spanid", "x b3 spanId"), _read_span),
    "@tr": _read_trace,  # https://github.com/serilog/serilog-formatting-compact/pull/56
    "@sp": _read_span,
    **dict.fromkeys(("dd.trace_id", *_spelled("dd trace id")), lambda value: (_datadog_id(value), "", "")),
    **dict.fromkeys(("dd.span_id", *_spelled("dd span id")), lambda value: ("", _datadog_id(value), "")),
    # https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
    **dict.fromkeys(_spelled("x amzn trace id", "xray trace id", "aws xray trace id"), _read_xray),
    # https://www.w3.org/TR/trace-context/#traceparent-header
    **dict.fromkeys(_spelled("traceparent", "trace parent"), _pair(_TRACEPARENT)),
    **dict.fromkeys(_spelled("uber trace id"), _pair(_JAEGER)),
    **dict.fromkeys(_spelled("b3"), _pair(_B3)),  # https://github.com/openzipkin/b3-propagation#single-header
    **dict.fromkeys(_spelled("level", "severity", "log level", "level name", "severity text"), _read_level),
    **dict.fromkeys(("lvl", "@l"), _read_level),
    "levelno": _read_python,
    **dict.fromkeys(_spelled("severity number"), _read_otel),
}
# The objects where loggers keep their context, and what these add to the name of a key.
_NESTED = {
    **dict.fromkeys(("log_processed", "mdc", "MDC", "contextMap", "context", "attributes", "extra"), ""),
    **dict.fromkeys(("req", "request", "headers", "Scopes"), ""),
    **{name: name + "." for name in ("trace", "span", "dd", "log")},
}
_NAMES = frozenset((*_READERS, *_NESTED, "PRIORITY", "priority"))


def _in_fields(fields: Fields, prefix: str = "", room: int = _DEPTH) -> tuple[str, str, str]:
    """(trace id, span id, level) of the fields, else of the objects in them; the first that can be used counts."""
    found = ("", "", "")
    inner: list[tuple[str, Fields]] = []
    for key, value in fields.items():
        if reader := (_READERS.get(prefix + key) if prefix else None) or _READERS.get(key):
            more = reader(value)
            found = found[0] or more[0], found[1] or more[1], found[2] or more[2]
        elif key in _NESTED and room:
            # .NET's JSON console has a list of scopes.
            objects = value[:_DEPTH] if isinstance(value, list) else (value,)
            inner += [(_NESTED[key], each) for each in objects if isinstance(each, dict)]
    for name, value in inner:
        more = ("", "", "") if all(found) else _in_fields(value, name, room - 1)
        found = found[0] or more[0], found[1] or more[1], found[2] or more[2]
    return found


def _level_of_journal(fields: Fields) -> str:
    """The journal's priority: the last resort, since systemd gives every line of a service the same one."""
    value = fields.get("PRIORITY", fields.get("priority"))
    return _read_priority(value)[2] if isinstance(value, str) else ""


# Any form but the named ones has a comma or a dash before a span id.
_COMMA = re.compile(rf",\s?{_SHORT}")
_DASH = re.compile(rf"-{_SHORT}")
_IS = r"[\"']?(?:\s{0,2}[=:]\s{0,2}|\s)[\"'\[({<]?"
_VALUE = (
    rf"(?P<id>{_LONG}|(?(dd)\d{{1,20}}|(?:{_SHORT}|\d{{17,20}}|1-{_HEX}{{8}}-{_HEX}{{24}})))(?:@{_SHORT})?\b(?!:{_HEX})"
)
_TEXT_TRACE = re.compile(
    r"[tT](?:race|RACE)(?:(?P<dd>(?<=\bdd\.trace))|(?<=Trace|TRACE)|(?<![A-Za-z]trace))[_. -]?(?i:id)" + _IS + _VALUE
)
_TEXT_SPAN = re.compile(
    r"[sS](?:pan|PAN)(?:(?P<dd>(?<=\bdd\.span))|(?<=Span|SPAN)|(?<![A-Za-z]span))[_. -]?(?i:id)" + _IS + _VALUE
)
# Sleuth's [app,trace,span,export], Micrometer's [trace-span], a pattern's [trace,span]; no list of short hashes
_BRACKETS = rf"\[(?:(?!{_SHORT},)[^\[\],]{{0,80}}+,\s?(?={_ID},)|(?={_ID}-)|(?={_LONG},))({_ID})[,-]\s?({_SHORT})[],]"
_PAIRS = (
    ("00-", re.compile(rf"00-(?<![\w-]00-)({_LONG})-({_SHORT})-{_HEX}{{2}}(?![\w-])")),  # W3C traceparent
    ("[", re.compile(_BRACKETS)),
    ("3", re.compile(rf"[bB]3(?<!\w[bB]3){_IS}({_ID})-({_SHORT})\b")),  # B3 in one header
    ("ber-", re.compile(rf"[uU]ber-[tT]race-[iI]d{_IS}({_HEX}{{1,32}}):({_HEX}{{1,16}}):")),  # Jaeger
)


def _ids_in_text(line: str) -> tuple[str, str]:
    if ("race" in line or "RACE" in line) and (match := _TEXT_TRACE.search(line)) and (trace_id := _named_id(match)):
        beside = _TEXT_SPAN.search(line)
        return trace_id, _named_id(beside) if beside else ""
    if "Root=1-" in line:
        return _read_xray(line)[:2]
    for hint, form in _PAIRS:
        if hint in line and (match := form.search(line)) and (trace_id := _hex(match[1])):
            return trace_id, _hex(match[2])
    return "", ""


def _named_id(match: re.Match[str]) -> str:
    return _datadog_id(match["id"]) if match["dd"] is not None else normal_id(match["id"])


def _leveled(word: str) -> str:
    """A level in capitals where a header has it: no part of a path, a name, a quotation or an assignment."""
    return rf"{word}(?:(?<![\w/=\"'-]{word})|(?<=\dm{word}))(?=$|[\s\]|:)>\[/\x1b])"


_CAPITALS = "DEBUG INFO NOTICE WARN WARNING ERROR FATAL CRITICAL SEVERE ALERT EMERGENCY PANIC VRB DBG INF WRN ERR FTL"
_WORDS = "|".join(f"[{word[0]}{word[0].upper()}]{word[1:]}" for word in _LEVELS if word.islower())
_TEXT_LEVEL = re.compile(
    "|".join(_leveled(word) for word in _CAPITALS.split())
    + rf"|{_leveled('TRACE')}(?! /)"  # the HTTP method
    + r"|LOG(?<= LOG)(?=:  )"  # PostgreSQL
    + rf"|\[(?=[\w :]{{3,25}}\]) ?(?:\w{{1,20}}:)?(?:{_WORDS}) ?\]"  # nginx, Apache, Fluent Bit, Envoy, Elixir
    + rf"|\t(?:{_WORDS})\t"  # zap
)
_LEVEL_IS = re.compile(r"level(?:(?<=\"level)\"\s?:\s?|(?<![\w.-]level)=)\"?(\w+)")
_HEAD = re.compile(r"(?:PHP )?([A-Za-z]{3,11}+)(?: error)?:|([IWEF])\d{4} \d\d:\d\d:\d\d")  # and klog's


def _level_in_text(line: str) -> str:
    """The level in the header of a line: never a word of its prose."""
    if "evel" in line and (match := _LEVEL_IS.search(line, 0, 2 * _LEVEL_WITHIN)):
        return "" if _is_prose(line[: match.start()]) else _read_level(match[1])[2]
    if match := _TEXT_LEVEL.search(line, 0, _LEVEL_WITHIN):
        before = line[: match.start()]
        if '"' in before or (before.rstrip()[-1:].isalpha() and _is_prose(before)):
            return ""
        return _FIELD_LEVELS.get(match[0].lower()) or _LEVELS[match[0].strip("[] \t").rpartition(":")[2].lower()]
    if match := _HEAD.match(line):
        return _KLOG[match[2]] if match[2] else _LEVELS.get(match[1].lower(), "")
    return ""


def _is_prose(before: str) -> bool:
    """Whether what stands before a level is a sentence: a header has a time, a name or brackets there."""
    if not before.rstrip()[-1:].isalpha():
        return False
    words = before.split()
    return all(map(str.isalpha, words)) or all(word.isalpha() and word.islower() for word in words[-2:])
