from __future__ import annotations

import gc
import gzip
import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from requests import Request

from shipper import deadletter
from shipper.handlers import replay, subscriber
from shipper.handlers.services import from_environment, signer
from shipper.settings import SettingsError
from tests.loopback import Answer, Loopback
from tests.shipper.fakes import AWS_ENV, REFUSED, SETTINGS, SOURCE, doc, local_aws

DELIVERY = {
    "SHIPPER_ENDPOINT": "https://search.example.com",
    "SHIPPER_RETRY_QUEUE_URL": "https://sqs/retry",
    "SHIPPER_DEAD_LETTER_QUEUE_URL": "https://sqs/dead",
    "SHIPPER_BUCKET": "bucket",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("SHIPPER_")]:
        monkeypatch.delenv(name)
    for name, value in {**AWS_ENV, **DELIVERY}.items():
        monkeypatch.setenv(name, value)


def test_services_are_wired_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIPPER_MAX_TRIES", "2")
    found = from_environment("subscriber")
    assert found.settings.endpoint == "https://search.example.com"
    assert found.settings.max_tries == 2
    assert found.telemetry.logger.service == "subscriber"


def test_what_is_wired_is_left_alone_by_the_collector() -> None:
    gc.unfreeze()
    from_environment("subscriber")
    assert gc.get_freeze_count() > 0
    gc.unfreeze()


FAULTS = [
    pytest.param(
        dict.fromkeys(DELIVERY),
        [
            "endpoint: is missing",
            "retry_queue_url: is missing",
            "dead_letter_queue_url: is missing",
            "bucket: is missing",
        ],
        id="nothing is set",
    ),
    pytest.param(
        {"SHIPPER_MAX_TRIES": "many", "SHIPPER_JOIN": "maybe", "SHIPPER_COLOUR": "red"},
        ["max_tries: 'many'", "join: 'maybe'", "colour: no such setting"],
        id="values that cannot be read",
    ),
    pytest.param(
        {"SHIPPER_MESSAGE": "loud", "SHIPPER_MAX_TRIES": "0", "SHIPPER_BUCKET": None, "SHIPPER_ENDPOINT": "http://a.b"},
        ["message: 'loud'", "max_tries: 0", "bucket: is missing", "endpoint: plain http"],
        id="values out of range",
    ),
    pytest.param(
        {"SHIPPER_MESSAGE": "loud", "SHIPPER_JOIN": "maybe", "SHIPPER_BUCKET": None},
        ["message: 'loud'", "join: 'maybe'", "bucket: is missing"],
        id="values of both kinds",
    ),
]


@pytest.mark.parametrize(("changes", "named"), FAULTS)
def test_everything_that_is_wrong_is_named_at_once(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, str | None], named: list[str]
) -> None:
    for name, value in changes.items():
        if value is None:
            monkeypatch.delenv(name)
        else:
            monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as raised:
        from_environment("subscriber")
    assert [text for text in named if text not in str(raised.value)] == []
    assert "\n" not in str(raised.value)


def signed_header(env: dict[str, str], service: str = "es") -> tuple[str, Any]:
    request = Request("POST", "https://search.example.com/_bulk", data=b"x").prepare()
    signer(env, service)(request)
    return request.headers["authorization"], request.headers.get("x-amz-security-token")


def test_requests_are_signed_with_the_roles_credentials() -> None:
    header, token = signed_header(AWS_ENV)
    assert "Credential=testing/" in header
    assert "/eu-west-1/es/aws4_request" in header
    assert token == "testing"


@pytest.mark.parametrize("token", [{}, {"AWS_SESSION_TOKEN": ""}])
def test_long_lived_credentials_have_no_token(token: dict[str, str]) -> None:
    env = {name: value for name, value in AWS_ENV.items() if name != "AWS_SESSION_TOKEN"}
    assert signed_header({**env, **token})[1] is None


def test_a_serverless_collection_is_another_service() -> None:
    assert "/eu-west-1/aoss/aws4_request" in signed_header(AWS_ENV, "aoss")[0]


def test_the_sink_of_the_services_reaches_the_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    with Loopback([Answer()]) as server:
        monkeypatch.setenv("SHIPPER_ENDPOINT", server.url)
        found = from_environment("subscriber").sink.bulk(b'{"create":{}}\n{}\n', 5)
    assert found.status == 200
    assert "Credential=testing/" in server.requests[0].headers["authorization"]


