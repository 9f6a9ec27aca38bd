from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from local import opensearch
from local.errors import LocalError
from local.processes import Run
from tests.loopback import Answer, Serve

JVM_OPTIONS = """## comment
-Xms1g
-XX:HeapDumpPath=data
9-:-Xlog:gc*:file=logs/gc.log:utctime
20-:--add-modules=jdk.incubator.vector
"""


@pytest.mark.parametrize("vector", [True, False], ids=["a full JDK", "a runtime without the module"])
def test_the_options_name_the_runs_folder_and_only_modules_that_are_there(vector: bool) -> None:
    lines = opensearch._jvm_options(JVM_OPTIONS, Path("/run"), vector=vector).splitlines()
    assert lines[:3] == ["-Xms1g", "-XX:HeapDumpPath=/run/data", "9-:-Xlog:gc*:file=/run/logs/gc.log:utctime"]
    assert lines[3:] == (["20-:--add-modules=jdk.incubator.vector"] if vector else [])


def test_the_node_is_on_loopback_and_on_any_free_port() -> None:
    settings = opensearch._settings(Path("/run"), {})
    assert 'network.host: "127.0.0.1"\n' in settings
    assert "http.port: 0\ntransport.port: 0\n" in settings
    assert 'path.data: "/run/data"\n' in settings


def test_settings_of_a_test_go_beside_those_of_the_run_and_never_before_them() -> None:
    settings = opensearch._settings(Path("/run"), {"thread_pool.write.size": 1, "network.host": "0.0.0.0"})
    assert "thread_pool.write.size: 1\n" in settings
    assert "0.0.0.0" not in settings


def test_no_bash_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match=r"needs bash.*: install it"):
        opensearch.Real({"PATH": ""}).start(Run(tmp_path))


NODE = """#!/bin/bash
# Answers as a node does that is ready: a file that says where, and its version there.
exec "$PYTHON" -c '
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{\\"version\\": {\\"number\\": \\"3.7.0\\"}}")
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
with open("logs/http.ports", "w") as file:
    file.write(f"127.0.0.1:{server.server_port}\\n")
server.serve_forever()
'
"""


class Machine:
    """A distribution, a Java and a user that are none of the machine's."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.home, self.java = folder / "opensearch", folder / "java"
        self.given: set[tuple[str, int, int]] = set()
        for path, text in {
            self.home / "bin" / "opensearch": NODE.replace("$PYTHON", sys.executable),
            self.home / "config" / "jvm.options": JVM_OPTIONS,
            self.home / "modules" / "analysis-common" / "a.jar": "",
            self.java / "bin" / "java": "",
        }.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        monkeypatch.setattr(opensearch, "java_home", lambda _: self.java)
        monkeypatch.setattr(opensearch, "distribution", lambda _: self.home)
        monkeypatch.setattr(opensearch, "has_module", lambda *_: True)
        monkeypatch.setattr(os, "chown", lambda path, *ids: self.given.add((Path(path).name, *ids)))
        self._patch = monkeypatch
        self.is_(root=False, thai=True, reach=True)

    def is_(self, *, root: bool, thai: bool, reach: bool) -> None:
        self._patch.setattr(os, "geteuid", lambda: 0 if root else 1000)
        self._patch.setattr(opensearch, "has_thai", lambda _: thai)
        self._patch.setattr(opensearch, "within_reach", lambda _: reach)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path / "machine", monkeypatch)


# What the machine is like, and where the engine and Java are run from: their own place, or the run's folder.
MACHINES: dict[str, tuple[dict[str, bool], bool, bool]] = {
    "a user's": ({"root": False, "thai": True, "reach": True}, True, True),
    "a user's whose home is closed": ({"root": False, "thai": True, "reach": False}, True, True),
    "a Java that knows no Thai": ({"root": False, "thai": False, "reach": True}, False, True),
    "root's": ({"root": True, "thai": True, "reach": True}, True, True),
    "root's whose home is closed": ({"root": True, "thai": True, "reach": False}, False, False),
}


@pytest.mark.parametrize(("like", "own_engine", "own_java"), MACHINES.values(), ids=MACHINES)
def test_what_another_user_cannot_reach_and_what_cannot_be_loaded_is_run_from_a_copy(
    tmp_path: Path, machine: Machine, like: dict[str, bool], own_engine: bool, own_java: bool
) -> None:
    machine.is_(**like)
    with Run(tmp_path / "logs") as run:
        prepared = opensearch.Real({"PATH": os.environ["PATH"]}).prepared(run)
        home, java = Path(prepared.command[1]).parents[1], Path(prepared.env["OPENSEARCH_JAVA_HOME"])
        assert home == (machine.home if own_engine else run.folder / "engine")
        assert java == (machine.java if own_java else run.folder / "java")
        assert (home / "modules" / "analysis-common").exists() is like["thai"]
        assert (machine.home / "modules" / "analysis-common").exists()
        assert (prepared.account is not None) is like["root"]
        assert (("opensearch.yml", 65534, 65534) in machine.given) is like["root"]


@pytest.mark.enable_socket
def test_a_node_is_there_when_it_answers_and_may_be_started_again(tmp_path: Path, machine: Machine) -> None:
    engine = opensearch.Real({"PATH": os.environ["PATH"]})
    with Run(tmp_path / "logs") as run:
        prepared = engine.prepared(run)
        for _ in range(2):
            child = prepared.start(run)
            running = prepared.running()
            assert (running.name, running.version) == ("OpenSearch", "3.7.0")
            assert running.url.startswith("http://127.0.0.1:")
            run.end(child)
    with Run(tmp_path / "logs") as run:
        assert engine.start(run).version == "3.7.0"


@pytest.mark.enable_socket
def test_the_address_that_a_killed_node_left_is_not_taken_for_its_own(
    tmp_path: Path, machine: Machine, serve: Serve
) -> None:
    other = serve(Answer(body=b'{"version": {"number": "3.7.0"}}')).url
    with Run(tmp_path / "logs") as run:
        prepared = opensearch.Real({"PATH": os.environ["PATH"]}).prepared(run)
        (prepared.folder / "logs" / "http.ports").write_text(other.removeprefix("http://"))
        prepared.start(run)
        assert prepared.running().url != other
