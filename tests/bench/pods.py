"""What the pods of a shop log, as CloudWatch Logs hands on what Fluentd ships of it: the same at each run.

Sixty pods of ten services: nginx's access lines, Java's lines with stack traces, JSON lines of Go, Python and Node.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from tests.bench.loads import FIRST_MS

PODS_OF_A_SERVICE = 6
EVENTS_OF_A_PAYLOAD = 100
_GAP_MS = 40
"""Between the lines of a pod, on average."""


class Line(NamedTuple):
    """A record as its pod wrote it, in as many lines as it has."""

    stream: str
    text: str


@dataclass(frozen=True)
class Pod:
    """One container of a service, and who it is in the logs."""

    service: str
    name: str
    ip: str
    container_id: str

    @classmethod
    def of(cls, service: str, number: int) -> Pod:
        digest = hashlib.sha256(f"{service} {number}".encode()).hexdigest()
        name = f"{service}-{hashlib.sha256(service.encode()).hexdigest()[:10]}-{digest[:5]}"
        return cls(service, name, f"10.20.{int(digest[:2], 16)}.{int(digest[2:4], 16)}", digest)

    @property
    def host(self) -> str:
        return f"ip-10-20-16-{int(self.container_id[4:6], 16) % 12}.ap-northeast-2.compute.internal"


Write = Callable[[random.Random, Pod, datetime], Line]

_AGENTS = (
    "ShopApp/5.2 (Android 15; ko-KR)",
    "ShopApp/5.2 (iPhone; iOS 19.1; ko-KR)",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "curl/8.10.1",
)
_PLACES = ("/api/orders/{}", "/api/cart/C-{}", "/products/{}", "/search?q={}", "/api/stock/{}", "/healthz", "/")
_METHODS = ("GET", "GET", "GET", "POST")
_STATUSES = (200,) * 16 + (201, 204, 302, 404, 404, 500)
_LOGGERS = ("CartController", "CheckoutService", "StockClient", "CouponEngine", "OrderPublisher", "AddressBook")
_SENTENCES = (
    "cart C-{} read",
    "order O-{} paid",
    "reserve SKU {}",
    "quote {} KRW",
    "coupon SPRING5 applied to C-{}",
    "GET /orders/{} took 12 ms",
    "address {} looked up",
    "published OrderPlaced(O-{}) to orders.v1",
)
_FAULTS = (
    "java.lang.IllegalArgumentException: quantity must be > 0",
    "java.net.SocketTimeoutException: Read timed out",
    "com.shop.stock.StockException: SKU {}: wanted 5, left 1",
    "com.shop.checkout.CheckoutFailedException: cart C-{} could not be paid",
    "java.sql.SQLTransientConnectionException: HikariPool-1 - Connection is not available, timed out after 3000ms",
)
_FRAMEWORK = (
    "java.base/jdk.internal.reflect.DirectMethodHandleAccessor.invoke(DirectMethodHandleAccessor.java:103)",
    "java.base/java.lang.reflect.Method.invoke(Method.java:580)",
    "org.springframework.web.method.support.InvocableHandlerMethod.doInvoke(InvocableHandlerMethod.java:255)",
    "org.springframework.web.servlet.DispatcherServlet.doDispatch(DispatcherServlet.java:1088)",
    "org.springframework.web.servlet.FrameworkServlet.service(FrameworkServlet.java:885)",
    "jakarta.servlet.http.HttpServlet.service(HttpServlet.java:590)",
    "org.apache.catalina.core.ApplicationFilterChain.doFilter(ApplicationFilterChain.java:138)",
    "org.apache.tomcat.util.threads.ThreadPoolExecutor$Worker.run(ThreadPoolExecutor.java:659)",
    "java.base/java.lang.Thread.run(Thread.java:1583)",
)
_TRACEBACK = """Traceback (most recent call last):
  File "/app/payments/api.py", line {}, in authorize
    reply = issuer.authorize(order, timeout=3)
  File "/app/payments/issuer.py", line {}, in authorize
    raise Declined(f"issuer said no: code={{reply.code}}")
