"""The functions' code as an asset, bundled by pip on the workstation: no Docker, the same bytes for the same input."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsii
from aws_cdk import AssetHashType, BundlingOptions, DockerImage, ILocalBundling
from aws_cdk import aws_lambda as lambda_

LAMBDAS = Path(__file__).resolve().parent.parent / "lambdas"
RUNTIME = lambda_.Runtime.PYTHON_3_13
_PYTHON_VERSION = "3.13"
_PLATFORMS = {"arm64": "manylinux2014_aarch64", "x86_64": "manylinux2014_x86_64"}
_LEFT_OUT = ("cli", "__pycache__")


class BundlingFailed(Exception):
    """pip could not put the packages together; the message says why, in one line."""


def code(architecture: str) -> lambda_.Code:
    """The asset for an architecture. The hash is made of pins and sources, so it changes only with them."""
    return lambda_.Code.from_asset(
        str(LAMBDAS),
        asset_hash=_hash(architecture),
        asset_hash_type=AssetHashType.CUSTOM,
        # The image is never used: local bundling succeeds or raises.
        bundling=BundlingOptions(image=DockerImage.from_registry("unused"), local=_Pip(architecture)),
    )


@jsii.implements(ILocalBundling)
class _Pip:
    def __init__(self, architecture: str) -> None:
        self._architecture = architecture

    def try_bundle(self, output_dir: str, *_: Any, **__: Any) -> bool:
        """Install the pinned packages and copy the sources. Raises `BundlingFailed`."""
        _install(Path(output_dir), self._architecture)
        shutil.copytree(LAMBDAS / "shipper", Path(output_dir) / "shipper", ignore=shutil.ignore_patterns(*_LEFT_OUT))
        return True


def _install(target: Path, architecture: str) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    # Compiled files carry time stamps: with them every build would differ.
    command += ["--no-compile", "--target", str(target), "--requirement", str(LAMBDAS / "requirements.txt")]
    if architecture in _PLATFORMS:
        command += ["--platform", _PLATFORMS[architecture], "--python-version", _PYTHON_VERSION]
        command += ["--implementation", "cp", "--only-binary=:all:"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words only
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise BundlingFailed(f"pip could not bundle the functions: {lines[-1] if lines else done.returncode}")
    shutil.rmtree(target / "bin", ignore_errors=True)


def _hash(architecture: str) -> str:
    digest = hashlib.sha256(f"{architecture} {_PYTHON_VERSION} {sys.version_info[:2]}".encode())
    if architecture in _PLATFORMS:
        digest = hashlib.sha256(f"{architecture} {_PYTHON_VERSION}".encode())
    for file in sorted(_sources()):
        digest.update(file.relative_to(LAMBDAS).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def _sources() -> Iterator[Path]:
    yield LAMBDAS / "requirements.txt"
    for file in (LAMBDAS / "shipper").rglob("*.py"):
        if not set(_LEFT_OUT) & set(file.relative_to(LAMBDAS).parts):
            yield file
