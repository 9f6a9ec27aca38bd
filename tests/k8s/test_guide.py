"""docs/kubernetes.md as a new user follows it: in its order, in a copy of the manifests, all that runs offline."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.story import SAMPLES
from shipper.record import TEXT_KEYS
from tests.k8s.manifests import K8S, OVERLAYS, needs_kubectl

ROOT = K8S.parent
GUIDE = (ROOT / "docs" / "kubernetes.md").read_text("utf-8")
MIXED = ROOT / "tests" / "shipper" / "samples" / "13-mixed-large" / "recommended.jsonl.gz"
BLOCKS: list[tuple[str, str, str]] = re.findall(r"```(\w+)(?: (\S+))?\n(.*?)```", GUIDE, re.DOTALL)
"""(language, name of the file that it is, if any, text)"""

OFFLINE = ("printf", "grep", "kubectl kustomize", "cwl-shipper k8s check", "cwl-shipper transform")
NEEDS = {
    "aws": "an account",
    "cdk deploy": "an account",
    "cwl-shipper status": "an account",
    "kubectl -n": "a cluster",
    "kubectl apply": "a cluster",
    "kubectl delete": "a cluster",
    "kubectl diff": "a cluster",
}
"""The commands that are not run, by their first words, and what is missing here for them."""


def _commands() -> list[str]:
    return [line for language, _, text in BLOCKS if language == "sh" for line in text.splitlines()]


def _runs_offline(command: str) -> bool:
    return all(part.strip().startswith(OFFLINE) for part in re.split(r" \| | > ", command) if not _is_path(part))


def _is_path(part: str) -> bool:
    return part.startswith("k8s/")


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What each command printed that runs offline; any other end than with status 0 is an error."""
    place = tmp_path_factory.mktemp("checkout")
    shutil.copytree(K8S, place / "k8s")
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    said: dict[str, str] = {}
    for language, name, text in BLOCKS:
        if name:
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_text(text, "utf-8")
        for command in filter(_runs_offline, text.splitlines() if language == "sh" else ()):
            words = ["bash", "-o", "pipefail", "-c", command]
            done = subprocess.run(words, cwd=place, env=env, capture_output=True, text=True, check=False, timeout=60)
            assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
            said[command] = done.stdout
    return said


@needs_kubectl
def test_what_runs_offline_does_what_it_says(printed: dict[str, str]) -> None:
    said = iter(printed.items())
    assert next(said)[0].startswith("printf")
    rendered = next(said)[1]
    assert "cluster.name: shop" in rendered
    assert "logs.region: eu-west-1" in rendered
    assert "0 findings" in next(said)[1]
    assert next(said)[1].split() == ["cluster.name:", "shop-prod", "logs.region:", "eu-central-1"]
    assert "0 findings" in next(said)[1]
    _, document = (json.loads(line) for line in next(said)[1].splitlines())
    assert document == json.loads(BLOCKS[-1][2])
    assert list(said) == []


def test_every_other_command_is_known_with_what_it_needs() -> None:
    others = [command for command in _commands() if not _runs_offline(command)]
    assert [command for command in others if not command.startswith(tuple(NEEDS))] == []
    assert [words for words in NEEDS if not any(command.startswith(words) for command in others)] == []


def test_a_pipe_with_one_command_that_needs_a_cluster_is_not_run() -> None:
    assert not _runs_offline("kubectl -n amazon-cloudwatch logs daemonset/fluentd | grep error")
    assert _runs_offline("kubectl kustomize k8s/base | cwl-shipper k8s check -")


def test_every_overlay_is_explained() -> None:
    assert [overlay for overlay in OVERLAYS if f"`{overlay}`" not in GUIDE] == []


def _paths(value: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for key, inner in value.items():
        yield from _paths(inner, f"{prefix}{key}.") if isinstance(inner, dict) else (prefix + key,)


def test_the_record_has_the_fields_of_real_ones_and_no_others() -> None:
    rows = GUIDE.partition("| field | from | is |")[2].partition("\n\n")[0]
    fields = {field for row in rows.splitlines() for field in re.findall(r"`([\w.]+)`", row.partition(" | ")[0])}
    events = [json.loads(line) for file in SAMPLES.glob("*.jsonl") for line in file.read_text("utf-8").splitlines()]
    found = {path for event in events for path in _paths(json.loads(event["message"]))}
    # The samples have no line that was still open after a minute.
    assert found | {"logtag"} == fields


def test_the_texts_that_are_accepted_are_those_of_the_code() -> None:
    assert f"first of {' and '.join(f'`{key}`' for key in TEXT_KEYS)} that is a text" in GUIDE


def test_an_event_has_as_much_metadata_as_the_costs_say() -> None:
    """What CloudWatch Logs counts of an event, 26 bytes for itself included, less its text."""
    claimed = re.search(r"About (\d+) bytes of an event are metadata, (\d+) of them", GUIDE)
    assert claimed is not None
    extra = []
    for line in gzip.decompress(MIXED.read_bytes()).decode().removesuffix("\n").split("\n"):
        message = json.loads(line)["message"]
        record = json.loads(message)
        if "kubernetes" in record:
            extra.append(len(message.encode()) + int(claimed[2]) - len(record.get("message", "").encode()))
    assert statistics.median(extra) == pytest.approx(int(claimed[1]), rel=0.05)
