"""The manifests as the tests look at them: as written in the base, and as `kubectl` renders each overlay."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

K8S = Path(__file__).resolve().parents[2] / "k8s"
BASE = K8S / "base"
OVERLAYS = sorted(path.parent.name for path in (K8S / "overlays").glob("*/kustomization.yaml"))
WRITTEN = "base as written"

Document = dict[str, Any]

needs_kubectl = pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not on the PATH")

VIEWS = [WRITTEN, *(pytest.param(overlay, marks=needs_kubectl) for overlay in OVERLAYS)]
"""Parameters for tests that hold before and after rendering."""


def kustomization(directory: Path) -> Document:
    """What the kustomization of a directory says."""
    (document,) = documents(directory / "kustomization.yaml")
    return document


def documents(path: Path) -> list[Document]:
    """The documents of a YAML file."""
    return list(yaml.safe_load_all(path.read_text("utf-8")))


def key_values(path: Path) -> dict[str, str]:
    """What an `.env` file sets."""
    lines = [line for line in path.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def render(directory: Path) -> list[Document]:
    """What `kubectl apply -k` would send."""
    command = ["kubectl", "kustomize", str(directory)]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return list(yaml.safe_load_all(output))


@cache
def view(name: str) -> tuple[Document, ...]:
    """The documents of an overlay, or of the base without its namespace, labels and hashes."""
    return tuple(_written() if name == WRITTEN else render(K8S / "overlays" / name))


def _written() -> Iterator[Document]:
    says = kustomization(BASE)
    for resource in says["resources"]:
        yield from documents(BASE / resource)
    for generator in says["configMapGenerator"]:
        data = {Path(file).name: (BASE / file).read_text("utf-8") for file in generator.get("files", ())}
        for env in generator.get("envs", ()):
            data |= key_values(BASE / env)
        yield {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": generator["name"]}, "data": data}


def of_kind(view_name: str, kind: str) -> list[Document]:
    """The objects of one kind."""
    return [document for document in view(view_name) if document["kind"] == kind]


def only(view_name: str, kind: str) -> Document:
    """The one object of a kind."""
    (document,) = of_kind(view_name, kind)
    return document


def config_map(view_name: str, name: str) -> Document:
    """The generated ConfigMap, whatever hash its name ends in."""
    (found,) = [each for each in of_kind(view_name, "ConfigMap") if each["metadata"]["name"].startswith(name)]
    return found


def flat(value: Any, path: str = "") -> dict[str, Any]:
    """Every leaf by its path; items of a list that have a name are found by it, not by their place."""
    if isinstance(value, list):
        value = {item["name"] if isinstance(item, dict) and "name" in item else i: item for i, item in enumerate(value)}
    if not isinstance(value, Mapping):
        return {path: value}
    return {key: leaf for part, inner in value.items() for key, leaf in flat(inner, f"{path}/{part}").items()}
