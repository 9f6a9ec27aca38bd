"""Laws of every configuration: it has named faults, or it synthesises and cdk-nag finds nothing that is not meant.

`STAGE_EXAMPLES=200 HYPOTHESIS_PROFILE=explore` tries more of them, and others each time.
"""

from __future__ import annotations

import os
import re
from dataclasses import fields, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import strategies as st

from app import check, synthesise
from shipper.settings import Settings
from stacks import overrides
from stacks.stack import LogShippingStack
from stacks.stages import LOG_GROUPS, STAGES, StageConfig
from tests.stacks.built import EXAMPLES, app, example
from tests.stacks.test_collection_checks import COLLECTION
from tests.stacks.test_domain_checks import IN_VPC

SYNTHESES = int(os.environ.get("STAGE_EXAMPLES", "8"))
KEY = "arn:aws:kms:eu-west-1:123456789012:key/12345678-1234-1234-1234-123456789012"
ROLE = "arn:aws:iam::123456789012:role/somebody"

NAMES = {each.name for each in fields(StageConfig)}
TYPES = overrides._TYPES  # names of types by field, a Literal as the text that it is
TEXTS = st.text(max_size=20) | st.sampled_from(
    [
        "*",
        "own",
        "aws",
        "none",
        "application",
        "/aws/lambda/",
        "a.b.search",
        "10.0.0.0/8",
        "{ $.a = 1 }",
        "[a",
        KEY,
        ROLE,
    ]
)
NUMBERS = st.integers(-2, 100_000) | st.sampled_from([0, 1, 3, 5, 30, 900])
OF_TYPE: dict[str, st.SearchStrategy[Any]] = {
    "str": TEXTS,
    "int": NUMBERS,
    "int | None": st.none() | NUMBERS,
    "bool": st.booleans(),
    "tuple[str, ...]": st.lists(TEXTS, max_size=3).map(tuple),
    "tuple[tuple[str, str], ...]": st.dictionaries(TEXTS, TEXTS, max_size=3).map(lambda each: tuple(each.items())),
    "tuple[tuple[str, int], ...]": st.dictionaries(TEXTS, NUMBERS, max_size=3).map(lambda each: tuple(each.items())),
    "Settings": st.sampled_from([Settings(), Settings.for_profile("incumbent"), Settings(expand="?", reserve_s=-1)]),
}
ANY_CHANGES = st.lists(st.sampled_from(sorted(NAMES - {"name"})), max_size=8, unique=True).flatmap(
    lambda names: st.fixed_dictionaries({name: OF_TYPE[TYPES[name]] for name in names})
)

