"""The command as it is typed; on a CloudWatch of moto, with an index and a function that are played."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from click.testing import CliRunner, Result

from shipper.cli import deployment
from shipper.cli.main import cli
from shipper.model import Ledger
from tests.shipper.cli.conftest import HOSTILE
from tests.shipper.cli.site import GROUP, PlayedSite, play
from tests.shipper.fakes import LocalAws, local_aws

AUDIT = ["audit", "--log-group", GROUP, "--from", "1h", "--settle", "0"]


@dataclass
class Case:
    """What the command sees."""

    site: PlayedSite
    aws: LocalAws

    def __call__(self, *args: str, answer: str | None = None) -> Result:
        return CliRunner().invoke(cli, [*AUDIT, *args], input=answer)

    def json(self, *args: str) -> dict[str, Any]:
        return dict(json.loads(self("--json", *args).stdout))


@pytest.fixture
def case(monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    with local_aws() as aws:
        site = play(aws)
        monkeypatch.setenv("COLUMNS", "80")
        monkeypatch.setattr(deployment, "survey", lambda *_: site.site)
        yield Case(site, aws)


def test_nothing_missing_is_exit_code_0(case: Case) -> None:
    case.site.write("a", "b")
    case.site.index_all()
    result = case()
    assert (result.exit_code, result.stderr) == (0, "")
    assert "2  events in CloudWatch" in result.stdout
    assert "0  missing" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_what_is_missing_is_named_with_the_next_step(case: Case) -> None:
    case.site.write("a", "b")
    result = case()
    assert result.exit_code == 3
    assert "2  missing" in result.stdout
    assert "--repair" in result.stderr
    found = case.json()
    assert (found["events"], found["missing"], found["present"]) == (2, 2, 0)
    assert [event["log_stream"] for event in found["missing_events"]] == ["pod-1", "pod-1"]


def test_what_is_in_a_letter_is_waiting(case: Case) -> None:
    case.site.write("a", "b")
    case.site.bury_all()
    found = case.json()
    assert (found["waiting"], found["missing"], found["unreadable_letters"]) == (2, 0, 0)
    assert len(case.aws.bodies_in(case.aws.dead_url)) == 1


def test_a_letter_with_the_whole_payload_waits_too(case: Case) -> None:
    case.site.write("java.lang.IllegalStateException: x", "\tat com.shop.A.b(A.java:1)")
    case.site.bury_payload()
    assert case.json()["waiting"] == 2


def test_letters_of_others_are_let_alone_and_unreadable_ones_counted(case: Case) -> None:
    case.site.write("a")
    case.site.bury_all(log_group="/another/group")
    case.site.bury_payload(log_group="/another/group")
    case.aws.sqs.send_message(QueueUrl=case.aws.dead_url, MessageBody="rubbish")
    case.aws.sqs.send_message(QueueUrl=case.aws.retry_url, MessageBody="in the retry queue")
    found = case.json()
    assert (found["missing"], found["unreadable_letters"], found["retry_queue_letters"]) == (1, 1, 1)
    assert "The missing may be in 1 letter in the retry queue." in case().stdout


def test_what_a_letter_holds_of_another_time_is_not_kept(case: Case) -> None:
    case.site.write("a", age_s=7_200)
    case.site.bury_all()
    case.site.write("b")
    found = case.json()
    assert (found["events"], found["waiting"], found["missing"]) == (1, 0, 1)


def test_a_letter_with_a_forged_body_is_counted(case: Case) -> None:
    case.site.write("a")
    case.site.bury_all(count=7)
    assert case.json()["unreadable_letters"] == 1


def test_a_repair_sends_what_is_missing_with_its_ids(case: Case) -> None:
    case.site.write("a", "b")
    result = case("--repair", answer="y\n")
    assert result.exit_code == 0
    assert "2 missing events in 1 payload, by the subscriber of" in result.stderr
    assert "2 events sent: 2 indexed" in result.stderr
    assert case.json()["missing"] == 0
    assert case("--repair", "--yes").exit_code == 0


@pytest.mark.parametrize(
    ("args", "answer", "exit_code", "said"),
    [(["--dry-run", "--yes"], None, 3, "Nothing was sent."), ([], "n\n", 1, "Aborted!")],
    ids=["dry run", "answered no"],
)
def test_without_a_yes_nothing_is_sent(
    case: Case, args: list[str], answer: str | None, exit_code: int, said: str
) -> None:
    case.site.write("a")
    result = case("--repair", *args, answer=answer)
    assert (result.exit_code, case.site.function.taken) == (exit_code, [])
    assert said in result.stderr


def test_a_payload_that_is_not_taken_is_told(case: Case) -> None:
    case.site.write("a")
    case.site.function.error = "no rights"
    result = case("--repair", "--yes")
    assert result.exit_code == 1
    assert "failed: no rights" in result.stderr
    assert "Not taken: 1 payload. Run this again" in result.stderr


def test_what_is_refused_leads_to_the_letters(case: Case) -> None:
    case.site.write("a")
    case.site.function.ledger = Ledger(received=1, dead_lettered=1)
    result = case("--repair", "--yes", "--json")
    assert json.loads(result.stdout)["sent"]["dead_lettered"] == 1
    assert "cwl-shipper dlq ls --stack" in result.stderr


def test_a_repair_that_could_double_everything_is_refused(case: Case) -> None:
    case.site.write("a")
    case.site.index_all(rename="other-")
    result = case("--repair", "--yes")
    assert result.exit_code == 1
    assert "could double all of them" in result.stderr
    assert case.site.function.taken == []


@pytest.mark.parametrize("width", ["80", "160"])
def test_hostile_text_steers_no_terminal(case: Case, width: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", width)
    case.site.write(HOSTILE + "\uc8fc\ubb38" + "x" * 1_000)
    result = case()
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(result.output)
    assert len(result.stdout) < 2_000


def test_many_are_shown_in_part(case: Case) -> None:
    case.site.write(*map(str, range(12)))
    assert "and 2 more: --json names up to 1,000" in case().stdout


def test_a_group_without_a_subscription_is_told(case: Case) -> None:
    case.site.unsubscribe()
    assert "No subscription filter of this log group leads to the subscriber." in case().stderr


def test_a_group_that_the_accounts_policy_forwards_is_one_with_a_subscription(case: Case) -> None:
    case.site.subscribe_the_account("ERROR")
    case.site.write("ERROR a", "INFO b")
    result = case()
    assert "No subscription filter" not in result.stderr
    assert "1  missing" in result.stdout


def test_without_the_right_to_read_the_accounts_policy_an_audit_says_so_and_goes_on(case: Case) -> None:
    case.site.subscribe_the_account()
    case.site.deny_policies()
    case.site.write("a")
    result = case()
    assert result.exit_code == 3
    assert "1  missing" in result.stdout
    assert result.stderr.splitlines()[0] == (
        "No subscription filter of this log group leads to the subscriber, and whether the account's policy does is "
        "not known: your credentials may not DescribeAccountPolicies: no"
    )


@pytest.mark.parametrize(
    "args",
    [["--yes"], ["--dry-run"], ["--quick", "--repair"], ["--to", "2h"]],
    ids=["yes to nothing", "a dry run of nothing", "quick and repair", "no time at all"],
)
def test_wrong_usage(case: Case, args: list[str]) -> None:
    assert case(*args).exit_code == 2


def test_an_unknown_group_is_one_line(case: Case) -> None:
    result = CliRunner().invoke(cli, ["audit", "--log-group", "/nowhere", "--from", "1h"])
    assert (result.exit_code, result.stderr) == (1, "cwl-shipper: there is no log group /nowhere here\n")
    part_of_a_name = GROUP.removesuffix("lication")
    result = CliRunner().invoke(cli, ["audit", "--log-group", part_of_a_name, "--from", "1h"])
    assert result.stderr == f"cwl-shipper: there is no log group {part_of_a_name} here\n"


def test_a_domain_out_of_reach_is_one_line(case: Case) -> None:
    case.site.write("a")
    case.site.index.away = True
    result = case()
    assert (result.exit_code, result.stderr) == (1, "cwl-shipper: the domain does not answer here\n")
