"""The roles on a real security plugin, behind a gateway that asks for signatures: each may do its job, and no more."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests
from click.testing import CliRunner, Result

from local.cdk import ROOT
from local.processes import Run
from shipper.aws.clock import SystemClock
from shipper.aws.domain import OpenSearchDomain
from shipper.aws.opensearch import client
from shipper.bulk import encode
from shipper.cli import deployment
from shipper.cli.main import cli
from shipper.handlers import subscriber
from shipper.handlers.services import from_environment, signer
from shipper.setup import Report, SetupFailed, set_up
from shipper.setup_plan import Plan
from shipper.ship import Denied
from tests.e2e import secured
from tests.e2e.gateway import Gateway, Session
from tests.e2e.secured import MASTER
from tests.shipper.fakes import (
    AWS_ENV,
    SETTINGS,
    SOURCE,
    FakeContext,
    doc,
    lambda_event,
    payload_of,
)

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

ARN = "arn:aws:iam::123456789012:role/"
WRITER, READER, OPERATOR, ADMIN, NOBODY = (
    ARN + name for name in ("shipper", "developer", "on-call", "platform", "nobody")
)
SESSIONS = {role: Session.of(role) for role in (MASTER, WRITER, READER, OPERATOR, ADMIN, NOBODY)}
LOGS, OTHER = "cwl-2026.11.24", "other"
CLOSED, OLDEST = "cwl-2026.10.23", "cwl-2026.10.22"
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the gateway is, before a domain that has been set up twice."""
    with Run(tmp_path_factory.mktemp("logs")) as run, Gateway(secured.start(run), SESSIONS.values()) as gateway:
        for _ in range(2):
            report = set_up_as(gateway.url, MASTER)
            assert [name for name in report.done if name.startswith("role")]
        for index in (LOGS, OTHER, CLOSED, OLDEST):
            assert call(gateway.url, MASTER, "PUT", f"/{index}").ok
        yield gateway.url


def set_up_as(url: str, role: str, remaining_s: float = 60) -> Report:
    plan = Plan(endpoint=url, refresh_s=1, writers=(WRITER,), readers=(READER,), operators=(OPERATOR,), admins=(ADMIN,))
    domain = OpenSearchDomain(lambda: client(url, signer(SESSIONS[role].environment, "es"), compress=False))
    return set_up(plan, domain, SystemClock.until(remaining_s), role)


def call(url: str, role: str, method: str, path: str, body: str | None = None) -> requests.Response:
    """A request that a role has signed."""
    headers = {"content-type": "application/json"}
    auth = signer(SESSIONS[role].environment, "es")
    return requests.request(method, url + path, data=body, headers=headers, auth=auth, timeout=60)


def bulk(action: str, index: str) -> str:
    source = {"@timestamp": "2026-11-24T00:00:00Z", "@message": "x", "a new field": 1}
    lines = [{action: {"_index": index, "_id": "1"}}, *([source] if action != "delete" else [])]
    return "".join(json.dumps(line) + "\n" for line in lines)


CALLS: dict[str, tuple[str, str, str | None, set[str]]] = {
    "index a log": ("POST", "/_bulk", bulk("create", LOGS), {WRITER, OPERATOR, ADMIN}),
    "make a new day": ("POST", "/_bulk", bulk("create", "cwl-2026.11.25"), {WRITER, OPERATOR, ADMIN}),
    "index elsewhere": ("POST", "/_bulk", bulk("create", OTHER), set()),
    "delete a log": ("POST", "/_bulk", bulk("delete", LOGS), {ADMIN}),
    "search": ("GET", "/cwl-*/_search", None, {READER, OPERATOR, ADMIN}),
    "search in several steps": ("GET", "/cwl-*/_search?scroll=1m", None, {READER, OPERATOR, ADMIN}),
    "the domain's health": ("GET", "/_cluster/health", None, {OPERATOR, ADMIN}),
    "the domain's space": ("GET", "/_cat/allocation?format=json&bytes=b", None, {OPERATOR, ADMIN}),
    "count": ("GET", "/cwl-*/_count", None, {READER, OPERATOR, ADMIN}),
    "list the fields": ("GET", "/cwl-*/_field_caps?fields=*", None, {READER, OPERATOR, ADMIN}),
    "read the mapping": ("GET", "/cwl-*/_mapping", None, {READER, OPERATOR, ADMIN}),
    "read the settings": ("GET", "/cwl-*/_settings", None, {READER, OPERATOR, ADMIN}),
    # A new field of a log changes the mapping: the plugin has no right for that alone.
    "change a mapping": ("PUT", f"/{LOGS}/_mapping", '{"dynamic": false}', {WRITER, OPERATOR, ADMIN}),
    "search elsewhere": ("GET", f"/{OTHER}/_search", None, set()),
    "search the plugin's own index": ("GET", "/.opendistro_security/_search", None, set()),
    "close a day": ("POST", f"/{CLOSED}/_close", None, {ADMIN}),
    "open a day": ("POST", f"/{CLOSED}/_open", None, {ADMIN}),
    "change a day's settings": ("PUT", f"/{LOGS}/_settings", '{"index": {"priority": 1}}', {ADMIN}),
    "delete a day": ("DELETE", f"/{OLDEST}", None, {ADMIN}),
    "delete an index of another": ("DELETE", f"/{OTHER}", None, set()),
    "delete everything": ("DELETE", "/*", None, set()),
    "a team's own fields": ("PUT", "/_component_template/cwl-custom", '{"template": {}}', {ADMIN}),
    "write a template": ("PUT", "/_index_template/x", '{"index_patterns": ["x"]}', {ADMIN}),
    "change the cluster's settings": (
        "PUT",
        "/_cluster/settings",
        '{"persistent": {"search.max_buckets": 9999}}',
        {ADMIN},
    ),
    "why a shard has no node": ("GET", "/_cluster/allocation/explain", None, {OPERATOR, ADMIN}),
    "read the roles": ("GET", "/_plugins/_security/api/roles", None, set()),
    "make a role": ("PUT", "/_plugins/_security/api/roles/x", '{"cluster_permissions": ["*"]}', set()),
    "give itself a role": (
        *("PUT", "/_plugins/_security/api/rolesmapping/all_access"),
        json.dumps({"backend_roles": [ADMIN]}),
        set(),
    ),
    "flush what the plugin keeps": ("DELETE", "/_plugins/_security/api/cache", None, set()),
}


