"""`cwl-shipper k8s check` finds nothing in our own manifests, rule by rule."""

from __future__ import annotations

import subprocess

import pytest
import yaml
from click.testing import CliRunner

from shipper.cli.main import cli
from shipper.k8s.check import RULE_NAMES, check
from tests.k8s.manifests import K8S, OVERLAYS, needs_kubectl

# Notes are no mistakes: no manifest can show an EKS Pod Identity association.
NOTES = {"eks-pod-identity": ["role-not-seen"], "eks-irsa": [], "node-role": ["node-role"], "local": []}


def rendered(overlay: str) -> str:
    command = ["kubectl", "kustomize", str(K8S / "overlays" / overlay)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@needs_kubectl
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_has_none_of_the_known_mistakes(overlay: str) -> None:
    _, found = check(list(yaml.load_all(rendered(overlay), Loader=yaml.BaseLoader)))
    assert [finding.rule for finding in found] == NOTES[overlay]
    assert set(NOTES[overlay]) <= set(RULE_NAMES)


@needs_kubectl
def test_an_overlay_is_piped_in() -> None:
    result = CliRunner().invoke(cli, ["k8s", "check", "-"], input=rendered("eks-irsa"))
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "0 findings")
