"""Each alarm looks at something that is there: our own metrics as the code writes them, others as documented."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple, cast

import pytest

from shipper import deadletter
from shipper.aws import telemetry
from shipper.bulk import BulkReply
from shipper.handlers import canary, replay, services, subscriber
from shipper.times import iso
from stacks.stages import STAGES
from tests.shipper.fakes import (
    AWS_ENV,
    NOW_MS,
    REFUSED,
    SOURCE,
    FakeClock,
    FakeContext,
    FakeLetters,
    FakeSink,
    doc,
    lambda_event,
    payload_of,
    refusing,
)
from tests.stacks.built import CANARY, REPLAY, ROOT, SUBSCRIBER, Built, built

ALARM = "AWS::CloudWatch::Alarm"
QUEUE, FUNCTION, GROUP, DOMAIN = {"QueueName"}, {"FunctionName"}, {"LogGroupName"}, {"DomainName", "ClientId"}
DELIVERY = {"LogGroupName", "DestinationType", "FilterName"}
DOCUMENTED: dict[str, dict[str, set[str]]] = {
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
    "AWS/SQS": dict.fromkeys(
        (
            *("ApproximateNumberOfMessagesVisible", "ApproximateNumberOfMessagesNotVisible"),
            "ApproximateAgeOfOldestMessage",
        ),
        QUEUE,
    ),
    # https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
    "AWS/Lambda": dict.fromkeys(
        ("Errors", "Throttles", "AsyncEventsDropped", "AsyncEventAge", "DestinationDeliveryFailures"), FUNCTION
    ),
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch-Logs-Monitoring-CloudWatch-Metrics.html
    "AWS/Logs": {"IncomingLogEvents": GROUP, "DeliveryErrors": DELIVERY, "DeliveryThrottling": DELIVERY},
    # https://docs.aws.amazon.com/opensearch-service/latest/developerguide/managedomains-cloudwatchmetrics.html
    "AWS/ES": dict.fromkeys(
        (
            *("ClusterStatus.red", "ClusterStatus.yellow", "FreeStorageSpace", "ClusterIndexWritesBlocked"),
            *("JVMMemoryPressure", "ThreadpoolWriteRejected", "CoordinatingWriteRejected"),
            *("KMSKeyError", "KMSKeyInaccessible", "MasterReachableFromNode"),
        ),
        DOMAIN,
    ),
}


class Metric(NamedTuple):
    """A metric as an alarm or a line of EMF names it; values that CloudFormation fills in are what they refer to."""

    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]]


def alarms(stack: Built) -> dict[str, dict[str, Any]]:
    return stack.of_type(ALARM)


def looked_at(stack: Built, alarm: dict[str, Any]) -> Iterator[Metric]:
    """The metrics of an alarm, those that go into an expression among them."""
    stats = [part["MetricStat"]["Metric"] for part in alarm.get("Metrics", []) if "MetricStat" in part]
    for found in stats or [alarm]:
        dimensions = {one["Name"]: filled_in(stack, one["Value"]) for one in found["Dimensions"]}
        yield Metric(found["Namespace"], found["MetricName"], frozenset(dimensions.items()))


def filled_in(stack: Built, value: Any) -> str:
    """A log group by its name; of everything else what it refers to."""
    if isinstance(value, str):
        return value
    if name := stack.resources.get(value.get("Ref", ""), {}).get("Properties", {}).get("LogGroupName"):
        return str(name)
    return json.dumps(value)


@pytest.fixture
def functions(monkeypatch: pytest.MonkeyPatch) -> Built:
    """The stack, with the environment of each of its functions for those that run here."""
    # A real one keeps the standard output of the test that made the first of its name.
    monkeypatch.setattr(telemetry, "Logger", lambda service, level: logging.getLogger(f"alarms-{service}"))
    return built("dev")


def environment(stack: Built, function: str, monkeypatch: pytest.MonkeyPatch) -> None:
    variables = stack.properties(function)["Environment"]["Variables"]
    for name, value in {**variables, **AWS_ENV, "POWERTOOLS_METRICS_NAMESPACE": variables[NAMESPACE]}.items():
        monkeypatch.setenv(name, value if isinstance(value, str) else "https://x.com")


NAMESPACE = "POWERTOOLS_METRICS_NAMESPACE"
APPLICATION = f"/aws/containerinsights/{STAGES['dev'].cluster}/application"


def wired(service: str, sink: FakeSink) -> services.Services:
    found = services.from_environment(service)
    once = found.settings.with_values(max_tries=1)
    fakes: dict[str, Any] = {"sink": sink, "letters": FakeLetters(), "settings": once, "clock": lambda _: FakeClock()}
    return replace(found, **fakes)


def written(output: str) -> dict[Metric, float]:
    """The metrics among the lines that a function has written, with their values."""
    found: dict[Metric, float] = {}
    for line in output.splitlines():
        emf = json.loads(line)
        for directive in emf["_aws"]["CloudWatchMetrics"]:
            (names,) = directive["Dimensions"]
            dimensions = frozenset((name, emf[name]) for name in names)
            for metric in directive["Metrics"]:
                found[Metric(directive["Namespace"], metric["Name"], dimensions)] = emf[metric["Name"]][0]
    return found


def subscribe(sink: FakeSink, *, at_ms: int = NOW_MS) -> None:
    payload = {**payload_of("one"), "logGroup": APPLICATION}
    payload["logEvents"][0]["timestamp"] = at_ms
    subscriber.run(lambda_event(payload), FakeContext(), wired("subscriber", sink))


def replay_letter(sink: FakeSink) -> None:
    letter = deadletter.of_documents([doc(1)], REFUSED, SOURCE, failed_at=iso(NOW_MS), attempts=1)
    record = {"messageId": "m", "receiptHandle": "r", "body": deadletter.pack(letter)}
    replay.run({"Records": [record]}, FakeContext(), wired("replay", sink))


class Old:
    """An index in which the canary's newest line is an hour old."""

    def search(self, _body: Any, *, timeout_s: float) -> Any:
        return [{"_source": {"@timestamp": f"{iso(NOW_MS - 3_600_000)}"}}], 1


