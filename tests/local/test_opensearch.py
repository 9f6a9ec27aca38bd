from __future__ import annotations

from pathlib import Path

import pytest

from local import opensearch
from local.errors import LocalError
from local.processes import Run

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