def allows(reply: requests.Response) -> bool:
    """Whether a call was let through; of a bulk request its one item tells."""
    body: Any = reply.json()
    items = [next(iter(item.values())) for item in body["items"]] if "items" in body else []
    of_items = {item["status"] for item in items}
    # A log that was not there to be deleted is 404.
    assert of_items <= {200, 201, 404, 409, 403}, reply.text
    assert reply.status_code in (200, 403), reply.text
    return 403 not in {reply.status_code, *of_items}


@pytest.mark.parametrize("name", CALLS)
def test_a_call_is_for_those_whose_job_it_is(url: str, name: str) -> None:
    method, path, body, allowed = CALLS[name]
    replies = {role: call(url, role, method, path, body) for role in (WRITER, READER, OPERATOR, ADMIN, NOBODY)}
    assert {role for role, reply in replies.items() if allows(reply)} == allowed


def test_the_operator_reads_a_day_in_several_steps_and_ends_that(url: str) -> None:
    def asked(method: str, path: str, **body: Any) -> Any:
        reply = call(url, OPERATOR, method, path, json.dumps(body) if body else None)
        assert reply.status_code == 200, reply.text
        return reply.json()

    id_ = asked("GET", "/cwl-*/_search?scroll=1m&size=1")["_scroll_id"]
    asked("GET", "/_search/scroll", scroll="1m", scroll_id=id_)
    asked("DELETE", "/_search/scroll", scroll_id=[id_])


(SIGNED_REQUEST,) = re.findall(r"```\n(curl .*?)```", (ROOT / "docs" / "runbook.md").read_text("utf-8"), re.DOTALL)


