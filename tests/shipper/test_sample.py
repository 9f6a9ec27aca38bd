"""The first rule that matches decides, and a transaction is kept or left out as a whole."""

from __future__ import annotations

import json
import random
import re
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper.sample import ANY_LEVEL, LEVELS, Decision, Fate, Rule, Sieve, is_kept, rules_from_json, rules_to_json
from tests.shipper.fakes import patient

GROUP = "/aws/containerinsights/demo/application"
FIELDS = {"kubernetes": {"namespace_name": "shop", "container_name": "checkout"}}
KEPT = Decision(Fate.KEEP)


def decide(
    *rules: Rule, text: str = "GET /healthz 200", level: str = "INFO", fields: Any = None, group: str = GROUP
) -> Decision:
    found = FIELDS if fields is None else fields
    return Sieve(rules, group).decide(found, text, level=level, trace_id="", event_id="event-1")


def dropping(**conditions: Any) -> Rule:
    return Rule("r", "drop", **conditions)


CONDITIONS: dict[str, tuple[Rule, bool]] = {
    "no condition": (dropping(), True),
    "the log group": (dropping(log_group="/aws/containerinsights/*/application"), True),
    "another log group": (dropping(log_group="/aws/containerinsights/*/host"), False),
    "a pattern anywhere in the text": (dropping(pattern=r"/healthz\b"), True),
    "a pattern that is not there": (dropping(pattern=r"^/healthz"), False),
    "the namespace": (dropping(namespace="shop"), True),
    "a glob of namespaces": (dropping(namespace="sh*"), True),
    "the end of a namespace": (dropping(namespace="op"), False),
    "part of a namespace": (dropping(namespace="sho"), False),
    "capitals of a namespace": (dropping(namespace="Shop"), False),
    "the container": (dropping(container="check?ut"), True),
    "another container": (dropping(container="payments"), False),
    "the level": (dropping(levels=("DEBUG", "INFO")), True),
    "another level": (dropping(levels=("DEBUG",)), False),
    "all conditions": (dropping(namespace="shop", container="checkout", levels=("INFO",), pattern="GET"), True),
    "all but one": (dropping(namespace="shop", container="checkout", levels=("WARN",), pattern="GET"), False),
}


@pytest.mark.parametrize(("rule", "dropped"), CONDITIONS.values(), ids=CONDITIONS)
def test_a_rule_applies_where_every_condition_is_met(rule: Rule, dropped: bool) -> None:
    assert decide(rule) == (Decision(Fate.FILTERED, "r") if dropped else KEPT)


def test_without_rules_everything_is_kept() -> None:
    assert decide() == KEPT


KEEP_ERRORS = Rule("errors", "keep", levels=("ERROR", "FATAL"))
DROP_HEALTH = Rule("health", "drop", pattern="/healthz")
NO_DEBUG = Rule("less", "sample", rates=(("DEBUG", 0.0), (ANY_LEVEL, 1.0)))

FIRST: dict[str, tuple[tuple[Rule, ...], str, Decision]] = {
    "keep before drop": ((KEEP_ERRORS, DROP_HEALTH), "ERROR", Decision(Fate.KEEP, "errors")),
    "the second, where the first does not match": (
        (KEEP_ERRORS, DROP_HEALTH),
        "INFO",
        Decision(Fate.FILTERED, "health"),
    ),
    "drop before keep": ((DROP_HEALTH, KEEP_ERRORS), "ERROR", Decision(Fate.FILTERED, "health")),
    "sampled away": ((NO_DEBUG, DROP_HEALTH), "DEBUG", Decision(Fate.SAMPLED, "less")),
    "sampled and kept, so no more rules": ((NO_DEBUG, DROP_HEALTH), "INFO", Decision(Fate.KEEP, "less")),
    "every other level takes the rate of any": (
        (Rule("r", "sample", rates=(("WARN", 1.0), (ANY_LEVEL, 0.0))),),
        "INFO",
        Decision(Fate.SAMPLED, "r"),
    ),
    "no level takes the rate of any": ((NO_DEBUG, DROP_HEALTH), "", Decision(Fate.KEEP, "less")),
    "a level without a rate is kept": (
        (Rule("r", "sample", rates=(("DEBUG", 0.0),)),),
        "WARN",
        Decision(Fate.KEEP, "r"),
    ),
}


