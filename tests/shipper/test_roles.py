"""The roles as the security plugin takes them."""

from __future__ import annotations

from typing import Any

import pytest

from shipper.roles import ADMIN, OPERATOR, READER, WRITER, mapping, roles

MINIMUM = {
    "cluster_permissions": ["indices:data/write/bulk"],
    "index_permissions": [
        {
            "index_patterns": ["cwl-*"],
            "allowed_actions": [
                "indices:data/write/bulk[s]",
                "indices:data/write/index",
                "indices:admin/create",
                "indices:admin/mapping/put",
            ],
        }
    ],
    "tenant_permissions": [],
}
"""Without any one of these five a bulk request into a new day was refused by OpenSearch 2.19.3."""


def actions_on_logs(name: str) -> set[str]:
    (found,) = [allowed for allowed in roles()[name]["index_permissions"] if allowed["index_patterns"] == ["cwl-*"]]
    return set(found["allowed_actions"])


def test_the_writer_has_the_minimum() -> None:
    assert roles()[WRITER] == MINIMUM


def test_the_reader_changes_nothing() -> None:
    reader = roles()[READER]
    assert not [action for action in actions_on_logs(READER) if "write" in action or "put" in action]
    assert [tenant["allowed_actions"] for tenant in reader["tenant_permissions"]] == [["kibana_all_read"]]


def test_the_operator_reads_and_writes_and_deletes_no_log() -> None:
    assert actions_on_logs(OPERATOR) == actions_on_logs(READER) | actions_on_logs(WRITER)


def test_the_admin_has_all_on_the_logs_and_all_else_that_the_operator_has() -> None:
    admin, operator = roles()[ADMIN], roles()[OPERATOR]
    assert actions_on_logs(ADMIN) == {"indices_all"}
    assert set(operator["cluster_permissions"]) < set(admin["cluster_permissions"])
    assert (admin["index_permissions"][1:], admin["tenant_permissions"]) == (
        operator["index_permissions"][1:],
        operator["tenant_permissions"],
    )


@pytest.mark.parametrize("role", roles().values(), ids=roles())
def test_no_role_may_say_who_may_do_what(role: dict[str, Any]) -> None:
    """The configuration says it, and the next deployment would undo it."""
    assert not [action for action in role["cluster_permissions"] if action == "*" or action.startswith("restapi:")]


@pytest.mark.parametrize("role", roles().values(), ids=roles())
def test_no_role_reaches_beyond_the_logs_and_the_objects_of_dashboards(role: dict[str, Any]) -> None:
    patterns = {pattern for allowed in role["index_permissions"] for pattern in allowed["index_patterns"]}
    assert patterns <= {"cwl-*", ".kibana*", ".opensearch_dashboards*"}


def test_a_mapping_is_the_same_in_whatever_order_it_is_given() -> None:
    assert mapping(["b", "a"]) == mapping(["a", "b"]) == {"backend_roles": ["a", "b"], "hosts": [], "users": []}
