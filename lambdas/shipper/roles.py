"""Who may do what on a domain with fine-grained access control: four roles, each with just its job.

What the first three need was found by removing their rights one by one, on OpenSearch 2.19.
https://docs.opensearch.org/latest/security/access-control/permissions/
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shipper.document import INDEX_PATTERN

WRITER = "cwl_writer"
READER = "cwl_reader"
OPERATOR = "cwl_operator"
ADMIN = "cwl_admin"

_LOGS = [INDEX_PATTERN]
_OBJECTS = [".kibana*", ".opensearch_dashboards*"]
"""Where Dashboards keeps its objects, by the names of all versions."""

_BULK = "indices:data/write/bulk"
_WRITE = [f"{_BULK}[s]", "indices:data/write/index", "indices:admin/create", "indices:admin/mapping/put"]
_READ = ["read", "indices:admin/mappings/get", "indices:monitor/settings/get"]
_OPERATE = ["cluster_composite_ops", "cluster_monitor", "indices:data/read/scroll*", _BULK]
_CHANGE_OBJECTS = {"objects": ["read", "index", "delete", "manage"]}


def roles() -> dict[str, dict[str, Any]]:
    """Bodies of `PUT .../api/roles/NAME` by name.

    The writer cannot read, and cannot delete; the operator replays, audits and changes mappings; the reader looks. The
    admin may do all with the logs, the templates and the cluster. Who may do what is not among it: the security plugin
    opens its API to names of roles, none of which is ours, and the stage's configuration says it.
    """
    return {
        WRITER: _role([_BULK], {"logs": _WRITE}),
        READER: _role(["cluster_composite_ops_ro"], {"logs": _READ, "objects": ["read"]}, tenant="kibana_all_read"),
        OPERATOR: _role(_OPERATE, {"logs": [*_READ, *_WRITE], **_CHANGE_OBJECTS}, tenant="kibana_all_write"),
        # `cluster_all` is what begins with `cluster:`; what an index template needs does not.
        ADMIN: _role(
            [*_OPERATE, "cluster_all", "cluster_manage_index_templates"],
            {"logs": ["indices_all"], **_CHANGE_OBJECTS},
            tenant="kibana_all_write",
        ),
    }


def mapping(backend_roles: Sequence[str]) -> dict[str, Any]:
    """Body of `PUT .../api/rolesmapping/NAME`: ARNs of IAM roles, or groups of a SAML provider."""
    return {"backend_roles": sorted(backend_roles), "hosts": [], "users": []}


def _role(cluster: Sequence[str], allowed: dict[str, list[str]], tenant: str = "") -> dict[str, Any]:
    patterns = {"logs": _LOGS, "objects": _OBJECTS}
    return {
        "cluster_permissions": list(cluster),
        "index_permissions": [
            {"index_patterns": patterns[on], "allowed_actions": does} for on, does in allowed.items()
        ],
        "tenant_permissions": [{"tenant_patterns": ["global_tenant"], "allowed_actions": [tenant]}] if tenant else [],
    }