@pytest.mark.parametrize(("rules", "level", "decision"), FIRST.values(), ids=FIRST)
def test_the_first_match_decides(rules: tuple[Rule, ...], level: str, decision: Decision) -> None:
    assert decide(*rules, level=level) == decision


ODD_FIELDS: tuple[dict[str, Any], ...] = (
    {},
    {"kubernetes": None},
    {"kubernetes": "shop"},
    {"kubernetes": {"namespace_name": 7}},
    {"kubernetes": []},
)


@pytest.mark.parametrize("fields", ODD_FIELDS)
def test_a_record_without_a_namespace_meets_no_condition_on_it(fields: dict[str, Any]) -> None:
    assert decide(dropping(namespace="shop"), fields=fields) == KEPT
    assert decide(dropping(namespace="?*"), fields=fields) == KEPT


ids = st.text(max_size=40)
rates = st.floats(0, 1)


@hypothesis.settings(patient, max_examples=200)
@given(ids, ids, ids, rates)
def test_one_transaction_has_one_decision(trace_id: str, first: str, second: str, rate: float) -> None:
    hypothesis.assume(trace_id)
    assert is_kept(trace_id, first, rate) == is_kept(trace_id, second, rate)


@hypothesis.settings(patient, max_examples=200)
@given(ids, ids, rates, rates)
def test_what_is_kept_at_a_rate_is_kept_at_every_higher_one(trace_id: str, event_id: str, a: float, b: float) -> None:
    assert is_kept(trace_id, event_id, min(a, b)) <= is_kept(trace_id, event_id, max(a, b))


@hypothesis.settings(patient, max_examples=200)
@given(ids, ids)
def test_all_and_nothing_are_exact(trace_id: str, event_id: str) -> None:
    assert is_kept(trace_id, event_id, 1)
    assert not is_kept(trace_id, event_id, 0)


def test_the_decision_is_the_same_in_every_release() -> None:
    kept = [number for number in range(40) if is_kept(f"{number:032x}", "", 0.25)]
    assert kept == PINNED


PINNED = [1, 3, 4, 6, 13, 17, 25, 33]


def test_a_short_id_goes_with_the_long_one_that_it_is_the_end_of() -> None:
    random_ids = random.Random(11)
    for _ in range(200):
        long = f"{random_ids.getrandbits(128):032x}"
        assert is_kept(long, "", 0.5) == is_kept(long[16:], "", 0.5)


@pytest.mark.parametrize("rate", [0.001, 0.01, 0.1, 0.5, 0.9])
@pytest.mark.parametrize("kind", ["trace ids", "event ids", "event ids in a row"])
def test_the_share_that_is_kept_is_near_the_rate(kind: str, rate: float) -> None:
    random_ids, count = random.Random(7), 10_000
    if kind == "trace ids":
        kept = sum(is_kept(f"{random_ids.getrandbits(128):032x}", "event", rate) for _ in range(count))
    elif kind == "event ids":
        kept = sum(is_kept("", str(random_ids.randrange(10**56)), rate) for _ in range(count))
    else:
        kept = sum(is_kept("", str(3 * 10**55 + number), rate) for number in range(count))
    deviation = (rate * (1 - rate) / count) ** 0.5
    assert abs(kept / count - rate) < 4 * deviation


texts = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=10)
by_level = st.dictionaries(st.sampled_from([*LEVELS, ANY_LEVEL]), rates, min_size=1).map(
    lambda rates: tuple(rates.items())
)
conditions = {
    "name": texts,
    "log_group": texts,
    "namespace": st.just("") | texts,
    "container": st.just("") | texts,
    "levels": st.lists(st.sampled_from(LEVELS), unique=True).map(tuple),
    "pattern": st.sampled_from(["", "/healthz", r"^\d+"]),
}
some_rules = st.builds(Rule, action=st.sampled_from(["keep", "drop"]), rates=st.just(()), **conditions) | st.builds(
    Rule, action=st.just("sample"), rates=by_level, **conditions
)


@hypothesis.settings(patient, max_examples=200)
@given(st.lists(some_rules, max_size=4, unique_by=lambda rule: rule.name).map(tuple))
def test_rules_survive_their_json(rules: tuple[Rule, ...]) -> None:
    assert rules_from_json(rules_to_json(rules)) == rules


