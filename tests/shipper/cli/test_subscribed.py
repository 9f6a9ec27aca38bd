"""A filter, else the account's policy, else the reason why neither may be known."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from shipper.aws.log_groups import LogGroups, Subscription
from shipper.cli.subscribed import subscribed
from tests.shipper.cli.site import FUNCTION, GROUP, PlayedSite, play
from tests.shipper.fakes import local_aws


@pytest.fixture
def site() -> Iterator[PlayedSite]:
    with local_aws() as aws:
        yield play(aws)


def asked(site: PlayedSite) -> tuple[Subscription | None, str]:
    return subscribed(LogGroups(site.logs), GROUP, FUNCTION)


def test_a_filter_is_enough_and_the_policy_is_not_asked_for(site: PlayedSite) -> None:
    site.deny_policies()
    assert asked(site) == (Subscription("all", ""), "")


def test_the_accounts_policy_is_the_filter_where_there_is_none(site: PlayedSite) -> None:
    site.subscribe_the_account("?E ?canary")
    assert asked(site) == (Subscription("cwl", "?E ?canary", is_policy=True), "")


def test_neither(site: PlayedSite) -> None:
    site.subscribe_the_account(left_out=GROUP)
    assert asked(site) == (None, "")


def test_without_the_right_to_read_the_policy_nothing_is_claimed(site: PlayedSite) -> None:
    site.subscribe_the_account()
    site.deny_policies()
    said = ", and whether the account's policy does is not known: your credentials may not DescribeAccountPolicies: no"
    assert asked(site) == (None, said)


def test_a_policy_that_chooses_in_an_unknown_way_may_be_one(site: PlayedSite) -> None:
    site.subscribe_the_account()
    site.logs.policies[0]["selectionCriteria"] = 'LogGroupNamePrefix IN ["/shop"]'
    found, unsure = asked(site)
    assert found is None
    assert unsure.endswith("""is not known: its selection criteria are 'LogGroupNamePrefix IN ["/shop"]'""")


def test_filters_that_may_not_be_read_are_a_fault(site: PlayedSite, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(**_: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "DescribeSubscriptionFilters")

    monkeypatch.setattr(site.logs, "describe_subscription_filters", denied)
    with pytest.raises(ClientError):
        asked(site)
