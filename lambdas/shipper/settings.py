"""Every setting of the functions and the command line, written by the stack and read by the functions.

One object both ways: the stack writes `Settings.to_env()`, a function reads `Settings.from_env(environ)`. Only what
differs from the profile is written, since Lambda allows 4 KB of variables in all
(https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from shipper import patterns
from shipper.settings_text import MultilineRule, read_bool, read_list, read_multiline, read_number, written

__all__ = [
    "DEFAULT_STRIP",
    "ENV_PREFIX",
    "LOOPBACK_HOSTS",
    "PROFILES",
    "MultilineRule",
    "Settings",
    "SettingsError",
    "described",
    "env_texts",
]

ENV_PREFIX = "SHIPPER_"

DEFAULT_STRIP = (
    "kubernetes.pod_id",
    "kubernetes.master_url",
    "kubernetes.container_image_id",
    "kubernetes.namespace_id",
    "kubernetes.annotations",
    "kubernetes.namespace_annotations",
    "docker",
    "logtag",
)

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})


class SettingsError(ValueError):
    """The configuration cannot be used; the message names every fault at once."""


_HELP: dict[str, str] = {
    "endpoint": "URL of the domain; https, or http on loopback",
    "service": "SigV4 service: `es` for a domain, `aoss` for a serverless collection",
    "retry_queue_url": "queue for what could not be taken now",
    "dead_letter_queue_url": "queue for what can never be indexed as it is",
    "bucket": "bucket for bodies that are too large for a queue",
    "profile": "`standard`, or `incumbent`: the documents of the AWS-generated function",
    "message": "what `@message` holds: `text` of the log, stripped `record` as JSON, or `raw` as received",
    "expand": "`fields`: an application's JSON line goes to `log_processed`; `off`: it stays text",
    "strip": "dotted paths taken out of every record, comma-separated",
    "join": "join the lines of one multiline record",
    "dedot": "dots in the names of Kubernetes labels become `_`",
    "trace": "find `@trace_id`, `@span_id` and `@level`",
    "multiline": "JSON list of rules, first match wins: `log_group` glob, `start` and/or `continue` pattern",
    "max_decoded_bytes": "a payload that inflates to more is dead-lettered",
    "max_body_bytes": "size of one bulk request before compression",
    "max_join_lines": "events in one record; more become numbered parts",
    "max_join_bytes": "text of one joined record; more becomes numbered parts",
    "max_join_gap_ms": "events of one record are at most this far apart",
    "max_depth": "objects and arrays inside each other; what is deeper becomes JSON text",
    "max_tries": "bulk requests for one document within one invocation",
    "reserve_s": "seconds of an invocation kept for queues and ledger",
    "log_level": "level of the functions' own logs",
}


@dataclass(frozen=True)
class Settings:
    """All settings with the defaults of profile `standard`; sizes in bytes, times in the unit of the name."""

    endpoint: str = ""
    service: str = "es"
    retry_queue_url: str = ""
    dead_letter_queue_url: str = ""
    bucket: str = ""
    profile: str = "standard"
    message: str = "text"
    expand: str = "fields"
    strip: tuple[str, ...] = DEFAULT_STRIP
    join: bool = True
    dedot: bool = True
    trace: bool = True
    multiline: tuple[MultilineRule, ...] = field(default=())
    max_decoded_bytes: int = 64 * 1024 * 1024
    max_body_bytes: int = 5 * 1024 * 1024
    max_join_lines: int = 1_000
    max_join_bytes: int = 512 * 1024
    max_join_gap_ms: int = 60_000
    max_depth: int = 19
    max_tries: int = 4
    reserve_s: float = 5.0
    log_level: str = "INFO"

    @classmethod
    def for_profile(cls, profile: str, **overrides: Any) -> Settings:
        """Settings of a named profile with single settings changed. Raises `SettingsError` for an unknown name."""
        if profile not in PROFILES:
            raise SettingsError(f"profile: {profile!r} is none of {', '.join(PROFILES)}")
        return cls(**{**PROFILES[profile], **overrides, "profile": profile})

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Settings:
        """Read `SHIPPER_*` variables. Raises `SettingsError` naming every value that cannot be read."""
        return cls.from_text(env_texts(env))

    @classmethod
    def from_text(cls, texts: Mapping[str, str]) -> Settings:
        """Read settings by name from text. Raises `SettingsError` naming every name or value at fault."""
        settings, faults = cls._read(texts)
        if faults:
            raise SettingsError("; ".join(f"{name}: {fault}" for name, fault in faults.items()))
        return settings

    @classmethod
    def checked_text(cls, texts: Mapping[str, str], *, delivery: bool = True) -> Settings:
        """`from_text` and `checked` in one, so that `SettingsError` names the faults of both at once."""
        settings, faults = cls._read(texts)
        found = [f"{name}: {fault}" for name, fault in faults.items()]
        found += settings.problems(delivery=delivery)
        if found:
            raise SettingsError("; ".join(found))
        return settings

    @classmethod
    def _read(cls, texts: Mapping[str, str]) -> tuple[Settings, dict[str, str]]:
        """(settings with defaults for what could not be read, what is wrong with each of those)."""
        values: dict[str, Any] = {}
        faults: dict[str, str] = {}
        for name, text in texts.items():
            if name not in _READERS:
                faults[name] = "no such setting"
                continue
            try:
                values[name] = _READERS[name](text)
            except ValueError as error:
                faults[name] = str(error)
        profile = values.pop("profile", "standard")
        if profile not in PROFILES:
            faults["profile"], profile = f"{profile!r} is none of {', '.join(PROFILES)}", "standard"
        return cls.for_profile(profile, **values), faults

    def to_env(self) -> dict[str, str]:
        """The variables from which `from_env` makes these settings again."""
        base = Settings.for_profile(self.profile)
        changed = [f.name for f in fields(self) if getattr(self, f.name) != getattr(base, f.name)]
        if self.profile != "standard":
            changed.append("profile")
        return {ENV_PREFIX + name.upper(): written(getattr(self, name)) for name in changed}

    def problems(self, *, delivery: bool = True) -> list[str]:
        """Every fault, each with the setting's name; `delivery=False` leaves out what only a deployment knows."""
        found = [f"{name}: {fault}" for name, check in _CHECKS.items() if (fault := check(getattr(self, name)))]
        if delivery:
            found += [f"{name}: is missing" for name in _DELIVERY if not getattr(self, name)]
            found += [f"endpoint: {fault}" for fault in _endpoint_faults(self.endpoint)]
        return found

    def checked(self, *, delivery: bool = True) -> Settings:
        """These settings, or `SettingsError` with every problem in one line."""
        if found := self.problems(delivery=delivery):
            raise SettingsError("; ".join(found))
        return self

    def with_values(self, **changes: Any) -> Settings:
        """A copy with some settings changed."""
        return replace(self, **changes)

    @cached_property
    def strip_paths(self) -> tuple[tuple[str, ...], ...]:
        """`strip` split into keys."""
        return tuple(tuple(path.split(".")) for path in self.strip)


