"""Joining: what belongs together becomes one record, nothing else does, and no text is lost, cut or invented."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Sequence
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper.model import LogEvent, Record
from shipper.multiline import grammar_for, join
from shipper.settings import MultilineRule, Settings
from tests.growth import assert_grows_with_size
from tests.shipper.fakes import NOW_MS, patient

STANDARD = Settings()
ERROR = "2026-11-20 03:04:07.287 ERROR [checkout,,] 1 --- [main] c.s.CheckoutService : checkout failed"
TRACEBACK = "Traceback (most recent call last):"
FILE = '  File "/app/main.py", line 12, in handler'
DURING = "During handling of the above exception, another exception occurred:"
CAUSE = "The above exception was the direct cause of the following exception:"
THROWN = "java.lang.IllegalStateException: no stock"
FRAME = "\tat com.shop.Stock.take(Stock.java:41)"
CAUSED = "Caused by: java.net.SocketTimeoutException: Read timed out"

Line = str | tuple[str, str] | tuple[str, str, str]
"""A line on stdout, or (stream, line), or (stream, line, logtag)."""


def records_of(lines: Sequence[Line], times: Sequence[Any] | None = None) -> list[Record]:
    records = []
    for number, line in enumerate(lines):
        stream, text, *logtag = ("stdout", line) if isinstance(line, str) else line
        fields = {"log": text, "stream": stream}
        event = LogEvent(str(number), NOW_MS + number if times is None else times[number], json.dumps(fields))
        partial = logtag == ["P"]
        records.append(Record(event, fields, text, event.message, "log", stream, partial, event_ids=[event.id]))
    return records


def joined(
    lines: Sequence[Line],
    settings: Settings = STANDARD,
    *,
    rules: Sequence[MultilineRule] = (),
    times: Sequence[Any] | None = None,
) -> list[Record]:
    return join(records_of(lines, times), grammar_for("/aws/shop", rules), settings)


def texts(records: Sequence[Record]) -> list[str]:
    return [record.text for record in records]


# The lines as they arrive, and how many events each record of the result is made of.
CASES: dict[str, tuple[list[Line], list[int]]] = {
    "nothing": ([], []),
    "plain lines": (["a", "b", "c"], [1, 1, 1]),
    "java: frames": ([THROWN, FRAME, FRAME, "a"], [3, 1]),
    "java: caused by": ([THROWN, FRAME, CAUSED, FRAME, "\t... 23 more", "a"], [5, 1]),
    "java: suppressed, and its cause": (
        [THROWN, FRAME, "\tSuppressed: java.io.IOException: x", "\t" + FRAME, "\t" + CAUSED, "\t\t... 2 more"],
        [6],
    ),
    "java: a circular reference": ([THROWN, FRAME, "\t[CIRCULAR REFERENCE: java.lang.Error: a]"], [3]),
    "java: caused by without its head": (["a", CAUSED, FRAME], [1, 2]),
    "java: frames without their head": (["a", FRAME, FRAME], [1, 2]),
    "java: two exceptions": ([THROWN, FRAME, THROWN, FRAME], [2, 2]),
    "java: main's last words": (['Exception in thread "main" java.lang.Error: boom', FRAME], [2]),
    "java: the error's line takes its trace": ([ERROR, THROWN, FRAME, CAUSED], [4]),
    "java: a blank line between them": ([ERROR, "", THROWN, FRAME], [4]),
    "java: and only one trace": ([ERROR, THROWN, FRAME, THROWN, FRAME], [3, 2]),
    "java: a warning does not": ([ERROR.replace("ERROR", " WARN"), THROWN, FRAME], [1, 2]),
    "java: arrives partly joined": ([f"{THROWN}\n{FRAME}", f"{CAUSED}\n{FRAME}", FRAME, "a"], [3, 1]),
    "java: what was joined before ends in another line": ([f"{THROWN}\n{FRAME}\nwell", FRAME], [1, 1]),
    "java: a trace within an event of several lines": ([f"a\n{THROWN}", FRAME, "a"], [2, 1]),
    "java: and within one that goes on": ([THROWN, f"{FRAME}\na\n{THROWN}", FRAME, "a"], [3, 1]),
    "java: a message of several lines": ([THROWN, "well", "", "  then", FRAME, "a"], [5, 1]),
    "java: what looked like a message": ([THROWN, "well", "b", ERROR, FRAME], [1, 1, 1, 2]),
    "java: the last words of a payload": ([THROWN, "well"], [1, 1]),
    "java: a trace below what looked like a message": ([THROWN, "well", THROWN, FRAME], [1, 1, 2]),
    "java: a blank line after a trace": ([THROWN, FRAME, "", "a"], [2, 1, 1]),
    "python: a blank line after a trace": ([TRACEBACK, FILE, "E: 1", "", "", "a"], [3, 1, 1, 1]),
    "python: notes before the chaining sentence": (
        [TRACEBACK, FILE, "E: 1", "a note", "", DURING, "", TRACEBACK, FILE, "E: 2"],
        [10],
    ),
    "python: a trace": ([TRACEBACK, FILE, "    x = 1", "ValueError: no order", "a"], [4, 1]),
    "python: an exception without a message": ([TRACEBACK, FILE, "KeyboardInterrupt", "a"], [3, 1]),
    "python: an exception of a package": ([TRACEBACK, FILE, "shop.errors.Sold: out of stock", "a"], [3, 1]),
    "python: the last line arrives alone": ([f"{TRACEBACK}\n{FILE}", "ValueError: no order", "a"], [2, 1]),
    "python: during handling": ([TRACEBACK, FILE, "KeyError: 1", "", DURING, "", TRACEBACK, FILE, "E: 2", "a"], [9, 1]),
    "python: direct cause": ([TRACEBACK, FILE, "KeyError: 1", "", CAUSE, "", TRACEBACK, FILE, "E: 2", "a"], [9, 1]),
    "python: two traces are two": ([TRACEBACK, FILE, "KeyError: 1", TRACEBACK, FILE, "E: 2"], [3, 3]),
    "python: the chaining sentence alone": (["a", DURING, TRACEBACK, FILE], [1, 1, 2]),
    "python: a logger's line is no exception": ([TRACEBACK, FILE, "INFO: started"], [2, 1]),
    "streams: stdout and stderr interleaved": (
        [("stderr", THROWN), "a", ("stderr", FRAME), "b", ("stderr", CAUSED), "c"],
        [3, 1, 1, 1],
    ),
    "streams: a frame on the other stream": ([("stderr", THROWN), FRAME], [1, 1]),
    "cri: pieces": ([("stdout", "a", "P"), ("stdout", "b", "P"), ("stdout", "c", "F"), "d"], [3, 1]),
    "cri: the last piece has no tag": ([("stdout", "a", "P"), "b", "c"], [2, 1]),
    "cri: the other stream between": ([("stdout", "a", "P"), ("stderr", "x", "F"), ("stdout", "b", "F")], [2, 1]),
    "cri: both split at once": (
        [("stdout", "a", "P"), ("stderr", "x", "P"), ("stdout", "b", "F"), ("stderr", "y", "F")],
        [2, 2],
    ),
    "cri: the rest comes in the next payload": (["a", ("stdout", "b", "P")], [1, 1]),
    "cri: a head in pieces takes its frames": ([("stdout", THROWN[:9], "P"), THROWN[9:], FRAME, "a"], [3, 1]),
    "cri: a frame in pieces": ([THROWN, ("stdout", FRAME[:9], "P"), FRAME[9:], FRAME, "a"], [4, 1]),
    "cri: a piece that looks like a frame by itself": ([("stdout", "x", "P"), FRAME, FRAME], [2, 1]),
}


@pytest.mark.parametrize(("lines", "sizes"), CASES.values(), ids=CASES)
def test_lines_are_joined(lines: list[Line], sizes: list[int]) -> None:
    assert [len(record.event_ids) for record in joined(lines)] == sizes


def test_lines_join_with_a_newline_where_the_piece_has_none() -> None:
    assert texts(joined([THROWN, FRAME + "\n", CAUSED, FRAME])) == [f"{THROWN}\n{FRAME}\n{CAUSED}\n{FRAME}"]


def test_blank_lines_inside_a_record_stay() -> None:
    lines = [TRACEBACK, FILE, "KeyError", "", DURING, "", TRACEBACK]
    assert texts(joined(lines)) == ["\n".join(lines)]


def test_pieces_of_a_split_line_join_with_nothing_between() -> None:
    assert texts(joined([("stdout", "결", "P"), ("stdout", "제 ", "P"), "ok"])) == ["결제 ok"]


def test_a_joined_record_keeps_the_first_events_id_time_and_fields() -> None:
    (record,) = joined([THROWN, FRAME, CAUSED])
    assert (record.event.id, record.event.timestamp) == ("0", NOW_MS)
    assert record.event_ids == ["0", "1", "2"]
    assert record.fields == {"log": THROWN, "stream": "stdout"}
    assert record.raw.split("\n") == [each.raw for each in records_of([THROWN, FRAME, CAUSED])]


def test_other_line_separators_are_part_of_a_line() -> None:
    assert len(joined([f"hello\u2028{THROWN}\x85{THROWN}", FRAME])) == 2


def test_what_others_joined_ends_in_a_blank_line_where_no_piece_ends_in_a_newline() -> None:
    assert texts(joined([f"{THROWN}\n{FRAME}\n", CAUSED])) == [f"{THROWN}\n{FRAME}\n\n{CAUSED}"]
    assert texts(joined([f"{THROWN}\n{FRAME}\n", f"{CAUSED}\n"])) == [f"{THROWN}\n{FRAME}\n{CAUSED}\n"]


def test_a_blank_line_at_the_end_of_a_piece_stays() -> None:
    assert texts(joined(["a\n\n", " b"], rules=[CONTINUE])) == ["a\n\n\n b"]
    assert texts(joined(["a\n", " b"], rules=[CONTINUE])) == ["a\n b"]


HEADLESS: dict[str, tuple[list[Line], list[MultilineRule], list[bool]]] = {
    "a payload that begins inside a trace": ([FRAME, FRAME, CAUSED, "a"], [], [True, False]),
    "frames of which a line of the logger took the place": (
        [THROWN, ERROR.replace("ERROR", "INFO"), FRAME],
        [],
        [False, False, True],
    ),
    "each stream for itself": ([("stderr", THROWN), FRAME], [], [False, True]),
    "a whole trace": ([THROWN, FRAME], [], [False]),
    "start: lines before the first": (["a", "2026-1", "b"], [MultilineRule("*", start=r"^\d{4}-")], [True, False]),
    "continue: the first line goes on": ([" a", " b", "c"], [MultilineRule("*", continues=r"^\s")], [True, False]),
}


@pytest.mark.parametrize(("lines", "rules", "headless"), HEADLESS.values(), ids=HEADLESS)
def test_a_piece_whose_head_is_elsewhere_is_marked(
    lines: list[Line], rules: list[MultilineRule], headless: list[bool]
) -> None:
    assert [record.headless for record in joined(lines, rules=rules)] == headless


def test_a_part_that_goes_on_is_not_marked_again() -> None:
    records = joined([FRAME] * 5, Settings(max_join_lines=2))
    assert [(record.part, record.headless) for record in records] == [(1, True), (2, False), (3, False)]


BOUNDED: dict[str, tuple[dict[str, Any], list[int], list[int]]] = {
    "by lines": ({"max_join_lines": 2}, [2, 2, 1], [1, 2, 3]),
    "by bytes": ({"max_join_bytes": 3 * len(FRAME)}, [2, 2, 1], [1, 2, 3]),
    "not bounded": ({}, [5], [0]),
}


@pytest.mark.parametrize(("bounds", "sizes", "parts"), BOUNDED.values(), ids=BOUNDED)
def test_a_record_beyond_a_bound_goes_on_as_numbered_parts(
    bounds: dict[str, Any], sizes: list[int], parts: list[int]
) -> None:
    records = joined([FRAME] * 5, Settings(**bounds))
    assert [len(record.event_ids) for record in records] == sizes
    assert [record.part for record in records] == parts


def test_a_record_goes_on_after_a_bound_where_it_was() -> None:
    chained = [TRACEBACK, FILE, "KeyError: 1", "", DURING, "", TRACEBACK, FILE, "E: 2", "a"]
    records = joined(chained, Settings(max_join_lines=4))
    assert [(len(record.event_ids), record.part) for record in records] == [(4, 1), (4, 2), (1, 3), (1, 0)]


def test_lines_that_wait_for_proof_are_split_by_a_bound_too() -> None:
    message = [THROWN, "b", "c", "d", FRAME, "a"]
    records = joined(message, Settings(max_join_lines=3))
    assert [(len(record.event_ids), record.part) for record in records] == [(3, 1), (2, 2), (1, 0)]
    assert len(joined([THROWN, *["b"] * 200, FRAME])) == 202


def test_a_frame_of_three_parts_is_part_of_its_trace_to_the_last() -> None:
    pieces: list[Line] = [("stdout", text, "P") for text in (FRAME, "x", "1y", "z")]
    records = joined([THROWN, *pieces, "1w", FRAME], Settings(max_join_lines=2))
    assert [(len(record.event_ids), record.part) for record in records] == [(1, 1), (2, 2), (2, 3), (2, 4)]


@pytest.mark.parametrize(("lines", "joins"), [(100, True), (101, False)])
def test_only_so_many_lines_wait_for_proof(lines: int, joins: bool) -> None:
    assert len(joined([THROWN, *["b"] * lines, FRAME])) == (1 if joins else lines + 2)


def test_lines_beyond_a_bound_that_are_never_proven_stay_alone() -> None:
    records = joined([THROWN, "b", "c", "d"], Settings(max_join_lines=2))
    assert [(record.text, record.part) for record in records] == [(THROWN, 0), ("b", 0), ("c", 0), ("d", 0)]


def test_the_rest_of_a_split_line_begins_nothing() -> None:
    pieces: list[Line] = [("stdout", "a", "P"), ("stdout", "b", "P"), THROWN, FRAME]
    records = joined(pieces, Settings(max_join_lines=2))
    assert [(record.text, record.part, record.headless) for record in records] == [
        ("ab", 1, False),
        (THROWN, 2, False),
        (FRAME, 0, True),
    ]


@pytest.mark.parametrize("rest", ["y", "1y"])
def test_a_frame_too_long_for_a_bound_is_a_part_of_its_trace(rest: str) -> None:
    pieces: list[Line] = [THROWN, ("stdout", FRAME, "P"), ("stdout", "x", "P"), rest, FRAME]
    records = joined(pieces, Settings(max_join_lines=2))
    assert [(len(record.event_ids), record.part) for record in records] == [(1, 1), (2, 2), (2, 3)]


def test_a_split_line_beyond_a_bound_is_numbered_too() -> None:
    pieces: list[Line] = [("stdout", "a", "P")] * 3
    records = joined([*pieces, "b", "c"], Settings(max_join_lines=2))
    assert [(record.text, record.part) for record in records] == [("aa", 1), ("ab", 2), ("c", 0)]


def test_every_part_of_a_split_line_has_its_number() -> None:
    records = joined([*(("stdout", text, "P") for text in "abcd"), "e"], Settings(max_join_lines=2))
    assert [(record.text, record.part) for record in records] == [("ab", 1), ("cd", 2), ("e", 3)]


def test_a_part_of_a_split_line_proves_nothing() -> None:
    lines: list[Line] = [THROWN, ("stdout", "b", "P"), "c"]
    records = joined(lines, times=[NOW_MS, NOW_MS, NOW_MS + 60_001])
    assert [(record.text, record.part) for record in records] == [(THROWN, 0), ("b", 1), ("c", 2)]


def test_a_part_stays_a_part_where_the_clock_went_back_and_it_would_fit() -> None:
    lines: list[Line] = [THROWN, ("stdout", FRAME, "P"), ("stdout", "x", "P"), "y", FRAME]
    records = joined(lines, times=[NOW_MS, NOW_MS, NOW_MS - 50_000, NOW_MS + 20_000, NOW_MS + 20_000])
    assert [(len(record.event_ids), record.part) for record in records] == [(3, 1), (2, 2)]


OPEN: dict[str, tuple[list[Line], list[int]]] = {
    "one piece": (["a", ("stdout", "b", "P")], [0, 1]),
    "pieces": ([("stdout", "a", "P"), ("stdout", "b", "P")], [1]),
    "each stream by itself": ([("stdout", "a", "P"), ("stderr", "x", "P"), ("stdout", "b", "F")], [0, 1]),
    "the last line of a trace": ([THROWN, FRAME, ("stdout", FRAME, "P")], [1]),
    "the next payload's first": ([("stdout", "rest", "F"), "a"], [0, 0]),
}


@pytest.mark.parametrize(("lines", "parts"), OPEN.values(), ids=OPEN)
def test_a_line_that_goes_on_in_another_payload_is_marked_as_a_first_part(lines: list[Line], parts: list[int]) -> None:
    """Row 60."""
    assert [record.part for record in joined(lines)] == parts


def test_a_line_beyond_a_bound_that_goes_on_keeps_its_number() -> None:
    records = joined([("stdout", text, "P") for text in "abc"], Settings(max_join_lines=2))
    assert [(record.text, record.part) for record in records] == [("ab", 1), ("c", 2)]


def test_one_line_larger_than_a_bound_stays_whole() -> None:
    assert texts(joined([THROWN + "x" * 5_000, FRAME], Settings(max_join_bytes=1_024))) == [THROWN + "x" * 5_000, FRAME]


GAPS: dict[str, tuple[list[Any], list[int]]] = {
    "at the bound": ([NOW_MS, NOW_MS + 60_000, NOW_MS + 120_000], [0]),
    "beyond it": ([NOW_MS, NOW_MS + 60_001, NOW_MS + 60_002], [1, 2]),
    "backwards beyond it": ([NOW_MS, NOW_MS - 60_001, NOW_MS], [1, 2, 3]),
    "a time that is none": ([NOW_MS, "soon", None], [0]),
}


@pytest.mark.parametrize(("times", "parts"), GAPS.values(), ids=GAPS)
def test_events_of_one_record_are_not_far_apart(times: list[Any], parts: list[int]) -> None:
    assert [record.part for record in joined([THROWN, FRAME, CAUSED], times=times)] == parts


START = MultilineRule("*", start=r"^\d{4}-")
CONTINUE = MultilineRule("*", continues=r"^\s")
BOTH = MultilineRule("*", start=r"^\d{4}-", continues=r"^[\s\d]")
OTHER = MultilineRule("/other/*", start="^never")
EVERYTHING = MultilineRule("/aws/*", continues="")

OWN: dict[str, tuple[list[MultilineRule], list[Line], list[int]]] = {
    "start: all that follows": ([START], ["2026-1", "a", "  b", "", "2026-2", "c"], [4, 2]),
    "start: nothing before the first": ([START], ["a", "b", "2026-1", "c"], [1, 1, 2]),
    "start: the other stream is another record": ([START], ["2026-1", ("stderr", "x"), "a"], [2, 1]),
    "continue: onto any line": ([CONTINUE], ["a", " b", " c", "d", "e"], [3, 1, 1]),
    "continue: onto nothing": ([CONTINUE], [" a", " b"], [2]),
    "continue: the language tables are off": ([CONTINUE], [THROWN, FRAME, CAUSED], [2, 1]),
    "both: a start ends what goes on": ([BOTH], ["2026-1", " a", "7", "2026-2", " b"], [3, 2]),
    "both: what does neither is its own": ([BOTH], ["2026-1", "a", " b"], [1, 2]),
    "the first rule that fits wins": ([OTHER, START, CONTINUE], ["2026-1", "a"], [2]),
    "no rule fits": ([OTHER], [THROWN, FRAME, "a"], [2, 1]),
    "pieces of a split line come before any rule": ([START], [("stdout", "2026", "P"), "-1", "a"], [3]),
}


@pytest.mark.parametrize(("rules", "lines", "sizes"), OWN.values(), ids=OWN)
def test_a_users_rule_decides(rules: list[MultilineRule], lines: list[Line], sizes: list[int]) -> None:
    assert [len(record.event_ids) for record in joined(lines, rules=rules)] == sizes


pool = st.sampled_from(
    [
        ERROR,
        TRACEBACK,
        FILE,
        DURING,
        THROWN,
        FRAME,
        CAUSED,
        "ValueError: x",
        "\t... 2 more",
        "",
        "a",
        " b",
        "\n",
        f"{THROWN}\n{FRAME}\n",
        f"{TRACEBACK}\n{FILE}",
        "2026-1 x",
        "u\u2028v",
    ]
)
lines_of_two_streams = st.lists(
    st.tuples(st.sampled_from(["stdout", "stderr"]), pool | st.text(max_size=8), st.sampled_from("FFFFP")), max_size=25
)
some_settings = st.builds(
    Settings,
    max_join_lines=st.sampled_from([2, 3, 1_000]),
    max_join_bytes=st.sampled_from([60, 200, 524_288]),
    max_join_gap_ms=st.sampled_from([0, 1, 60_000]),
)
some_rules = st.sampled_from([(), (START,), (CONTINUE,), (BOTH,)])


def run_together(records: Sequence[Record], stream: str) -> str:
    return re.sub("\n", "", "".join(record.text for record in records if record.stream == stream))


@hypothesis.settings(patient, max_examples=300)
@given(lines_of_two_streams, some_settings, some_rules)
def test_joining_loses_and_invents_no_text_and_keeps_order(
    lines: list[tuple[str, str, str]], settings: Settings, rules: tuple[MultilineRule, ...]
) -> None:
    before = records_of(lines)
    after = joined(lines, settings, rules=rules)
    for stream in ("stdout", "stderr"):
        assert run_together(after, stream) == run_together(before, stream)
        ids = [id_ for record in after if record.stream == stream for id_ in record.event_ids]
        assert ids == [record.event.id for record in before if record.stream == stream]
    assert [record.event.id for record in after] == sorted((r.event.id for r in after), key=int)
    for record in after:
        assert record.event_ids[0] == record.event.id
        assert len(record.event_ids) <= settings.max_join_lines
        assert len(record.event_ids) == 1 or len(record.text.encode()) <= settings.max_join_bytes


@hypothesis.settings(patient, max_examples=200)
@given(lines_of_two_streams, some_settings, some_rules)
def test_what_is_joined_stays_as_it_is_when_joined_again(
    lines: list[tuple[str, str, str]], settings: Settings, rules: tuple[MultilineRule, ...]
) -> None:
    once = joined(lines, settings, rules=rules)
    seen = [(record.text, list(record.event_ids), record.part, record.headless) for record in once]
    twice = join(once, grammar_for("/aws/shop", rules), settings)
    assert [(record.text, record.event_ids, record.part, record.headless) for record in twice] == seen


HOSTILE: dict[str, list[str]] = {
    "continuations": [THROWN, *[FRAME] * 8_000],
    "continuations without a head": [FRAME] * 8_000,
    "what could be a message": [THROWN, *["well"] * 8_000],
    "heads": [THROWN] * 8_000,
    "heads and messages": [THROWN, *["a {"] * 50, *[" b"] * 49] * 80,
    "objects that never close": ["a {", *["  b"] * 99] * 80,
    "notes": [TRACEBACK, FILE, "E: 1", *["n"] * 97] * 80,
    "files": ["/app/x.js:1"] * 8_000,
}


@pytest.mark.parametrize("lines", HOSTILE.values(), ids=HOSTILE)
def test_time_grows_with_the_events_only(lines: list[str]) -> None:
    assert_grows_with_size(joined, lines)


def test_time_grows_with_the_lines_of_one_event_only() -> None:
    assert_grows_with_size(lambda lines: joined(["\n".join(lines)]), [THROWN, *[FRAME] * 8_000])


@hypothesis.settings(patient, max_examples=100)
@given(lines_of_two_streams, some_settings)
def test_parts_are_numbered_from_one_without_gaps(lines: list[tuple[str, str, str]], settings: Settings) -> None:
    for stream in ("stdout", "stderr"):
        parts = [record.part for record in joined(lines, settings) if record.stream == stream]
        for part, after in itertools.pairwise(parts):
            assert after in ({0, 1, part + 1} if part > 1 else {part + 1} if part == 1 else {0, 1})


@pytest.mark.parametrize(("less", "parts"), [(0, 1), (1, 2)])
def test_a_record_may_have_all_the_bytes_of_the_bound_and_not_one_more(less: int, parts: int) -> None:
    bound = len(f"{THROWN}\n{FRAME}".encode()) - less
    assert len(joined([THROWN, FRAME], STANDARD.with_values(max_join_bytes=bound))) == parts


def test_a_line_of_three_pieces_is_whole_again() -> None:
    (record,) = joined([("stdout", "a", "P"), ("stdout", "b", "P"), ("stdout", "c", "F")])
    assert (record.text, record.partial, record.part) == ("abc", False, 0)


@pytest.mark.parametrize(("chars", "sizes"), [(4_096, [2]), (4_097, [1, 1])])
def test_only_so_much_of_a_line_decides_and_where_it_is_cut_is_not_its_end(chars: int, sizes: list[int]) -> None:
    name = "Exception".rjust(chars, "x")
    assert [len(record.event_ids) for record in joined([name, FRAME])] == sizes


def test_a_coloured_line_does_not_end_where_it_is_cut_either() -> None:
    red = "\x1b[31m"
    assert len(joined([red + "Exception".rjust(4_096 - len(red), "x") + "y" * 100, FRAME])) == 2


def test_a_coloured_trace_joins() -> None:
    red, plain = "\x1b[31m", "\x1b[0m"
    (record,) = joined([f"{red}{THROWN}{plain}", f"{red}{FRAME}{plain}", f"{red}{CAUSED}{plain}"])
    assert len(record.event_ids) == 3


def test_what_is_proven_late_joins_wherever_it_stands_in_a_payload() -> None:
    assert len(joined([*["a"] * 200, ERROR, "", THROWN, FRAME])[-1].event_ids) == 4
