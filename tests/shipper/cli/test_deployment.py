from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
)
from click.testing import CliRunner, Result

from shipper import deadletter
from shipper.aws import opensearch
from shipper.cli import deployment
from shipper.cli.main import cli
from shipper.cli.terminal import Failed
from tests.loopback import Answer, Loopback
from tests.shipper.fakes import AWS_ENV, REFUSED, REGION, SOURCE, doc, local_aws

COMMANDS = [
    ["dlq", "ls"],
    ["dlq", "show", "x"],
    ["dlq", "replay", "--yes"],
    ["dlq", "export", "letters", "--yes"],
    ["dlq", "purge", "--all", "--yes"],
]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_") or name == "CWL_SHIPPER_STACK"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


OUTPUTS = {
    "DomainEndpoint": "https://search.example.com",
    "RetryQueueUrl": "https://sqs.eu-west-1.amazonaws.com/123456789012/retry",
    "DeadLetterQueueUrl": "https://sqs.eu-west-1.amazonaws.com/123456789012/dead",
    "FailedEventsBucket": "failed-events",
    "SubscriberFunction": "subscriber",
}
NAMESPACE = "http://cloudformation.amazonaws.com/doc/2010-05-15/"
NO_STACK = Answer(
    400,
    f"""<ErrorResponse xmlns="{NAMESPACE}"><Error><Type>Sender</Type><Code>ValidationError</Code>
    <Message>Stack with id nowhere does not exist</Message></Error><RequestId>r</RequestId></ErrorResponse>""".encode(),
    "text/xml",
)


def stack(outputs: Mapping[str, str]) -> Answer:
    """CloudFormation's answer to DescribeStacks."""
    members = "".join(
        f"<member><OutputKey>{key}</OutputKey><OutputValue>{value}</OutputValue></member>"
        for key, value in outputs.items()
    )
    text = f"""<DescribeStacksResponse xmlns="{NAMESPACE}"><DescribeStacksResult><Stacks><member>
    <StackName>s</StackName><CreationTime>2026-11-24T12:00:00Z</CreationTime><StackStatus>CREATE_COMPLETE</StackStatus>
    <Outputs>{members}</Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>"""
    return Answer(200, text.encode(), "text/xml")


Deploy = Callable[[Answer], Loopback]


@pytest.fixture
def deploy(environment: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deploy]:
    """Makes CloudFormation answer like this."""
    for name, value in AWS_ENV.items():
        monkeypatch.setenv(name, value)
    with ExitStack() as running:

        def deployed(answer: Answer) -> Loopback:
            server = running.enter_context(Loopback([answer]))
            monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFORMATION", server.url)
            return server

        yield deployed


def assert_one_line(result: Result, *texts: str) -> None:
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("cwl-shipper: ")
    assert result.stderr.count("\n") == 1
    assert [text for text in texts if text not in result.stderr] == []


def test_a_stack_is_found_by_its_outputs(deploy: Deploy) -> None:
    server = deploy(stack(OUTPUTS))
    found = deployment.find("logs", None, None)
    assert found.settings.endpoint == OUTPUTS["DomainEndpoint"]
    assert found.settings.retry_queue_url == OUTPUTS["RetryQueueUrl"]
    assert found.settings.dead_letter_queue_url == OUTPUTS["DeadLetterQueueUrl"]
    assert found.settings.bucket == OUTPUTS["FailedEventsBucket"]
    assert b"StackName=logs" in server.requests[0].body


SITE = {
    **OUTPUTS,
    "SubscriberFunction": "subscriber",
    "ReplayFunction": "replay",
    "LogGroupPrefix": "/aws/",
    "MetricsNamespace": "cwl-shipper/dev",
}


def test_a_site_is_found_by_its_outputs_and_its_searches_are_signed(deploy: Deploy) -> None:
    with Loopback([Answer(200, b'{"status": "green"}')]) as domain:
        deploy(stack({**SITE, "DomainEndpoint": domain.url}))
        site = deployment.survey("logs", None, None)
        assert site.index.health() == {"status": "green"}
        assert f"/{REGION}/es/aws4_request" in domain.requests[-1].headers["authorization"]
    assert site.outputs["ReplayFunction"] == "replay"
    assert site.client("logs").meta.region_name == REGION


