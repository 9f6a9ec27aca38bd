"""The figures of `cwl-shipper status`; what cannot be read is a figure, too: unknown, with the reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from shipper import collection, metrics
from shipper.audit import Auditor, Found, Window, slices
from shipper.aws.figures import Figures, Metric
from shipper.aws.inbox import Inbox
from shipper.aws.log_groups import LogGroup, LogGroups
from shipper.aws.search import Index
from shipper.aws.subscriber import Deployed, Function
from shipper.cli import deployment
from shipper.cli.deployment import Site
from shipper.cli.subscribed import subscribed
from shipper.cli.terminal import Failed
from shipper.health import CLUSTER, Reading, share
from shipper.model import Source
from shipper.settings import Settings, SettingsError
from shipper.times import iso, milliseconds

_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
_TEN_MINUTES_MS = 600_000
_SETTLE_MS = 60_000
_NO_FIGURE = "CloudWatch has no figure of it"


@dataclass(frozen=True, slots=True)
class Vitals:
    """All figures, by part of the system, and what the subscriber is set to, None where that cannot be read."""

    parts: Mapping[str, Sequence[Reading]]
    deployed: Deployed | None


def vitals(site: Site, stack: str, now_ms: int) -> Vitals:
    """Read everything that can be read."""
    deployed = _deployed(site, stack)
    settings = _settings(deployed)
    attempt = partial(_attempt, stack)
    retries, dead = site.found.settings.retry_queue_url, site.found.settings.dead_letter_queue_url
    parts = {
        "log groups": list(_freshness(site, stack, settings, now_ms)),
        "retry queue": attempt("retry_letters", "", lambda: _queue(site, "retry", retries, now_ms)),
        "dead-letter queue": attempt("dead_letters", "", lambda: _queue(site, "dead", dead, now_ms)),
        "last hour": attempt("dead_lettered_share", "", lambda: _ledger(site, now_ms)),
        "functions": [
            reading
            for name in ("SubscriberFunction", "ReplayFunction")
            for reading in attempt("error_share", name, partial(_function, site, name, now_ms))
        ],
    }
    if site.found.settings.service == collection.SERVICE:
        parts["collection: the service looks after its nodes and disks, and shows none"] = []
    else:
        cluster = attempt("cluster", "", lambda: _cluster(site.index))
        parts["domain"] = cluster + attempt("disk_used_share", "", lambda: _disks(site.index))
    return Vitals(parts, deployed)


def _attempt(stack: str, figure: str, of: str, read: Callable[[], Iterable[Reading]]) -> list[Reading]:
    try:
        with deployment.aws_errors(stack), deployment.search_errors():
            return list(read())
    except Failed as error:
        return [Reading(figure, of, None, error.message)]


def _deployed(site: Site, stack: str) -> Deployed | None:
    try:
        with deployment.aws_errors(stack):
            return Function(site.client("lambda"), site.outputs["SubscriberFunction"]).deployed()
    except Failed:
        return None


def _settings(deployed: Deployed | None) -> Settings:
    """The subscriber's settings; the defaults where they are out of reach."""
    try:
        return deployed.settings() if deployed else Settings()
    except SettingsError:
        return Settings()


class _IndexOnly:
    """Implements `audit.Places` without the letters: what is in one is not to be found by a search, either."""

    def __init__(self, index: Index, log_group: str) -> None:
        self._index = index
        self._log_group = log_group

    def between(self, from_ms: int, to_ms: int) -> Iterable[tuple[str, Found]]:
        return self._index.between(self._log_group, from_ms, to_ms)

    def with_ids(self, ids: Sequence[str]) -> Mapping[str, Found]:
        return self._index.with_ids(ids)

    def waiting(self) -> Mapping[str, int]:
        return {}


def _freshness(site: Site, stack: str, settings: Settings, now_ms: int) -> Iterator[Reading]:
    groups = LogGroups(site.client("logs"))
    try:
        with deployment.aws_errors(stack):
            found = list(groups.named(site.outputs["LogGroupPrefix"]))
    except Failed as error:
        yield Reading("behind_s", site.outputs["LogGroupPrefix"], None, error.message)
        return
    for group in found:
        yield from _attempt(stack, "behind_s", group.name, partial(_behind, site, groups, group, settings, now_ms))


