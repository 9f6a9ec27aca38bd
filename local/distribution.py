"""OpenSearch itself, from Maven Central through `mvn` into a cache, unpacked once."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from local.alone import alone
from local.errors import LocalError

VERSION = "3.7.0"
ARTIFACT = f"org.opensearch.distribution.integ-test-zip:opensearch:{VERSION}:zip"
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"


def distribution(env: Mapping[str, str]) -> Path:
    """The unpacked distribution in the cache; only the first call needs `mvn` and the network. Raises `LocalError`."""
    cache = _cache(env)
    home = cache / f"opensearch-{VERSION}"
    if home.exists():
        return home
    with maven_alone(env), tempfile.TemporaryDirectory(dir=cache) as part:
        if not home.exists():  # or another run was first
            _fetch(Path(part), env)
            shutil.unpack_archive(Path(part) / f"opensearch-{VERSION}.zip", part)
            _make_readable(Path(part) / home.name)
            (Path(part) / home.name).rename(home)
    return home


def maven_alone(env: Mapping[str, str]) -> AbstractContextManager[None]:
    """While Maven writes into its repository, which two at once may break."""
    return alone(_cache(env) / ".lock")


def lend(source: Path, target: Path) -> Path:
    """The same files under another path, linked where the disk allows it: for a user who cannot enter the first."""
    return Path(shutil.copytree(source, target, copy_function=_link, symlinks=True))


def within_reach(path: Path) -> bool:
    """Whether everybody may enter all folders above `path`."""
    return all(parent.stat().st_mode & 0o001 for parent in path.resolve().parents)


def _cache(env: Mapping[str, str]) -> Path:
    return Path(env.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cwl-shipper"


def _fetch(folder: Path, env: Mapping[str, str]) -> None:
    maven = shutil.which("mvn", path=env.get("PATH", ""))
    if maven is None:
        raise LocalError(
            "ENGINE=opensearch needs Maven: install `mvn`, or leave ENGINE out, or set OPENSEARCH_URL to one that runs"
        )
    command = [maven, "--batch-mode", "--quiet", _COPY, f"-Dartifact={ARTIFACT}", f"-DoutputDirectory={folder}"]
    done = subprocess.run(command, env=dict(env), cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        said = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("[ERROR]")]
        reason = said[0].removeprefix("[ERROR] ")[:300] if said else f"status {done.returncode}"
        raise LocalError(f"mvn could not fetch {ARTIFACT}: {reason}")


def _make_readable(home: Path) -> None:
    """Modes that the archive's reader does not set: an unprivileged user reads all and runs the programs."""
    for path in [home, *home.rglob("*")]:
        path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