def test_what_goes_to_a_collection_is_signed_for_its_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """It refuses what has no hash of the body beside the signature;
    https://docs.aws.amazon.com/opensearch-service/latest/developerguide/serverless-clients.html#serverless-signing ."""
    with Loopback([Answer()]) as server:
        monkeypatch.setenv("SHIPPER_ENDPOINT", server.url)
        monkeypatch.setenv("SHIPPER_SERVICE", "aoss")
        from_environment("subscriber").sink.bulk(b'{"create":{}}\n{}\n', 5)
    (sent,) = server.requests
    assert "/eu-west-1/aoss/aws4_request" in sent.headers["authorization"]
    assert "x-amz-content-sha256" in sent.headers["authorization"]
    assert sent.headers["x-amz-content-sha256"] == hashlib.sha256(sent.body).hexdigest()


def test_letters_go_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    with local_aws() as aws:
        monkeypatch.setenv("SHIPPER_RETRY_QUEUE_URL", aws.retry_url)
        monkeypatch.setenv("SHIPPER_DEAD_LETTER_QUEUE_URL", aws.dead_url)
        monkeypatch.setenv("SHIPPER_BUCKET", aws.bucket)
        found = from_environment("subscriber")
        letter = deadletter.of_documents([doc(1)], REFUSED, SOURCE, failed_at="2026", attempts=1)
        aws.s3.put_object(Bucket=aws.bucket, Key="letters/1.gz", Body=gzip.compress(letter.body))
        assert found.bodies.unpack(deadletter.pack_pointer(letter, "letters/1.gz")) == letter
        found.letters.retry([letter])
        found.letters.bury([letter, letter])
        assert (len(aws.bodies_in(aws.retry_url)), len(aws.bodies_in(aws.dead_url))) == (1, 2)


def test_new_credentials_are_taken_with_a_new_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """Row 25: a sandbox that was frozen for long."""
    with Loopback([Answer(), Answer(reset=True), Answer()]) as server:
        monkeypatch.setenv("SHIPPER_ENDPOINT", server.url)
        sink = from_environment("subscriber").sink
        sink.bulk(b"x", 5)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "renewed")
        with pytest.raises(Exception, match="ConnectionError"):
            sink.bulk(b"x", 5)
        sink.bulk(b"x", 5)
    assert "Credential=renewed/" in server.requests[-1].headers["authorization"]


@pytest.mark.parametrize("module", [subscriber, replay])
def test_a_sandbox_builds_its_services_once(module: Any) -> None:
    module.services.cache_clear()
    try:
        assert module.services() is module.services()
    finally:
        module.services.cache_clear()


HANDLERS = ["shipper.handlers.subscriber", "shipper.handlers.replay"]
STATUS = Path("/proc/self/status")


def said_after_importing(module: str, code: str) -> str:
    """What a new process prints that imports a handler and runs `code`."""
    package = Path(sys.modules["shipper"].__path__[0]).parent
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(package)}
    command = [sys.executable, "-c", f"import {module}\n{code}"]
    ran = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert ran.stderr == ""
    return ran.stdout


@pytest.mark.parametrize("module", HANDLERS)
def test_importing_a_handler_does_nothing_and_needs_no_sdk(module: str) -> None:
    """A cold start pays for every import; the SDK is for failures, and only the names of its errors are there."""
    code = "import sys; print(*{'boto3', 'botocore.client', 'botocore.session', 'botocore.loaders'} & set(sys.modules))"
    assert said_after_importing(module, code) == "\n"


# Not `ru_maxrss`: Linux counts the parent's size in it.
@pytest.mark.skipif(not STATUS.exists(), reason="only Linux tells the largest size of one process")
@pytest.mark.parametrize("module", HANDLERS)
def test_a_handler_that_is_imported_takes_less_than_60_mib(module: str) -> None:
    status = said_after_importing(module, f"print(open({str(STATUS)!r}).read())")
    found = re.search(r"VmHWM:\s*(\d+) kB", status)
    assert found
    assert int(found[1]) < 60 * 1024


def test_the_defaults_of_the_fakes_are_good_settings() -> None:
    assert SETTINGS.problems() == []
