from __future__ import annotations

import json
from pathlib import Path

import osmem_server
import pytest

from local import engine
from local.engine import Embedded, Engine, External, engine_from_env
from local.errors import LocalError
from local.opensearch import Real
from local.processes import Run, free_port


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        pytest.param({}, Embedded(), id="the embedded one by default"),
        pytest.param({"ENGINE": ""}, Embedded(), id="an empty word is none"),
        pytest.param({"ENGINE": "osmem"}, Embedded(), id="the embedded one by name"),
        pytest.param({"ENGINE": "opensearch"}, Real({"ENGINE": "opensearch"}), id="a real one"),
        pytest.param({"OPENSEARCH_URL": "http://127.0.0.1:9200/"}, External("http://127.0.0.1:9200"), id="your own"),
        pytest.param(
            {"OPENSEARCH_URL": "http://localhost:9200", "ENGINE": "opensearch"},
            External("http://localhost:9200"),
            id="your own before any other",
        ),
    ],
)
def test_the_environment_chooses(env: dict[str, str], expected: Engine) -> None:
    assert engine_from_env(env) == expected


@pytest.mark.parametrize(
    ("env", "line"),
    [
        ({"ENGINE": "solr"}, "ENGINE=solr is unknown: use ENGINE=osmem or ENGINE=opensearch"),
        ({"OPENSEARCH_URL": "https://127.0.0.1:9200"}, "OPENSEARCH_URL=https.* is not plain http on loopback"),
        ({"OPENSEARCH_URL": "http://search.example:9200"}, "is not plain http on loopback"),
    ],
)
def test_a_wrong_choice_is_one_line(env: dict[str, str], line: str) -> None:
    with pytest.raises(LocalError, match=line):
        engine_from_env(env)


@pytest.mark.enable_socket
def test_nobody_at_the_url_is_one_line(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(LocalError, match=f"no OpenSearch answers at OPENSEARCH_URL={url}: start it"):
        External(url).start(Run(tmp_path))


def test_a_machine_without_the_program_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse() -> str:
        raise osmem_server.OsmemError("osmem: no server binary bundled for beos")

    monkeypatch.setattr(engine, "resolve_binary", refuse)
    with pytest.raises(LocalError, match="bundled for beos: or use ENGINE=opensearch"):
        Embedded().start(Run(tmp_path))


@pytest.mark.parametrize("log", ["", "starting\n", '{"url": "half', '{"pid": 1}\n'])
def test_what_is_not_the_announcement_is_passed_over(log: str) -> None:
    assert engine._announcement(log) == {}


def test_the_announcement_is_a_whole_line_of_json() -> None:
    said = {"url": "http://127.0.0.1:1", "version": "3"}
    assert engine._announcement("hello\n" + json.dumps(said) + "\n") == said
