"""checkov: the manifests break no rule but those that they name with a reason, and they still break each of these.

`make test` installs it, in an environment of its own: it wants another boto3 and another packaging than the project.
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.k8s.manifests import BASE, K8S, OVERLAYS, Document, needs_kubectl, render

CHECKOV = K8S.parent / ".venv-checkov" / "bin" / "checkov"
PLACES = {BASE.name: BASE, **{overlay: K8S / "overlays" / overlay for overlay in OVERLAYS}}
SKIP = "checkov.io/skip"

pytestmark = [
    needs_kubectl,
    pytest.mark.skipif(not CHECKOV.exists(), reason="checkov is not installed: `make test` does that"),
]


def _skips(documents: list[Document]) -> list[str]:
    """`RULE=reason` of each rule that is not kept."""
    annotations = [document["metadata"].get("annotations", {}) for document in documents]
    return [text for each in annotations for key, text in each.items() if key.startswith(SKIP)]


def _without_skips(documents: list[Document]) -> list[Document]:
    """Copies that name no rule."""
    bare: list[Document] = json.loads(json.dumps(documents))
    for document in bare:
        annotations = document["metadata"].get("annotations", {})
        document["metadata"]["annotations"] = {k: v for k, v in annotations.items() if not k.startswith(SKIP)}
    return bare


@pytest.fixture(scope="module")
def rendered() -> dict[str, list[Document]]:
    return {place: render(directory) for place, directory in PLACES.items()}


@pytest.fixture(scope="module")
def broken(rendered: dict[str, list[Document]], tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """The rules that `<place>` breaks, and `<place> bare`, its copy that names none; one run for all."""
    folder = tmp_path_factory.mktemp("manifests")
    for place, documents in rendered.items():
        for name, those in ((place, documents), (f"{place} bare", _without_skips(documents))):
            (folder / f"{name}.yaml").write_text(yaml.safe_dump_all(those), "utf-8")
    command = [str(CHECKOV), "-d", ".", "--framework", "kubernetes", "--skip-download", "--compact", "-o", "json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    report = json.loads(done.stdout)
    assert report["summary"]["parsing_errors"] == 0
    rules: dict[str, set[str]] = {path.stem: set() for path in folder.iterdir()}
    for finding in report["results"]["failed_checks"]:
        rules[Path(finding["file_path"]).stem].add(finding["check_id"])
    return rules


@pytest.mark.parametrize("place", PLACES)
def test_no_rule_is_broken_that_is_not_named(broken: dict[str, set[str]], place: str) -> None:
    assert broken[place] == set()


@pytest.mark.parametrize("place", PLACES)
def test_every_rule_that_is_named_is_still_broken(
    rendered: dict[str, list[Document]], broken: dict[str, set[str]], place: str
) -> None:
    assert broken[f"{place} bare"] == {text.partition("=")[0] for text in _skips(rendered[place])}


@pytest.mark.parametrize("place", PLACES)
def test_every_rule_that_is_named_says_why(rendered: dict[str, list[Document]], place: str) -> None:
    assert [text for text in _skips(rendered[place]) if not re.fullmatch(r"CKV2?_K8S_\d+=[A-Z].{20,}", text)] == []
