"""The package in somebody's own app: installed as pip installs it, imported from there, started from another folder."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from stacks import asset
from tests.stacks.built import NO_BUNDLING, ROOT

TEAMS = ("shop", "media")


def _run(words: list[str], cwd: Path, **env: str) -> str:
    done = subprocess.run(
        [sys.executable, *words], cwd=cwd, env={**os.environ, **env}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `pip install` puts into an environment, its dependencies left out."""
    folder = tmp_path_factory.mktemp("installed")
    # A copy: setuptools writes beside its sources.
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    not_sources = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for name in ("lambdas", "stacks"):
        shutil.copytree(ROOT / name, source / name, symlinks=True, ignore=not_sources)
    (source / "tests").mkdir()
    (source / "tests" / "__init__.py").touch()
    pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation"]
    _run([*pip, "--target", str(folder / "site"), "--no-compile", str(source)], folder)
    return folder / "site"


@pytest.fixture(scope="module")
def assembly(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the example makes with cdk-nag over it; a finding that is not meant fails it."""
    folder = tmp_path_factory.mktemp("own_app")
    shutil.copy(ROOT / "examples" / "own_app" / "app.py", folder)
    script = "import app; app.main(); from stacks import asset; print(asset.__file__, asset.fingerprint('arm64'))"
    context = json.dumps(NO_BUNDLING)
    out = _run(["-c", script], folder, PYTHONPATH=str(site), CDK_OUTDIR=str(folder / "out"), CDK_CONTEXT_JSON=context)
    # The same code goes into the functions as from a checkout.
    assert out.split()[-2:] == [str(site / "stacks" / "asset.py"), asset.fingerprint("arm64")]
    return folder / "out"


def _template(assembly: Path, team: str) -> dict[str, Any]:
    template: dict[str, Any] = json.loads((assembly / f"{team}-logs.template.json").read_text("utf-8"))
    return template


def _of_type(template: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    return {key: each["Properties"] for key, each in template["Resources"].items() if each["Type"] == kind}


def test_nothing_but_the_two_packages_is_installed(site: Path) -> None:
    (metadata,) = site.glob("*.dist-info")
    assert {path.name for path in site.iterdir()} - {"bin"} == {"shipper", "stacks", metadata.name}
    assert (site / "shipper" / "py.typed").exists()
    assert (site / "stacks" / "py.typed").exists()


@pytest.mark.parametrize("team", TEAMS)
def test_each_team_has_a_shipping_of_its_own(assembly: Path, team: str) -> None:
    template = _template(assembly, team)
    (endpoint,) = _of_type(template, "AWS::OpenSearchService::Domain")
    assert json.dumps(template["Outputs"]["DomainEndpoint"]).count(endpoint) == 1
    assert template["Outputs"]["LogGroupPrefix"]["Value"] == f"/aws/containerinsights/{team}/"
    assert template["Outputs"]["MetricsNamespace"]["Value"] == f"cwl-shipper/{team}"


def test_a_team_adds_an_alarm_to_the_topic_and_the_other_does_not(assembly: Path) -> None:
    template = _template(assembly, "shop")
    (topic,) = _of_type(template, "AWS::SNS::Topic")
    (alarm,) = (alarm for key, alarm in _of_type(template, "AWS::CloudWatch::Alarm").items() if "Slow" in key)
    assert alarm["AlarmActions"] == [{"Ref": topic}]
    assert not [key for key in _of_type(_template(assembly, "media"), "AWS::CloudWatch::Alarm") if "Slow" in key]


def test_what_pip_brings_along_is_what_is_tested() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    files = [ROOT / "requirements.txt", ROOT / "lambdas" / "requirements.txt"]
    pins = dict(re.findall(r"^([\w.-]+)==(\S+)$", "".join(file.read_text("utf-8") for file in files), re.MULTILINE))
    for text in (*project["dependencies"], *project["optional-dependencies"]["cdk"]):
        wanted = Requirement(text)
        assert wanted.specifier.contains(pins[wanted.name]), text
