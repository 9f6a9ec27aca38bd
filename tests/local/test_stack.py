"""The embedded run put together, with stand-ins for the local AWS and the CDK. tests/e2e deploys for real."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from local import cdk, stack
from local.aws import LocalAws
from local.engine import External
from local.processes import Run
from local.stack import deployed
from tests.loopback import Answer, Serve

pytestmark = pytest.mark.enable_socket

ENGINE = Answer(body=b'{"version": {"number": "3.7.0"}}')

CDK = """
import json, sys
words = sys.argv[1:]
print(words[0])
if words[0] == "deploy":
    with open(words[words.index("--outputs-file") + 1], "w") as file:
        json.dump({"cwl-shipper-local": {"Words": " ".join(words)}}, file)
"""


@pytest.fixture
def addresses(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the local AWS is told to be its domains' endpoint."""
    found: list[str] = []

    def start_aws(_: Run, address: str) -> LocalAws:
        found.append(address)
        return LocalAws("http://127.0.0.1:1")

    monkeypatch.setattr(stack, "start_aws", start_aws)
    monkeypatch.setattr(cdk, "command", lambda _: [sys.executable, "-c", CDK])
    return found


def answers(address: str) -> bool:
    """Whether anything comes through the gate."""
    host, port = address.split(":")
    try:
        with socket.create_connection((host, int(port)), timeout=10) as peer:
            peer.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            return peer.recv(12) == b"HTTP/1.1 200"
    except OSError:
        return False


def wait(address: str, *, open_: bool) -> None:
    deadline = time.monotonic() + 20
    while answers(address) is not open_:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_everything_is_started_in_order_and_the_gate_is_the_domains_endpoint(
    tmp_path: Path, serve: Serve, addresses: list[str]
) -> None:
    url = serve(ENGINE).url
    said: list[str] = []
    lines: list[str] = []
    with Run(tmp_path / "logs") as run:
        found = deployed(run, {"OPENSEARCH_URL": url}, said.append, lines.append)
        assert said == [
            "starting the search engine",
            f"OpenSearch (yours) 3.7.0 at {url}; starting the local AWS",
            "local AWS at http://127.0.0.1:1; cdk bootstrap",
            "cdk deploy",
        ]
        assert lines == ["bootstrap", "deploy"]
        (address,) = addresses
        assert address not in url
        wait(address, open_=True)
        found.domain_goes()
        wait(address, open_=False)
        found.domain_comes()
        wait(address, open_=True)


@pytest.mark.parametrize(
    ("is_yours", "cluster"), [(True, "--context=cluster=demo-"), (False, "--context=cluster=demo ")]
)
def test_an_engine_of_your_own_gets_a_cluster_of_another_name_each_time(
    tmp_path: Path, serve: Serve, addresses: list[str], monkeypatch: pytest.MonkeyPatch, is_yours: bool, cluster: str
) -> None:
    yours = {"OPENSEARCH_URL": serve(ENGINE).url}
    with Run(tmp_path / "logs") as run:
        if not is_yours:
            running = External(yours["OPENSEARCH_URL"]).start(run)
            monkeypatch.setattr("local.engine.Embedded.start", lambda *_: running)
        found = deployed(run, yours if is_yours else {}, lambda _: None, lambda _: None)
    assert cluster in found.outputs["Words"]


def test_a_shell_finds_the_stack_the_engine_and_the_program(tmp_path: Path, serve: Serve, addresses: list[str]) -> None:
    url = serve(ENGINE).url
    with Run(tmp_path / "logs") as run:
        found = deployed(run, {"OPENSEARCH_URL": url}, lambda _: None, lambda _: None)
    script = "\n".join([*found.shell_lines({}), 'echo "$CWL_SHIPPER_STACK $OPENSEARCH_ENDPOINT ${PATH%%:*}"'])
    done = subprocess.run(["/bin/sh", "-c", script], env={"PATH": "/x"}, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["cwl-shipper-local", url, str(Path(sys.executable).parent)]
    environment = found.environment({"AWS_PROFILE": "prod"})
    assert environment["CWL_SHIPPER_STACK"] == "cwl-shipper-local"
    assert "AWS_PROFILE" not in environment
