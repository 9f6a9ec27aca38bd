from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from shipper.cli.vitals import vitals
from shipper.health import Light, Reading
from tests.shipper.cli.conftest import put
from tests.shipper.cli.site import GROUP, PlayedSite, play
from tests.shipper.cli.test_audit_quick import count
from tests.shipper.fakes import local_aws

RECORD = ("java.lang.IllegalStateException: x", "\tat com.shop.A.b(A.java:1)")


@pytest.fixture
def site() -> Iterator[PlayedSite]:
    with local_aws() as aws:
        yield play(aws)


def readings(site: PlayedSite) -> dict[str, Reading]:
    """The figures by name; of several with a name the last."""
    found = vitals(site.site, "stack", int(time.time() * 1000))
    return {reading.figure: reading for part in found.parts.values() for reading in part}


def behind(site: PlayedSite) -> Reading:
    return readings(site)["behind_s"]


def test_a_group_of_which_all_is_in_the_index_is_not_behind(site: PlayedSite) -> None:
    site.write(*RECORD)
    site.index_all()
    reading = behind(site)
    assert (reading.of, reading.value, reading.light) == (GROUP, 0, Light.GREEN)
    assert "newest in the index 20" in reading.note


def test_an_empty_group_is_not_behind(site: PlayedSite) -> None:
    reading = behind(site)
    assert (reading.value, reading.note) == (0, "newest in the index none, in CloudWatch none")


@pytest.mark.parametrize(
    ("age_s", "light"), [(30, Light.GREEN), (200, Light.GREEN), (600, Light.AMBER), (1_800, Light.RED)]
)
def test_how_long_the_first_event_has_been_waiting(site: PlayedSite, age_s: int, light: Light) -> None:
    site.write("a", age_s=3_600)
    site.index_all()
    site.write("b", age_s=age_s)
    site.write("c", age_s=20)
    assert behind(site).light is light


def test_a_clock_that_is_ahead_is_not_behind(site: PlayedSite) -> None:
    site.write("a", age_s=-600)
    site.index_all()
    assert behind(site).value == 0


def test_a_group_that_nothing_forwards_is_unknown(site: PlayedSite) -> None:
    site.unsubscribe()
    assert (behind(site).light, behind(site).note) == (
        Light.UNKNOWN,
        "no subscription filter leads to the subscriber",
    )


@pytest.mark.parametrize(("age_s", "light"), [(200, Light.GREEN), (600, Light.AMBER), (1_800, Light.RED)])
def test_a_group_that_the_accounts_policy_forwards_is_measured(site: PlayedSite, age_s: int, light: Light) -> None:
    site.write("a", age_s=3_600)
    site.index_all()
    site.subscribe_the_account()
    assert (behind(site).value, behind(site).light) == (0, Light.GREEN)
    site.write("b", age_s=age_s)
    assert behind(site).light is light


def test_what_the_accounts_policy_does_not_take_is_not_waited_for(site: PlayedSite) -> None:
    site.subscribe_the_account("ERROR")
    site.write("INFO b", age_s=1_800)
    assert behind(site).value == 0


def test_without_the_right_to_read_the_accounts_policy_a_group_is_unknown_with_the_reason(site: PlayedSite) -> None:
    site.subscribe_the_account()
    site.deny_policies()
    reading = behind(site)
    assert reading.light is Light.UNKNOWN
    assert reading.note == (
        "no subscription filter leads to the subscriber, and whether the account's policy does is not known: "
        "your credentials may not DescribeAccountPolicies: no"
    )


def test_queues_are_counted_and_their_age_is_cloudwatchs(site: PlayedSite) -> None:
    found = readings(site)
    assert (found["dead_letters"].value, found["dead_age_s"].value) == (0, 0)
    put(site.aws, 1)
    found = readings(site)
    assert (found["dead_letters"].light, found["dead_age_s"].light) == (Light.AMBER, Light.UNKNOWN)
    count("AWS/SQS", "ApproximateAgeOfOldestMessage", 90_000, QueueName="dead")
    found = readings(site)
    assert (found["dead_age_s"].value, found["dead_age_s"].light) == (90_000, Light.AMBER)


def test_shares_of_the_last_hour_come_from_the_ledger(site: PlayedSite) -> None:
    assert readings(site)["dead_lettered_share"].light is Light.UNKNOWN
    count("cwl-shipper/test", "received", 200, service="subscriber")
    count("cwl-shipper/test", "dead_lettered", 3, service="subscriber")
    found = readings(site)
    assert (found["dead_lettered_share"].value, found["dead_lettered_share"].light) == (0.015, Light.RED)
    assert (found["requeued_share"].value, found["requeued_share"].note) == (0, "0 of 200 events")


def test_errors_of_a_function(site: PlayedSite) -> None:
    count("AWS/Lambda", "Invocations", 100, FunctionName="replay")
    count("AWS/Lambda", "Errors", 1, FunctionName="replay")
    found = readings(site)
    assert (found["error_share"].value, found["error_share"].light) == (0.01, Light.AMBER)


@pytest.mark.parametrize(
    ("row", "value", "note"),
    [
        (
            {"node": "n", "disk.used": "75", "disk.total": "100", "disk.avail": str(25 * 2**30)},
            0.75,
            "25.0 GiB free",
        ),
        ({"node": "n", "disk.used": None, "disk.total": None, "disk.avail": None}, None, "the domain does not say"),
    ],
    ids=["said", "not said"],
)
def test_free_space(site: PlayedSite, row: dict[str, Any], value: float | None, note: str) -> None:
    site.index.disks = [{"node": "UNASSIGNED"}, row]
    reading = readings(site)["disk_used_share"]
    assert (reading.of, reading.value, reading.note) == ("n", value, note)


def test_without_rights_each_part_is_unknown_with_the_reason(site: PlayedSite) -> None:
    denied = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "Anything")

    class Denied:
        def __getattr__(self, name: str) -> Any:
            raise denied

    found = vitals(replace(site.site, client=lambda _: Denied()), "stack", int(time.time() * 1000))
    unknown = [reading for part in found.parts.values() for reading in part if reading.light is Light.UNKNOWN]
    assert found.deployed is None
    assert {reading.figure for reading in unknown} == {
        *("behind_s", "retry_letters", "dead_letters", "dead_lettered_share", "error_share")
    }
    assert {reading.note for reading in unknown} == {"your credentials may not Anything: no"}


def test_a_collection_shows_no_nodes_and_that_is_nothing_unknown(site: PlayedSite) -> None:
    settings = replace(site.site.found.settings, service="aoss")
    found = vitals(
        replace(site.site, found=replace(site.site.found, settings=settings)), "stack", int(time.time() * 1000)
    )
    assert found.parts["collection: the service looks after its nodes and disks, and shows none"] == []
    assert "domain" not in found.parts
