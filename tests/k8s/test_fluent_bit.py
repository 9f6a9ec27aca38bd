"""Fluent Bit as the alternative: its records make the documents that Fluentd's make, and its values fit the stack."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

from shipper.model import LogEvent, Payload
from shipper.pipeline import transform
from shipper.settings import Settings
from tests.k8s.manifests import BASE, K8S, Document, key_values
from tests.shipper.fakes import NOW_MS, SOURCE

PAGE = (K8S.parent / "docs" / "fluent-bit.md").read_text("utf-8")
FLUENTD, WITH_VALUES, AS_CONTAINER_INSIGHTS = map(json.loads, re.findall(r"```json\n(.*?)\n```", PAGE))
VALUES: Document = yaml.safe_load((K8S / "fluent-bit" / "values.yaml").read_text("utf-8"))
CLUSTER = key_values(BASE / "cluster-info.env")


def document(record: Document | str) -> dict[str, Any]:
    message = record if isinstance(record, str) else json.dumps(record)
    (made,) = transform(Payload(SOURCE, (LogEvent("e-1", NOW_MS, message),)), Settings(), NOW_MS).documents
    return dict(json.loads(made.source))


def flat(value: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Values by their dotted paths."""
    paths: dict[str, Any] = {}
    for key, inner in value.items():
        paths |= flat(inner, f"{prefix}{key}.") if isinstance(inner, dict) else {prefix + key: inner}
    return paths


def more_than_fluentd(record: Document) -> set[str]:
    """The paths that only Fluent Bit's document has; nothing else may differ."""
    theirs, ours = flat(document(record)), flat(document(FLUENTD))
    assert {path: theirs.get(path) for path in ours} == ours
    return theirs.keys() - ours.keys()


def test_the_record_is_the_same_document_but_for_what_is_listed() -> None:
    table = PAGE[PAGE.index("| more than from Fluentd") :].partition("\n\n")[0]
    listed = dict(re.findall(r"^\| `([\w.]+)` \| (.*) \|$", table, re.MULTILINE))
    everywhere = {path for path, words in listed.items() if not words.endswith("only as Container Insights sets it up")}
    assert len(everywhere) == 3
    assert more_than_fluentd(WITH_VALUES) == everywhere
    assert more_than_fluentd(AS_CONTAINER_INSIGHTS) == listed.keys()


@pytest.mark.parametrize("line", ["2026-11-24 12:00:00 WARN [shop] low", "", '{"a": 1'], ids=["text", "blank", "cut"])
def test_a_line_that_is_no_json_is_the_same_text(line: str) -> None:
    ours, theirs = document({**FLUENTD, "message": line}), document({**WITH_VALUES, "log": line})
    assert (theirs["@message"], theirs.get("@level")) == (ours["@message"], ours.get("@level"))
    assert "log_processed" not in theirs


def test_without_the_line_its_message_is_the_text() -> None:
    record = {key: value for key, value in AS_CONTAINER_INSIGHTS.items() if key != "log"}
    made = document(record)
    assert (made["@message"], made["@level"]) == ("order refused", "ERROR")


def test_a_record_that_was_cut_keeps_its_text() -> None:
    cut = json.dumps(AS_CONTAINER_INSIGHTS)[:-40]
    made = document(cut)
    assert made["@message"] == cut
    assert "kubernetes" not in made


def test_the_values_write_to_the_group_of_the_stack_and_to_no_other() -> None:
    output = VALUES["cloudWatchLogs"]
    assert output["logGroupName"] == f"/aws/containerinsights/{CLUSTER['cluster.name']}/application"
    assert output["region"] == CLUSTER["logs.region"]
    assert (output["logGroupTemplate"], output["autoCreateGroup"]) == ("", False)


def test_the_values_make_the_record_of_the_page() -> None:
    """Not merged, so that no line is paid for twice; `time` and `_p` are taken out."""
    assert VALUES["filter"]["mergeLog"] == "Off"
    assert set(re.findall(r"Remove_key (\w+)", VALUES["additionalFilters"])) == {"time", "_p"}
    assert "log_processed" not in WITH_VALUES


def test_what_waits_is_on_the_node_and_is_never_given_up() -> None:
    (state,) = (volume["hostPath"]["path"] for volume in VALUES["volumes"] if volume["name"] == "state")
    assert VALUES["input"]["db"].startswith(state)
    assert re.search(rf"storage.path +{state}", VALUES["service"]["extraService"])
    assert re.search(r"storage.type +filesystem", VALUES["input"]["extraInputs"])
    assert re.search(r"Retry_Limit +no_limits", VALUES["cloudWatchLogs"]["extraOutputs"])


def test_the_log_files_are_read_only() -> None:
    assert [mount["name"] for mount in VALUES["volumeMounts"] if not mount.get("readOnly")] == ["state"]


def test_the_account_is_the_one_that_the_role_is_for() -> None:
    account = yaml.safe_load((BASE / "service-account.yaml").read_text("utf-8"))
    assert VALUES["serviceAccount"]["name"] == account["metadata"]["name"]
