"""The pinned CDK command line: `python -m local.cdk synth -c stage=dev`. Installed from npm at its first use."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from local.alone import alone
from local.errors import LocalError

ROOT = Path(__file__).resolve().parent.parent
_NODE = ROOT / "local" / "node"
_LEAST_NODE = 20


def command(env: Mapping[str, str]) -> list[str]:
    """The words that start the CDK, after installing it if need be. Raises `LocalError`."""
    node = _node(env.get("PATH"))
    with alone(_NODE / ".lock"):
        if _installed() != _pinned():
            _install(env)
    return [node, str(_NODE / "node_modules" / "aws-cdk" / "bin" / "cdk")]


def _install(env: Mapping[str, str]) -> None:
    npm = shutil.which("npm", path=env.get("PATH"))
    if not npm:
        raise LocalError("npm is missing: it comes with Node.js, install that again")
    done = subprocess.run(  # noqa: S603
        [npm, "ci", "--silent"], cwd=_NODE, env=dict(env), capture_output=True, text=True, check=False
    )
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise LocalError(f"npm could not install the CDK: {lines[-1] if lines else done.returncode}")


def environment(env: Mapping[str, str]) -> dict[str, str]:
    """`env` for the CDK: this Python first, nothing asked, nothing reported."""
    return {
        **env,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{env.get('PATH', '')}",
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "CI": "true",
        # The releases of Node.js whose age shall not fill the screen, by their numbers.
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20",
        "NODE_NO_WARNINGS": "1",
    }


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
