"""The roles on a real security plugin: each may do its job, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from local.processes import Run
from shipper.aws.clock import SystemClock
from shipper.aws.domain import OpenSearchDomain
from shipper.aws.opensearch import client
from shipper.setup import Report, SetupFailed, set_up
from shipper.setup_plan import Plan
from tests.e2e import secured
from tests.e2e.secured import ADMIN, As

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

ARN = "arn:aws:iam::123456789012:role/"
WRITER, READER, OPERATOR, NOBODY = (ARN + name for name in ("shipper", "developer", "on-call", "nobody"))
LOGS, OTHER = "cwl-2026.11.24", "other"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with Run(tmp_path_factory.mktemp("logs")) as run:
        found = secured.start(run)
        for _ in range(2):
            report = set_up_as(found, ADMIN)
            assert [name for name in report.done if name.startswith("role")]
        for index in (LOGS, OTHER):
            assert requests.put(f"{found}/{index}", auth=As(ADMIN), timeout=60).ok
        yield found


def set_up_as(url: str, role: str, remaining_s: float = 60) -> Report:
    plan = Plan(endpoint=url, refresh_s=1, writers=(WRITER,), readers=(READER,), operators=(OPERATOR,))
    domain = OpenSearchDomain(lambda: client(url, As(role), compress=False))
    return set_up(plan, domain, SystemClock.until(remaining_s), role)


def bulk(action: str, index: str) -> str:
    source = {"@timestamp": "2026-11-24T00:00:00Z", "@message": "x", "a new field": 1}
    lines = [{action: {"_index": index, "_id": "1"}}, *([source] if action != "delete" else [])]
    return "".join(json.dumps(line) + "\n" for line in lines)


CALLS: dict[str, tuple[str, str, str | None, set[str]]] = {
    "index a log": ("POST", "/_bulk", bulk("create", LOGS), {WRITER, OPERATOR}),
    "make a new day": ("POST", "/_bulk", bulk("create", "cwl-2026.11.25"), {WRITER, OPERATOR}),
    "index elsewhere": ("POST", "/_bulk", bulk("create", OTHER), set()),
    "delete a log": ("POST", "/_bulk", bulk("delete", LOGS), set()),
    "search": ("GET", "/cwl-*/_search", None, {READER, OPERATOR}),
    "search in several steps": ("GET", "/cwl-*/_search?scroll=1m", None, {READER, OPERATOR}),
    "the domain's health": ("GET", "/_cluster/health", None, {OPERATOR}),
    "the domain's space": ("GET", "/_cat/allocation?format=json&bytes=b", None, {OPERATOR}),
    "count": ("GET", "/cwl-*/_count", None, {READER, OPERATOR}),
    "list the fields": ("GET", "/cwl-*/_field_caps?fields=*", None, {READER, OPERATOR}),
    "read the mapping": ("GET", "/cwl-*/_mapping", None, {READER, OPERATOR}),
    "read the settings": ("GET", "/cwl-*/_settings", None, {READER, OPERATOR}),
    # A new field of a log changes the mapping: the plugin has no right for that alone.
    "change a mapping": ("PUT", f"/{LOGS}/_mapping", '{"dynamic": false}', {WRITER, OPERATOR}),
    "search elsewhere": ("GET", f"/{OTHER}/_search", None, set()),
    "search the plugin's own index": ("GET", "/.opendistro_security/_search", None, set()),
    "delete a day": ("DELETE", f"/{LOGS}", None, set()),
    "close a day": ("POST", f"/{LOGS}/_close", None, set()),
    "write a template": ("PUT", "/_index_template/x", '{"index_patterns": ["x"]}', set()),
    "read the roles": ("GET", "/_plugins/_security/api/roles", None, set()),
}


def allows(reply: requests.Response) -> bool:
    """Whether a call was let through; of a bulk request its one item tells."""
    body: Any = reply.json()
    items = [next(iter(item.values())) for item in body["items"]] if "items" in body else []
    statuses = {reply.status_code, *(item["status"] for item in items)}
    assert statuses <= {200, 201, 409, 403}, reply.text
    return 403 not in statuses


@pytest.mark.parametrize("call", CALLS)
def test_a_call_is_for_those_whose_job_it_is(url: str, call: str) -> None:
    method, path, body, allowed = CALLS[call]
    headers = {"content-type": "application/json"}
    replies = {
        role: requests.request(method, url + path, data=body, headers=headers, auth=As(role), timeout=60)
        for role in (WRITER, READER, OPERATOR, NOBODY)
    }
    assert {role for role, reply in replies.items() if allows(reply)} == allowed


def test_the_operator_reads_a_day_in_several_steps_and_ends_that(url: str) -> None:
    def call(method: str, path: str, **body: Any) -> Any:
        reply = requests.request(method, url + path, json=body or None, auth=As(OPERATOR), timeout=60)
        assert reply.status_code == 200, reply.text
        return reply.json()

    id_ = call("GET", "/cwl-*/_search?scroll=1m&size=1")["_scroll_id"]
    call("GET", "/_search/scroll", scroll="1m", scroll_id=id_)
    call("DELETE", "/_search/scroll", scroll_id=[id_])


def test_a_set_up_without_rights_says_which_role_to_map(url: str) -> None:
    with pytest.raises(SetupFailed, match=f"403 no permissions for .* Map {NOBODY} to the role all_access"):
        set_up_as(url, NOBODY, remaining_s=15)
