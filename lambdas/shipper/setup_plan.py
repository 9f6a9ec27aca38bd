"""What the domain shall hold beside the logs, as a list of steps; `setup.py` takes them.

A plan travels as the properties of a custom resource, in which CloudFormation makes every number a text.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from shipper import dashboards, index_template, retention_policy, roles
from shipper.document import INDEX_PATTERN
from shipper.engine import SERVERLESS, Engine

CUSTOM = "cwl-custom"
"""The component template for a team's own fields: made empty where it is missing, and never touched again."""

_ENGINES = (Engine("OpenSearch", (3, 0)), Engine("Elasticsearch", (7, 10)), SERVERLESS)
"""One of each kind: between them they have every path."""


class Taken(Exception):
    """Something of somebody else is in the place of what the set-up would write; the message says what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a stage wants of its domain.

    `security` says that the domain has fine-grained access control; `writers`, `readers`, `operators` and
    `admins` are then ARNs of IAM roles, or groups of a SAML provider. 0 days leave a step of the retention out. `adopt`
    puts indices that were there before under the retention, too: whoever made them, it deletes them. `collection` is
    the name of a serverless collection that stands in the place of the domain.
    """

    endpoint: str
    collection: str = ""
    shards: int = 1
    replicas: int = 0
    refresh_s: int = 30
    delete_after_days: int = 30
    warm_after_days: int = 0
    cold_after_days: int = 0
    adopt: bool = False
    security: bool = True
    writers: tuple[str, ...] = ()
    readers: tuple[str, ...] = ()
    operators: tuple[str, ...] = ()
    admins: tuple[str, ...] = ()

    def to_properties(self) -> dict[str, Any]:
        """Properties of the custom resource; `Digest` changes with what the code would write for the same plan."""
        properties: dict[str, Any] = {}
        for each in fields(self):
            value = getattr(self, each.name)
            properties[_title(each.name)] = list(value) if isinstance(value, tuple) else str(value)
        return {**properties, "Digest": _digest()}

    @classmethod
    def from_properties(cls, properties: Mapping[str, Any]) -> Plan:
        """The plan in a custom resource's properties."""
        values = {each.name: _READ[str(each.type)](properties[_title(each.name)]) for each in fields(cls)}
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Request:
    """One request; `body` is JSON, or bytes as they are. `missing_is_well` where 404 says that nothing is to do."""

    method: str
    path: str
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    missing_is_well: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """Something that the domain shall hold.

    `requests` makes the requests from what is there now, which a GET of `look` tells: None where there is nothing,
    or nothing to look at. A step that is not `required` is left out where the engine has no such API: it says so
    itself, or it is known not to be `offered`.
    """

    name: str
    requests: Callable[[Any], list[Request]]
    look: str = ""
    required: bool = False
    offered: bool = True


def steps(plan: Plan, engine: Engine) -> Iterator[Step]:
    """All steps in their order: a role is there before its mapping, the retention before the first index."""
    yield Step("component template", _custom, look=f"/_component_template/{CUSTOM}", required=True)
    template = index_template.index_template(
        shards=plan.shards,
        replicas=plan.replicas,
        refresh_s=plan.refresh_s,
        serverless=engine.is_serverless,
        text=engine.text_type,
        composed_of=(CUSTOM,),
    )
    path = f"/_index_template/{index_template.NAME}"
    yield Step("index template", _ours(Request("PUT", path, template)), look=path, required=True)
    if plan.security:
        yield from _security(plan, engine)
    # https://docs.aws.amazon.com/opensearch-service/latest/developerguide/serverless-genref.html
    for step in (_retention(plan, engine), _objects(engine)):
        yield replace(step, offered=not engine.is_serverless)


def paths() -> list[str]:
    """Every path that a plan asks for, on whatever engine, without queries."""
    found = {"/"}
    for step, requests in _everything():
        found |= {step.look or "/", *(request.path.partition("?")[0] for request in requests)}
    return sorted(found)


