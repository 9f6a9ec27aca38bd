"""The canary: when it is started, what it is told, what its role may do."""

from __future__ import annotations

import json

from shipper.handlers.canary import GROUPS_VARIABLE
from stacks.stages import LOG_GROUPS
from tests.stacks.built import CANARY, CANARY_ROLE, DOMAIN, attribute, below, built, words

GROUPS = ("SubscriptionsApplication1A632ED3", "SubscriptionsDataplane00689613", "SubscriptionsHostD2E9398A")


def test_it_is_started_every_minute_and_never_a_second_time_for_one() -> None:
    stack = built("dev")
    rule = stack.only("AWS::Events::Rule")
    assert rule["ScheduleExpression"] == "rate(1 minute)"
    assert [(target["Arn"], target["RetryPolicy"]["MaximumRetryAttempts"]) for target in rule["Targets"]] == [
        (attribute(CANARY), 0)
    ]
    configs = stack.of_type("AWS::Lambda::EventInvokeConfig").values()
    (config,) = [config for config in configs if config["FunctionName"] == {"Ref": CANARY}]
    assert (config["MaximumRetryAttempts"], config["MaximumEventAgeInSeconds"]) == (0, 60)


def test_it_is_told_the_domain_and_every_group_that_is_subscribed_to() -> None:
    variables = built("dev").properties(CANARY)["Environment"]["Variables"]
    assert variables["SHIPPER_ENDPOINT"] == {"Fn::Join": ["", ["https://", attribute(DOMAIN, "DomainEndpoint")]]}
    assert variables[GROUPS_VARIABLE] == {
        "Fn::Join": ["", [{"Ref": GROUPS[0]}, ",", {"Ref": GROUPS[1]}, ",", {"Ref": GROUPS[2]}]]
    }
    assert len(GROUPS) == len(LOG_GROUPS)


def test_its_role_writes_its_own_stream_of_each_group_and_searches_the_daily_indices() -> None:
    stack = built("dev")
    allowed = [statement for policy, statement in stack.statements() if policy.startswith("CanaryRole")]
    search, write = sorted(allowed, key=lambda statement: words(statement["Action"]))
    assert (search["Action"], search["Resource"]) == ("es:ESHttpPost", below(DOMAIN, "/cwl-*/_search"))
    assert write["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    own_log, *streams = write["Resource"]
    assert stack.resources[own_log["Fn::GetAtt"][0]]["Type"] == "AWS::Logs::LogGroup"
    assert len(streams) == len(GROUPS)
    for group, stream in zip(GROUPS, streams, strict=True):
        assert {"Ref": group} in stream["Fn::Join"][1]
        assert json.dumps(stream).endswith(':log-stream:cwl-shipper-canary"]]}')


def test_in_the_domain_it_is_a_reader() -> None:
    assert attribute(CANARY_ROLE) in built("dev").only("Custom::DomainSetup")["Readers"]
    assert built("local").only("Custom::DomainSetup")["Readers"] == []


def test_locally_there_is_none() -> None:
    assert not [key for key in built("local").resources if key.startswith("Canary")]
