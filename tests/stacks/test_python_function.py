from __future__ import annotations

from collections.abc import Callable

import pytest

from stacks.stages import STAGES
from tests.stacks.built import Built, built


def plain() -> Built:
    return built("dev")


def with_more() -> Built:
    return built("prod", log_group_prefixes=("/aws/x/",), tracing=True)


@pytest.mark.parametrize("made", [plain, with_more])
def test_every_function_is_of_the_one_package_and_logs_into_a_group_of_its_own(made: Callable[[], Built]) -> None:
    stack = made()
    functions = stack.of_type("AWS::Lambda::Function").values()
    groups = []
    for function in functions:
        assert function["Handler"].startswith("shipper.handlers.")
        assert (function["Runtime"], function["Architectures"]) == ("python3.13", ["arm64"])
        assert function["LoggingConfig"]["LogFormat"] == "JSON"
        groups.append(function["LoggingConfig"]["LogGroup"]["Ref"])
        assert stack.resources[groups[-1]]["DeletionPolicy"] == "Delete"
    assert len(set(groups)) == len(groups) >= 4


def test_the_log_of_a_function_ends_when_the_stage_says_so() -> None:
    stack = with_more()
    for function in stack.of_type("AWS::Lambda::Function").values():
        group = stack.properties(function["LoggingConfig"]["LogGroup"]["Ref"])
        assert group["RetentionInDays"] == STAGES["prod"].function_log_retention_days


@pytest.mark.parametrize(("made", "traced"), [(plain, False), (with_more, True)])
def test_invocations_are_traced_if_so_wanted(made: Callable[[], Built], traced: bool) -> None:
    for function in made().of_type("AWS::Lambda::Function").values():
        assert ("TracingConfig" in function) == traced