class Taking:
    """CloudWatch Logs, which takes every line."""

    def write(self, *_: Any) -> None: ...


def patrol() -> None:
    fakes: tuple[Any, ...] = (Taking(), Old(), telemetry.Telemetry(canary.SERVICE, "INFO"))
    canary.run("r-1", canary.Canary((APPLICATION,), *fakes), FakeClock())


REFUSING, AWAY = refusing("event-0", "id-1"), BulkReply(503)
SITUATIONS = [
    pytest.param("DocumentsArePutOff", SUBSCRIBER, lambda: subscribe(FakeSink(then=AWAY)), id="away"),
    pytest.param(
        "DocumentsAreRefusedSubscriber", SUBSCRIBER, lambda: subscribe(FakeSink(then=REFUSING)), id="refused at once"
    ),
    pytest.param(
        "DocumentsAreRefusedReplay", REPLAY, lambda: replay_letter(FakeSink(then=REFUSING)), id="refused at the replay"
    ),
    pytest.param(
        "LogsComeLateApplication",
        SUBSCRIBER,
        lambda: subscribe(FakeSink(), at_ms=NOW_MS - 3_600_000),
        id="an event of an hour ago",
    ),
    pytest.param("TheCanaryIsLateApplication", CANARY, patrol, id="the canary's line of an hour ago"),
]


