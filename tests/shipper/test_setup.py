"""The set-up against a domain that is played: new, old, not ready yet, without plugins, not ours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from shipper.collection import LOOK
from shipper.engine import Unsupported
from shipper.index_template import NAME, VERSION
from shipper.setup import RESERVE_S, Reply, SetupFailed, set_up
from shipper.setup_plan import CUSTOM, Plan, Request, Taken
from shipper.ship import Unreachable
from tests.shipper.fakes import FakeClock

IDENTITY = "arn:aws:iam::123456789012:role/setup"
PLAN = Plan(endpoint="https://search.example.com", writers=("arn:w",))
ROOT = {"version": {"number": "3.7.0", "distribution": "opensearch"}}
ALL = [
    "component template",
    "index template",
    "role cwl_writer",
    "role cwl_reader",
    "role cwl_operator",
    "role cwl_admin",
    "retention policy",
    "Dashboards objects",
]
POLICY = "/_plugins/_ism/policies/cwl-retention"

Scripted = int | Reply | BaseException


class FakeDomain:
    """A `setup.Domain` that plays a script and then holds what it is given; `lacks` are parts of paths it has not."""

    def __init__(self, *script: Scripted, lacks: Sequence[str] = (), root: Any = ROOT) -> None:
        self._script = list(script)
        self._lacks = lacks
        self._root = root
        self.held: dict[str, Any] = {}
        self.seq_no = 0
        self.asked: list[Request] = []
        self.timeouts: list[float] = []

    def ask(self, request: Request, timeout_s: float) -> Reply:
        self.asked.append(request)
        self.timeouts.append(timeout_s)
        if self._script:
            step = self._script.pop(0)
            if isinstance(step, BaseException):
                raise step
            return step if isinstance(step, Reply) else Reply(step, {"message": "not now"})
        if any(part in request.path for part in self._lacks):
            return Reply(400, {"error": f"no handler found for uri [{request.path}] and method [{request.method}]"})
        return self._answer(request)

    def _answer(self, request: Request) -> Reply:
        path, _, query = request.path.partition("?")
        if path == "/":
            return Reply(200, self._root)
        if request.method == "GET":
            return Reply(200, self.held[path]) if path in self.held else Reply(404, {"error": {"reason": "not found"}})
        if path == POLICY:
            return self._policy(request.body, query)
        if request.method == "PUT":
            kind, name = path.split("/")[1:3]
            named = {"index_templates": [{"name": name, "index_template": request.body}]}
            self.held[path] = named if kind == "_index_template" else request.body
        return Reply(200, {"success": True})

    def _policy(self, body: Any, query: str) -> Reply:
        expected = f"if_seq_no={self.seq_no}&if_primary_term=1" if POLICY in self.held else ""
        if query != expected:
            return Reply(409, {"error": {"reason": "version conflict"}})
        self.seq_no += 1
        self.held[POLICY] = {"_seq_no": self.seq_no, "_primary_term": 1, **body}
        return Reply(201, {})


def run(domain: FakeDomain, plan: Plan = PLAN, clock: FakeClock | None = None) -> Any:
    return set_up(plan, domain, clock or FakeClock(), IDENTITY)


def test_a_new_domain_gets_everything() -> None:
    domain = FakeDomain()
    report = run(domain)
    assert (report.done, report.skipped) == (ALL, [])
    assert set(domain.held) >= {f"/_index_template/{NAME}", f"/_component_template/{CUSTOM}", POLICY}
    assert report.summary() == f"OpenSearch 3.7: {', '.join(ALL)}"


def test_a_second_time_changes_nothing() -> None:
    domain = FakeDomain()
    run(domain)
    held, seq_no = dict(domain.held), domain.seq_no
    report = run(domain)
    assert (domain.held, domain.seq_no) == (held, seq_no)
    assert report.done == ALL


def test_an_older_version_of_itself_is_upgraded() -> None:
    domain = FakeDomain()
    run(domain)
    template = domain.held[f"/_index_template/{NAME}"]["index_templates"][0]["index_template"]
    template["version"] = VERSION - 1
    domain.held[f"/_component_template/{CUSTOM}"] = {"of": "a team"}
    domain.asked.clear()
    run(domain, Plan(endpoint=PLAN.endpoint, delete_after_days=7))
    upgraded = domain.held[f"/_index_template/{NAME}"]["index_templates"][0]["index_template"]
    assert upgraded["version"] == VERSION
    assert domain.held[f"/_component_template/{CUSTOM}"] == {"of": "a team"}
    assert "after 7 days" in domain.held[POLICY]["policy"]["description"]
    assert "/_plugins/_ism/change_policy/cwl-*" in [request.path for request in domain.asked]


@pytest.mark.parametrize("status", [401, 403, 429, 500, 502, 503, 504])
def test_a_domain_that_is_not_ready_is_waited_for(status: int) -> None:
    domain, clock = FakeDomain(status, Unreachable("connection refused"), status), FakeClock()
    assert run(domain, clock=clock).done == ALL
    assert clock.slept == [0.75, 1.5, 3.0]


def test_rights_that_spread_late_are_waited_for_in_the_middle() -> None:
    domain = FakeDomain(Reply(200, ROOT), Reply(404, None), 403)
    assert run(domain).done == ALL


TOO_LATE: list[Any] = [
    pytest.param(403, f"403 not now. Map {IDENTITY} to the role all_access", id="denied"),
    pytest.param(503, "503 not now. The domain is not well", id="not well"),
    pytest.param(Unreachable("refused"), r"no answer \(refused\). Check that the domain is active", id="away"),
]


@pytest.mark.parametrize(("answer", "message"), TOO_LATE)
def test_the_end_of_the_time_is_told_with_what_to_do(answer: Scripted, message: str) -> None:
    clock = FakeClock(remaining_s=100)
    with pytest.raises(SetupFailed, match=rf"\Aengine: GET /: {message}"):
        run(FakeDomain(*[answer] * 100), clock=clock)
    assert clock.remaining_s() >= RESERVE_S


def test_no_request_outlives_the_time() -> None:
    domain = FakeDomain(503)
    run(domain, clock=FakeClock(remaining_s=RESERVE_S + 5))
    assert max(domain.timeouts) <= 5


@pytest.mark.parametrize(
    ("lacks", "skipped"),
    [
        pytest.param(["_security"], [name for name in ALL if name.startswith("role")], id="security"),
        pytest.param(["_ism"], ["retention policy"], id="retention"),
        pytest.param(["saved_objects"], ["Dashboards objects"], id="Dashboards"),
    ],
)
def test_what_the_engine_has_no_api_for_is_left_out_and_told(lacks: list[str], skipped: list[str]) -> None:
    report = run(FakeDomain(lacks=lacks))
    assert report.skipped == skipped
    assert report.done == [name for name in ALL if name not in skipped]
    assert report.summary().endswith(f"; not there, so left out: {', '.join(skipped)}")


def test_an_engine_without_index_templates_is_a_failure() -> None:
    with pytest.raises(SetupFailed, match=r"component template: .* no handler found"):
        run(FakeDomain(lacks=["_template"]))


REFUSALS: list[Any] = [
    pytest.param(Reply(400, {"error": {"reason": "bad\nbody"}}), "400 bad body", id="an error with its reason"),
    pytest.param(Reply(400, {"error": "text"}), "400 text", id="an error that is a text"),
    pytest.param(Reply(413, {"message": "too large"}), "413 too large", id="a message"),
    pytest.param(Reply(418, None), "418 no reason", id="nothing that can be read"),
    pytest.param(Reply(400, {"Message": "x is not authorized"}), "400 x is not authorized", id="a word of IAM"),
    pytest.param(Reply(302, None), "302 no reason", id="a redirect"),
    pytest.param(Reply(409, {"error": {"type": "conflict"}}), "409 {'type': 'conflict'}", id="no reason"),
]


@pytest.mark.parametrize(("answer", "message"), REFUSALS)
def test_a_refusal_is_told_at_once_with_its_step(answer: Reply, message: str) -> None:
    clock = FakeClock()
    with pytest.raises(SetupFailed) as failed:
        run(FakeDomain(Reply(200, ROOT), answer), clock=clock)
    assert str(failed.value) == f"component template: GET /_component_template/{CUSTOM}: {message}"
    assert clock.slept == []


def test_objects_that_dashboards_does_not_take_are_a_failure() -> None:
    class Unwilling(FakeDomain):
        def _answer(self, request: Request) -> Reply:
            if "saved_objects" in request.path:
                return Reply(200, {"success": False, "errors": [{"id": "cwl"}]})
            return super()._answer(request)

    with pytest.raises(SetupFailed, match=r"Dashboards objects: .* 200 \[\{'id': 'cwl'\}\]"):
        run(Unwilling())


def test_no_index_yet_is_no_failure() -> None:
    class Empty(FakeDomain):
        def _answer(self, request: Request) -> Reply:
            return Reply(404, None) if "/_ism/add/" in request.path else super()._answer(request)

    assert run(Empty(), Plan(endpoint=PLAN.endpoint, adopt=True)).done == ALL


def test_an_engine_that_is_too_old_is_refused() -> None:
    with pytest.raises(Unsupported):
        run(FakeDomain(root={"version": {"number": "6.8.0"}}))


def test_a_template_of_somebody_else_is_left_alone() -> None:
    domain = FakeDomain()
    theirs = {"index_templates": [{"name": NAME, "index_template": {}}]}
    domain.held[f"/_index_template/{NAME}"] = theirs
    with pytest.raises(Taken):
        run(domain)
    assert domain.held[f"/_index_template/{NAME}"] == theirs


IN_COLLECTION = Plan(endpoint="https://abc.eu-west-1.aoss.amazonaws.com", collection="logs", security=False)


class FakeCollection(FakeDomain):
    """Plays a collection: it tells what it is by the service, and 404 of what it does not offer, `GET /` among it."""

    def __init__(self, *script: Scripted, type_: str = "SEARCH") -> None:
        super().__init__(*script)
        self._details = {"id": "abc", "name": "logs", "type": type_, "status": "ACTIVE"}

    def _answer(self, request: Request) -> Reply:
        if request == Request("POST", LOOK, {"names": ["logs"]}):
            return Reply(200, {"collectionDetails": [self._details]})
        if request.path.startswith(("/_index_template/", "/_component_template/")):
            return super()._answer(request)
        return Reply(404, None)


def test_a_collection_gets_its_templates_and_the_rest_is_told() -> None:
    collection = FakeCollection()
    report = run(collection, IN_COLLECTION)
    assert report.summary() == (
        "OpenSearch Serverless: component template, index template; "
        "not there, so left out: retention policy, Dashboards objects"
    )
    assert set(collection.held) == {f"/_index_template/{NAME}", f"/_component_template/{CUSTOM}"}
    held = dict(collection.held)
    run(collection, IN_COLLECTION)
    assert collection.held == held


@pytest.mark.parametrize("type_", ["TIMESERIES", "VECTORSEARCH"])
def test_another_type_of_collection_is_refused_before_anything_is_written(type_: str) -> None:
    collection = FakeCollection(type_=type_)
    with pytest.raises(Unsupported, match=f"of type {type_}, which takes no document ids"):
        run(collection, IN_COLLECTION)
    assert collection.held == {}


def test_rights_to_a_collection_that_spread_late_are_waited_for() -> None:
    details = Reply(200, {"collectionDetails": [{"id": "abc", "type": "SEARCH", "status": "ACTIVE"}]})
    assert run(FakeCollection(403, details, 401, 403), IN_COLLECTION).done == ["component template", "index template"]


def test_a_collection_that_does_not_let_in_is_told_with_what_to_do() -> None:
    advice = f"data access and network policies of the collection let {IDENTITY} in; deploy again"
    with pytest.raises(SetupFailed, match=advice):
        run(FakeCollection(*[403] * 100), IN_COLLECTION, FakeClock(remaining_s=100))
