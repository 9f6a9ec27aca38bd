"""The two functions: what starts them, what they are told, where they fail to."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from shipper.settings import Settings
from stacks.stages import STAGES
from tests.stacks.built import (
    CANARY,
    DEAD_LETTERS,
    DOMAIN,
    FAILED_EVENTS,
    FLUENTD_ROLE,
    REPLAY,
    RETRIES,
    SETUP,
    SUBSCRIBER,
    attribute,
    built,
    words,
)

FUNCTIONS = [SUBSCRIBER, REPLAY]


def test_there_are_two_functions_beside_set_up_and_canary_and_no_helpers() -> None:
    assert set(built("prod").of_type("AWS::Lambda::Function")) == {*FUNCTIONS, SETUP, CANARY}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_handler_exists(function: str) -> None:
    module, _, name = built("dev").properties(function)["Handler"].rpartition(".")
    assert callable(getattr(importlib.import_module(module), name))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_size_and_runtime_are_those_of_the_stage(function: str) -> None:
    found = built("prod").properties(function)
    assert (found["Runtime"], found["Architectures"]) == ("python3.13", ["arm64"])
    assert (found["MemorySize"], found["Timeout"]) == (1024, 120)
    assert "FunctionName" not in found


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("stage", STAGES)
def test_a_function_reads_back_the_settings_of_its_stage(stage: str, function: str) -> None:
    variables = built(stage).properties(function)["Environment"]["Variables"]
    scheme = "http://" if stage == "local" else "https://"
    assert variables["SHIPPER_ENDPOINT"] == {"Fn::Join": ["", [scheme, attribute(DOMAIN, "DomainEndpoint")]]}
    assert variables["SHIPPER_RETRY_QUEUE_URL"] == {"Ref": RETRIES}
    assert variables["SHIPPER_DEAD_LETTER_QUEUE_URL"] == {"Ref": DEAD_LETTERS}
    assert variables["SHIPPER_BUCKET"] == {"Ref": FAILED_EVENTS}
    assert variables["POWERTOOLS_METRICS_NAMESPACE"] == f"cwl-shipper/{stage}"

    plain = {name: value for name, value in variables.items() if isinstance(value, str)}
    assert Settings.from_env(plain) == STAGES[stage].settings


def test_settings_that_differ_reach_the_functions() -> None:
    settings = Settings.for_profile("incumbent", max_tries=7)
    for function in FUNCTIONS:
        variables = built("dev", settings=settings).properties(function)["Environment"]["Variables"]
        plain = {name: value for name, value in variables.items() if isinstance(value, str)}
        assert Settings.from_env(plain) == settings


def test_what_lambda_gives_up_on_goes_to_the_bucket() -> None:
    configs = built("dev").of_type("AWS::Lambda::EventInvokeConfig").values()
    (found,) = [config for config in configs if config["FunctionName"] == {"Ref": SUBSCRIBER}]
    assert found == {
        "DestinationConfig": {"OnFailure": {"Destination": attribute(FAILED_EVENTS)}},
        "FunctionName": {"Ref": SUBSCRIBER},
        "MaximumEventAgeInSeconds": 21_600,
        "MaximumRetryAttempts": 2,
        "Qualifier": "$LATEST",
    }


def test_the_retry_queue_starts_the_replay_and_keeps_what_it_names() -> None:
    assert built("dev").only("AWS::Lambda::EventSourceMapping") == {
        "BatchSize": 5,
        "EventSourceArn": attribute(RETRIES),
        "FunctionName": {"Ref": REPLAY},
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "ScalingConfig": {"MaximumConcurrency": 2},
    }


def test_the_replay_parks_a_message_before_its_queue_gives_it_up() -> None:
    stack = built("dev", retry_max_receives=7)
    assert stack.properties(REPLAY)["Environment"]["Variables"]["RETRY_MAX_RECEIVES"] == "7"
    assert stack.properties(RETRIES)["RedrivePolicy"]["maxReceiveCount"] == 7


@pytest.mark.parametrize("concurrency", [2, 1000])
def test_the_stage_decides_how_many_replays_run_at_once(concurrency: int) -> None:
    mapping = built("dev", replay_max_concurrency=concurrency).only("AWS::Lambda::EventSourceMapping")
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": concurrency}


def test_the_stage_limits_how_many_subscribers_run_at_once_and_nothing_else() -> None:
    found = built("dev", subscriber_max_concurrency=50).of_type("AWS::Lambda::Function")
    assert {key: function.get("ReservedConcurrentExecutions") for key, function in found.items()} == {
        **dict.fromkeys(found),
        SUBSCRIBER: 50,
    }


@pytest.mark.parametrize("stage", STAGES)
def test_by_default_nothing_is_reserved_or_traced(stage: str) -> None:
    for function in built(stage).of_type("AWS::Lambda::Function").values():
        assert not function.keys() & {"ReservedConcurrentExecutions", "TracingConfig"}


def test_each_function_can_be_traced_and_has_the_rights_to_it() -> None:
    stack = built("dev", tracing=True)
    functions = stack.of_type("AWS::Lambda::Function").values()
    assert [function["TracingConfig"] for function in functions] == [{"Mode": "Active"}] * len(functions)
    rights = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
    traced = [policy for policy, statement in stack.statements() if set(words(statement["Action"])) == rights]
    assert len(set(traced)) == len(functions)


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_a_message_stays_hidden_six_timeouts_long(stage: str) -> None:
    stack = built(stage)
    assert stack.properties(RETRIES)["VisibilityTimeout"] >= 6 * stack.properties(REPLAY)["Timeout"]


def test_each_function_has_a_log_group_of_its_own() -> None:
    stack = built("prod")
    groups = [stack.properties(function)["LoggingConfig"]["LogGroup"]["Ref"] for function in FUNCTIONS]
    assert len(set(groups)) == 2
    assert all(stack.properties(group) == {"RetentionInDays": 90} for group in groups)


@pytest.mark.parametrize(
    ("level", "dropped_below"), [("DEBUG", "DEBUG"), ("INFO", "INFO"), ("WARNING", "INFO"), ("ERROR", "INFO")]
)
def test_lambda_never_drops_the_lines_of_metrics(level: str, dropped_below: str) -> None:
    for function in FUNCTIONS:
        logging = built("dev", settings=Settings(log_level=level)).properties(function)["LoggingConfig"]
        assert (logging["LogFormat"], logging["ApplicationLogLevel"]) == ("JSON", dropped_below)


def test_each_function_has_a_role_of_its_own() -> None:
    stack = built("dev")
    roles = [stack.properties(function)["Role"]["Fn::GetAtt"][0] for function in (*FUNCTIONS, SETUP, CANARY)]
    assert {*roles, FLUENTD_ROLE} == set(stack.of_type("AWS::IAM::Role"))
    for role in roles:
        properties: dict[str, Any] = stack.properties(role)
        assert "ManagedPolicyArns" not in properties
        (trust,) = properties["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_waits_for_its_rights(function: str) -> None:
    stack = built("dev")
    policies = [key for key in stack.of_type("AWS::IAM::Policy") if key in stack.resources[function]["DependsOn"]]
    (role,) = stack.properties(policies[0])["Roles"]
    assert attribute(role["Ref"]) == stack.properties(function)["Role"]


def test_wheels_and_processor_agree() -> None:
    for function in FUNCTIONS:
        assert built("dev", architecture="x86_64").properties(function)["Architectures"] == ["x86_64"]
