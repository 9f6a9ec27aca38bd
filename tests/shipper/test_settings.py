"""Settings: one object both ways, and every fault named at once."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper.settings import (
    DEFAULT_STRIP,
    PROFILES,
    MultilineRule,
    Settings,
    SettingsError,
    StripRule,
    described,
    env_texts,
)
from tests.shipper.fakes import SETTINGS, patient

NAMES = [f.name for f in fields(Settings)]
JAVA = MultilineRule("/aws/*/java", start=r"^\d{4}-")
ANY = MultilineRule("*", continues=r"^\s,")


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_is_written_as_no_more_than_its_name(profile: str) -> None:
    settings = Settings.for_profile(profile)
    assert settings.to_env() == ({} if profile == "standard" else {"SHIPPER_PROFILE": profile})
    assert settings.problems(delivery=False) == []


def test_the_incumbent_changes_nothing_that_it_receives() -> None:
    found = Settings.for_profile("incumbent")
    assert (found.message, found.expand, found.strip) == ("raw", "off", ())
    assert (found.join, found.dedot, found.trace) == (False, False, False)
    assert found.max_tries == Settings().max_tries


def test_a_single_setting_overrides_its_profile() -> None:
    found = Settings.from_env({"SHIPPER_PROFILE": "incumbent", "SHIPPER_JOIN": "true", "SHIPPER_STRIP": "docker"})
    assert found == Settings.for_profile("incumbent", join=True, strip=("docker",))
    assert Settings.from_env({"SHIPPER_PROFILE": "standard", "SHIPPER_STRIP": ""}).strip == ()


def test_an_unknown_profile_is_refused() -> None:
    with pytest.raises(SettingsError, match="profile: 'loud' is none of standard, incumbent"):
        Settings.for_profile("loud")


def test_only_variables_of_ours_are_read() -> None:
    assert Settings.from_env({"PATH": "/bin", "JOIN": "false", "SHIPPER_MAX_TRIES": "7"}) == Settings(max_tries=7)
    assert env_texts({"SHIPPER_MAX_TRIES": "7", "shipper_join": "x", "XSHIPPER_JOIN": "x"}) == {"max_tries": "7"}


VARIABLES: dict[str, tuple[str, str, Any]] = {
    "a text": ("SHIPPER_LOG_LEVEL", "DEBUG", {"log_level": "DEBUG"}),
    "a number": ("SHIPPER_MAX_BODY_BYTES", "70000", {"max_body_bytes": 70_000}),
    "seconds": ("SHIPPER_RESERVE_S", "2.5", {"reserve_s": 2.5}),
    "false": ("SHIPPER_TRACE", "false", {"trace": False}),
    "a list": ("SHIPPER_STRIP", "a.b,c", {"strip": ("a.b", "c")}),
    "an empty list": ("SHIPPER_STRIP", "", {"strip": ()}),
    "rules": (
        "SHIPPER_MULTILINE",
        r'[{"log_group": "/aws/*/java", "start": "^\\d{4}-"}, {"log_group": "*", "continue": "^\\s,"}]',
        {"multiline": (JAVA, ANY)},
    ),
}


@pytest.mark.parametrize(("variable", "text", "values"), VARIABLES.values(), ids=VARIABLES)
def test_a_variable_is_read_and_written(variable: str, text: str, values: dict[str, Any]) -> None:
    assert Settings.from_env({variable: text}) == Settings(**values)
    assert Settings(**values).to_env() == {variable: text}


globs = st.text(st.characters(codec="ascii", min_codepoint=0x20), max_size=10)
rules = st.builds(MultilineRule, globs, globs, globs)
keys = st.text("abc._@", min_size=1, max_size=5)
any_settings = st.builds(
    Settings.for_profile,
    st.sampled_from(sorted(PROFILES)),
    join=st.booleans(),
    message=st.sampled_from(["text", "record", "raw"]),
    strip=st.lists(keys, max_size=3).map(tuple),
    multiline=st.lists(rules, max_size=3).map(tuple),
    max_tries=st.integers(1, 20),
    reserve_s=st.floats(1, 60),
    endpoint=globs,
)


@hypothesis.settings(patient, max_examples=100)
@given(any_settings)
def test_what_is_written_is_read_again(settings: Settings) -> None:
    assert Settings.from_env(settings.to_env()) == settings


def test_all_defaults_take_little_of_lambdas_4_kb() -> None:
    env = SETTINGS.with_values(multiline=(JAVA, ANY)).to_env()
    assert sum(len(name) + len(value) for name, value in env.items()) < 1_000


UNREADABLE: dict[str, tuple[dict[str, str], list[str]]] = {
    "unknown name": ({"colour": "red"}, ["colour: no such setting"]),
    "a private name": ({"_read": "x"}, ["_read: no such setting"]),
    "no boolean": ({"join": "yes"}, ["join: 'yes' is neither true nor false"]),
    "no number": ({"max_tries": "four"}, ["max_tries: 'four' is not a number"]),
    "a fraction for a count": ({"max_tries": "1.5"}, ["max_tries: '1.5' is not a number"]),
    "no rules": ({"multiline": "{}"}, ["multiline: must be a JSON list of rules"]),
    "an unknown profile": ({"profile": "loud"}, ["profile: 'loud' is none of standard, incumbent"]),
    "all at once": (
        {"join": "yes", "colour": "red", "profile": "loud"},
        ["join: ", "colour: no such setting", "profile: "],
    ),
}


@pytest.mark.parametrize(("texts", "named"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read_is_named(texts: dict[str, str], named: list[str]) -> None:
    for read in (Settings.from_text, Settings.checked_text):
        with pytest.raises(SettingsError) as raised:
            read(texts)
        assert [text for text in named if text not in str(raised.value)] == []


def test_a_default_that_stands_in_for_what_cannot_be_read_is_not_judged() -> None:
    with pytest.raises(SettingsError) as raised:
        Settings.checked_text({"max_tries": "four", "max_depth": "99"}, delivery=False)
    assert str(raised.value) == "max_tries: 'four' is not a number; max_depth: 99 is not between 2 and 19"


def test_good_texts_are_read_and_checked() -> None:
    assert Settings.checked_text({"max_tries": "7"}, delivery=False) == Settings(max_tries=7)
    assert Settings.checked_text(env_texts(SETTINGS.to_env())) == SETTINGS


PROBLEMS: dict[str, tuple[dict[str, Any], str]] = {
    "service": ({"service": "ec2"}, "service: 'ec2' is none of es, aoss"),
    "profile": ({"profile": "loud"}, "profile: 'loud' is none of standard, incumbent"),
    "message": ({"message": "loud"}, "message: 'loud' is none of text, record, raw"),
    "expand": ({"expand": "flat_object"}, "expand: 'flat_object' is none of fields, off"),
    "log level": ({"log_level": "info"}, "log_level: 'info' is none of DEBUG, INFO, WARNING, ERROR"),
    "paths": ({"strip": ("a", "", "a..b", ".c")}, "strip: not dotted paths: '', 'a..b', '.c'"),
    "too few bytes": ({"max_body_bytes": 65_535}, "max_body_bytes: 65535 is not between 65536 and 104857600"),
    "too many bytes": ({"max_decoded_bytes": 2**30 + 1}, "max_decoded_bytes: 1073741825 is not between"),
    "too few lines": ({"max_join_lines": 1}, "max_join_lines: 1 is not between 2 and 100000"),
    "too little to join": ({"max_join_bytes": 1_023}, "max_join_bytes: 1023 is not between 1024 and 10485760"),
    "a negative gap": ({"max_join_gap_ms": -1}, "max_join_gap_ms: -1 is not between 0 and 86400000"),
    "deeper than the domain takes": ({"max_depth": 20}, "max_depth: 20 is not between 2 and 19"),
    "no try": ({"max_tries": 0}, "max_tries: 0 is not between 1 and 20"),
    "no reserve": ({"reserve_s": 0.5}, "reserve_s: 0.5 is not between 1 and 60"),
    "no number": ({"reserve_s": float("nan")}, "reserve_s: nan is not between 1 and 60"),
    "a rule without patterns": (
        {"multiline": (JAVA, MultilineRule("*"))},
        "multiline: rule 2 has neither start nor continue",
    ),
    "a pattern that is none": (
        {"multiline": (MultilineRule("*", start="("),)},
        "multiline: rule 1: start is no regular expression (missing )",
    ),
    "a pattern that counts too far": (
        {"multiline": (MultilineRule("*", continues="a{1001}"),)},
        "multiline: rule 1: continue is no regular expression (invalid repetition size",
    ),
    "a pattern that only Python takes": (
        {"multiline": (MultilineRule("*", start=r"^(?!\s)"),)},
        "multiline: rule 1: start is no regular expression (invalid perl operator",
    ),
    "no endpoint": ({"endpoint": ""}, "endpoint: is missing"),
    "no retry queue": ({"retry_queue_url": ""}, "retry_queue_url: is missing"),
    "no dead-letter queue": ({"dead_letter_queue_url": ""}, "dead_letter_queue_url: is missing"),
    "no bucket": ({"bucket": ""}, "bucket: is missing"),
    "an endpoint without a scheme": ({"endpoint": "search.example.com"}, "endpoint: 'search.example.com' is not a URL"),
    "an endpoint of another scheme": ({"endpoint": "ftp://a"}, "endpoint: 'ftp://a' is not a URL"),
    "an endpoint without a host": ({"endpoint": "https://"}, "endpoint: 'https://' is not a URL"),
    "an endpoint with a bracket": ({"endpoint": "https://[::1"}, "endpoint: 'https://[::1' is not a URL"),
    "an endpoint with no port": ({"endpoint": "https://a:99999"}, "endpoint: 'https://a:99999' is not a URL"),
    "plain http": ({"endpoint": "http://search.example.com"}, "endpoint: plain http is for loopback only"),
    "http to what looks like loopback": ({"endpoint": "http://localhost.evil.example"}, "endpoint: plain http"),
    "an endpoint with a path": ({"endpoint": "https://a.example/x"}, "endpoint: must be scheme and host"),
    "an endpoint with a query": ({"endpoint": "https://a.example?x=1"}, "endpoint: must be scheme and host"),
    "an endpoint with a user": ({"endpoint": "https://a:b@a.example"}, "endpoint: must be scheme and host"),
}


@pytest.mark.parametrize(("changes", "problem"), PROBLEMS.values(), ids=PROBLEMS)
def test_a_problem_is_named(changes: dict[str, Any], problem: str) -> None:
    bad = SETTINGS.with_values(**changes)
    (found,) = bad.problems()
    assert found.startswith(problem)
    with pytest.raises(SettingsError, match=found.partition(":")[0]):
        bad.checked()


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://search.example.com",
        "https://search.example.com:9200/",
        "http://127.0.0.1:9200",
        "http://localhost",
        "http://[::1]:9200",
    ],
)
def test_an_endpoint_is_scheme_and_host(endpoint: str) -> None:
    assert SETTINGS.with_values(endpoint=endpoint).problems() == []


def test_every_problem_is_named_at_once() -> None:
    bad = Settings(service="ec2", max_tries=0)
    assert [problem.partition(":")[0] for problem in bad.problems()] == [
        "service",
        "max_tries",
        "endpoint",
        "retry_queue_url",
        "dead_letter_queue_url",
        "bucket",
    ]
    assert [problem.partition(":")[0] for problem in bad.problems(delivery=False)] == ["service", "max_tries"]
    with pytest.raises(SettingsError) as raised:
        bad.checked()
    assert str(raised.value) == "; ".join(bad.problems())


def test_good_settings_are_returned() -> None:
    assert SETTINGS.checked() is SETTINGS


def test_a_log_group_has_the_paths_of_its_first_rule() -> None:
    rules = (StripRule("/aws/*", strip=("a",), keep=("a.b",)), StripRule("*", strip=("c",)))
    settings = Settings(strip_rules=rules, keep=("d",))
    assert settings.strip_for("/aws/x") == (("a",), ("a.b",))
    assert settings.strip_for("/other") == (("c",), ())
    assert Settings(keep=("d",)).strip_for("/aws/x") == (DEFAULT_STRIP, ("d",))


def test_every_setting_is_described_with_its_default() -> None:
    table = {variable: (default, text) for variable, default, text in described()}
    assert list(table) == [f"SHIPPER_{name.upper()}" for name in NAMES]
    assert all(text for _, text in table.values())
    assert Settings.from_env({variable: default for variable, (default, _) in table.items()}) == Settings()
    assert table["SHIPPER_STRIP"][0] == ",".join(DEFAULT_STRIP)
    assert (table["SHIPPER_JOIN"][0], table["SHIPPER_RESERVE_S"][0], table["SHIPPER_MULTILINE"][0]) == (
        "true",
        "5.0",
        "",
    )
