from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner, Result

from shipper.cli import deployment
from shipper.cli.main import cli
from tests.shipper.cli.site import GROUP, PlayedSite, play
from tests.shipper.fakes import aws_client, local_aws


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[PlayedSite]:
    with local_aws() as aws:
        made = play(aws)
        monkeypatch.setattr(deployment, "survey", lambda *_: made.site)
        yield made


def quick(*args: str) -> Result:
    return CliRunner().invoke(cli, ["audit", "--log-group", GROUP, "--from", "1h", "--quick", *args])


def count(namespace: str, name: str, value: float, **dimensions: str) -> None:
    """Have CloudWatch know this of ten minutes ago."""
    aws_client("cloudwatch").put_metric_data(
        Namespace=namespace,
        MetricData=[
            {
                "MetricName": name,
                "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
                "Timestamp": datetime.fromtimestamp(time.time() - 600, UTC),
                "Value": value,
            }
        ],
    )


def forwarded(value: float, by: str = "all") -> None:
    count("AWS/Logs", "ForwardedLogEvents", value, LogGroupName=GROUP, DestinationType="Lambda", FilterName=by)


def received(value: float) -> None:
    count("cwl-shipper/test", "received", value, service="subscriber", log_group=GROUP)


@pytest.mark.parametrize(
    ("got", "exit_code", "not_received"), [(10, 0, 0), (12, 0, 0), (7, 3, 3)], ids=["all", "some twice", "too few"]
)
def test_counts_are_compared(site: PlayedSite, got: float, exit_code: int, not_received: int) -> None:
    forwarded(10)
    received(got)
    result = quick("--json")
    found = json.loads(result.stdout)
    assert (result.exit_code, found["not_received"]) == (exit_code, not_received)
    assert (found["forwarded"], found["received"], found["incoming"]) == (10, got, None)


def test_a_difference_is_told_with_the_next_step(site: PlayedSite) -> None:
    forwarded(10)
    result = quick()
    assert result.exit_code == 3
    assert "unknown  received" in result.stdout
    assert "At least 10 events were forwarded and not received." in result.stdout
    assert "without --quick" in result.stdout


def test_counts_that_fit_are_no_proof(site: PlayedSite) -> None:
    forwarded(10)
    received(10)
    result = quick()
    assert result.exit_code == 0
    assert "proves less than an audit" in " ".join(result.stdout.split())


def test_without_figures_nothing_is_claimed(site: PlayedSite) -> None:
    result = quick()
    assert (result.exit_code, result.stdout) == (1, "")
    assert "CloudWatch has no figures" in result.stderr


def test_a_group_without_a_subscription_forwards_nothing(site: PlayedSite) -> None:
    site.unsubscribe()
    result = quick()
    assert result.exit_code == 1
    assert "no subscription filter" in result.stderr


def test_a_policy_of_the_account_is_taken_for_the_filter(site: PlayedSite) -> None:
    site.subscribe_the_account()
    forwarded(10, by="cwl")
    received(10)
    assert quick().exit_code == 0


def test_without_figures_of_a_policy_it_says_what_to_do_instead(site: PlayedSite) -> None:
    site.subscribe_the_account()
    result = quick()
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.endswith("in this time by the account's policy cwl: leave --quick out\n")


def test_without_the_right_to_read_the_policy_nothing_is_claimed(site: PlayedSite) -> None:
    site.subscribe_the_account()
    site.deny_policies()
    result = quick()
    assert result.exit_code == 1
    assert "nothing is forwarded" not in result.stderr
    assert result.stderr.endswith("is not known: your credentials may not DescribeAccountPolicies: no\n")
