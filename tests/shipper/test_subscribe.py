"""Which log groups get a filter, and when one is left as it is."""

from __future__ import annotations

from typing import Any

import pytest

from shipper.subscribe import Filter, Step, Wanted, created, step

OURS = Filter("cwl-shipper-dev", "arn:shipper", "ERROR")
BY_THE_STACK = Filter("LogShipping-ApplicationFilter", "arn:shipper")
FOREIGN = Filter("siem", "arn:siem")
WANTED = Wanted(
    "cwl-shipper-dev", "arn:shipper", {"/aws/lambda/": "", "/aws/lambda/shop-": "ERROR"}, {"/aws/lambda/own"}
)


@pytest.mark.parametrize(
    ("log_group", "pattern"),
    [
        pytest.param("/aws/lambda/other", "", id="under one prefix"),
        pytest.param("/aws/lambda/shop-cart", "ERROR", id="the longest prefix counts"),
        pytest.param("/aws/lambda/own", None, id="left out"),
        pytest.param("/aws/lambda/own-2", "", id="a name that only begins like one left out"),
        pytest.param("/aws/rds/shop", None, id="elsewhere"),
        pytest.param("/x/aws/lambda/other", None, id="not at the beginning"),
    ],
)
def test_a_name_decides(log_group: str, pattern: str | None) -> None:
    expected = None if pattern is None else Filter("cwl-shipper-dev", "arn:shipper", pattern)
    assert WANTED.filter_of(log_group) == expected


@pytest.mark.parametrize(
    ("present", "expected"),
    [
        pytest.param([], Step.PUT, id="none"),
        pytest.param([FOREIGN], Step.PUT, id="room for one more"),
        pytest.param([OURS], Step.NONE, id="ours"),
        pytest.param([FOREIGN, OURS], Step.NONE, id="ours beside another"),
        pytest.param([Filter(OURS.name, OURS.destination)], Step.PUT, id="ours with another pattern"),
        pytest.param([Filter(OURS.name, "arn:gone", "ERROR"), FOREIGN], Step.PUT, id="ours to a function of old"),
        pytest.param(
            [Filter(OURS.name, OURS.destination, "ERROR", ("@aws.account",))], Step.PUT, id="ours with other fields"
        ),
        pytest.param([BY_THE_STACK], Step.NONE, id="to the same function by another name"),
        pytest.param([FOREIGN, BY_THE_STACK], Step.NONE, id="the same among two"),
        pytest.param([FOREIGN, Filter("backup", "arn:backup")], Step.FULL, id="full"),
    ],
)
def test_the_filters_that_are_there_decide(present: list[Filter], expected: Step) -> None:
    assert step(OURS, present) is expected


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        pytest.param({"detail": {"requestParameters": {"logGroupName": "/g"}}}, "/g", id="CloudTrail's"),
        pytest.param({"source": "aws.events", "detail": {}}, None, id="the schedule's"),
        pytest.param({}, None, id="a person's"),
        pytest.param({"detail": {"requestParameters": None}}, None, id="a call that was refused"),
        pytest.param(None, None, id="none"),
    ],
)
def test_an_event_names_a_log_group_or_none(event: Any, expected: str | None) -> None:
    assert created(event) == expected