BASES = [
    *STAGES.values(),
    *(example(name) for name in EXAMPLES),
    replace(STAGES["dev"], **COLLECTION),
    replace(STAGES["prod"], **IN_VPC),
]
CHOICES: list[list[dict[str, Any]]] = [
    [{"cluster": "shop"}, {"cluster": "A_" * 50}],
    [{"create_log_groups": False}, {"log_retention_days": 3_653}],
    [
        {
            "extra_log_groups": ("/ecs/orders", "/aws/lambda/pay"),
            "filter_patterns": (("host", ""), ("/ecs/orders", "x")),
        },
        {"log_group_prefixes": ("/ecs/", "/aws/lambda/"), "excluded_log_groups": ("/ecs/loud",)},
        {"subscription": "account", "excluded_log_groups": ("/ecs/loud",)},
        {"source_fields": True},
    ],
    [{"filter_pattern": "{ $.level = ERROR || $.canary = * }"}, {"filter_pattern": "ERROR", "canary": False}],
    [
        {"fluentd_identity": "none"},
        {"fluentd_identity": "node-role"},
        {
            "fluentd_identity": "irsa",
            "oidc_provider_arn": "arn:aws:iam::123456789012:oidc-provider/oidc.example.com/id/A",
        },
    ],
    [
        {"engine_version": "2.19", "off_peak_hour_utc": 0},
        {"instance_type": "t3.small.search", "volume_gib": 100, "warm_count": 0, "warm_after_days": 0},
        {"instance_type": "r7g.large.search", "volume_iops": 16_000, "volume_throughput_mib": 1_000},
    ],
    [
        {"zone_count": 1, "instance_count": 2, "master_count": 3, "master_type": "m6g.large.search"},
        {"warm_count": 2, "warm_type": "ultrawarm1.large.search", "warm_after_days": 15, "cold_after_days": 20},
    ],
    [{"slow_logs": True}, {"fine_grained_access": False}, {"tls_policy": "Policy-Min-TLS-1-2-2019-07"}],
    [
        {"domain_encryption_key": KEY},
        {"domain_encryption_key": "same"},
        {"encryption_key": "own"},
        {"encryption_key": KEY},
    ],
    [{"access_principals": (ROLE,), "access_cidrs": ("10.0.0.0/8",)}, {"access_principals": ("*",)}],
    [{"reader_roles": (ROLE,)}, {"operator_roles": (ROLE, "sre")}, {"admin_roles": (ROLE, "platform")}],
    [{"saml_session_min": 1_440, "saml_roles_key": "groups"}],
    [
        {
            "create_vpc_endpoints": False,
            "route_table_ids": (),
            "vpc_endpoint_security_group_ids": ("sg-0123456789abcdef0",),
        },
        {"saml_metadata_file": "", "saml_master_group": ""},
    ],
    [{"index_shards": 1_024, "index_refresh_s": 3_600, "index_days": 3_653}, {"adopt_indices": True}],
    [{"architecture": "x86_64", "memory_mib": 128}, {"memory_mib": 10_240}],
    [
        {"subscriber_timeout_s": 900, "replay_timeout_s": 900, "retry_visibility_s": 43_200, "setup_timeout_s": 900},
        {"retry_max_receives": 1, "queue_retention_days": 1, "function_log_retention_days": 1},
    ],
    [{"subscriber_max_concurrency": 1}, {"replay_max_concurrency": 1_000}, {"tracing": True}],
    [{"alarm_email": "ops@example.com", "runbook_url": "https://example.com/runbook"}, {"low_storage_mib": 1}],
    [{"fresh_within_s": 60, "silent_after_min": ()}, {"silent_after_min": tuple((kind, 5) for kind in LOG_GROUPS)}],
    [{"keep_data": False}, {"protected": True}],
    [{"settings": Settings.for_profile("incumbent")}, {"settings": Settings(redact=("all",), log_level="DEBUG")}],
]
"""What can be chosen apart from the rest; of each line one thing or none."""


@st.composite
def deployable(draw: st.DrawFn) -> StageConfig:
    """A stage or an example with several things chosen differently, in the ways that have no faults."""
    config = draw(st.sampled_from(BASES))
    for choices in CHOICES:
        changed = replace(config, **draw(st.sampled_from([{}, *choices])))
        if not changed.problems():
            config = changed
    return config


@hypothesis.settings(
    max_examples=SYNTHESES, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
@given(deployable())
def test_without_faults_it_synthesises_and_nothing_is_found(config: StageConfig) -> None:
    """No shrinking: what is drawn is a stage with some of the changes above, and is read as that."""
    with TemporaryDirectory() as folder:
        made = app(Path(folder))
        LogShippingStack(made, config=config)
        check(made)
        synthesise(made)


def test_every_field_is_chosen_from_or_differs_between_the_bases() -> None:
    chosen = {name for choices in CHOICES for each in choices for name in each}
    differ = {name for name in NAMES if len({getattr(base, name) for base in BASES}) > 1}
    assert chosen | differ == NAMES


@hypothesis.settings(max_examples=300, deadline=None)
@given(st.sampled_from(BASES), ANY_CHANGES)
def test_faults_are_named_and_never_raised(base: StageConfig, changes: dict[str, Any]) -> None:
    for problem in replace(base, **changes).problems():
        field, _, fault = problem.partition(": ")
        assert field in NAMES or re.fullmatch(r"settings\.\w+", field), problem
        assert fault


@hypothesis.settings(max_examples=300, deadline=None)
@given(ANY_CHANGES)
def test_what_can_be_configured_can_be_written_in_a_file(changes: dict[str, Any]) -> None:
    """As a table of TOML has it: lists for tuples, and tables for pairs."""
    changes.pop("settings", None)
    written = {name: _written(TYPES[name], value) for name, value in changes.items()}
    assert overrides.apply(STAGES["dev"], written) == (replace(STAGES["dev"], **changes), [])


def _written(kind: str, value: Any) -> Any:
    if kind.startswith("tuple[tuple"):
        return dict(value)
    return list(value) if isinstance(value, tuple) else value