def _behind(site: Site, groups: LogGroups, group: LogGroup, settings: Settings, now_ms: int) -> Iterable[Reading]:
    """How long the first event after the newest document has been waiting to be found."""
    newest, last_ms = site.index.newest(group.name), groups.last_event_ms(group.name)
    from_ms = max(milliseconds(newest) + 1, now_ms - _DAY_MS)
    window = Window(Source(group.owner, group.name, ""), from_ms, now_ms, now_ms - _SETTLE_MS)
    subscription, unsure = subscribed(groups, group.name, site.outputs["SubscriberFunction"])
    note = f"newest in the index {newest[:19] + 'Z' if newest else 'none'}, in CloudWatch {_moment(last_ms)}"
    if subscription is None:
        return [Reading("behind_s", group.name, None, f"no subscription filter leads to the subscriber{unsure}")]
    behind_ms = 0
    if from_ms < now_ms:
        auditor = Auditor(window, settings, _IndexOnly(site.index, group.name))
        # One slice is enough to tell, and bounded.
        events = groups.events(group.name, window.read_from_ms, now_ms, subscription.pattern)
        part = next(slices(events, window))
        came_ms = [event.came_ms for run in auditor.judge(part).missing for event in run]
        behind_ms = now_ms - min(came_ms, default=now_ms)
    return [Reading("behind_s", group.name, behind_ms / 1000, note)]


def _moment(at_ms: int) -> str:
    return iso(at_ms) if at_ms else "none"


def _queue(site: Site, name: str, url: str, now_ms: int) -> Iterable[Reading]:
    visible, hidden = Inbox(site.client("sqs"), url).depth()
    note = f"{hidden:,} of them at work" if hidden else ""
    yield Reading(f"{name}_letters", "", visible + hidden, note)
    if not visible + hidden:
        yield Reading(f"{name}_age_s", "", 0)
        return
    queue = {"QueueName": url.rpartition("/")[2]}
    oldest = Metric("AWS/SQS", "ApproximateAgeOfOldestMessage", queue, "Maximum")
    age_s = _figures(site, {"age": oldest}, now_ms - _TEN_MINUTES_MS, now_ms)["age"]
    yield Reading(f"{name}_age_s", "", age_s, "" if age_s is not None else _NO_FIGURE)


def _ledger(site: Site, now_ms: int) -> Iterable[Reading]:
    names = (metrics.RECEIVED, "dead_lettered", "requeued")
    asked = {name: Metric(site.outputs["MetricsNamespace"], name, {metrics.SERVICE: "subscriber"}) for name in names}
    found = _figures(site, asked, now_ms - _HOUR_MS, now_ms)
    received = found[metrics.RECEIVED]
    for name in names[1:]:
        note = _NO_FIGURE if received is None else f"{found[name] or 0:,.0f} of {received:,.0f} events"
        yield Reading(f"{name}_share", "", share(found[name], received), note)


def _function(site: Site, output: str, now_ms: int) -> Iterable[Reading]:
    function = {"FunctionName": site.outputs[output]}
    asked = {name: Metric("AWS/Lambda", name, function) for name in ("Invocations", "Errors", "Throttles")}
    found = _figures(site, asked, now_ms - _HOUR_MS, now_ms)
    # A function that was not invoked has no figures, and no errors.
    invocations, errors, throttles = (found[name] or 0.0 for name in asked)
    yield Reading("error_share", output, share(errors, invocations), f"{errors:,.0f} of {invocations:,.0f} invocations")
    yield Reading("throttles", output, throttles)


def _cluster(index: Index) -> Iterable[Reading]:
    health = index.health()
    nodes = f"data nodes: {health.get('number_of_data_nodes')}"
    yield Reading("cluster", "", CLUSTER.get(str(health.get("status"))), nodes)


def _disks(index: Index) -> Iterable[Reading]:
    for row in index.allocation():
        if row.get("node") == "UNASSIGNED":
            continue
        used, total = row.get("disk.used"), row.get("disk.total")
        if used is None or total is None:
            yield Reading("disk_used_share", str(row.get("node")), None, "the domain does not say")
        else:
            free = f"{int(row['disk.avail']) / 2**30:,.1f} GiB free"
            yield Reading("disk_used_share", str(row.get("node")), share(int(used), int(total)), free)


def _figures(site: Site, asked: Mapping[str, Metric], from_ms: int, to_ms: int) -> dict[str, float | None]:
    return Figures(site.client("cloudwatch")).of(asked, from_ms, to_ms, to_ms)
