"""What the whole chain costs in a month, by formulas of which every factor can be changed.

A GB has 10^9 bytes, a month 730 hours. docs/cost.md says where each figure is from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

MONTH_HOURS = 730
MONTH_DAYS = MONTH_HOURS / 24
_MONTH_S = MONTH_HOURS * 3_600
_GB = 1e9
_GIB = 2**30

_CLOUDWATCH = "https://aws.amazon.com/cloudwatch/pricing/"
_LAMBDA = "https://aws.amazon.com/lambda/pricing/"
_OPENSEARCH = "https://aws.amazon.com/opensearch-service/pricing/"


class Price(NamedTuple):
    """US dollars for a unit, and the page that has it."""

    usd: float
    unit: str
    page: str


PRICES: dict[str, Price] = {
    "logs_ingest": Price(0.50, "GB", _CLOUDWATCH),
    "logs_ingest_infrequent": Price(0.25, "GB", _CLOUDWATCH),
    "logs_storage": Price(0.03, "GB-month", _CLOUDWATCH),
    "lambda_requests": Price(0.20, "million", _LAMBDA),
    "lambda_run": Price(0.0000133334, "GB-second on arm64", _LAMBDA),
    "sqs_requests": Price(0.40, "million", "https://aws.amazon.com/sqs/pricing/"),
    "s3_storage": Price(0.023, "GB-month", "https://aws.amazon.com/s3/pricing/"),
    "domain_volume": Price(0.122, "GB-month of gp3", _OPENSEARCH),
    "domain_managed": Price(0.024, "GB-month beside or1, or2, om2", _OPENSEARCH),
    "t3.small.search": Price(0.036, "hour", _OPENSEARCH),
    "t3.medium.search": Price(0.073, "hour", _OPENSEARCH),
    "m7g.large.search": Price(0.135, "hour", _OPENSEARCH),
    "r7g.large.search": Price(0.178, "hour", _OPENSEARCH),
    "or2.medium.search": Price(0.100, "hour", _OPENSEARCH),
    "or2.large.search": Price(0.200, "hour", _OPENSEARCH),
    "or2.xlarge.search": Price(0.401, "hour", _OPENSEARCH),
}
"""List prices of us-east-1 in 2026, on demand, without free tiers."""

_NODE = ".search"
_MANAGED = ("or1.", "or2.", "om2.")

_LOGS_COMPRESSED = 0.15
"""What the AWS calculator takes for the storage of CloudWatch Logs: https://calculator.aws/."""

_DISK_USED = 0.95 * 0.80
"""The system keeps 5 %, the service 20 %; https://docs.aws.amazon.com/opensearch-service/latest/developerguide/
bp-storage.html"""

_WHOLE_CORE_MIB = 1_769
"""https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"""

_CPU_S_PER_EVENT = 19.4e-6
_WAIT_S = 0.049
"""docs/performance.md, Delivery: the function's CPU, and how long a request of 1,000 documents was under way."""

_POLLERS = 5
_POLL_S = 20
"""Of a queue that is empty: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html."""

_LEAN_BYTES = 475
"""Of an event of our Fluentd, as CloudWatch counts: tests/bench/pods.py, and 26 bytes."""

# https://docs.aws.amazon.com/opensearch-service/latest/developerguide/limits.html
_MAX_VOLUME_GIB = {
    "t3.small.search": 100,
    "t3.medium.search": 200,
    "or2.medium.search": 768,
    "or2.large.search": 1_532,
    "or2.xlarge.search": 3_072,
}

_FAILING = 0.0001
_FAILED_DAYS = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """What is logged and what it is kept on.

    `event_bytes` are those that CloudWatch counts: the message and 26 more. `index_bytes` is what an event takes in the
    index, without copies (docs/performance.md, Storage). `indexed` is the share that filters and sampling leave.
    """

    gb_per_day: float
    log_days: int = 30
    index_days: int = 30
    replicas: int = 0
    instance_type: str = "or2.large.search"
    instances: int = 1
    master_type: str = "m7g.large.search"
    masters: int = 0
    memory_mib: int = 512
    event_bytes: int = _LEAN_BYTES
    events_per_payload: int = 100
    index_bytes: int = 401
    indexed: float = 1.0

    @property
    def index_gb(self) -> float:
        """All indices together, one copy of each."""
        return self.gb_per_day * self.index_days * self.indexed * self.index_bytes / self.event_bytes

    @property
    def disk_gb(self) -> float:
        """What all volumes together have to have."""
        return self.index_gb * (1 + self.replicas) / _DISK_USED

    @property
    def payloads(self) -> float:
        """Invocations in a month."""
        return self.gb_per_day * _GB * MONTH_DAYS / self.event_bytes / self.events_per_payload


class Line(NamedTuple):
    """One line of the bill, in US dollars a month."""

    item: str
    usd: float
    how: str


class Lever(NamedTuple):
    """What a change saves in a month; `catch` says what it costs otherwise."""

    change: str
    usd: float
    catch: str


class UnknownPrice(ValueError):
    """There is no price of this name; the message has it."""


def prices(changed: Mapping[str, float]) -> dict[str, float]:
    """All prices by name, some of them changed; instance types can be added. Raises `UnknownPrice`."""
    if unknown := [name for name in changed if name not in PRICES and not name.endswith(_NODE)]:
        raise UnknownPrice(f"no price {', '.join(unknown)}: there are {', '.join(PRICES)} and other instance types")
    return {**{name: price.usd for name, price in PRICES.items()}, **changed}