payments.errors.Declined: issuer said no: code=51"""


def _access(chance: random.Random, pod: Pod, at: datetime) -> Line:
    place = chance.choice(_PLACES).format(chance.randrange(10**6))
    client = f"203.0.{chance.randrange(256)}.{chance.randrange(256)}"
    return Line(
        "stdout",
        f'{client} - - [{at:%d/%b/%Y:%H:%M:%S} +0000] "{chance.choice(_METHODS)} {place} HTTP/1.1" '
        f'{chance.choice(_STATUSES)} {chance.randrange(40_000)} "-" "{chance.choice(_AGENTS)}" '
        f"{chance.expovariate(4):.3f} {_hex(chance, 128)}",
    )


def _java(chance: random.Random, pod: Pod, at: datetime) -> Line:
    failed = chance.randrange(40) == 0
    level = "ERROR" if failed else chance.choice(("INFO", "INFO", "INFO", "WARN", "DEBUG"))
    sentence = chance.choice(_SENTENCES).format(chance.randrange(10**6))
    line = (
        f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d} {level:>5} "
        f"[{pod.service},{_hex(chance, 128)},{_hex(chance, 64)}] 1 --- [nio-8080-exec-{chance.randrange(1, 11)}] "
        f"{f'com.shop.{pod.service}.{chance.choice(_LOGGERS)}':<40} : {sentence}"
    )
    return Line("stdout", "\n".join((line, *_trace(chance, pod))) if failed else line)


def _trace(chance: random.Random, pod: Pod) -> Iterator[str]:
    for depth in range(chance.randrange(1, 4)):
        fault = chance.choice(_FAULTS).format(chance.randrange(10**6))
        yield f"Caused by: {fault}" if depth else fault
        for _ in range(chance.randrange(3, 12)):
            owner = chance.choice(_LOGGERS)
            method = chance.choice(("pay", "load", "send", "reserve", "apply"))
            yield f"\tat com.shop.{pod.service}.{owner}.{method}({owner}.java:{chance.randrange(20, 300)})"
        yield from [f"\t... {chance.randrange(9, 40)} more"] if depth else [f"\tat {frame}" for frame in _FRAMEWORK]


def _go(chance: random.Random, pod: Pod, at: datetime) -> Line:
    line = {
        "level": chance.choice(("info", "info", "info", "warn", "debug")),
        "ts": _iso(at),
        "caller": f"{pod.service}/{chance.choice(('query', 'index', 'server'))}.go:{chance.randrange(20, 400)}",
        "msg": chance.choice(("query served", "cache miss", "shard answered late", "suggestions made")),
        "hits": chance.randrange(5_000),
        "duration_ms": round(chance.expovariate(0.05), 3),
        "trace_id": _hex(chance, 128),
        "span_id": _hex(chance, 64),
    }
    return Line("stderr", _json(line))


def _python(chance: random.Random, pod: Pod, at: datetime) -> Line:
    failed = chance.randrange(40) == 0
    line = {
        "timestamp": _iso(at),
        "level": "ERROR" if failed else "INFO",
        "logger": f"{pod.service}.api",
        "message": "authorisation failed" if failed else chance.choice(("authorised", "captured", "refunded")),
        "order": f"O-{chance.randrange(10**6)}",
        "amount": chance.randrange(1, 3_000) * 100,
        "trace_id": _hex(chance, 128),
    }
    trace = {"exception": _TRACEBACK.format(chance.randrange(300), chance.randrange(300))} if failed else {}
    return Line("stdout", _json(line | trace))


def _node(chance: random.Random, pod: Pod, at: datetime) -> Line:
    url = chance.choice(_PLACES).format(chance.randrange(10**6))
    line = {
        "level": "info",
        "time": _iso(at),
        "pid": 1,
        "hostname": pod.name,
        "req": {"id": _uuid(chance), "method": "GET", "url": url, "remoteAddress": f"10.20.3.{chance.randrange(256)}"},
        "res": {"statusCode": chance.choice(_STATUSES)},
        "responseTime": chance.randrange(400),
        "msg": "request completed",
    }
    return Line("stdout", _json(line))


SERVICES: Mapping[str, Write] = {
    "gateway": _access,
    "storefront": _access,
    "images": _access,
    "checkout": _java,
    "orders": _java,
    "stock": _java,
    "search": _go,
    "payments": _python,
    "cart": _node,
    "mailer": _node,
}


def _daemonset(pod: Pod, line: Line) -> list[dict[str, Any]]:
    """The records of this project's manifest: a stack trace arrives whole, the metadata is what people filter by."""
    return [{"stream": line.stream, "message": line.text, "kubernetes": _names(pod)}]


