"""The bundle: complete, the same for the same input, without Docker; pip runs once a pin."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_

from stacks import asset
from stacks.asset import BundlingFailed


def make_wheel(folder: Path, version: str = "1.0") -> Path:
    """A package of one module and one script, so that pip needs no network."""
    info = f"tiny-{version}.dist-info"
    files = {
        "tiny.py": f"VERSION = '{version}'\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: tiny\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[console_scripts]\ntiny = tiny:main\n",
        f"{info}/RECORD": "".join(f"{name},,\n" for name in ("tiny.py", f"{info}/METADATA", f"{info}/RECORD")),
    }
    wheel = folder / f"tiny-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return wheel


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own in the place of lambdas/, with its own pins and its own cache."""
    lambdas = tmp_path / "lambdas"
    package = lambdas / "shipper"
    for name in ("handlers/subscriber.py", "cli/main.py", "__init__.py", "templates/index.json"):
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(f"# {name}\n", "utf-8")
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "x.cpython-313.pyc").write_bytes(b"compiled")
    (lambdas / "requirements.txt").write_text(f"{make_wheel(tmp_path)}\n", "utf-8")
    monkeypatch.setattr(asset, "PACKAGE", package)
    monkeypatch.setattr(asset, "REQUIREMENTS", lambdas / "requirements.txt")
    monkeypatch.setattr(asset, "CACHE", tmp_path / "cache")
    return tmp_path


def synthesise(outdir: Path, *, bundle: bool = True) -> list[Path]:
    """The assets of a stack with two functions."""
    app = cdk.App(outdir=str(outdir), context={} if bundle else {"aws:cdk:bundling-stacks": []})
    stack = cdk.Stack(app, "Stack")
    code = asset.code(stack, "arm64")
    for name in ("One", "Two"):
        lambda_.Function(stack, name, runtime=asset.RUNTIME, handler="x.y", code=code)
    app.synth()
    return sorted(path for path in outdir.iterdir() if path.name.startswith("asset."))