@pytest.mark.parametrize(
    ("endpoint", "service", "scrolls"),
    [
        ("https://07tjusf2h91cunochc.eu-west-1.aoss.amazonaws.com", "aoss", False),
        ("https://search-logs-x.eu-west-1.es.amazonaws.com", "es", True),
    ],
    ids=["a collection", "a domain"],
)
def test_an_index_is_read_as_the_service_that_the_endpoint_is_of_wants_it(
    deploy: Deploy, monkeypatch: pytest.MonkeyPatch, endpoint: str, service: str, scrolls: bool
) -> None:
    deploy(stack({**SITE, "DomainEndpoint": endpoint}))
    with Loopback([Answer(200, b'{"hits": {"hits": []}}')]) as server:
        monkeypatch.setattr(deployment, "client", lambda _, auth: opensearch.client(server.url, auth))
        assert list(deployment.survey("logs", None, None).index.between("group", 1, 2)) == []
    asked = server.requests[0]
    assert f"/{REGION}/{service}/aws4_request" in asked.headers["authorization"]
    assert ("scroll" in asked.path) is scrolls


def test_a_stack_of_before_is_told_by_its_outputs(deploy: Deploy) -> None:
    deploy(stack({name: value for name, value in SITE.items() if name != "LogGroupPrefix"}))
    assert_one_line(CliRunner().invoke(cli, ["status"]), "has no output LogGroupPrefix")


def test_a_domain_that_refuses_is_one_line(deploy: Deploy) -> None:
    with Loopback([Answer(403, b'{"message": "no rights"}')]) as domain:
        deploy(stack({**SITE, "DomainEndpoint": domain.url}))
        result = CliRunner().invoke(cli, ["trace", "x"])
    assert_one_line(result, "the domain answers 403: no rights")


def test_a_letter_goes_from_the_queue_to_the_domain(deploy: Deploy) -> None:
    with local_aws() as aws, Loopback([Answer()]) as domain:
        queues = {"RetryQueueUrl": aws.retry_url, "DeadLetterQueueUrl": aws.dead_url}
        deploy(stack({**OUTPUTS, **queues, "DomainEndpoint": domain.url}))
        letter = deadletter.of_documents([doc(1)], REFUSED, SOURCE, failed_at="2026", attempts=1)
        aws.sqs.send_message(QueueUrl=aws.dead_url, MessageBody=deadletter.pack(letter))
        result = CliRunner().invoke(cli, ["dlq", "replay", "--yes", "--limit", "1"])
        left = aws.bodies_in(aws.dead_url)
    assert (result.exit_code, left) == (0, [])
    assert gzip.decompress(domain.requests[-1].body) == letter.body
    assert f"/{REGION}/es/aws4_request" in domain.requests[-1].headers["authorization"]