def test_rules_are_read_from_what_a_person_writes() -> None:
    text = """[
        {"name": "health checks", "action": "drop", "pattern": "GET /healthz"},
        {"name": "busy", "action": "sample", "namespace": "shop", "rates": {"DEBUG": 0, "*": 0.5}}
    ]"""
    assert rules_from_json(text) == (
        Rule("health checks", "drop", pattern="GET /healthz"),
        Rule("busy", "sample", namespace="shop", rates=(("DEBUG", 0.0), ("*", 0.5))),
    )
    assert rules_from_json("") == rules_from_json(" [] ") == ()


def test_json_is_short() -> None:
    assert json.loads(rules_to_json([Rule("a", "drop")])) == [{"name": "a", "action": "drop"}]


OK = '{"name": "a", "action": "keep"}'
FAULTS: dict[str, tuple[str, str]] = {
    "not JSON": ("[{", "not JSON: "),
    "too deep": ("[" * 100_000, "not JSON: "),
    "no list": ("{}", "must be a JSON list of rules"),
    "no object": (f"[{OK}, 7]", "rule 2: must be an object"),
    "no name": ('[{"action": "keep"}]', "rule 1: name: is missing"),
    "neither name nor action": ("[{}]", "rule 1: name, action: is missing"),
    "an empty name": ('[{"name": "", "action": "keep"}]', 'rule 1: name: "" is not a text'),
    "a long name": (
        json.dumps([{"name": "x" * 65, "action": "keep"}]),
        "rule 1: name: must be printable and at most 64",
    ),
    "a name with a newline": (r'[{"name": "a\nb", "action": "keep"}]', "rule 1: name: must be printable"),
    "a name twice": (f"[{OK}, {OK}]", "rule 2: name: 'a' is taken by rule 1"),
    "an unknown key": (
        '[{"name": "a", "action": "keep", "pod": "x"}]',
        "rule 1: unknown key pod; known are name, action",
    ),
    "an unknown action": (f'[{OK}, {{"name": "b", "action": "hide"}}]', 'rule 2: action: "hide" is none of keep, drop'),
    "an action of another type": ('[{"name": "b", "action": ["keep"]}]', 'rule 1: action: ["keep"] is none of keep'),
    "a number as namespace": (
        '[{"name": "a", "action": "keep", "namespace": 7}]',
        "rule 1: namespace: 7 is not a text",
    ),
    "no pattern": ('[{"name": "a", "action": "keep", "pattern": "("}]', "rule 1: pattern: is no regular expression"),
    "a number as pattern": ('[{"name": "a", "action": "keep", "pattern": 7}]', "rule 1: pattern: 7 is not a text"),
    "an unknown level": (
        '[{"name": "a", "action": "keep", "levels": ["info"]}]',
        "rule 1: levels: must be a list of TRACE",
    ),
    "a level of another type": (
        '[{"name": "a", "action": "keep", "levels": [{}]}]',
        "rule 1: levels: must be a list of",
    ),
    "no levels": ('[{"name": "a", "action": "keep", "levels": []}]', "rule 1: levels: must be a list of TRACE"),
    "levels as text": (
        '[{"name": "a", "action": "keep", "levels": "INFO"}]',
        "rule 1: levels: must be a list of TRACE",
    ),
    "a rate too high": (
        '[{"name": "a", "action": "sample", "rates": {"INFO": 1.5}}]',
        "rule 1: rates: INFO: 1.5 is not",
    ),
    "a rate that is true": (
        '[{"name": "a", "action": "sample", "rates": {"INFO": true}}]',
        "rule 1: rates: INFO: true is",
    ),
    "a rate that is no number": (
        '[{"name": "a", "action": "sample", "rates": {"INFO": NaN}}]',
        "rule 1: rates: INFO: NaN",
    ),
    "a rate as text": (
        '[{"name": "a", "action": "sample", "rates": {"INFO": "1"}}]',
        'rule 1: rates: INFO: "1" is not',
    ),
    "a rate of no level": (
        '[{"name": "a", "action": "sample", "rates": {"info": 1}}]',
        "rule 1: rates: 'info' is none of",
    ),
    "no rates": ('[{"name": "a", "action": "sample", "rates": {}}]', "rule 1: rates: must be an object of rates"),
    "rates left out": ('[{"name": "a", "action": "sample"}]', "rule 1: rates: belong to the action sample"),
    "rates with another action": ('[{"name": "a", "action": "drop", "rates": {"*": 1}}]', "rule 1: rates: belong to"),
}


@pytest.mark.parametrize(("text", "message"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_named_with_its_rule_and_key(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        rules_from_json(text)
