"""What a setting may be: each check with what passes, and what does not named."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, cast

import pytest

from shipper.sample import Action, Rule
from shipper.settings import PROFILES, Settings
from shipper.settings_checks import CHECKS, endpoint_faults, redaction_faults
from shipper.settings_text import MultilineRule, StripRule

GOOD: dict[str, list[Any]] = {
    "service": ["es", "aoss"],
    "profile": list(PROFILES),
    "message": ["text", "record", "raw"],
    "expand": ["fields", "off"],
    "strip": [(), ("a",), ("a.b.*", "*")],
    "keep": [(), ("a.b",)],
    "strip_rules": [(), (StripRule("*"), StripRule("/aws/*", ("a.b",), ("a.b.c",)))],
    "multiline": [(), (MultilineRule("*", start=r"^\d"), MultilineRule("*", continues=r"^\s"))],
    "filters": [
        (),
        (Rule("a", "drop"), Rule("b", "keep", pattern=r"\pL"), Rule("c", "sample", rates=(("*", 0.5),))),
    ],
    "max_decoded_bytes": [1_048_576, 1_073_741_824],
    "max_body_bytes": [65_536, 104_857_600],
    "max_in_flight": [1, 16],
    "max_join_lines": [2, 100_000],
    "max_join_bytes": [1_024, 10_485_760],
    "max_join_gap_ms": [0, 86_400_000],
    "max_depth": [2, 19],
    "max_fields": [20, 10_000],
    "max_age_days": [0, 36_500],
    "max_tries": [1, 20],
    "backoff_s": [1, 3_600],
    "max_backoff_s": [1, 43_200],
    "reserve_s": [1, 60, 2.5],
    "log_level": ["DEBUG", "INFO", "WARNING", "ERROR"],
}

BAD: dict[str, list[tuple[Any, str]]] = {
    "service": [("ec2", "'ec2' is none of es, aoss")],
    "profile": [("loud", "'loud' is none of standard, incumbent")],
    "message": [("Text", "'Text' is none of text, record, raw")],
    "expand": [("", "'' is none of fields, off")],
    "strip": [
        (("a", "", "b..c", ".d"), "not dotted paths: '', 'b..c', '.d'"),
        (("a.",), "not dotted paths: 'a.'"),
    ],
    "keep": [(("a", "."), "not dotted paths: '.'")],
    "strip_rules": [
        ((StripRule("*", ("a",)), StripRule("*", ("",), (".b",))), "rule 2: not dotted paths: '', '.b'"),
        (
            (StripRule("*", (".a",)), StripRule("*", (), ("b.",))),
            "rule 1: not dotted paths: '.a', rule 2: not dotted paths: 'b.'",
        ),
    ],
    "multiline": [
        ((MultilineRule("*"),), "rule 1 has neither start nor continue"),
        ((MultilineRule("*", start="a"), MultilineRule("*", start="(")), "rule 2: start is no regular expression"),
        ((MultilineRule("*", continues="(?=x)"),), "look-around"),
        ((MultilineRule("*", "[", "["), MultilineRule("*")), "rule 1: continue is no regular expression"),
    ],
    "filters": [
        ((Rule("a", "drop"), Rule("b", "drop", pattern="(")), "rule 2: pattern: "),
        ((Rule("a", "drop"), Rule("a", "keep")), "rule 2: name: 'a' is taken by rule 1"),
        ((Rule("", "drop"),), "rule 1: name: "),
        ((Rule("a", cast("Action", "hide")),), 'rule 1: action: "hide" is none of keep, drop, sample'),
        ((Rule("a", "sample"),), "rule 1: rates: belong to the action sample"),
        ((Rule("a", "sample", rates=(("INFO", 2.0),)),), "rule 1: rates: INFO: 2.0 is not between 0 and 1"),
        ((Rule("a", "drop", levels=("info",)),), "rule 1: levels: must be a list of TRACE"),
    ],
    "backoff_s": [(0, "0 is not between 1 and 3600")],
    "reserve_s": [(float("nan"), "nan is not between 1 and 60"), (0.5, "0.5 is not between 1 and 60")],
    "log_level": [("debug", "'debug' is none of DEBUG, INFO, WARNING, ERROR")],
}
BOUNDS = {name: (values[0], values[1]) for name, values in GOOD.items() if name.startswith("max_")}
BAD |= {
    name: [(bound, f"{bound} is not between {low} and {high}") for bound in (low - 1, high + 1)]
    for name, (low, high) in BOUNDS.items()
}


def test_every_check_is_of_a_setting_and_tried() -> None:
    assert CHECKS.keys() <= {f.name for f in fields(Settings)}
    assert GOOD.keys() == BAD.keys() == CHECKS.keys()


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in GOOD.items() for value in values])
def test_what_passes(name: str, value: Any) -> None:
    assert CHECKS[name](value) == ""


@pytest.mark.parametrize(("name", "value", "fault"), [(name, *case) for name, cases in BAD.items() for case in cases])
def test_what_does_not_is_named(name: str, value: Any, fault: str) -> None:
    assert fault in CHECKS[name](value)


@pytest.mark.parametrize("profile", PROFILES)
def test_the_profiles_pass(profile: str) -> None:
    assert Settings.for_profile(profile).problems(delivery=False) == []


ENDPOINTS: dict[str, str] = {
    "": "",
    "https://search.example.com": "",
    "https://search.example.com:9200/": "",
    "http://127.0.0.1:9200": "",
    "http://[::1]:9200": "",
    "http://localhost": "",
    "http://search.example.com": "plain http is for loopback only",
    "http://127.0.0.1.example.com": "plain http is for loopback only",
    "search.example.com": "is not a URL",
    "ftp://search.example.com": "is not a URL",
    "https://": "is not a URL",
    "https://host:port": "is not a URL",
    "https://host:0": "is not a URL",
    "https://host:65536": "is not a URL",
    "https://[::1": "is not a URL",
    "https://host/path": "scheme and host (and port) only",
    "https://host?x=1": "scheme and host (and port) only",
    "https://user@host": "scheme and host (and port) only",
}


@pytest.mark.parametrize(("endpoint", "fault"), ENDPOINTS.items())
def test_an_endpoint_is_a_scheme_and_a_host(endpoint: str, fault: str) -> None:
    faults = endpoint_faults(endpoint)
    assert len(faults) == bool(fault)
    assert all(fault in found for found in faults)


Redaction = tuple[tuple[str, ...], tuple[tuple[str, str], ...], str]
REDACTION: dict[str, tuple[Redaction, str]] = {
    "off": (((), (), "mask"), ""),
    "all": ((("all",), (), "hash"), ""),
    "some and a pattern": ((("email", "jwt"), (("badge", r"badge-(?P<secret>\d+)"),), "last4"), ""),
    "all and one of them": ((("all", "email"), (), "mask"), ""),
    "an unknown detector": ((("email", "iban"), (), "mask"), "no such detector: iban"),
    "an unknown detector beside all": ((("all", "iban"), (), "mask"), "no such detector: iban"),
    "no pattern": (((), (("badge", "("),), "mask"), "pattern 'badge' is no regular expression"),
    "a pattern that only Python knows": (((), (("badge", "(?<=x)y"),), "mask"), "look-around"),
    "a detector's name": (((), (("email", "x"),), "mask"), "pattern 'email': a name is"),
    "an unknown form": (((), (), "blur"), "form 'blur' is none of mask, last4, hash"),
}


@pytest.mark.parametrize(("redaction", "fault"), REDACTION.values(), ids=REDACTION)
def test_redaction_is_checked_as_a_whole(redaction: Redaction, fault: str) -> None:
    faults = redaction_faults(*redaction)
    assert len(faults) == bool(fault)
    assert all(fault in found for found in faults)
    named: dict[str, Any] = dict(zip(("redact", "redact_patterns", "redact_form"), redaction, strict=True))
    assert Settings(**named).problems(delivery=False) == [f"redact: {found}" for found in faults]
