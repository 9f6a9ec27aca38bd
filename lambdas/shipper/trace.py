"""Finds trace id, span id and level in a record's fields or its text.

Ids come out in one spelling, so that one search follows a transaction through every service: lower-case hex, 32 or 16
digits. An X-Ray root `1-5759e988-bd862e3fe1be46a994272793` loses its version and dash, as OpenTelemetry writes it;
Datadog's decimal ids become the 16 hex digits that they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from shipper.model import Fields


@dataclass(frozen=True, slots=True)
class Trace:
    """What was found; "" where nothing was."""

    trace_id: str = ""
    span_id: str = ""
    level: str = ""


# Keys as applications write them, compared in lower case and without `_`, `-` and `.`.
_TRACE_KEYS = frozenset(
    {
        "traceid",  # OpenTelemetry, Zipkin, Brave and Micrometer's MDC, Jaeger
        "oteltraceid",  # OpenTelemetry's Python logging instrumentation
        "ddtraceid",  # Datadog
        "xb3traceid",  # B3 headers
        "xraytraceid",  # AWS X-Ray, Powertools
        "xamzntraceid",  # load balancer's header
        "traceparent",  # W3C Trace Context
    }
)
_SPAN_KEYS = frozenset({"spanid", "otelspanid", "ddspanid", "xb3spanid"})
_LEVEL_KEYS = frozenset({"level", "severity", "loglevel", "levelname", "severitytext"})
_NESTED = ("log_processed", "trace", "span", "dd", "mdc", "contextMap", "req", "headers", "log")

_NUMBERED_LEVELS = {10: "TRACE", 20: "DEBUG", 30: "INFO", 40: "WARN", 50: "ERROR", 60: "FATAL"}  # pino, bunyan
_LEVELS = {
    "warning": "WARN",
    "err": "ERROR",
    "severe": "ERROR",
    "critical": "FATAL",
    "crit": "FATAL",
    "panic": "FATAL",
    "fail": "ERROR",
    "notice": "INFO",
    "information": "INFO",
    "dbug": "DEBUG",
    "trce": "TRACE",
    **{name: name.upper() for name in ("trace", "debug", "info", "warn", "error", "fatal")},
}

_HEX = r"[0-9a-fA-F]"
_ID = rf"(?:{_HEX}{{32}}|{_HEX}{{16}})"
_TEXT_FORMS = tuple(
    re.compile(form)
    for form in (
        rf"\b00-(?P<trace>{_HEX}{{32}})-(?P<span>{_HEX}{{16}})-{_HEX}{{2}}\b",  # W3C traceparent
        rf"\[[\w.-]*,(?P<trace>{_ID}),(?P<span>{_HEX}{{16}})(?:,\w*)?\]",  # Sleuth [app,trace,span,export]
        rf"\[(?P<trace>{_ID})-(?P<span>{_HEX}{{16}})\]",  # Micrometer's [trace-span]
        rf"\bRoot=(?P<trace>1-{_HEX}{{8}}-{_HEX}{{24}})\b",  # X-Ray
        rf"\bb3[=:]\s*(?P<trace>{_ID})-(?P<span>{_HEX}{{16}})\b",  # B3 single header
        rf"\buber-trace-id[=:]\s*(?P<trace>{_ID}):(?P<span>{_HEX}{{16}})\b",  # Jaeger
        rf"(?i:\btrace[_-]?id|\bx-b3-traceid)\"?[=:]\s*\"?(?P<trace>{_ID})\b",  # MDC, key=value
    )
)
_TEXT_SPAN = re.compile(rf"(?i:\bspan[_-]?id|\bx-b3-spanid)\"?[=:]\s*\"?(?P<span>{_HEX}{{16}})\b")
_TEXT_HINT = re.compile(r"(?i:trace|b3|Root=1-|\b00-)|,[0-9a-f]{16}|[0-9a-f]{16}-[0-9a-f]{16}")
_TEXT_LEVEL = re.compile(
    r"\b(TRACE|DEBUG|INFO|WARN|WARNING|ERROR|FATAL|CRITICAL|SEVERE)\b|^(trce|dbug|info|warn|fail|crit):"
)
_LEVEL_WITHIN = 100
_XRAY = re.compile(rf"(?:^|Root=)1-({_HEX}{{8}})-({_HEX}{{24}})\b")
_TRACEPARENT = re.compile(rf"00-({_HEX}{{32}})-({_HEX}{{16}})-{_HEX}{{2}}")
_DECIMAL = re.compile(r"\d{17,20}")


def find(fields: Fields, text: str) -> Trace:
    """Trace, span and level of one record: from its fields, else from the first line of its text."""
    pairs = [(key.lower(), value) for key, value in _pairs(fields)]
    trace_id, span_id = _ids_in_fields(pairs)
    first_line = text.partition("\n")[0]
    if not trace_id:
        trace_id, span_id = _ids_in_text(first_line)
    return Trace(trace_id, span_id, _level_in_fields(pairs) or _level_in_text(first_line))


def normal_id(value: Any) -> str:
    """One spelling for a trace or span id in any of the known forms; "" for what is none, or all zeros."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return ""
    if xray := _XRAY.search(value):
        value = xray[1] + xray[2]
    elif parent := _TRACEPARENT.fullmatch(value):
        value = parent[1]
    elif _DECIMAL.fullmatch(value) and int(value) < 2**64:
        value = f"{int(value):016x}"
    text = str(value).lower()
    return text if re.fullmatch(_ID, text) and text.strip("0") else ""


def _pairs(fields: Fields, prefix: str = "", levels: int = 4) -> Iterator[tuple[str, Any]]:
    """(key, value) of the top level and of the few objects where loggers keep their context."""
    for key, value in fields.items():
        if not isinstance(value, dict):
            yield _plain(key), value
            if prefix:
                yield prefix + _plain(key), value
        elif levels and key in _NESTED:
            yield from _pairs(value, _plain(key), levels - 1)


def _plain(key: str) -> str:
    return key.replace("_", "").replace("-", "").replace(".", "")


def _ids_in_fields(pairs: list[tuple[str, Any]]) -> tuple[str, str]:
    trace_id = span_id = ""
    for key, value in pairs:
        if key in _TRACE_KEYS:
            trace_id = trace_id or normal_id(value)
            if key == "traceparent" and (parent := _TRACEPARENT.fullmatch(str(value))):
                span_id = span_id or normal_id(parent[2])
        elif key in _SPAN_KEYS:
            span_id = span_id or normal_id(value)
    return trace_id, span_id


def _ids_in_text(line: str) -> tuple[str, str]:
    if not _TEXT_HINT.search(line):
        return "", ""
    for form in _TEXT_FORMS:
        if (match := form.search(line)) and (trace_id := normal_id(match["trace"])):
            span = match.groupdict().get("span") or ""
            if not span and (beside := _TEXT_SPAN.search(line)):
                span = beside["span"]
            return trace_id, normal_id(span)
    return "", ""


def _level_in_fields(pairs: list[tuple[str, Any]]) -> str:
    for key, value in pairs:
        if key in _LEVEL_KEYS:
            level = _NUMBERED_LEVELS.get(value) if isinstance(value, int) else _LEVELS.get(str(value).lower())
            if level:
                return level
    return ""


def _level_in_text(line: str) -> str:
    match = _TEXT_LEVEL.search(line, 0, _LEVEL_WITHIN)
    return _LEVELS[(match[1] or match[2]).lower()] if match else ""