def test_a_letter_whose_body_lies_in_the_bucket_is_found(deploy: Deploy) -> None:
    with local_aws() as aws:
        deploy(stack({**OUTPUTS, "DeadLetterQueueUrl": aws.dead_url, "FailedEventsBucket": aws.bucket}))
        letter = deadletter.of_documents([doc(1)], REFUSED, SOURCE, failed_at="2026", attempts=1)
        aws.s3.put_object(Bucket=aws.bucket, Key="letters/1.gz", Body=gzip.compress(letter.body))
        aws.sqs.send_message(QueueUrl=aws.dead_url, MessageBody=deadletter.pack_pointer(letter, "letters/1.gz"))
        result = CliRunner().invoke(cli, ["dlq", "show", "--reason", REFUSED.type])
    assert result.exit_code == 0
    assert '"@id": "id-1"' in result.stdout


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_without_credentials_a_command_says_so(command: list[str]) -> None:
    assert_one_line(CliRunner().invoke(cli, [*command, "--region", REGION]), "no AWS credentials", "aws configure")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_without_a_region_a_command_says_so(command: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    assert_one_line(CliRunner().invoke(cli, command), "no AWS Region", "--region")


def test_an_unknown_profile_is_named() -> None:
    assert_one_line(CliRunner().invoke(cli, ["dlq", "ls", "--profile", "nobody"]), "nobody")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_stack_that_is_not_there_is_named_with_what_to_do(deploy: Deploy, command: list[str]) -> None:
    deploy(NO_STACK)
    result = CliRunner().invoke(cli, [*command, "--stack", "nowhere"])
    assert_one_line(result, "there is no stack nowhere here", "--stack", "--region", "cdk deploy")


def test_a_stack_of_another_kind_is_told_by_its_outputs(deploy: Deploy) -> None:
    deploy(stack({"DomainEndpoint": "https://search.example.com", "DeadLetterQueueUrl": "https://sqs/dead"}))
    result = CliRunner().invoke(cli, ["dlq", "ls"])
    missing = "has no output RetryQueueUrl, FailedEventsBucket, SubscriberFunction"
    assert_one_line(result, missing, "is it a cwl-shipper stack?")


def function_set_to(variables: Mapping[str, str]) -> Answer:
    """Lambda's answer to GetFunctionConfiguration."""
    said = {"LastModified": "2026-11-24T12:00:00.000+0000", "Environment": {"Variables": variables}}
    return Answer(200, json.dumps(said).encode(), "application/json")


def test_the_documents_of_a_payload_are_made_with_the_settings_of_the_function(
    deploy: Deploy, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(stack(OUTPUTS))
    with Loopback([function_set_to({"SHIPPER_MESSAGE": "raw", "PATH": "/"})]) as functions:
        monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", functions.url)
        found = deployment.find("s", None, None)
        documents = deadletter.of_documents([doc(1)], REFUSED, SOURCE, failed_at="2026", attempts=1)
        payload = deadletter.of_payload({}, REFUSED, failed_at="2026")
        assert (found.settings_for([documents]).message, functions.requests) == ("text", [])
        assert {found.settings_for([documents, payload]).message for _ in range(2)} == {"raw"}
        assert len(functions.requests) == 1


def test_settings_of_the_function_that_cannot_be_read_are_named(
    deploy: Deploy, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(stack(OUTPUTS))
    with Loopback([function_set_to({"SHIPPER_MAX_TRIES": "many"})]) as functions:
        monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", functions.url)
        found = deployment.find("s", None, None)
        with pytest.raises(Failed, match="the function's settings cannot be read: "):
            found.deployed()


def test_outputs_that_cannot_be_used_are_named(deploy: Deploy) -> None:
    deploy(stack({**OUTPUTS, "DomainEndpoint": "http://search.example.com"}))
    assert_one_line(CliRunner().invoke(cli, ["dlq", "ls"]), "outputs are unusable", "plain http")


def client_error(code: str, message: str = "m") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "DescribeStacks")


ERRORS: list[tuple[Exception, str]] = [
    (NoCredentialsError(), "no AWS credentials"),
    (PartialCredentialsError(provider="env", cred_var="x"), "no AWS credentials"),
    (NoRegionError(), "no AWS Region"),
    (EndpointConnectionError(endpoint_url="https://x"), "Could not connect"),
    (client_error("AccessDenied"), "your credentials may not DescribeStacks: m"),
    (client_error("AccessDeniedException"), "your credentials may not DescribeStacks: m"),
    (client_error("ExpiredToken"), "sign in again"),
    (client_error("InvalidClientTokenId"), "sign in again"),
    (client_error("ValidationError", "Stack with id s does not exist"), "there is no stack s here"),
    (client_error("ValidationError", "something else"), "DescribeStacks: ValidationError: something else"),
    (client_error("Throttling"), "DescribeStacks: Throttling: m"),
]


@pytest.mark.parametrize(("error", "said"), ERRORS)
def test_what_goes_wrong_with_aws_is_one_line(error: Exception, said: str) -> None:
    with pytest.raises(Failed) as raised, deployment.aws_errors("s"):
        raise error
    assert said in raised.value.message
    assert raised.value.exit_code == 1


def test_a_fault_of_our_own_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError), deployment.aws_errors("s"):
        raise ZeroDivisionError


@pytest.mark.parametrize(
    ("args", "env", "expected"),
    [
        ([], {}, (deployment.DEFAULT_STACK, None, None)),
        ([], {"CWL_SHIPPER_STACK": "env"}, ("env", None, None)),
        (["--stack", "s", "--region", "r", "--profile", "p"], {"CWL_SHIPPER_STACK": "env"}, ("s", "r", "p")),
    ],
)
def test_the_options_say_which_deployment_is_meant(args: list[str], env: dict[str, str], expected: Any) -> None:
    found: list[Any] = []

    @click.command()
    @deployment.options
    def command(stack: str, region: str | None, profile: str | None) -> None:
        found.append((stack, region, profile))

    CliRunner().invoke(command, args, env=env)
    assert found == [expected]
