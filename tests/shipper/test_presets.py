"""The rows hold to their examples, and to the lines that they must leave alone."""

from __future__ import annotations

import re
import time

import pytest

from shipper.model import LogEvent, Record
from shipper.multiline import Languages, grammar_for, join
from shipper.presets import HEAD, ROWS, Row
from shipper.settings import Settings

LANGUAGES = Languages(ROWS)
NAMED = [f"{number} {row.to}: {row.example[:40]}" for number, row in enumerate(ROWS)]


def joined(*lines: str) -> list[str]:
    events = [LogEvent(str(number), 0, line) for number, line in enumerate(lines)]
    records = [Record(event, {}, event.message, event.message, event_ids=[event.id]) for event in events]
    return [record.text for record in join(records, grammar_for("any", ()), Settings())]


@pytest.mark.parametrize("row", ROWS, ids=NAMED)
def test_a_row_matches_its_example_and_comes_first_for_it(row: Row) -> None:
    assert re.match(row.pattern, row.example)
    for state in row.states:
        after = LANGUAGES.begin(row.example) if state == HEAD else LANGUAGES.follow(state, row.example)
        assert after == row.to


def test_only_rows_for_blank_lines_have_no_example() -> None:
    assert {row.pattern for row in ROWS if not row.example} == {r"\s*$"}


def test_every_state_is_reached_from_the_head() -> None:
    reached = {HEAD}
    while more := {row.to for row in ROWS if reached & set(row.states)} - reached:
        reached |= more
    assert reached == {HEAD} | {state for row in ROWS for state in (*row.states, row.to)}


ERROR_LINE = "2026-11-20 03:04:07.287 ERROR [checkout,,] 1 --- [nio-8080-exec-3] c.s.CheckoutService : checkout failed"
JAVA_TRACE = (
    "java.lang.IllegalStateException: no stock for 77-120",
    "\tat com.shop.Stock.take(Stock.java:41) ~[classes!/:4.12.0]",
    "Caused by: java.net.SocketTimeoutException: Read timed out",
    "\tat java.base/java.net.Socket.read(Socket.java:1)",
    "\t... 23 more",
)
PYTHON_TRACE = (
    "Traceback (most recent call last):",
    '  File "/app/main.py", line 12, in handler',
    "    raise ValueError(order)",
    "ValueError: no order 42",
)

BEFORE: dict[str, tuple[str, ...]] = {
    "a plain line": ("2026-11-20 03:04:07.287  INFO ready",),
    "an error's line": (ERROR_LINE,),
    "a Java trace": JAVA_TRACE,
    "a Java exception without frames": JAVA_TRACE[:1],
    "an error's line with its Java trace": (ERROR_LINE, *JAVA_TRACE),
    "a Python trace": PYTHON_TRACE,
    "an error's line with its Python trace": (ERROR_LINE, *PYTHON_TRACE),
    "two chained Python traces": (
        *PYTHON_TRACE,
        "",
        "During handling of the above exception, another exception occurred:",
        "",
        *PYTHON_TRACE,
    ),
}

ORDINARY = (
    '203.0.113.9 - - [20/Nov/2026:03:04:05 +0000] "GET /orders/404 HTTP/1.1" 404 12 "-" "curl/8.9"',
    '2026-11-20T03:04:05.300Z access 10.20.3.102 "GET /orders/O-550180 HTTP/1.1" 200 4ms',
    "2026/11/20 03:04:05 [error] 29#29: *1 connect() failed (111: Connection refused) while connecting",
    "2026-11-20 03:04:08.001  INFO [checkout,,] 1 --- [nio-8080-exec-4] c.shop.CartController : GET /carts",
    "2026-11-20 03:04:08.001  WARN 1 --- [main] c.shop.Cart : java.io.IOException: closed",
    'INFO:     10.0.0.1:4242 - "GET / HTTP/1.1" 200 OK',
    "WARNING: this is a development server",
    "ERROR: could not connect",
    "ERROR",
    "INFO ready",
    '{"level":"info","msg":"ready"}',
    '  {"level":"error","msg":"java.lang.Error: boom"}',
    "{",
    "}",
    "    replicas: 3",
    "  - name: checkout",
    "apiVersion: v1",
    "    SELECT id, total",
    "      FROM orders WHERE id = 42;",
    "at noon we met",
    "    at noon we met (three of us)",
    "\tat home",
    "- first item",
    "  * second item",
    "1. third item",
    "... 3 more items",
    "    ... and 3 more",
    "\t... more to come",
    "Caused by: a slow disk",
    "Caused by rain",
    "Suppressed: 3 warnings",
    "total: 4",
    "done",
    "OK.",
    "Goodbye, world: the end",
    "+----+-------+",
    "| id | total |",
    "----------",
    "The above exception was expected: see the manual",
    "Traceback: none",
    "c.shop.Cart : loaded",
    "com.shop.Cart: loaded",
    "http://shop.example.com/Error: not found",
    "[INFO] com.shop.Cart",
    "goroutine 1 [running]:",
    "\u001b[32mok\u001b[0m",
)


@pytest.mark.parametrize("line", ORDINARY)
@pytest.mark.parametrize("before", BEFORE.values(), ids=BEFORE)
def test_an_ordinary_line_stays_its_own_record(before: tuple[str, ...], line: str) -> None:
    assert joined(*before, line) == ["\n".join(before), line]


@pytest.mark.xfail(strict=True, reason="_JAVA_THROWN takes any class whose name has Error in it for a thrown one")
@pytest.mark.parametrize("line", ["com.shop.ErrorController: GET /error", "com.shop.ExceptionFilter: ready"])
def test_a_loggers_name_is_no_exception(line: str) -> None:
    assert joined(ERROR_LINE, line) == [ERROR_LINE, line]


@pytest.mark.parametrize("lines", BEFORE.values(), ids=BEFORE)
def test_a_trace_is_one_record(lines: tuple[str, ...]) -> None:
    assert joined(*lines) == ["\n".join(lines)]


HOSTILE = {
    "spaces": " " * 1_000_000,
    "letters": "a" * 1_000_000,
    "dots": "a." * 500_000,
    "frames without an end": "\tat " + "a/" * 500_000,
    "dotted frames without an end": "\tat " + "a." * 500_000,
    "a cause without an end": "Caused by: " + "a." * 500_000,
    "errors": "com." + "Error" * 200_000,
    "digits": "1-11" * 250_000,
    "colons": "a: " * 300_000,
}


@pytest.mark.parametrize("line", HOSTILE.values(), ids=HOSTILE)
def test_a_megabyte_on_one_line_costs_no_time(line: str) -> None:
    records = [Record(LogEvent("1", 0, ""), {}, text, "", event_ids=["1"]) for text in (ERROR_LINE, line, line)]
    traced = [Record(LogEvent("1", 0, ""), {}, text, "", event_ids=["1"]) for text in (*PYTHON_TRACE[:2], line)]
    before = time.process_time()
    join(records, LANGUAGES, Settings())
    join(traced, LANGUAGES, Settings())
    assert time.process_time() - before < 1
