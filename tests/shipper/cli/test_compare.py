"""The command as it is typed; on a CloudWatch of moto, with an index that is played."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from click.testing import CliRunner, Result

from shipper.aws.log_groups import LogGroups
from shipper.aws.search import SearchFailed
from shipper.cli import deployment
from shipper.cli.main import cli
from shipper.compare import Stored
from shipper.pipeline import transform
from shipper.settings import Settings
from shipper.times import milliseconds
from tests.loopback import Answer, Loopback
from tests.shipper.cli.conftest import HOSTILE
from tests.shipper.cli.site import FUNCTION, GROUP, PlayedSite, play
from tests.shipper.fakes import AWS_ENV, local_aws

COMPARE = ["compare", "--endpoint", "https://search-old.example.com", "--log-group", GROUP, "--from", "1h"]


@dataclass
class StoredIndex:
    """Documents of one log group as the AWS-generated function left them."""

    stored: dict[str, Stored] = field(default_factory=dict)
    away: bool = False

    def documents(self, _: str, from_ms: int, to_ms: int) -> Iterator[tuple[str, Stored]]:
        if self.away:
            raise SearchFailed("the domain does not answer here")
        for id_, one in self.stored.items():
            if from_ms <= milliseconds(one.fields["@timestamp"]) < to_ms:
                yield id_, one


@dataclass
class Case:
    site: PlayedSite
    index: StoredIndex

    def __call__(self, *args: str) -> Result:
        return CliRunner().invoke(cli, [*COMPARE, *args])

    def json(self, *args: str) -> dict[str, Any]:
        return dict(json.loads(self("--json", *args).stdout))

    def index_all(self) -> None:
        """What is in CloudWatch now, as that function indexes it."""
        batch = transform(self.site.payload(), Settings.for_profile("incumbent"), int(time.time() * 1000))
        self.index.stored |= {one.id: Stored(one.index, json.loads(one.source)) for one in batch.documents}

    def change(self, **fields: Any) -> str:
        """Change one document; its id."""
        id_, one = next(iter(self.index.stored.items()))
        one.fields.update(fields)
        return id_


@pytest.fixture
def case(monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    with local_aws() as aws:
        site, index = play(aws), StoredIndex()
        monkeypatch.setenv("COLUMNS", "80")
        logs = LogGroups(site.logs)
        monkeypatch.setattr(deployment, "outside", lambda *_: (logs, cast("Any", index)))
        yield Case(site, index)


def test_what_is_alike_is_exit_code_0(case: Case) -> None:
    case.site.write("a", 'INFO {"status": 404}')
    case.index_all()
    result = case()
    assert (result.exit_code, result.stderr) == (0, "")
    assert "2  documents are equal" in result.stdout
    assert "0  are different" in result.stdout


def test_a_difference_is_shown_with_both_sides(case: Case) -> None:
    case.site.write('{"status": 404}', "b")
    case.index_all()
    id_ = case.change(status="404")
    result = case()
    assert result.exit_code == 3
    for said in ("1  are different", "status differs in 1 document", id_, "ours  404", 'theirs  "404"'):
        assert said in result.stdout
    found = case.json()
    assert (found["equal"], found["different"], found["fields"]) == (1, 1, {"status": 1})
    assert found["differences"] == [{"id": id_, "field": "status", "ours": 404, "theirs": "404"}]


def test_a_field_that_only_one_has(case: Case) -> None:
    case.site.write("a")
    case.index_all()
    id_ = case.change(more=1)
    assert "ours  (none)" in case().stdout
    assert case.json()["differences"] == [{"id": id_, "field": "more", "theirs": 1}]


def test_a_field_without_an_example_is_counted(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shipper.compare.MAX_NAMED", 1)
    case.site.write("a")
    case.index_all()
    case.change(more=1, still_more=1)
    result = case()
    assert "still_more differs in 1 document" in result.stdout
    assert result.stdout.count("ours") == 1


def test_what_is_meant_is_no_difference(case: Case) -> None:
    case.site.write('{"@id": "mine"}')
    case.index_all()
    for one in case.index.stored.values():
        del one.fields["@fields"]
    result = case()
    assert result.exit_code == 0
    assert "1  are equal but for what is meant" in result.stdout
    assert "1 document: a key with the name of a system field" in result.stdout


def test_the_missing_and_the_extra(case: Case) -> None:
    case.site.write("a", "b")
    case.index_all()
    id_ = next(iter(case.index.stored))
    case.index.stored["z"] = case.index.stored.pop(id_)
    found = case.json()
    assert (found["missing_ids"], found["extra_ids"], found["equal"]) == ([id_], ["z"], 1)
    result = case()
    assert result.exit_code == 3
    assert f"missing  {id_}" in result.stdout
    assert "extra  z" in result.stdout


def test_ids_that_never_meet(case: Case) -> None:
    case.site.write("a")
    case.index_all()
    case.index.stored = {"z" + id_: one for id_, one in case.index.stored.items()}
    result = case()
    assert result.exit_code == 3
    assert "No event has the id of a document" in result.stdout


def test_nothing_is_no_proof(case: Case) -> None:
    result = case()
    assert (result.exit_code, result.stdout) == (1, "")
    assert "nothing was compared" in result.stderr


def test_what_is_young_is_left_out(case: Case) -> None:
    case.site.write("old")
    case.index_all()
    case.site.write("young", age_s=60)
    assert case().exit_code == 0
    assert case.json("--settle", "0")["missing"] == 1


def test_what_is_before_the_time_is_left_out(case: Case) -> None:
    case.site.write("before", age_s=3_700)
    case.site.write("a")
    case.index_all()
    assert (case.json()["equal"], case().exit_code) == (1, 0)


def test_hostile_text_does_not_steer_the_terminal(case: Case) -> None:
    case.site.write("a")
    case.index_all()
    case.change(**{HOSTILE: HOSTILE})
    result = case()
    assert result.exit_code == 3
    assert "\x1b" not in result.stdout
    assert "\x1b" not in case("--json").stdout


@pytest.mark.parametrize("value", [10**30, "\ud800"], ids=["an integer of 100 bits", "half a character"])
def test_values_that_only_a_domain_has_are_shown(case: Case, value: Any) -> None:
    case.site.write("a")
    case.index_all()
    case.change(n=value)
    assert [case(*args).exit_code for args in ([], ["--json"])] == [3, 3]
    assert case.json()["fields"] == {"n": 1}


def test_only_what_the_filter_takes(case: Case) -> None:
    case.site.write("ERROR a", "INFO b")
    case.index_all()
    case.index.stored = {id_: one for id_, one in case.index.stored.items() if one.fields["@message"] == "ERROR a"}
    case.site.logs.filters[0]["filterPattern"] = "ERROR"
    assert case.json("--function", FUNCTION)["missing"] == 0
    assert case.json()["missing"] == 1


@pytest.mark.parametrize(
    ("args", "exit_code", "said"),
    [
        (["--function", "another"], 1, "leads to another"),
        (["--log-group", "/none"], 1, "there is no log group /none"),
        (["--from", "1m"], 2, "--settle"),
    ],
    ids=["no such filter", "no such group", "all is too young"],
)
def test_what_cannot_be_done_is_one_line(case: Case, args: list[str], exit_code: int, said: str) -> None:
    result = case(*args)
    assert (result.exit_code, result.stdout) == (exit_code, "")
    assert said in result.stderr


def test_a_filter_that_extracts_fields_is_refused(case: Case) -> None:
    case.site.logs.filters[0]["filterPattern"] = "[host, user, ...]"
    result = case("--function", FUNCTION)
    assert result.exit_code == 1
    assert "extracts fields" in result.stderr


def test_a_domain_that_is_away(case: Case) -> None:
    case.site.write("a")
    case.index.away = True
    result = case()
    assert (result.exit_code, result.stderr) == (1, "cwl-shipper: the domain does not answer here\n")


@pytest.mark.parametrize("endpoint", ["ftp://x", "http://search.example.com", "https://x/path"])
def test_an_endpoint_that_is_none(endpoint: str) -> None:
    args = ["compare", "--endpoint", endpoint, "--log-group", GROUP, "--from", "1h"]
    result = CliRunner().invoke(cli, args)
    assert result.exit_code == 1
    assert endpoint in result.stderr


def test_a_domain_is_asked_with_a_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in AWS_ENV.items():
        monkeypatch.setenv(name, value)
    with Loopback([Answer(200, b'{"hits": {"hits": [], "total": {"value": 0}}, "_shards": {}}')]) as domain:
        _, index = deployment.outside(domain.url, None, None)
        assert index.newest(GROUP) == ""
    assert "aws4_request" in domain.requests[0].headers["authorization"]
