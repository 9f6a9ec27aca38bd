"""Every setting of the functions and the command line, written by the stack and read by the functions.

One object both ways: the stack writes `Settings.to_env()`, a function reads `Settings.from_env(environ)`. Only what
differs from the profile is written, since Lambda allows 4 KB of variables in all
(https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from fnmatch import fnmatchcase
from typing import Any

from shipper.sample import Rule
from shipper.settings_checks import CHECKS, endpoint_faults, redaction_faults
from shipper.settings_text import READER_OF_TYPE, MultilineRule, Pairs, StripRule, written

__all__ = [
    "DEFAULT_STRIP",
    "ENV_PREFIX",
    "PROFILES",
    "MultilineRule",
    "Settings",
    "SettingsError",
    "StripRule",
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
    "strip": "dotted paths taken out of every record, comma-separated; a step may be a glob, `kubernetes.labels.*`",
    "keep": "dotted paths that stay although `strip` leads to them or around them",
    "strip_rules": "JSON list, first match wins: `log_group` glob, its own `strip` and `keep` in place of those",
    "join": "join the lines of one multiline record",
    "dedot": "dots in the names of Kubernetes labels become `_`",
    "mend": "change keys, depth and numbers that OpenSearch refuses; `@shipper.fixed` says what was done",
    "trace": "find `@trace_id`, `@span_id` and `@level`",
    "multiline": "JSON list of rules, first match wins: `log_group` glob, `start` and/or `continue` pattern",
    "filters": "JSON list, first match wins: `name`, `action` (keep, drop, sample), conditions, `rates` by level",
    "redact": "detectors of secrets, comma-separated, or `all`: their hits are taken out before anything leaves",
    "redact_patterns": "JSON object of patterns by name, taken out too; a group `secret` narrows one down",
    "redact_form": "what stands for a secret: `mask`, `last4` (its last four) or `hash` (equal ones are equal)",
    "max_decoded_bytes": "a payload that inflates to more is dead-lettered",
    "max_body_bytes": "size of one bulk request before compression",
    "max_in_flight": "bulk requests under way at once, where there is more than one",
    "max_join_lines": "events in one record; more become numbered parts",
    "max_join_bytes": "text of one joined record; more becomes numbered parts",
    "max_join_gap_ms": "events of one record are at most this far apart",
    "max_depth": "objects and arrays inside each other; what is deeper becomes JSON text",
    "max_fields": "fields of one document; the largest go to `@unmapped`, as text",
    "max_age_days": "an older event counts as one without a time: that of an event beside it stands in, or that of the "
    "delivery; 0 is no limit",
    "max_tries": "bulk requests for one document within one invocation",
    "backoff_s": "a letter that could not be delivered is tried again after about so long, then twice as long",
    "max_backoff_s": "but after so long at the most",
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
    keep: tuple[str, ...] = ()
    strip_rules: tuple[StripRule, ...] = ()
    join: bool = True
    dedot: bool = True
    mend: bool = True
    trace: bool = True
    multiline: tuple[MultilineRule, ...] = ()
    filters: tuple[Rule, ...] = ()
    redact: tuple[str, ...] = ()
    redact_patterns: Pairs = ()
    redact_form: str = "mask"
    max_decoded_bytes: int = 64 * 1024 * 1024
    max_body_bytes: int = 5 * 1024 * 1024
    max_in_flight: int = 2
    max_join_lines: int = 1_000
    max_join_bytes: int = 512 * 1024
    max_join_gap_ms: int = 60_000
    max_depth: int = 19
    max_fields: int = 500
    max_age_days: int = 14
    max_tries: int = 4
    backoff_s: int = 30
    max_backoff_s: int = 900
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
        _raise_any(faults)
        return settings

    @classmethod
    def checked_text(cls, texts: Mapping[str, str], *, delivery: bool = True) -> Settings:
        """`from_text` and `checked` in one, so that `SettingsError` names the faults of both at once."""
        settings, faults = cls._read(texts)
        _raise_any(faults + settings.problems(delivery=delivery))
        return settings

    @classmethod
    def _read(cls, texts: Mapping[str, str]) -> tuple[Settings, list[str]]:
        """(settings with defaults for what could not be read, what is wrong with each of those)."""
        values: dict[str, Any] = {}
        faults: list[str] = []
        for name, text in texts.items():
            if name not in _READERS:
                faults.append(f"{name}: no such setting")
                continue
            try:
                values[name] = _READERS[name](text)
            except ValueError as error:
                faults.append(f"{name}: {error}")
        profile = values.pop("profile", "standard")
        try:
            return cls.for_profile(profile, **values), faults
        except SettingsError as error:
            return cls(**values), [*faults, str(error)]

    def to_env(self) -> dict[str, str]:
        """The variables from which `from_env` makes these settings again."""
        base = Settings.for_profile(self.profile)
        changed = [f.name for f in fields(self) if getattr(self, f.name) != getattr(base, f.name)]
        if self.profile != "standard":
            changed.append("profile")
        return {ENV_PREFIX + name.upper(): written(getattr(self, name)) for name in changed}

    def problems(self, *, delivery: bool = True) -> list[str]:
        """Every fault, each with the setting's name; `delivery=False` leaves out what only a deployment knows."""
        found = [f"{name}: {fault}" for name, check in CHECKS.items() if (fault := check(getattr(self, name)))]
        found += [f"redact: {fault}" for fault in redaction_faults(self.redact, self.redact_patterns, self.redact_form)]
        if delivery:
            found += [f"{name}: is missing" for name in _DELIVERY if not getattr(self, name)]
            found += [f"endpoint: {fault}" for fault in endpoint_faults(self.endpoint)]
        return found

    def checked(self, *, delivery: bool = True) -> Settings:
        """These settings, or `SettingsError` with every problem in one line."""
        _raise_any(self.problems(delivery=delivery))
        return self

    def with_values(self, **changes: Any) -> Settings:
        """A copy with some settings changed."""
        return replace(self, **changes)

    def strip_for(self, log_group: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """(paths to take out, paths to keep) of a log group."""
        for rule in self.strip_rules:
            if fnmatchcase(log_group, rule.log_group):
                return rule.strip, rule.keep
        return self.strip, self.keep


PROFILES: dict[str, dict[str, Any]] = {
    "standard": {},
    "incumbent": {
        "message": "raw",
        "expand": "off",
        "strip": (),
        "join": False,
        "dedot": False,
        "mend": False,
        "trace": False,
        "max_age_days": 0,
    },
}

_DELIVERY = ("endpoint", "retry_queue_url", "dead_letter_queue_url", "bucket")


def _raise_any(faults: Sequence[str]) -> None:
    if faults:
        raise SettingsError("; ".join(faults))


def env_texts(env: Mapping[str, str]) -> dict[str, str]:
    """The texts of the `SHIPPER_*` variables by the names of the settings."""
    return {name.removeprefix(ENV_PREFIX).lower(): text for name, text in env.items() if name.startswith(ENV_PREFIX)}


def described() -> list[tuple[str, str, str]]:
    """(variable, default, what it does) of every setting, for the README's table and `--help`."""
    defaults = Settings()
    return [(ENV_PREFIX + f.name.upper(), written(getattr(defaults, f.name)), _HELP[f.name]) for f in fields(Settings)]


_READERS: dict[str, Callable[[str], Any]] = {f.name: READER_OF_TYPE[str(f.type)] for f in fields(Settings)}