def content(folder: Path) -> dict[str, str]:
    """Hash of every file by its path."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def rights(folder: Path) -> dict[str, str]:
    """Who may do what with each file and folder."""
    return {path.relative_to(folder).as_posix(): oct(path.stat().st_mode) for path in sorted(folder.rglob("*"))}


def test_one_bundle_holds_packages_and_sources_and_nothing_else(place: Path) -> None:
    (bundle,) = synthesise(place / "out")
    assert "tiny.py," in (bundle / "tiny-1.0.dist-info" / "RECORD").read_text("utf-8")
    assert {name for name in content(bundle) if not name.startswith("tiny-")} == {
        "tiny.py",
        "shipper/__init__.py",
        "shipper/handlers/subscriber.py",
        "shipper/templates/index.json",
    }


def test_two_syntheses_make_the_same_bundle(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (first,) = synthesise(place / "first")
    shutil.rmtree(asset.CACHE)
    # As in another environment: pip writes the path of its Python into scripts.
    other = Path(sys.executable).with_name("python3")
    monkeypatch.setattr(sys, "executable", str(other if sys.executable != str(other) else other.with_name("python")))
    for file in asset.PACKAGE.rglob("*.py"):
        os.utime(file, (1, 1))
    usual = os.umask(0o077)
    try:
        (second,) = synthesise(place / "second")
    finally:
        os.umask(usual)
    assert first.name == second.name
    assert content(first) == content(second)
    assert rights(first) == rights(second)
    assert set(rights(second).values()) == {"0o100644", "0o40755"}


def test_pip_runs_once_for_the_same_pins(place: Path) -> None:
    first = asset.packages("arm64")
    (place / "tiny-1.0-py3-none-any.whl").unlink()
    assert asset.packages("arm64") == first
    assert synthesise(place / "out")


def test_a_changed_pin_is_installed(place: Path) -> None:
    first = asset.packages("arm64")
    asset.REQUIREMENTS.write_text(f"{make_wheel(place, '2.0')}\n", "utf-8")
    second = asset.packages("arm64")
    assert first != second
    assert "2.0" in (second / "tiny.py").read_text("utf-8")


def test_without_bundling_pip_is_not_run(place: Path) -> None:
    asset.REQUIREMENTS.write_text("/no/such/file.whl\n", "utf-8")
    synthesise(place / "out", bundle=False)
    assert not asset.CACHE.exists()


@pytest.mark.parametrize("architecture", ["arm64", "x86_64", "host"])
def test_a_failure_of_pip_is_one_line_and_leaves_nothing(place: Path, architecture: str) -> None:
    asset.REQUIREMENTS.write_text("/no/such/file.whl\n", "utf-8")
    with pytest.raises(BundlingFailed) as failure:
        asset.packages(architecture)
    text = str(failure.value)
    assert text.startswith(f"pip could not bundle the functions for {architecture}: ERROR: ")
    assert "file.whl" in text
    assert "\n" not in text
    assert list(asset.CACHE.iterdir()) == []


def test_a_failure_keeps_its_type_through_the_stack(place: Path) -> None:
    asset.REQUIREMENTS.write_text("/no/such/file.whl\n", "utf-8")
    with pytest.raises(BundlingFailed):
        synthesise(place / "out")


def test_what_an_interrupted_run_left_is_not_taken_for_the_whole(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run_until_interrupted(command: list[str], **_: object) -> None:
        target = Path(command[command.index("--target") + 1])
        target.mkdir(parents=True)
        (target / "half.py").touch()
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(subprocess, "run", run_until_interrupted)
        with pytest.raises(KeyboardInterrupt):
            asset.packages("arm64")
    folder = asset.packages("arm64")
    assert (folder / "tiny.py").exists()
    assert not (folder / "half.py").exists()


def test_of_two_syntheses_at_once_both_end_well(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = subprocess.run

    def run_while_another_finishes(*args: object, **kwargs: object) -> subprocess.CompletedProcess[str]:
        monkeypatch.setattr(subprocess, "run", run)
        asset.packages("arm64")
        return run(*args, **kwargs)  # type: ignore[call-overload, no-any-return]

    monkeypatch.setattr(subprocess, "run", run_while_another_finishes)
    folder = asset.packages("arm64")
    assert (folder / "tiny.py").exists()
    assert list(asset.CACHE.iterdir()) == [folder]


@pytest.mark.parametrize(
    "change",
    [
        lambda: (asset.PACKAGE / "handlers" / "subscriber.py").write_text("changed", "utf-8"),
        lambda: (asset.PACKAGE / "new.py").write_text("", "utf-8"),
        lambda: (asset.PACKAGE / "templates" / "index.json").write_text("{}", "utf-8"),
        lambda: (asset.PACKAGE / "handlers" / "subscriber.py").rename(asset.PACKAGE / "handlers" / "other.py"),
        lambda: asset.REQUIREMENTS.write_text("# none\n", "utf-8"),
    ],
    ids=["source", "new file", "data file", "renamed", "pins"],
)
@pytest.mark.usefixtures("place")
def test_what_goes_into_the_bundle_changes_its_hash(change: object) -> None:
    before = asset.fingerprint("arm64")
    change()  # type: ignore[operator]
    assert asset.fingerprint("arm64") != before


@pytest.mark.parametrize(
    "change",
    [
        lambda: (asset.PACKAGE / "cli" / "main.py").write_text("changed", "utf-8"),
        lambda: (asset.PACKAGE / "__pycache__" / "y.pyc").write_bytes(b"more"),
        lambda: os.utime(asset.PACKAGE / "handlers" / "subscriber.py", (1, 1)),
    ],
    ids=["command line", "compiled", "time"],
)
@pytest.mark.usefixtures("place")
def test_what_stays_out_does_not(change: object) -> None:
    before = asset.fingerprint("arm64")
    change()  # type: ignore[operator]
    assert asset.fingerprint("arm64") == before


def test_each_architecture_has_a_hash_of_its_own() -> None:
    assert len({asset.fingerprint(architecture) for architecture in ("arm64", "x86_64", "host")}) == 3


@pytest.mark.parametrize(
    ("architecture", "here", "declared"),
    [
        ("arm64", "x86_64", "arm64"),
        ("x86_64", "aarch64", "x86_64"),
        ("host", "x86_64", "x86_64"),
        ("host", "AMD64", "x86_64"),
        ("host", "aarch64", "arm64"),
        ("host", "arm64", "arm64"),
    ],
)
def test_the_declared_processor(architecture: str, here: str, declared: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: here)
    assert asset.machine(architecture).name == declared


def test_runtime_and_wheels_are_of_the_same_python() -> None:
    assert asset.RUNTIME.name == f"python{asset._PYTHON_VERSION}"
