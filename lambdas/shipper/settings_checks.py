"""What each setting may be: a table of checks, each giving the fault in words, "" where there is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from shipper import patterns
from shipper.redact import redactor
from shipper.sample import Rule, rules_from_json, rules_to_json
from shipper.settings_text import MultilineRule, Pairs, StripRule

_LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})


def _one_of(*allowed: str) -> Callable[[str], str]:
    return lambda value: "" if value in allowed else f"{value!r} is none of {', '.join(allowed)}"


def _within(low: float, high: float) -> Callable[[float], str]:
    return lambda value: "" if low <= value <= high else f"{value} is not between {low} and {high}"


def _multiline_faults(rules: tuple[MultilineRule, ...]) -> str:
    faults = []
    for number, rule in enumerate(rules, 1):
        if not rule.start and not rule.continues:
            faults.append(f"rule {number} has neither start nor continue")
        for name, pattern in (("start", rule.start), ("continue", rule.continues)):
            if fault := _pattern_fault(pattern):
                faults.append(f"rule {number}: {name} {fault}")
    return ", ".join(faults)


def _strip_faults(paths: tuple[str, ...]) -> str:
    bad = [path for path in paths if not path or not all(path.split("."))]
    return f"not dotted paths: {', '.join(map(repr, bad))}" if bad else ""


def _strip_rule_faults(rules: tuple[StripRule, ...]) -> str:
    faults = ((number, _strip_faults((*rule.strip, *rule.keep))) for number, rule in enumerate(rules, 1))
    return ", ".join(f"rule {number}: {fault}" for number, fault in faults if fault)


def _filter_faults(rules: tuple[Rule, ...]) -> str:
    """What is wrong with the JSON in which the functions get the rules."""
    try:
        rules_from_json(rules_to_json(rules))
    except ValueError as error:
        return str(error)
    return ""


def _pattern_fault(pattern: str) -> str:
    try:
        patterns.compile(pattern)
    except ValueError as error:
        return f"is no regular expression ({error})"
    return ""


def redaction_faults(which: tuple[str, ...], custom: Pairs, form: str) -> list[str]:
    """What is wrong with the three settings of redaction taken together."""
    try:
        redactor(which, custom, form)
    except ValueError as error:
        return [str(error)]
    return []


def endpoint_faults(endpoint: str) -> list[str]:
    """What is wrong with an endpoint; nothing if it is empty."""
    if not endpoint:
        return []
    try:
        url = urlsplit(endpoint)
        usable = url.scheme in {"http", "https"} and bool(url.hostname) and url.port != 0
    except ValueError:
        usable = False
    if not usable:
        return [f"{endpoint!r} is not a URL such as https://search-logs.eu-west-1.es.amazonaws.com"]
    if url.scheme == "http" and url.hostname not in _LOOPBACK_HOSTS:
        return ["plain http is for loopback only, use https"]
    if url.path.strip("/") or url.query or url.username:
        return ["must be scheme and host (and port) only"]
    return []


CHECKS: dict[str, Callable[[Any], str]] = {
    "service": _one_of("es", "aoss"),
    "profile": _one_of("standard", "incumbent"),
    "message": _one_of("text", "record", "raw"),
    "expand": _one_of("fields", "off"),
    "strip": _strip_faults,
    "keep": _strip_faults,
    "strip_rules": _strip_rule_faults,
    "multiline": _multiline_faults,
    "filters": _filter_faults,
    "max_decoded_bytes": _within(1_048_576, 1_073_741_824),
    "max_body_bytes": _within(65_536, 104_857_600),
    "max_in_flight": _within(1, 16),
    "max_join_lines": _within(2, 100_000),
    "max_join_bytes": _within(1_024, 10_485_760),
    "max_join_gap_ms": _within(0, 86_400_000),
    "max_depth": _within(2, 19),
    "max_fields": _within(20, 10_000),
    "max_age_days": _within(0, 36_500),
    "max_tries": _within(1, 20),
    "backoff_s": _within(1, 3_600),
    "max_backoff_s": _within(1, 43_200),
    "reserve_s": _within(1, 60),
    "log_level": _one_of("DEBUG", "INFO", "WARNING", "ERROR"),
}
