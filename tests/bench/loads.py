"""What the benchmark feeds: payloads as CloudWatch Logs sends them, the same for the same arguments."""

from __future__ import annotations

import base64
import gzip
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

FIRST_MS = 1_795_521_600_000
_KUBERNETES = {
    "container_name": "orders-api",
    "namespace_name": "shop",
    "pod_name": "orders-api-79b6d5f8c7-k2m4x",
    "pod_id": "4f0c2c5e-2f0a-4d9a-9a52-6f8e0b7f7f11",
    "host": "ip-10-20-16-77.ap-northeast-2.compute.internal",
    "labels": {"app": "orders-api", "app.kubernetes.io/name": "orders-api", "pod-template-hash": "79b6d5f8c7"},
}
_PATHS = ("/api/orders", "/api/orders/550192", "/api/cart", "/healthz", "/api/stock/77-120")
_FRAMES = (
    "\tat com.shop.orders.OrderService.load(OrderService.java:57)",
    "\tat java.base/java.util.stream.ReferencePipeline.collect(ReferencePipeline.java:682)",
    "\tat org.springframework.web.servlet.FrameworkServlet.service(FrameworkServlet.java:885)",
)


def _access(chance: random.Random) -> str:
    return (
        f"203.0.113.{chance.randrange(256)} - - [24/Nov/2026:12:00:{chance.randrange(60):02d} +0000] "
        f'"GET {chance.choice(_PATHS)} HTTP/1.1" {chance.choice((200, 200, 200, 404, 500))} {chance.randrange(9000)}'
    )


def _spring(chance: random.Random) -> str:
    trace = f"{chance.getrandbits(128):032x},{chance.getrandbits(64):016x}"
    return (
        f"2026-11-24 12:00:0{chance.randrange(10)}.{chance.randrange(1000):03d}  INFO [orders,{trace}] 1 --- "
        f"[nio-8080-exec-{chance.randrange(9)}] c.s.o.OrderService : order {chance.randrange(10**6)} loaded"
    )


def _json_line(chance: random.Random) -> str:
    line = {
        "level": chance.choice(("info", "warn", "debug")),
        "msg": "order placed",
        "order": chance.randrange(10**6),
        "duration_ms": round(chance.random() * 100, 2),
        "user": {"id": chance.randrange(10**4), "plan": "basic"},
    }
    return json.dumps(line)


def _record(text: str, stream: str = "stdout") -> str:
    return json.dumps({"stream": stream, "message": text, "kubernetes": _KUBERNETES})


def _fluentd(chance: random.Random) -> Iterator[str]:
    while True:
        yield _record(chance.choice((_access, _spring, _json_line))(chance))


def _plain(chance: random.Random) -> Iterator[str]:
    while True:
        yield chance.choice((_access, _spring))(chance)


def _java(chance: random.Random) -> Iterator[str]:
    """Half of the events are pieces of stack traces, each a record of its own."""
    while True:
        for _ in range(12):
            yield _record(_spring(chance))
        yield _record("java.lang.IllegalStateException: no stock for 77-120")
        for _ in range(5):
            yield _record(chance.choice(_FRAMES))
        yield _record("Caused by: java.net.SocketTimeoutException: Read timed out")
        for _ in range(4):
            yield _record(chance.choice(_FRAMES))
        yield _record("\t... 23 more")


LOADS: dict[str, Callable[[random.Random], Iterator[str]]] = {
    "fluentd": _fluentd,
    "plain": _plain,
    "java": _java,
    "extracted": _plain,
}
"""Fluentd's JSON records, plain text, a mix heavy of Java traces, lines with extracted fields."""


def payload(load: str, count: int, first: int = 0) -> dict[str, Any]:
    """A decoded payload of `count` events, numbered from `first` on."""
    chance = random.Random(f"{load} {count} {first}")
    lines = LOADS[load](chance)
    return _payload([_event(number, next(lines), load, chance) for number in range(first, first + count)])


def of_messages(messages: list[str]) -> dict[str, Any]:
    """A decoded payload of these messages."""
    return _payload([_event(number, message, "", random.Random(0)) for number, message in enumerate(messages)])


def lambda_event(decoded: dict[str, Any]) -> dict[str, Any]:
    """What Lambda is invoked with."""
    return {"awslogs": {"data": base64.b64encode(gzip.compress(json.dumps(decoded).encode(), 6)).decode()}}


def _payload(events: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "messageType": "DATA_MESSAGE",
        "owner": "123456789012",
        "logGroup": "/aws/containerinsights/shop/application",
        "logStream": "orders-api-79b6d5f8c7-k2m4x_shop_orders-api-0123456789abcdef.log",
        "subscriptionFilters": ["all"],
        "logEvents": events,
    }


def _event(number: int, message: str, load: str, chance: random.Random) -> dict[str, Any]:
    event = {"id": f"{38 * 10**54 + number:056d}", "timestamp": FIRST_MS + number, "message": message}
    if load == "extracted":
        status, size = str(chance.choice((200, 404))), str(chance.randrange(9000))
        event["extractedFields"] = {"ip": "203.0.113.9", "status": status, "bytes": size, "request": "GET /api/cart"}
    return event
