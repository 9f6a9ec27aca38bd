"""The rows hold to their examples, to whole traces, and to the lines that they must leave alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain, permutations, product
from pathlib import Path

import pytest

from shipper.model import LogEvent, Record
from shipper.multiline import grammar_for, join
from shipper.presets import HEAD, ORPHAN, ROWS, Row
from shipper.presets.grammar import Languages
from shipper.settings import Settings
from tests.growth import assert_costs_as_much, assert_grows_with_size

LANGUAGES = Languages(ROWS)
NAMED = [f"{number} {row.to}: {row.example[:40]}" for number, row in enumerate(ROWS)]


def records_of(lines: Sequence[str], stream: str = "") -> list[Record]:
    return [Record(LogEvent(line, 0, line), {}, line, line, stream=stream, event_ids=[line]) for line in lines]


def joined(*lines: str) -> list[str]:
    return [record.text for record in join(records_of(lines), grammar_for("any", ()), Settings())]


@pytest.mark.parametrize("row", ROWS, ids=NAMED)
def test_a_row_matches_its_example_and_comes_first_for_it(row: Row) -> None:
    assert re.match(row.pattern, row.example)
    for state in row.states:
        after = LANGUAGES.begin(row.example)[0] if state in (HEAD, ORPHAN) else LANGUAGES.follow(state, row.example)
        assert after == row.to


def test_a_pattern_has_no_groups_of_its_own() -> None:
    assert [row.pattern for row in ROWS if re.compile(row.pattern).groups] == []


@pytest.mark.parametrize("row", [row for row in ROWS if row.first], ids=lambda row: f"{row.to}: {row.example[:40]}")
def test_what_a_row_matches_begins_as_it_says(row: Row) -> None:
    assert {other.example[0] for other in ROWS if re.match(row.pattern, other.example or "-")} <= set(row.first)


def test_no_second_line_of_a_record_begins_as_one_that_stands_alone() -> None:
    followers = {row.example for row in ROWS if set(row.states) - {HEAD}}
    assert {example for example in followers if example[:1] in LANGUAGES.solitary} == set()


def test_only_rows_for_blank_lines_have_no_example() -> None:
    assert {row.pattern for row in ROWS if not row.example} == {r"\s*$"}


def test_every_state_is_reached() -> None:
    reached = {HEAD, ORPHAN}
    while more := {row.to for row in ROWS if reached & set(row.states)} - reached:
        reached |= more
    assert reached == {HEAD, ORPHAN} | {state for row in ROWS for state in (*row.states, row.to)}


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


@pytest.mark.parametrize("line", ["com.shop.ErrorController: GET /error", "com.shop.ExceptionFilter: ready"])
def test_a_loggers_name_is_no_exception(line: str) -> None:
    assert joined(ERROR_LINE, line) == [ERROR_LINE, line]


@pytest.mark.parametrize("lines", BEFORE.values(), ids=BEFORE)
def test_a_trace_is_one_record(lines: tuple[str, ...]) -> None:
    assert joined(*lines) == ["\n".join(lines)]


TRACES = {
    file.stem: file.read_text("utf-8").removesuffix("\n").split("\n")
    for file in sorted((Path(__file__).parent / "samples" / "traces").iterdir())
}
AROUND = ("2026-11-20 03:04:01 INFO before", "a plain line")

# Formats that say how far their text is indented, so that a line that is indented as far belongs to it.
INDENTED = {"dotnet-console": " " * 6, "python-announced-message": " "}

# What may as well be the rest of the one above: a cause in Ruby, a further stack in Go, a message's line above frames.
RESTS = {
    "ruby": {"ruby-cause", "ruby-highlight"},
    "go": {"go-stack-printed"},
    "dotnet": {"node-class-of-any-name"},
}


@pytest.mark.parametrize("lines", TRACES.values(), ids=TRACES)
def test_a_trace_line_by_line_is_one_record(lines: list[str]) -> None:
    assert joined(*AROUND, *lines, *AROUND) == [*AROUND, "\n".join(lines), *AROUND]


@pytest.mark.parametrize("lines", TRACES.values(), ids=TRACES)
def test_a_trace_is_one_record_wherever_it_was_cut(lines: list[str]) -> None:
    whole = "\n".join(lines)
    for cut in range(1, len(lines)):
        if lines[1:cut] == [""]:
            continue  # a newline at the end of one line is no blank line
        assert joined(AROUND[1], "\n".join(lines[:cut]), "\n".join(lines[cut:]), AROUND[1])[1:-1] == [whole], cut


@pytest.mark.parametrize("lines", TRACES.values(), ids=TRACES)
def test_two_streams_do_not_disturb_each_other(lines: list[str]) -> None:
    pairs = zip(records_of(lines, "stderr"), records_of(["a plain line"] * len(lines), "stdout"), strict=True)
    records = join(chain(*pairs), LANGUAGES, Settings())
    assert [record.text for record in records if record.stream == "stderr"] == ["\n".join(lines)]
    assert len(records) == 1 + len(lines)


@pytest.mark.parametrize("first", TRACES)
def test_two_traces_are_two(first: str) -> None:
    after = [name for name in TRACES if joined(*TRACES[first], *TRACES[name])[1:] != ["\n".join(TRACES[name])]]
    assert set(after) <= RESTS.get(first.partition("-")[0], set())


@pytest.mark.parametrize("name", TRACES)
def test_an_ordinary_line_below_a_trace_stays_its_own_record(name: str) -> None:
    trace = "\n".join(TRACES[name])
    taken = {line for line in ORDINARY if joined(*TRACES[name], line) != [trace, line]}
    assert all(
        name in INDENTED and line.startswith(INDENTED[name]) for line in taken - {"\tat home", "\t... more to come"}
    )


@pytest.mark.parametrize("name", TRACES)
def test_a_line_with_a_time_inside_a_trace_stays_its_own_record(name: str) -> None:
    lines = TRACES[name]
    for cut in range(1, len(lines)):
        if not name.startswith("table"):  # there it could as well be the line above it
            assert AROUND[0] in joined(*lines[:cut], AROUND[0], *lines[cut:]), cut


def test_ordinary_lines_in_any_order_stay_alone() -> None:
    # A row between two borders is a table.
    for before, line in permutations([line for line in ORDINARY if line[:1] != "|"], 2):
        assert joined(before, line, before) == [before, line, before]


HEADLESS: dict[str, str] = {
    "java: a frame": "\tat com.shop.Stock.take(Stock.java:41)",
    "java: a cause": "Caused by: java.net.SocketTimeoutException: Read timed out",
    "java: the frames left out": "\t... 23 more",
    "python: a frame": '  File "/app/main.py", line 12, in handler',
    "python: a member of a group": "  +-+---------------- 1 ----------------",
    "go: a place": "\t/src/cache/lru.go:28 +0x6d",
    "go: the origin": "created by net/http.(*Server).Serve in goroutine 1",
    "node: a frame": "    at async /app/dist/server.js:58:16 {",
    "dotnet: an inner exception": " ---> System.TimeoutException: rate feed is down",
    "dotnet: its end": "   --- End of inner exception stack trace ---",
    "ruby: a frame": "\tfrom /app/main.rb:3:in `block in <main>'",
    "php: a frame": "#0 /app/index.php(3): load(42)",
    "php: the end": "  thrown in /app/Order.php on line 12",
}


@pytest.mark.parametrize("line", HEADLESS.values(), ids=HEADLESS)
def test_what_must_have_a_head_is_marked_where_it_has_none(line: str) -> None:
    for before in ([], ["a plain line"], [JAVA_TRACE[0], AROUND[0]]):
        record = join(records_of([*before, line]), LANGUAGES, Settings())[-1]
        assert (record.text, record.headless) == (line, True)


@pytest.mark.parametrize("line", [line for line in ORDINARY if line.strip()])
def test_an_ordinary_line_is_not_marked(line: str) -> None:
    assert not join(records_of([line]), LANGUAGES, Settings())[0].headless


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
    def joined(some: str) -> None:
        for lines in ((ERROR_LINE, some, some), (*PYTHON_TRACE[:2], some)):
            join(records_of(lines), LANGUAGES, Settings())

    assert_costs_as_much(joined, line, "an ordinary line " * (len(line) // 17))


SHAPES = (
    *" \tA1.:/({[}'\"`^=|#…",
    *("a.", "a/", ":1", "a: ", "at ", "(A", "[a", "{  a", " {", "Error", "x=1 ", "a::", "_", "1-11", "1:11:11 ", "(a "),
    *("\tat a.b(", ":1:in `", "ERROR"),
)


@pytest.mark.parametrize("pattern", dict.fromkeys(row.pattern for row in ROWS))
def test_no_line_makes_a_pattern_run_away(pattern: str) -> None:
    match = re.compile(pattern).match
    example = next(row.example for row in ROWS if row.pattern == pattern)
    for cut, shape in product({0, len(example) // 3, len(example) // 2, len(example)}, SHAPES):
        assert_grows_with_size(lambda line: match(line + "!"), (example[:cut] + shape * 16_384)[:16_384])
