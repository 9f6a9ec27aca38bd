"""The functions' code as an asset, bundled by pip on the workstation: no Docker, the same bytes for the same input."""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsii
from aws_cdk import AssetHashType, BundlingOptions, DockerImage, ILocalBundling, Stack
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

import shipper

PACKAGE = Path(shipper.__file__).resolve().parent
"""Wherever it is imported from: a checkout, or somebody's environment that it is installed in."""

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
"""That of lambdas/, by a link; the link is an installed copy's own file."""

CACHE = Path("cdk.out", ".packages").absolute()
"""Installed packages by pins and platform, so that only a changed pin runs pip again, whatever stage and output. It is
in the folder of the app, which the CDK starts it in."""

RUNTIME = lambda_.Runtime.PYTHON_3_13
_PYTHON_VERSION = "3.13"
# Amazon Linux 2023, on which Python 3.13 runs there, has glibc 2.34.
_PLATFORMS = {
    "arm64": ("manylinux2014_aarch64", "manylinux_2_28_aarch64"),
    "x86_64": ("manylinux2014_x86_64", "manylinux_2_28_x86_64"),
}
_LEFT_OUT = frozenset({"cli", "__pycache__"})
_X86 = frozenset({"x86_64", "amd64"})


class BundlingFailed(Exception):
    """pip could not put the packages together; the message says why, in one line."""


def code(scope: Construct, architecture: str) -> lambda_.Code:
    """The asset for an architecture; the hash is made of pins and sources, so it changes only with them.

    Raises `BundlingFailed`; where the CDK needs no bundle (`cdk list`, tests), pip is not run.
    """
    # Before the asset and not in its callback: an exception that went through jsii has lost its type.
    installed = packages(architecture) if Stack.of(scope).bundling_required else None
    return lambda_.Code.from_asset(
        str(PACKAGE),
        asset_hash=fingerprint(architecture),
        asset_hash_type=AssetHashType.CUSTOM,
        # The image is never used: local bundling succeeds or raises.
        bundling=BundlingOptions(image=DockerImage.from_registry("unused"), local=_Copy(installed)),
    )


def machine(architecture: str) -> lambda_.Architecture:
    """The processor to declare; `host` is this machine's."""
    wanted = platform.machine().lower() if architecture == "host" else architecture
    return lambda_.Architecture.X86_64 if wanted in _X86 else lambda_.Architecture.ARM_64


def fingerprint(architecture: str) -> str:
    """Hash of all that goes into the asset; file times and compiled files do not."""
    digest = hashlib.sha256(_packages_key(architecture).encode())
    for file in sources():
        content = file.read_bytes()
        digest.update(f"\0{file.relative_to(PACKAGE).as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def sources() -> Iterator[Path]:
    """Our own files in the asset, in a stable order: not the command line, nothing compiled."""
    for file in sorted(PACKAGE.rglob("*")):
        if file.is_file() and not _LEFT_OUT & set(file.relative_to(PACKAGE).parts):
            yield file


def packages(architecture: str) -> Path:
    """The folder with the pinned packages, from the cache or installed now. Raises `BundlingFailed`."""
    folder = CACHE / _packages_key(architecture)
    if folder.exists():
        return folder
    CACHE.mkdir(parents=True, exist_ok=True)
    # Renamed when complete: what an interrupted run leaves is never taken for the whole.
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="new-", ignore_cleanup_errors=True) as new:
        target = Path(new) / "packages"
        _install(target, architecture)
        try:
            target.rename(folder)
        except OSError:
            # Another synthesis was faster; its folder holds the same.
            if not folder.exists():
                raise
    return folder


def _packages_key(architecture: str) -> str:
    wanted = f"{architecture}-{_PYTHON_VERSION}"
    if architecture not in _PLATFORMS:
        wanted = f"{architecture}-{platform.machine()}-{sys.version_info.major}.{sys.version_info.minor}"
    return f"{wanted}-{hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:16]}"


def _install(target: Path, architecture: str) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    # Compiled files carry time stamps: with them every build would differ.
    command += ["--no-deps", "--no-compile", "--target", str(target), "--requirement", str(REQUIREMENTS)]
    if architecture in _PLATFORMS:
        command += [word for wheel in _PLATFORMS[architecture] for word in ("--platform", wheel)]
        command += ["--python-version", _PYTHON_VERSION, "--implementation", "cp", "--only-binary=:all:"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words only
    if done.returncode:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        telling = [line for line in lines if line.startswith("ERROR")] or lines or [f"exit code {done.returncode}"]
        raise BundlingFailed(f"pip could not bundle the functions for {architecture}: {telling[-1]}")
    _remove_scripts(target)


def _remove_scripts(target: Path) -> None:
    """Nobody starts them in a function, and this machine's path is in their first line and so in their hashes."""
    shutil.rmtree(target / "bin", ignore_errors=True)
    for record in target.glob("*.dist-info/RECORD"):
        lines = record.read_text("utf-8").splitlines(keepends=True)
        record.write_text("".join(line for line in lines if not line.startswith("../../bin/")), "utf-8")


@jsii.implements(ILocalBundling)
class _Copy:
    def __init__(self, installed: Path | None) -> None:
        self._installed = installed

    def try_bundle(self, output_dir: str, *_: Any, **__: Any) -> bool:
        """Put packages and sources together."""
        if self._installed is None:
            raise AssertionError("bundled although the CDK said that it would not")
        target = Path(output_dir)
        shutil.copytree(self._installed, target, dirs_exist_ok=True)
        for file in sources():
            copy = target / "shipper" / file.relative_to(PACKAGE)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
        _same_rights(target)
        return True


def _same_rights(folder: Path) -> None:
    """Those of files are in the zip, too: of whoever bundles with another umask, and Lambda reads them as another user.

    https://docs.aws.amazon.com/lambda/latest/dg/python-package.html
    """
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
