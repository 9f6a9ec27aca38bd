from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner, Result

from shipper.cli import deployment
from shipper.cli.main import cli
from tests.shipper.cli.conftest import HOSTILE
from tests.shipper.cli.site import PlayedSite, play
from tests.shipper.fakes import local_aws

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[PlayedSite]:
    with local_aws() as aws:
        made = play(aws)
        monkeypatch.setenv("COLUMNS", "80")
        monkeypatch.setattr(deployment, "survey", lambda *_: made.site)
        yield made


def trace(*args: str) -> Result:
    return CliRunner().invoke(cli, ["trace", *args])


def hit(second: float, service: str = "checkout", text: str = "text", level: str = "INFO") -> dict[str, Any]:
    """A record so many seconds after noon."""
    source = {
        "@timestamp": f"2026-11-24T12:00:{second:06.3f}Z",
        "@level": level,
        "@message": text,
        "kubernetes": {"container_name": service},
    }
    return {"_id": f"{service}-{second}", "_source": source}


@pytest.mark.parametrize("width", ["80", "160"])
def test_a_timeline_of_several_services(site: PlayedSite, width: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", width)
    site.index.hits = [hit(1), hit(2.25, "payments", "java.lang.E: x\n\tat a.B(C.java)", "ERROR"), hit(2.5)]
    result = trace(TRACE_ID)
    assert result.exit_code == 0
    words = result.stdout.split()
    assert words[:2] == ["2026-11-24", "UTC"]
    assert words[words.index("payments") - 3 : words.index("payments") + 2] == [
        *("12:00:02.250", "+1.2", "s", "payments", "ERROR")
    ]
    assert "+250 ms" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= int(width)


def test_json_is_a_line_a_record(site: PlayedSite) -> None:
    site.index.hits = [hit(1), hit(2)]
    first, second = map(json.loads, trace(TRACE_ID, "--json").stdout.splitlines())
    assert (first["service"], first["gap_ms"], second["gap_ms"]) == ("checkout", None, 1_000)
    assert first["text"] == "text"


def test_what_is_no_id_is_looked_for_in_the_texts(site: PlayedSite) -> None:
    site.index.hits = [hit(1)]
    assert trace("O-550192").exit_code == 0
    (body,) = site.index.searched
    assert body["query"]["multi_match"]["query"] == "O-550192"


def test_an_id_that_no_field_has_is_looked_for_in_the_texts(site: PlayedSite) -> None:
    result = trace(TRACE_ID, "--from", "2h")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"cwl-shipper: no record has {TRACE_ID}")
    by_id, by_text = (json.dumps(body) for body in site.index.searched)
    assert "@trace_id" in by_id
    assert "multi_match" in by_text


def test_more_than_the_limit_is_told(site: PlayedSite) -> None:
    site.index.hits = [hit(1), hit(2), hit(3)]
    result = trace(TRACE_ID, "--limit", "2")
    assert "The first 2 of 3 records" in result.stderr
    assert "12:00:03" not in result.stdout


def test_following_shows_each_record_once_until_it_is_stopped(
    site: PlayedSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds = iter(([hit(1), hit(2)], [hit(1), hit(2), hit(3)], [hit(2), hit(2.5, "late"), hit(3), hit(4)]))

    def sleep(_: float) -> None:
        hits = next(rounds, None)
        if hits is None:
            raise KeyboardInterrupt
        site.index.hits = hits

    monkeypatch.setattr("shipper.cli.trace.time.sleep", sleep)
    result = trace(TRACE_ID, "--follow", "--json")
    assert result.exit_code == 0
    shown = [json.loads(line)["id"] for line in result.stdout.splitlines()]
    assert shown == ["checkout-1", "checkout-2", "checkout-3", "late-2.5", "checkout-4"]
    since = site.index.searched[-1]["query"]["bool"]["filter"]["range"]["@timestamp"]["gte"]
    assert since == 1_795_521_604_000 - 1_000 - 300_000


@pytest.mark.parametrize("width", ["80", "160"])
def test_hostile_text_steers_no_terminal(site: PlayedSite, width: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", width)
    bomb = hit(1, HOSTILE + "\uc8fc\ubb38\uc11c\ube44\uc2a4" * 5, HOSTILE + "[bold]x\n" * 9 + "y" * 1_000_000, HOSTILE)
    site.index.hits = [{**bomb, "_source": {**bomb["_source"], "@timestamp": HOSTILE}}, hit(2)]
    result = trace(TRACE_ID)
    assert result.exit_code == 0
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(result.output)
    assert "[bold]x" in result.stdout
    assert "\u2026 4 more lines" in result.stdout
    assert len(result.stdout) < 10_000


def test_one_megabyte_in_one_line_is_cut(site: PlayedSite) -> None:
    site.index.hits = [hit(1, text="y" * 1_000_000)]
    assert len(trace(TRACE_ID).stdout) < 2_000


def test_one_day_is_told_once(site: PlayedSite, monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = iter(([hit(1), hit(2)],))

    def sleep(_: float) -> None:
        site.index.hits = next(rounds, []) or raised(KeyboardInterrupt())

    site.index.hits = [hit(1)]
    monkeypatch.setattr("shipper.cli.trace.time.sleep", sleep)
    result = trace(TRACE_ID, "--follow")
    assert result.stdout.count("12:00:0") == 2
    assert result.stdout.count(" UTC\n") == 1


def raised(error: BaseException) -> Any:
    raise error


def test_a_new_day_is_told(site: PlayedSite) -> None:
    late = hit(1)
    late["_source"]["@timestamp"] = "2026-11-25T00:00:01.000Z"
    site.index.hits = [hit(1), late]
    assert trace(TRACE_ID).stdout.count(" UTC\n") == 2


def test_a_domain_out_of_reach_is_one_line(site: PlayedSite) -> None:
    site.index.away = True
    result = trace(TRACE_ID)
    assert (result.exit_code, result.stderr) == (1, "cwl-shipper: the domain does not answer here\n")