def _everything() -> Iterator[tuple[Step, list[Request]]]:
    """Each step of each kind of engine, with its requests where something is there already and where nothing is."""
    for engine in _ENGINES:
        for step in steps(Plan(endpoint="", adopt=True), engine):
            yield step, [*step.requests(None), *step.requests({"policy": {}})]


def _digest() -> str:
    """Tells whether the code would write something else for the same plan."""
    digest = hashlib.sha256()
    for step, requests in _everything():
        for request in requests:
            body = request.body if isinstance(request.body, bytes) else json.dumps(request.body).encode()
            digest.update(f"{step.name} {request.method} {request.path} {len(body)} ".encode() + body)
    return digest.hexdigest()[:16]


def _title(name: str) -> str:
    """`delete_after_days` as CloudFormation would write it: `DeleteAfterDays`."""
    return "".join(word.capitalize() for word in name.split("_"))


_READ: dict[str, Callable[[Any], Any]] = {
    "str": str,
    "int": int,
    "bool": lambda text: str(text).lower() == "true",
    "tuple[str, ...]": tuple,
}


def _custom(present: Any) -> list[Request]:
    return [] if present else [Request("PUT", f"/_component_template/{CUSTOM}", {"template": {}})]


def _ours(request: Request) -> Callable[[Any], list[Request]]:
    def requests(present: Any) -> list[Request]:
        for found in (present or {}).get("index_templates", []):
            if found["index_template"].get("_meta", {}).get("owner") != index_template.OWNER:
                raise Taken(f"there is an index template {found['name']} that is not ours: delete or rename it")
        return [request]

    return requests


def _security(plan: Plan, engine: Engine) -> Iterator[Step]:
    base = f"{engine.plugins}/_security/api"
    who = {
        roles.WRITER: plan.writers,
        roles.READER: plan.readers,
        roles.OPERATOR: plan.operators,
        roles.ADMIN: plan.admins,
    }
    for name, body in roles.roles().items():
        role = Request("PUT", f"{base}/roles/{name}", body)
        mapping = Request("PUT", f"{base}/rolesmapping/{name}", roles.mapping(who[name]))
        yield Step(f"role {name}", _always(role, mapping))


def _always(*requests: Request) -> Callable[[Any], list[Request]]:
    return lambda _: list(requests)


def _retention(plan: Plan, engine: Engine) -> Step:
    base, name = f"{engine.plugins}/_ism", retention_policy.NAME
    path = f"{base}/policies/{name}"
    policy = retention_policy.retention_policy(
        delete_after_days=plan.delete_after_days,
        warm_after_days=plan.warm_after_days,
        cold_after_days=plan.cold_after_days,
    )
    by_name = {"policy_id": name}
    # The policy takes new indices by itself; those on its last version are told, and those that have none if so wanted.
    attach = [Request("POST", f"{base}/add/{INDEX_PATTERN}", by_name, missing_is_well=True)] if plan.adopt else []
    change = Request("POST", f"{base}/change_policy/{INDEX_PATTERN}", by_name, missing_is_well=True)

    def requests(present: Any) -> list[Request]:
        if not present:
            return [Request("PUT", path, policy), *attach]
        if present.get("policy", {}).get("description") == policy["policy"]["description"]:
            return attach
        at = f"?if_seq_no={present.get('_seq_no')}&if_primary_term={present.get('_primary_term')}"
        return [Request("PUT", path + at, policy), change, *attach]

    return Step("retention policy", requests, look=path)


def _objects(engine: Engine) -> Step:
    headers = {"content-type": dashboards.FORM, engine.dashboards_header: "true", "securitytenant": "global"}
    path = f"{engine.dashboards}/api/saved_objects/_import?overwrite=true"
    return Step("Dashboards objects", _always(Request("POST", path, dashboards.import_form(), headers)))
