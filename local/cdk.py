"""The pinned CDK command line: `python -m local.cdk synth -c stage=dev`. Installed from npm at its first use."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from local.children import LocalError

ROOT = Path(__file__).resolve().parent.parent
_NODE = ROOT / "local" / "node"
_LEAST_NODE = 20


def command(env: Mapping[str, str]) -> list[str]:
    """The words that start the CDK, after installing it if need be. Raises `LocalError`."""
    path = env.get("PATH")
    node = _node(path)
    program = _NODE / "node_modules" / "aws-cdk" / "bin" / "cdk"
    if _installed() != _pinned():
        npm = shutil.which("npm", path=path)
        if not npm:
            raise LocalError("npm is missing: it comes with Node.js, install that again")
        done = subprocess.run(  # noqa: S603
            [npm, "ci", "--silent"], cwd=_NODE, env=dict(env), capture_output=True, text=True, check=False
        )
        if done.returncode:
            lines = (done.stderr or done.stdout).strip().splitlines()
            raise LocalError(f"npm could not install the CDK: {lines[-1] if lines else done.returncode}")
    return [node, str(program)]


def environment(env: Mapping[str, str]) -> dict[str, str]:
    """`env` for the CDK: this Python first, nothing asked, nothing reported."""
    return {
        **env,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{env.get('PATH', '')}",
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "CI": "true",
        # The box that says that Node 20 is old would hide what matters; README says which Node to have.
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1",
    }


def run(arguments: Sequence[str], env: Mapping[str, str], log: Path) -> None:
    """Run the CDK in the project's folder with its output in `log`. Raises `LocalError` with the reason it gave."""
    words = [*command(env), "--no-notices", "--no-color", *arguments]
    with log.open("ab") as output:
        done = subprocess.run(  # noqa: S603
            words, cwd=ROOT, env=environment(env), stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False
        )
    if done.returncode:
        raise LocalError(f"cdk {arguments[0]} failed: {_reason(log)} (see {log})")


def _node(path: str | None) -> str:
    node = shutil.which("node", path=path)
    if not node:
        raise LocalError(f"Node.js is missing: install version {_LEAST_NODE} or later")
    done = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    match = re.match(r"v(\d+)\.", done.stdout)
    if not match or int(match[1]) < _LEAST_NODE:
        found = done.stdout.strip() or "unreadable"
        raise LocalError(f"Node.js {found} is too old: install version {_LEAST_NODE} or later")
    return node


def _pinned() -> str:
    version: str = json.loads((_NODE / "package.json").read_text("utf-8"))["dependencies"]["aws-cdk"]
    return version


def _installed() -> str:
    manifest = _NODE / "node_modules" / "aws-cdk" / "package.json"
    version: str = json.loads(manifest.read_text("utf-8"))["version"] if manifest.exists() else ""
    return version


def _reason(log: Path) -> str:
    lines = [line.strip() for line in log.read_text("utf-8", "replace").splitlines() if line.strip()]
    telling = [line for line in lines if re.search(r"error|failed|cwl-shipper:", line, re.IGNORECASE)]
    return (telling or lines or ["it said nothing"])[-1][:300]


def main() -> None:
    """Hand the arguments on to the CDK and take its place."""
    try:
        words = [*command(os.environ), "--no-notices", *sys.argv[1:]]
    except LocalError as error:
        sys.exit(f"cwl-shipper: {error}")
    os.chdir(ROOT)
    os.execve(words[0], words, environment(os.environ))  # noqa: S606 - the command line's own words


if __name__ == "__main__":
    main()