def bill(load: Workload, usd: Mapping[str, float]) -> list[Line]:
    """The lines of a month. Raises `UnknownPrice` for an instance type that has none."""
    return [*_logs(load, usd), *_shipping(load, usd), *_domain(load, usd)]


def total(lines: Iterable[Line]) -> float:
    """The sum of a bill."""
    return sum(line.usd for line in lines)


def _logs(load: Workload, usd: Mapping[str, float]) -> Iterator[Line]:
    taken_gb = load.gb_per_day * MONTH_DAYS
    yield Line("CloudWatch takes it in", taken_gb * usd["logs_ingest"], f"{taken_gb:,.0f} GB")
    kept_gb = load.gb_per_day * load.log_days * _LOGS_COMPRESSED
    yield Line("CloudWatch keeps it", kept_gb * usd["logs_storage"], f"{kept_gb:,.0f} GB, compressed")


def _shipping(load: Workload, usd: Mapping[str, float]) -> Iterator[Line]:
    run_s = load.events_per_payload * _CPU_S_PER_EVENT / min(1.0, load.memory_mib / _WHOLE_CORE_MIB) + _WAIT_S
    gb_s = load.payloads * run_s * load.memory_mib / 1024
    requests = load.payloads / 1e6 * usd["lambda_requests"]
    yield Line(
        "functions", requests + gb_s * usd["lambda_run"], f"{load.payloads:,.0f} invocations of {run_s * 1000:,.0f} ms"
    )
    polls = _POLLERS * _MONTH_S / _POLL_S
    yield Line("queues", polls / 1e6 * usd["sqs_requests"], f"{polls:,.0f} polls")
    failed_gb = load.gb_per_day * _FAILING * _FAILED_DAYS
    yield Line("bucket", failed_gb * usd["s3_storage"], f"{failed_gb:,.2f} GB that failed")


def _domain(load: Workload, usd: Mapping[str, float]) -> Iterator[Line]:
    nodes = load.instances * _hourly(load.instance_type, usd)
    how = f"{load.instances} x {load.instance_type}"
    if load.masters:
        nodes += load.masters * _hourly(load.master_type, usd)
        how += f", {load.masters} x {load.master_type}"
    yield Line("domain's nodes", nodes * MONTH_HOURS, how)
    volumes = load.disk_gb * usd["domain_volume"]
    yield Line("domain's volumes", volumes, f"{load.disk_gb:,.0f} GB for {load.index_gb:,.0f} GB of indices")
    if load.instance_type.startswith(_MANAGED):
        yield Line("domain's managed storage", load.index_gb * usd["domain_managed"], f"{load.index_gb:,.0f} GB")


def _hourly(instance_type: str, usd: Mapping[str, float]) -> float:
    if instance_type not in usd:
        raise UnknownPrice(f"no price of {instance_type}: give its US dollars an hour, --price {instance_type}=USD")
    return usd[instance_type]


def problems(load: Workload) -> list[str]:
    """Why the domain cannot be as it is asked for."""
    node_gib = load.disk_gb * _GB / _GIB / load.instances
    most_gib = _MAX_VOLUME_GIB.get(load.instance_type)
    if most_gib is None or node_gib <= most_gib:
        return []
    size = f"{node_gib:,.0f} GiB, and {load.instance_type} takes {most_gib:,}"
    return [f"each node needs a volume of {size}: take more nodes or larger ones"]


def levers(load: Workload, usd: Mapping[str, float]) -> list[Lever]:
    """What some changes would save, the most first and the impossible last; what saves nothing is left out."""
    before = total(bill(load, usd))
    possible = [Lever(change, before - total(bill(changed, usd)), catch) for change, changed, catch in _changes(load)]
    possible.sort(key=lambda lever: -lever.usd)
    infrequent = load.gb_per_day * MONTH_DAYS * (usd["logs_ingest"] - usd["logs_ingest_infrequent"])
    impossible = Lever("log class Infrequent Access", infrequent, "impossible: it has no subscription filters")
    return [lever for lever in (*possible, impossible) if lever.usd > 0]


def _changes(load: Workload) -> Iterator[tuple[str, Workload, str]]:
    """(change, the workload with it, its catch)."""
    fewer = replace(load, gb_per_day=load.gb_per_day * 0.75)
    yield "a quarter of the lines is not written", fewer, "nothing: health checks, doubles, DEBUG"
    lean_bytes = min(_LEAN_BYTES, load.event_bytes)
    lean = replace(load, gb_per_day=load.gb_per_day * lean_bytes / load.event_bytes, event_bytes=lean_bytes)
    yield "Fluentd leaves metadata out, as in k8s/", lean, "no labels, no image names"
    sampled = replace(load, indexed=load.indexed * 0.75)
    yield "filters and sampling leave out a quarter", sampled, "CloudWatch still takes it in"
    shorter = replace(load, index_days=max(1, load.index_days // 2))
    yield "indices for half as long", shorter, "what is older is in CloudWatch alone"
    week = replace(load, log_days=min(7, load.log_days))
    yield "CloudWatch for 7 days", week, "audit --repair reaches no further back"
    single = replace(load, replicas=max(0, load.replicas - 1))
    yield "one copy less of each index", single, "a node that is lost takes data with it, but for or1, or2, om2"
