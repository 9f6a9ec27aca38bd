"""Plans: how they travel, what their steps ask for, whose things they leave alone."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from shipper import dashboards, index_template, setup_plan
from shipper.engine import SERVERLESS, Engine
from shipper.index_template import NAME
from shipper.setup_plan import CUSTOM, Plan, Request, Step, Taken, paths, steps

PLAN = Plan(
    endpoint="https://search.example.com",
    shards=3,
    replicas=1,
    refresh_s=5,
    delete_after_days=60,
    warm_after_days=15,
    cold_after_days=30,
    adopt=True,
    security=True,
    writers=("arn:w1", "arn:w2"),
    readers=("group",),
    operators=("arn:o",),
    admins=("arn:a",),
)
OPENSEARCH = Engine("OpenSearch", (3, 7))
ELASTICSEARCH = Engine("Elasticsearch", (7, 10))


def step(name: str, plan: Plan = PLAN, engine: Engine = OPENSEARCH) -> Step:
    (found,) = [step for step in steps(plan, engine) if step.name == name]
    return found


def asked(name: str, present: Any = None, **of: Any) -> list[tuple[str, str]]:
    return [(request.method, request.path) for request in step(name, **of).requests(present)]


@pytest.mark.parametrize(
    "plan",
    [PLAN, Plan(endpoint="x", security=False), Plan(endpoint="x", collection="logs")],
    ids=["all", "least", "a collection"],
)
def test_a_plan_survives_cloudformation(plan: Plan) -> None:
    properties = plan.to_properties()
    assert all(isinstance(value, str | list) for value in properties.values())
    assert Plan.from_properties({**properties, "ServiceToken": "arn"}) == plan


def test_every_field_is_a_property() -> None:
    assert len(PLAN.to_properties()) == len(fields(Plan)) + len(["Digest"])


def test_the_digest_tells_of_a_change_in_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    before = PLAN.to_properties()["Digest"]
    assert PLAN.to_properties()["Digest"] == before
    monkeypatch.setattr(dashboards, "import_form", lambda: b"other objects")
    assert PLAN.to_properties()["Digest"] != before


def test_steps_come_in_an_order_that_holds() -> None:
    assert [step.name for step in steps(PLAN, OPENSEARCH)] == [
        "component template",
        "index template",
        "role cwl_writer",
        "role cwl_reader",
        "role cwl_operator",
        "role cwl_admin",
        "retention policy",
        "Dashboards objects",
    ]


def test_only_the_templates_are_indispensable() -> None:
    assert [step.name for step in steps(PLAN, OPENSEARCH) if step.required] == ["component template", "index template"]


def test_a_collection_has_the_templates_and_nothing_else() -> None:
    plan = Plan(endpoint="x", collection="logs", security=False)
    assert [(step.name, step.offered) for step in steps(plan, SERVERLESS)] == [
        ("component template", True),
        ("index template", True),
        ("retention policy", False),
        ("Dashboards objects", False),
    ]
    (request,) = step("index template", engine=SERVERLESS).requests(None)
    assert "index.number_of_shards" not in request.body["template"]["settings"]


def test_a_change_for_collections_is_told_too(monkeypatch: pytest.MonkeyPatch) -> None:
    before, real = PLAN.to_properties()["Digest"], index_template.index_template

    def changed(*, serverless: bool, **of: Any) -> dict[str, Any]:
        return {**real(serverless=serverless, **of), "priority": 300 if serverless else 200}

    monkeypatch.setattr(index_template, "index_template", changed)
    assert PLAN.to_properties()["Digest"] != before


def test_without_fine_grained_access_there_are_no_roles() -> None:
    plan = Plan(endpoint="x", security=False)
    assert not [step.name for step in steps(plan, OPENSEARCH) if step.name.startswith("role")]


def test_the_template_is_as_the_stage_wants_it() -> None:
    (request,) = step("index template").requests(None)
    settings = request.body["template"]["settings"]
    assert request.body["composed_of"] == [CUSTOM]
    assert settings["index.number_of_shards"] == 3
    assert settings["index.number_of_replicas"] == 1
    assert settings["index.refresh_interval"] == "5s"
    assert request.body["template"]["mappings"]["properties"]["@message"] == {"type": "match_only_text"}


def test_an_engine_without_the_small_text_type_gets_the_old_one() -> None:
    (request,) = step("index template", engine=ELASTICSEARCH).requests(None)
    assert request.body["template"]["mappings"]["properties"]["@message"] == {"type": "text", "norms": False}


def test_a_teams_own_fields_are_never_overwritten() -> None:
    assert asked("component template") == [("PUT", f"/_component_template/{CUSTOM}")]
    assert asked("component template", {"component_templates": [{"name": CUSTOM}]}) == []


def template_of(owner: str | None) -> dict[str, Any]:
    meta = {"_meta": {"owner": owner}} if owner else {}
    return {"index_templates": [{"name": NAME, "index_template": {"index_patterns": ["x"], **meta}}]}


def test_an_older_template_of_ours_is_replaced() -> None:
    assert asked("index template", template_of("cwl-shipper")) == [("PUT", f"/_index_template/{NAME}")]


@pytest.mark.parametrize("owner", [None, "somebody"])
def test_a_template_of_somebody_else_stays(owner: str | None) -> None:
    with pytest.raises(Taken, match="an index template cwl that is not ours: delete or rename it"):
        asked("index template", template_of(owner))


def test_each_role_is_there_before_its_mapping_and_mapped_to_its_people() -> None:
    role, mapping = step("role cwl_writer").requests(None)
    assert (role.path, mapping.path) == (
        "/_plugins/_security/api/roles/cwl_writer",
        "/_plugins/_security/api/rolesmapping/cwl_writer",
    )
    assert mapping.body["backend_roles"] == ["arn:w1", "arn:w2"]
    assert step("role cwl_reader").requests(None)[1].body["backend_roles"] == ["group"]
    assert step("role cwl_operator").requests(None)[1].body["backend_roles"] == ["arn:o"]
    assert step("role cwl_admin").requests(None)[1].body["backend_roles"] == ["arn:a"]


def test_a_role_that_nobody_is_named_for_is_nobodys() -> None:
    """Also of a stack that was deployed before there was this role."""
    _, mapping = step("role cwl_admin", plan=Plan(endpoint="x")).requests(None)
    assert mapping.body == {"backend_roles": [], "hosts": [], "users": []}


ISM = "/_plugins/_ism"
POLICY = f"{ISM}/policies/cwl-retention"
ADD, CHANGE = f"{ISM}/add/cwl-*", f"{ISM}/change_policy/cwl-*"
OURS = step("retention policy").requests(None)[0].body["policy"]


@pytest.mark.parametrize(
    ("present", "expected"),
    [
        pytest.param(None, [("PUT", POLICY), ("POST", ADD)], id="none yet: also on the indices that are there"),
        pytest.param({"_seq_no": 7, "_primary_term": 2, "policy": OURS}, [("POST", ADD)], id="the same"),
        pytest.param(
            {"_seq_no": 7, "_primary_term": 2, "policy": {**OURS, "description": "older"}},
            [("PUT", f"{POLICY}?if_seq_no=7&if_primary_term=2"), ("POST", CHANGE), ("POST", ADD)],
            id="another: indices on it are told",
        ),
        pytest.param(
            {
                "_id": "cwl-retention",
                "_version": 1,
                "_seq_no": 7,
                "_primary_term": 2,
                "policy": {**OURS, "policy_id": "cwl-retention", "last_updated_time": 1, "schema_version": 21},
            },
            [("POST", ADD)],
            id="the same, with what the engine adds",
        ),
    ],
)
def test_the_retention_follows_what_is_there(present: Any, expected: list[tuple[str, str]]) -> None:
    assert asked("retention policy", present) == expected


def test_indices_that_were_there_before_are_left_alone_unless_they_are_to_be_adopted() -> None:
    """Whoever made them, the retention would delete them."""
    for present, expected in ((None, [("PUT", POLICY)]), ({"policy": OURS}, [])):
        assert asked("retention policy", present, plan=replace(PLAN, adopt=False)) == expected
    assert f"{ISM}/add/cwl-*" in paths()


def test_no_index_yet_is_no_fault_of_the_retention() -> None:
    policy, attach = step("retention policy").requests(None)
    assert not policy.missing_is_well
    assert attach.missing_is_well


@pytest.mark.parametrize(
    ("engine", "path", "header"),
    [
        (OPENSEARCH, "/_dashboards/api/saved_objects/_import?overwrite=true", "osd-xsrf"),
        (ELASTICSEARCH, "/_plugin/kibana/api/saved_objects/_import?overwrite=true", "kbn-xsrf"),
    ],
    ids=str,
)
def test_objects_go_to_dashboards_into_the_tenant_that_all_share(engine: Engine, path: str, header: str) -> None:
    (request,) = step("Dashboards objects", engine=engine).requests(None)
    assert request == Request("POST", path, dashboards.import_form(), request.headers)
    assert {header: "true", "securitytenant": "global", "content-type": dashboards.FORM} == request.headers


def test_the_paths_are_those_that_any_plan_asks_for() -> None:
    for engine in (OPENSEARCH, ELASTICSEARCH):
        for one in steps(PLAN, engine):
            for request in [*one.requests(None), *one.requests({"_seq_no": 1, "policy": {}})]:
                assert request.path.partition("?")[0] in paths()
            assert not one.look or one.look in paths()
    assert "/" in paths()
    assert not [path for path in paths() if "_bulk" in path or "_doc" in path or "_search" in path]


def test_nothing_is_ever_deleted() -> None:
    methods = {request.method for _, requests in setup_plan._everything() for request in requests}
    assert methods == {"PUT", "POST"}