@pytest.mark.parametrize(("construct", "function", "happens"), SITUATIONS)
def test_what_happens_sets_the_alarm_off(
    construct: str,
    function: str,
    happens: Any,
    functions: Built,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """By the metric that the function writes, under its exact name and dimensions."""
    environment(functions, function, monkeypatch)
    happens()
    found = written(capsys.readouterr().out)
    (alarm,) = [alarm for key, alarm in alarms(functions).items() if key.startswith(f"Observability{construct}")]
    (metric,) = looked_at(functions, alarm)
    assert metric in found, f"{metric} is none of {sorted(found)}"
    assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    assert found[metric] >= alarm["Threshold"]


def test_every_alarm_on_a_metric_of_ours_is_among_those_situations() -> None:
    stack = built("dev")
    own = {
        re.sub(r"(Dataplane|Host)$", "Application", key.removeprefix("Observability")[:-8])
        for key, alarm in alarms(stack).items()
        if "Namespace" in alarm and alarm["Namespace"] == "cwl-shipper/dev"
    }
    assert own == {param.values[0] for param in SITUATIONS}


def test_the_canarys_lines_are_taken_off_by_the_metric_that_it_writes(
    functions: Built, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Else a group in which nothing but the canary's lines is would not be silent."""
    environment(functions, CANARY, monkeypatch)
    patrol()
    (alarm,) = [alarm for key, alarm in alarms(functions).items() if "NoLogsOfAGroupApplication" in key]
    events, lines = looked_at(functions, alarm)
    assert (events.name, dict(events.dimensions)) == ("IncomingLogEvents", {"LogGroupName": APPLICATION})
    assert written(capsys.readouterr().out)[lines] == 1
    assert [part["Expression"] for part in alarm["Metrics"] if "Expression" in part] == [
        "FILL(written, 0) - FILL(canary, 0)"
    ]


@pytest.mark.parametrize("stage", STAGES)
def test_metrics_of_aws_are_those_that_it_documents(stage: str) -> None:
    stack = built(stage)
    seen = set()
    for alarm in alarms(stack).values():
        for metric in looked_at(stack, alarm):
            if not metric.namespace.startswith("cwl-shipper/"):
                seen.add(metric[:2])
                assert {name for name, _ in metric.dimensions} == DOCUMENTED[metric.namespace][metric.name], metric
    everything = {(namespace, name) for namespace, names in DOCUMENTED.items() for name in names}
    assert seen == {pair for pair in everything if stage != "local" or pair[0] != "AWS/ES"}


def test_a_metric_of_a_subscription_is_that_of_its_filter() -> None:
    stack = built("dev")
    filters = stack.of_type("AWS::Logs::SubscriptionFilter")
    found = [
        {one["Name"]: one["Value"] for one in alarm["Dimensions"]}
        for alarm in alarms(stack).values()
        if alarm.get("MetricName") == "DeliveryErrors"
    ]
    assert {one["FilterName"]["Ref"]: one["LogGroupName"] for one in found} == {
        key: properties["LogGroupName"] for key, properties in filters.items()
    }
    assert {one["DestinationType"] for one in found} == {"Lambda"}


def headings() -> set[str]:
    """What the headings of the runbook can be linked to by."""
    text = (ROOT / "docs" / "runbook.md").read_text("utf-8")
    return {
        re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    }


def links(stack: Built) -> dict[str, tuple[str, str]]:
    """(page, anchor) of each alarm's description."""
    found = {}
    for key, alarm in alarms(stack).items():
        link = re.fullmatch(r"[A-Z].+\. \[What to do\]\((\S+)#(\S+)\)", alarm["AlarmDescription"])
        assert link, alarm["AlarmDescription"]
        assert len(alarm["AlarmDescription"]) <= 1024
        found[key] = (link[1], link[2])
    return found


def test_each_alarm_says_what_it_means_and_leads_to_its_section_of_the_runbook() -> None:
    found = links(built("dev"))
    assert len(found) > 30
    assert {page for page, _ in found.values()} == {"docs/runbook.md"}
    assert {anchor for _, anchor in found.values()} <= headings()


def test_each_section_of_an_alarm_is_that_of_one() -> None:
    text = (ROOT / "docs" / "runbook.md").read_text("utf-8")
    sections = re.findall(r"^### (.*)$", text, re.MULTILINE)
    assert sorted(heading.lower().replace(" ", "-") for heading in sections) == sorted(
        {anchor for _, anchor in links(built("dev")).values()}
    )


def test_an_alarm_of_dead_letters_waits_until_the_deployment_has_taken_the_test_event_away() -> None:
    (alarm,) = [alarm for key, alarm in alarms(built("dev")).items() if "DeadLettersWait" in key]
    assert alarm["Period"] * alarm["EvaluationPeriods"] == 3_600
    assert alarm["TreatMissingData"] == "notBreaching"


def test_silence_is_missing_data() -> None:
    for name in ("NoLogsOfAGroup", "TheCanaryIsLate"):
        found = [alarm["TreatMissingData"] for key, alarm in alarms(built("dev")).items() if name in key]
        assert set(found) == {"breaching"}


def test_what_the_service_counts_from_a_nodes_start_on_is_looked_at_by_its_growth() -> None:
    found = [alarm for alarm in alarms(built("dev")).values() if "DIFF(total)" in json.dumps(alarm)]
    assert len(found) == 2


@pytest.mark.parametrize(
    ("construct", "expected"),
    [
        pytest.param("LogsComeLate", {300_000}, id="freshness"),
        pytest.param("TheCanaryIsLate", {300_000}, id="freshness of the canary"),
        pytest.param("EventsWaitForTheFunction", {300_000}, id="age in Lambda's own queue"),
        pytest.param("DeadLettersGrowOld", {2 * 86_400}, id="half of the retention"),
        pytest.param("RunsOutOfSpace", {7}, id="space"),
    ],
)
def test_limits_follow_the_stage(construct: str, expected: set[float]) -> None:
    found = alarms(built("dev", fresh_within_s=300, queue_retention_days=4, low_storage_mib=7))
    assert {alarm["Threshold"] for key, alarm in found.items() if construct in key} == expected


def test_a_stage_without_a_canary_has_none_of_its_alarms() -> None:
    found = alarms(built("local"))
    assert not [key for key in found if "Canary" in key]
    (silence,) = [alarm for key, alarm in found.items() if "NoLogs" in key]
    assert (silence["MetricName"], silence["Threshold"]) == ("IncomingLogEvents", 1)
    assert cast("dict[str, Any]", built("local").of_type("AWS::Events::Rule")) == {}
