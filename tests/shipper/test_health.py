from __future__ import annotations

import pytest

from shipper.health import CLUSTER, RULES, Light, Reading, duration, share, words, worst

GREEN, AMBER, RED = Reading("dead_letters", "", 0), Reading("dead_letters", "", 1), Reading("dead_letters", "", 1_000)
UNKNOWN = Reading("dead_letters", "", None, "no rights")


@pytest.mark.parametrize("figure", RULES)
def test_each_rule_has_its_three_lights(figure: str) -> None:
    rule = RULES[figure]
    assert 0 < rule.amber < rule.red
    lights = [Reading(figure, "", value).light for value in (0, rule.amber * 0.99, rule.amber, rule.red)]
    assert lights == [Light.GREEN, Light.GREEN, Light.AMBER, Light.RED]


def test_what_is_unknown_is_no_green() -> None:
    assert UNKNOWN.light is Light.UNKNOWN
    assert UNKNOWN.what_to_do == GREEN.what_to_do == ""
    assert AMBER.what_to_do == RED.what_to_do != ""


@pytest.mark.parametrize(
    ("readings", "light"),
    [
        ([GREEN, GREEN], Light.GREEN),
        ([GREEN, UNKNOWN], Light.AMBER),
        ([AMBER, UNKNOWN], Light.AMBER),
        ([UNKNOWN, RED, AMBER], Light.RED),
        ([], Light.AMBER),
    ],
    ids=["all well", "one unknown", "amber and unknown", "red beats all", "nothing was read"],
)
def test_the_worst_counts(readings: list[Reading], light: Light) -> None:
    assert worst(readings) is light


@pytest.mark.parametrize(
    ("part", "whole", "expected"), [(1, 4, 0.25), (None, 4, 0), (0, 0, 0), (1, 0, 0), (1, None, None)]
)
def test_a_share(part: float | None, whole: float | None, expected: float | None) -> None:
    assert share(part, whole) == expected


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.4, "59 s"), (90, "1.5 min"), (1_200, "20 min"), (5_400, "1.5 h"), (864_000, "10 d")],
)
def test_seconds_in_words(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("reading", "text"),
    [
        (Reading("behind_s", "g", 90, "newest none"), "1.5 min, newest none"),
        (Reading("error_share", "f", 0.0123), "1.2 %"),
        (Reading("retry_letters", "", 12_345), "12,345"),
        (Reading("cluster", "", CLUSTER["yellow"]), "yellow"),
        (UNKNOWN, "no rights"),
        (Reading("throttles", "", None), "unknown"),
    ],
)
def test_a_figure_in_words(reading: Reading, text: str) -> None:
    assert words(reading) == text
