"""The rules that join lines: on what a real Fluentd sent, and language by language."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from tests.k8s.conf import files, read
from tests.k8s.joins import join, regexp, rules

RULES = list(rules(read(files())))
TIMED_OUT = "14-slow-writer"
SAMPLES = [
    path
    for path in sorted((Path(__file__).resolve().parents[1] / "shipper" / "samples").glob("*/recommended.jsonl*"))
    if path.parent.name != TIMED_OUT
]

CHAIN = "During handling of the above exception, another exception occurred:"
ERROR = "2026-11-20 03:04:06.424 ERROR [checkout,5f2c1a9be07d4431] 1 --- [nio-8080-exec-3] c.s.Cart : order failed"
HEAD = "Traceback (most recent call last):"

ONE_EVENT: dict[str, list[str]] = {
    "java trace with causes": [
        "java.lang.IllegalStateException: cart is gone",
        "\tat com.shop.checkout.CartController.load(CartController.java:42) ~[classes!/:4.12.0]",
        "Caused by: java.sql.SQLException: closed",
        "\tat org.pg.Connection.query(Connection.java:7)",
        "\t... 23 more",
    ],
    "java error line and the trace below": [
        ERROR,
        "java.lang.IllegalStateException: cart is gone",
        "\tat com.shop.checkout.CartController.load(CartController.java:42)",
    ],
    "python traceback": [HEAD, '  File "/app/main.py", line 12, in handler', "    load(42)", "ValueError: no order"],
    "python chained tracebacks": [
        HEAD,
        '  File "/app/main.py", line 12, in handler',
        "KeyError: 42",
        "",
        CHAIN,
        "",
        HEAD,
        '  File "/app/main.py", line 14, in handler',
        "shop.errors.NoOrder: 42",
    ],
    "go panic": [
        "panic: runtime error: invalid memory address or nil pointer dereference",
        "[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x6a2b1c]",
        "",
        "goroutine 1 [running]:",
        "main.main()",
        "\t/src/cmd/inventory/main.go:31 +0x1d",
        "exit status 2",
    ],
    "node error with properties": [
        "Error: connect ECONNREFUSED 10.20.0.7:5432",
        "    at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1611:16) {",
        "  errno: -111,",
        "  code: 'ECONNREFUSED'",
        "}",
    ],
    ".net console record with an inner exception": [
        "fail: Shop.Pricing.PriceService[0]",
        "      price failed",
        "      System.InvalidOperationException: no price",
        "       ---> System.TimeoutException: too late",
        "         at Shop.Pricing.Db.Load() in /src/Db.cs:line 17",
        "         --- End of inner exception stack trace ---",
    ],
    "php fatal error": [
        "PHP Fatal error:  Uncaught Exception: no stock in /app/a.php:3",
        "Stack trace:",
        "#0 {main}",
        "  thrown in /app/a.php on line 3",
    ],
    "ruby error": [
        "app.rb:3:in `load': no order (RuntimeError)",
        "\tfrom app.rb:9:in `<main>'",
    ],
}
OF_THEIR_OWN: dict[str, list[str]] = {
    "plain lines": ["one", "two", "three"],
    "indented text below a plain line": ["GET /orders 404", "  a table", "    of prices"],
    "json lines": ['{"level":"info","msg":"a"}', '{"level":"error","msg":"b"}'],
    "a sentence that begins like a cause": ["ERROR order 42 failed", "Caused by: a customer who left"],
    "a sentence that begins with at": ["ERROR order 42 failed", "  at noon"],
    "the log line after a traceback's frames": [HEAD, "ERROR: the worker was killed"],
    "two error lines": [ERROR, ERROR],
    "goroutines that wait": ["goroutine 7 [select]:", "goroutine 8 [IO wait]:"],
    "blank lines below json": ['{"level":"info"}', "", ""],
}


@pytest.mark.parametrize("lines", ONE_EVENT.values(), ids=ONE_EVENT.keys())
def test_lines_that_belong_together_are_joined(lines: list[str]) -> None:
    assert join(RULES, ["GET /before 200", *lines, "GET /after 200"]) == [
        "GET /before 200",
        "\n".join(lines),
        "GET /after 200",
    ]


@pytest.mark.parametrize("lines", OF_THEIR_OWN.values(), ids=OF_THEIR_OWN.keys())
def test_lines_that_only_look_alike_are_not(lines: list[str]) -> None:
    assert join(RULES, lines) == lines


def test_a_warning_does_not_take_the_trace_below_it() -> None:
    warning = ERROR.replace("ERROR", " WARN")
    trace = ["java.lang.IllegalStateException: cart is gone", "\tat com.shop.Cart.load(Cart.java:42)"]
    assert join(RULES, [warning, *trace]) == [warning, "\n".join(trace)]


def _texts(sample: Path) -> dict[tuple[str, str], list[str]]:
    """The texts of a sample's events in order, by container and stream; the output drops a text that is empty."""
    data = sample.read_bytes()
    lines = (gzip.decompress(data) if sample.suffix == ".gz" else data).decode().strip("\n").split("\n")
    texts: dict[tuple[str, str], list[str]] = {}
    for event in map(json.loads, lines):
        record = json.loads(event["message"])
        texts.setdefault((event["stream"], record.get("stream", "journal")), []).append(record.get("message", ""))
    return {key: value for key, value in texts.items() if key[1] != "journal"}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.parent.name)
def test_the_lines_of_a_real_run_are_joined_as_they_were_then(sample: Path) -> None:
    for sent in _texts(sample).values():
        assert join(RULES, [line for text in sent for line in text.split("\n")]) == sent


def test_there_are_samples() -> None:
    assert len(SAMPLES) >= 5


def test_the_steps_come_in_this_order() -> None:
    """A later step joins what an earlier one made: frames below a traceback, a log line and its trace."""
    order = ["@formats", "@py_intro", "@py_trace", "@py_chain", "@frames", "@node", "@logger"]
    assert [rule.label for rule in RULES] == order


def test_a_regexp_that_a_comment_cuts_is_found() -> None:
    texts = {"fluent.conf": "<filter **>\n  multiline_start_regexp /a #b/\n</filter>"}
    literal = read(texts).only("filter").parameters["multiline_start_regexp"]
    with pytest.raises(ValueError, match="no regexp: /a"):
        regexp(literal)