PROFILES: dict[str, dict[str, Any]] = {
    "standard": {},
    "incumbent": {"message": "raw", "expand": "off", "strip": (), "join": False, "dedot": False, "trace": False},
}

_DELIVERY = ("endpoint", "retry_queue_url", "dead_letter_queue_url", "bucket")


def env_texts(env: Mapping[str, str]) -> dict[str, str]:
    """The texts of the `SHIPPER_*` variables by the names of the settings."""
    return {name.removeprefix(ENV_PREFIX).lower(): text for name, text in env.items() if name.startswith(ENV_PREFIX)}


def described() -> list[tuple[str, str, str]]:
    """(variable, default, what it does) of every setting, for the README's table and `--help`."""
    defaults = Settings()
    return [(ENV_PREFIX + f.name.upper(), written(getattr(defaults, f.name)), _HELP[f.name]) for f in fields(Settings)]


_READER_OF_TYPE: dict[str, Callable[[str], Any]] = {
    "str": str,
    "bool": read_bool,
    "int": read_number(int),
    "float": read_number(float),
    "tuple[str, ...]": read_list,
    "tuple[MultilineRule, ...]": read_multiline,
}
_READERS: dict[str, Callable[[str], Any]] = {f.name: _READER_OF_TYPE[str(f.type)] for f in fields(Settings)}


def _one_of(*allowed: str) -> Callable[[str], str]:
    return lambda value: "" if value in allowed else f"{value!r} is none of {', '.join(allowed)}"


def _within(low: float, high: float) -> Callable[[float], str]:
    return lambda value: "" if low <= value <= high else f"{value} is not between {low} and {high}"


def _rule_faults(rules: tuple[MultilineRule, ...]) -> str:
    faults = []
    for number, rule in enumerate(rules, 1):
        if not rule.start and not rule.continues:
            faults.append(f"rule {number} has neither start nor continue")
        for name, pattern in (("start", rule.start), ("continue", rule.continues)):
            try:
                patterns.compile(pattern)
            except ValueError as error:
                faults.append(f"rule {number}: {name} is no regular expression ({error})")
    return ", ".join(faults)


def _strip_faults(paths: tuple[str, ...]) -> str:
    bad = [path for path in paths if not path or not all(path.split("."))]
    return f"not dotted paths: {', '.join(map(repr, bad))}" if bad else ""


def _endpoint_faults(endpoint: str) -> list[str]:
    if not endpoint:
        return []
    try:
        url = urlsplit(endpoint)
        usable = url.scheme in {"http", "https"} and bool(url.hostname) and url.port != 0
    except ValueError:
        usable = False
    if not usable:
        return [f"{endpoint!r} is not a URL such as https://search-logs.eu-west-1.es.amazonaws.com"]
    if url.scheme == "http" and url.hostname not in LOOPBACK_HOSTS:
        return ["plain http is for loopback only, use https"]
    if url.path.strip("/") or url.query or url.username:
        return ["must be scheme and host (and port) only"]
    return []


_CHECKS: dict[str, Callable[[Any], str]] = {
    "service": _one_of("es", "aoss"),
    "profile": _one_of(*PROFILES),
    "message": _one_of("text", "record", "raw"),
    "expand": _one_of("fields", "off"),
    "strip": _strip_faults,
    "multiline": _rule_faults,
    "max_decoded_bytes": _within(1_048_576, 1_073_741_824),
    "max_body_bytes": _within(65_536, 104_857_600),
    "max_join_lines": _within(2, 100_000),
    "max_join_bytes": _within(1_024, 10_485_760),
    "max_join_gap_ms": _within(0, 86_400_000),
    "max_depth": _within(2, 19),
    "max_tries": _within(1, 20),
    "reserve_s": _within(1, 60),
    "log_level": _one_of("DEBUG", "INFO", "WARNING", "ERROR"),
}
