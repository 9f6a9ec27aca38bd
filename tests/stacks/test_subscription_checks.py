"""Faults of subscriptions, each by its field."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from stacks.stages import STAGES

ALL = {"subscription": "account"}


def found(**changes: Any) -> list[str]:
    return replace(STAGES["dev"], **changes).problems()


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param(
            {"extra_log_groups": ("/aws/rds/x", "plain.name_1#2"), "log_group_prefixes": ("/aws/lambda/",)}, id="names"
        ),
        pytest.param({"extra_log_groups": ("/x",), "filter_patterns": (("/x", "ERROR"),)}, id="a pattern by name"),
        pytest.param({"log_group_prefixes": ("/x/",), "filter_patterns": (("/x/", ""),)}, id="a pattern by prefix"),
        pytest.param({"filter_patterns": (("host", "?e ?canary"),)}, id="a pattern by kind"),
        pytest.param(
            {"log_group_prefixes": ("/x/",), "filter_patterns": (("/x/", "[ip, user=%a%, rest=%b%]\n"),)},
            id="fields between spaces",
        ),
        pytest.param({"filter_patterns": (("application", '{ $.a = "[" || $.canary = * }'),)}, id="JSON"),
        pytest.param({"log_group_prefixes": ("/x/",), "excluded_log_groups": ("/x/y",)}, id="left out of a prefix"),
        pytest.param({**ALL, "excluded_log_groups": ("/x/y",), "canary": False, "filter_pattern": "?E"}, id="account"),
        pytest.param({"log_group_prefixes": ("/x/",), "source_fields": True}, id="copies"),
    ],
)
def test_what_the_service_takes_is_no_fault(changes: dict[str, Any]) -> None:
    assert found(**changes) == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        pytest.param({"subscription": "all"}, "subscription: 'all' is none of groups and account", id="kind"),
        pytest.param(
            {"extra_log_groups": ("/aws/*",)}, "extra_log_groups: '/aws/*' is no name of a log group", id="a star"
        ),
        pytest.param({"log_group_prefixes": ("",)}, "log_group_prefixes: '' is no name of a log group", id="nothing"),
        pytest.param(
            {"extra_log_groups": ("/aws/containerinsights/eks/host",)},
            "extra_log_groups: /aws/containerinsights/eks/host is one of the cluster's, which are subscribed to anyway",
            id="one of the three",
        ),
        pytest.param({"extra_log_groups": ("/a", "/a")}, "extra_log_groups: /a is there twice", id="twice"),
        pytest.param(
            {"extra_log_groups": ("/a-b", "/a/b")},
            "extra_log_groups: two names have the same words: a b",
            id="two alarms of one name",
        ),
        pytest.param(
            {"excluded_log_groups": ("/a",)},
            "excluded_log_groups: is of no use without log_group_prefixes, or subscription account",
            id="left out of nothing",
        ),
        pytest.param(
            {"filter_patterns": (("hosts", "e"),)},
            "filter_patterns: 'hosts' is none of application, dataplane, host",
            id="a pattern for nothing",
        ),
        pytest.param(
            {"extra_log_groups": ("/a",), "filter_patterns": (("/a", "e"), ("/a", "f"))},
            "filter_patterns: /a is there twice",
            id="two patterns",
        ),
        pytest.param(
            {"extra_log_groups": ("/a",), "filter_patterns": (("/a", "e" * 1_025),)},
            "filter_patterns: that of /a is longer than 1024 characters",
            id="long",
        ),
        pytest.param(
            {"filter_pattern": "x" * 1_025, "canary": False},
            "filter_pattern: is longer than 1024 characters",
            id="long, for all",
        ),
        pytest.param(
            {"extra_log_groups": ("/a",), "filter_patterns": (("/a", "[ip, user"),)},
            "filter_patterns: that of /a begins with [ and does not end with ]",
            id="an open bracket",
        ),
        pytest.param(
            {"filter_pattern": "{ $.a = 1 || $.canary = *"},
            "filter_pattern: begins with { and does not end with }",
            id="an open brace",
        ),
        pytest.param(
            {"filter_pattern": "{ $.a = %1% || $.b = %2% || $.canary = %3% }"},
            "filter_pattern: has more than 2 regular expressions",
            id="regular expressions",
        ),
        pytest.param(
            {"filter_patterns": (("host", "?ERROR"),)},
            "canary: filter_patterns of host keeps its lines out: add ` || $.canary = *`, or set canary to false",
            id="no way for the canary",
        ),
        *(
            pytest.param(
                {**ALL, field: value},
                f"{field}: is of no use to subscription account: one policy with one pattern takes every log group",
                id=f"account with {field}",
            )
            for field, value in {
                "extra_log_groups": ("/a",),
                "log_group_prefixes": ("/a",),
                "filter_patterns": (("host", "?canary"),),
                "source_fields": True,
            }.items()
        ),
        pytest.param(
            {**ALL, "excluded_log_groups": tuple(f"/{number:0200}" for number in range(82))},
            "excluded_log_groups: take more than 16384 bytes, which is what an account policy has",
            id="too many left out",
        ),
        pytest.param(
            {"log_group_prefixes": tuple(f"/{number:0200}" for number in range(11))},
            "log_group_prefixes: take, with what is excluded, more than 2048 bytes of environment",
            id="too many prefixes",
        ),
    ],
)
def test_a_fault_is_named(changes: dict[str, Any], problem: str) -> None:
    assert found(**changes) == [problem]