@pytest.mark.parametrize(("role", "exit_code"), [(ADMIN, 0), (OPERATOR, 22)], ids=["an admin", "an operator"])
def test_the_runbooks_request_deletes_an_old_index_for_an_admin(url: str, role: str, exit_code: int) -> None:
    if shutil.which("curl") is None:
        pytest.skip("the request of the runbook needs curl")
    (index,) = re.findall(r"/(cwl-[\d.]+)", SIGNED_REQUEST)
    call(url, MASTER, "PUT", f"/{index}")
    env = {"PATH": os.environ["PATH"], "DOMAIN_ENDPOINT": url, **SESSIONS[role].environment}
    done = subprocess.run(["sh", "-c", SIGNED_REQUEST], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == exit_code, done.stdout + done.stderr
    assert call(url, MASTER, "HEAD", f"/{index}").ok is (role is not ADMIN)


def test_a_set_up_without_rights_says_which_role_to_map(url: str) -> None:
    with pytest.raises(SetupFailed, match=f"403 no permissions for .* Map {NOBODY} to the role all_access"):
        set_up_as(url, NOBODY, remaining_s=15)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The environment of a function, or of a workstation, without anybody's credentials yet."""
    for name, value in AWS_ENV.items():
        monkeypatch.setenv(name, value)
    # A queue or a bucket would be another one's business: nothing here may need one.
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    return monkeypatch


def take_on(environment: pytest.MonkeyPatch, session: Session) -> None:
    for name, value in session.environment.items():
        environment.setenv(name, value)


def deliver(url: str, environment: pytest.MonkeyPatch, session: Session, **changes: str) -> dict[str, int]:
    """The subscriber with an event of two lines, wired from its environment as Lambda would have it."""
    settings = replace(SETTINGS, endpoint=url)
    take_on(environment, session)
    for name, value in {**settings.to_env(), **changes}.items():
        environment.setenv(name, value)
    event = lambda_event(payload_of(f"INFO traceId={TRACE_ID} placed", '{"level": "warn", "a new field": 404}'))
    return subscriber.run(event, FakeContext(), from_environment("subscriber"))


def sit_down(url: str, environment: pytest.MonkeyPatch, role: str) -> None:
    """Make this the workstation of somebody who has taken on a role."""
    take_on(environment, SESSIONS[role])
    outputs = {
        "DomainEndpoint": url,
        "RetryQueueUrl": SETTINGS.retry_queue_url,
        "DeadLetterQueueUrl": SETTINGS.dead_letter_queue_url,
        "FailedEventsBucket": SETTINGS.bucket,
        "SubscriberFunction": "subscriber",
    }
    environment.setattr(deployment, "_outputs", lambda *_: outputs)


def cwl(*args: str) -> Result:
    return CliRunner().invoke(cli, args, env={"COLUMNS": "200"})


def test_the_function_delivers_in_its_own_name_and_a_reader_finds_it(url: str, environment: pytest.MonkeyPatch) -> None:
    first, second = (deliver(url, environment, SESSIONS[WRITER]) for _ in range(2))
    assert (first["received"], first["indexed"] + first["duplicate"], second["duplicate"]) == (2, 2, 2)
    assert call(url, MASTER, "POST", f"/{LOGS}/_refresh").ok
    sit_down(url, environment, READER)
    result = cwl("trace", TRACE_ID)
    assert (result.exit_code, "placed" in result.stdout) == (0, True), result.output


@pytest.mark.parametrize(
    ("session", "changes", "said"),
    [
        pytest.param(SESSIONS[WRITER], {"AWS_REGION": "us-east-1"}, "valid region", id="signed for another Region"),
        pytest.param(SESSIONS[WRITER], {"SHIPPER_SERVICE": "aoss"}, "correct service", id="signed for another service"),
        pytest.param(replace(SESSIONS[WRITER], secret="x"), {}, "does not match", id="a wrong secret"),
        pytest.param(replace(SESSIONS[WRITER], token=""), {}, "security token", id="no session token"),
        pytest.param(SESSIONS[READER], {}, "no permissions for", id="in the name of a reader"),
        pytest.param(SESSIONS[NOBODY], {}, "no permissions for", id="in the name of nobody known"),
    ],
)
def test_a_function_that_may_not_write_fails_and_says_why(
    url: str, environment: pytest.MonkeyPatch, session: Session, changes: dict[str, str], said: str
) -> None:
    with pytest.raises(Denied, match=said):
        deliver(url, environment, session, **changes)


def test_the_operators_tools_have_the_rights_that_they_need(url: str, environment: pytest.MonkeyPatch) -> None:
    deliver(url, environment, SESSIONS[WRITER])
    assert call(url, MASTER, "POST", f"/{LOGS}/_refresh").ok
    sit_down(url, environment, OPERATOR)
    found = deployment.survey("s", None, None)
    ids = {"event-0", "event-1"}
    assert ids <= {id_ for id_, _ in found.index.between(SOURCE.log_group, 0, 2**42)}
    assert set(found.index.with_ids(sorted(ids))) == ids
    assert found.index.newest(SOURCE.log_group).startswith("2026-11-24T")
    assert found.index.health()["status"]
    assert found.index.allocation()
    replied = found.found.sink.bulk(encode([doc(1)]), 60)
    assert next(iter(replied.body["items"]))["create"]["status"] in (201, 409)


def test_an_operator_freezes_a_mapping_and_a_reader_may_not(url: str, environment: pytest.MonkeyPatch) -> None:
    index = "cwl-2026.11.26"
    assert call(url, WRITER, "POST", "/_bulk", bulk("create", index)).ok
    sit_down(url, environment, READER)
    refused = cwl("mapping", "freeze", index, "--yes")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "no permissions for [indices:admin/mapping/put]" in refused.stderr
    assert refused.stderr.endswith("; may you read it? Of a stage: is your role one of its operator_roles?\n")
    sit_down(url, environment, OPERATOR)
    frozen = cwl("mapping", "freeze", index, "--yes")
    assert (frozen.exit_code, frozen.stdout) == (0, f"{index}: new fields are kept and not mapped.\n")