def _classic(pod: Pod, line: Line) -> list[dict[str, Any]]:
    """The records of the manifest of Container Insights: all metadata, and an event ends at each line that is not
    indented, its own lines joined with nothing between.

    Its label `app` is left out: beside `app.kubernetes.io/name` no document would fit a dynamic mapping.
    """
    image = f"123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/shop/{pod.service}"
    kubernetes = _names(pod) | {
        "container_image": f"{image}:4.12.5",
        "container_image_id": f"{image}@sha256:{hashlib.sha256(image.encode()).hexdigest()}",
        "pod_id": _uuid(random.Random(pod.name)),
        "labels": {
            "app.kubernetes.io/name": pod.service,
            "app.kubernetes.io/part-of": "webshop",
            "pod-template-hash": pod.name.split("-")[1],
        },
        "master_url": "https://172.20.0.1:443/api",
        "namespace_id": "7b1c2f0e-5d0a-4a4e-9a53-0c3f6f1d2a90",
        "namespace_labels": {"kubernetes.io/metadata.name": "shop", "team": "commerce"},
    }
    around = {"docker": {"container_id": pod.container_id}, "kubernetes": kubernetes}
    pieces = [piece.replace("\n", "") for piece in re.split(r"\n(?=\S)", line.text)]
    return [{"stream": line.stream, "logtag": "F", "log": piece, **around} for piece in pieces]


MANIFESTS: Mapping[str, Callable[[Pod, Line], list[dict[str, Any]]]] = {"daemonset": _daemonset, "classic": _classic}


def payloads(manifest: str, events: int) -> Iterator[dict[str, Any]]:
    """Decoded payloads of at least so many events in all, from one pod after the other and so round again."""
    chance = random.Random(0)
    pods = [Pod.of(service, number) for number in range(PODS_OF_A_SERVICE) for service in SERVICES]
    made, turn = 0, 0
    while made < events:
        pod = pods[turn % len(pods)]
        since_ms = FIRST_MS + turn // len(pods) * EVENTS_OF_A_PAYLOAD * _GAP_MS
        payload = _payload(manifest, pod, since_ms, chance)
        yield payload
        made += len(payload["logEvents"])
        turn += 1


def _payload(manifest: str, pod: Pod, since_ms: int, chance: random.Random) -> dict[str, Any]:
    batch = chance.getrandbits(128)
    logged: list[tuple[int, dict[str, Any]]] = []
    moments = sorted(chance.randrange(EVENTS_OF_A_PAYLOAD * _GAP_MS) for _ in range(EVENTS_OF_A_PAYLOAD))
    for ms in (since_ms + moment for moment in moments):
        line = SERVICES[pod.service](chance, pod, datetime.fromtimestamp(ms / 1000, UTC))
        logged += [(ms, record) for record in MANIFESTS[manifest](pod, line)]
    return {
        "messageType": "DATA_MESSAGE",
        "owner": "123456789012",
        "logGroup": "/aws/containerinsights/shop/application",
        "logStream": f"{pod.name}_shop_{pod.service}-{pod.container_id}.log",
        "subscriptionFilters": ["all"],
        "logEvents": [
            {"id": event_id(ms, batch, number), "timestamp": ms, "message": _json(record)}
            for number, (ms, record) in enumerate(logged)
        ],
    }


def event_id(ms: int, batch: int, number: int) -> str:
    """An id built as those of CloudWatch Logs are: the event's time, 128 bits of its batch, its number there.

    So read from the examples of
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html; ids that only count up would
    take less room than real ones.
    """
    return f"{(ms << 144) + (batch << 16) + number:056d}"


def _names(pod: Pod) -> dict[str, Any]:
    return {
        "container_name": pod.service,
        "namespace_name": "shop",
        "pod_name": pod.name,
        "pod_ip": pod.ip,
        "host": pod.host,
    }


def _hex(chance: random.Random, bits: int) -> str:
    return f"{chance.getrandbits(bits):0{bits // 4}x}"


def _uuid(chance: random.Random) -> str:
    digits = _hex(chance, 128)
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
