from __future__ import annotations

import io
import json
from collections.abc import Callable

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from shipper import jsontext
from shipper.cli.terminal import (
    Failed,
    cell,
    combined,
    console,
    counted,
    escaped,
    print_json,
    progress_console,
    safe,
    shortened,
)
from tests.shipper.fakes import patient

HOSTILE = [
    pytest.param("plain text, ünïcode 日本", "plain text, ünïcode 日本", id="text"),
    pytest.param("a\nb\tc", "a\nb\tc", id="newline and tab"),
    pytest.param("\x1b[31mred\x1b[0m", "red", id="colour"),
    pytest.param("\x1b[2J\x1b[1;1Hgone", "gone", id="clear the screen"),
    pytest.param("\x1b]0;title\x07text", "text", id="set the title, ended by BEL"),
    pytest.param("\x1b]0;title\x1b\\text", "text", id="set the title, ended by ST"),
    pytest.param("\x1b]8;;http://evil\x1b\\click\x1b]8;;\x1b\\", "click", id="hyperlink"),
    pytest.param("\x1b]52;c;cm0gLXJm\x07", "", id="clipboard"),
    pytest.param("\x1bP+q544e\x1b\\text", "text", id="device control"),
    pytest.param("\x1b_app\x1b\\text", "text", id="application command"),
    pytest.param("\x1bMtext", "text", id="two characters"),
    pytest.param("a\rb", "a\ufffdb", id="carriage return, which overwrites"),
    pytest.param("a\bb\x00c\x7f", "a\ufffdb\ufffdc\ufffd", id="other controls"),
    pytest.param("\u009b31mred", "\ufffd31mred", id="8-bit control sequence"),
    pytest.param("\u202egnp.exe", "\ufffdgnp.exe", id="right to left"),
    pytest.param("a\u2028b\u200bc", "a\ufffdb\ufffdc", id="line separator and zero width"),
    pytest.param("\ud800", "\ufffd", id="lone surrogate"),
    pytest.param("\x1b", "\ufffd", id="escape alone"),
    pytest.param("\x1b[31", "\ufffd[31", id="escape cut short"),
    pytest.param("\x1b\x1b[31m[31mx", "\ufffd[31mx", id="escape inside an escape"),
]


@pytest.mark.parametrize(("text", "expected"), HOSTILE)
def test_what_could_steer_a_terminal_is_taken_out(text: str, expected: str) -> None:
    assert safe(text) == expected


controls = st.sampled_from([chr(code) for code in [*range(0x20), *range(0x7F, 0xA0), 0x202E, 0x2066, 0xFEFF]])
pieces = st.sampled_from(["\x1b[", "\x1b]", "\x1b\\", "31m", "0;", "\x07", "text", "[bold]"])


@patient
@given(st.lists(controls | pieces | st.characters()).map("".join))
def test_nothing_that_is_left_is_a_control(text: str) -> None:
    found = safe(text)
    assert all(char.isprintable() or char in "\n\t" for char in found)
    assert safe(found) == found


@patient
@given(st.text(st.characters(codec="ascii", min_codepoint=0x20, max_codepoint=0x7E)))
def test_printable_text_stays_as_it_is(text: str) -> None:
    assert safe(text) == text


ESCAPED = [
    pytest.param("a\u009b31m", r'"a\u009b31m"', id="8-bit control sequence"),
    pytest.param("a\x7f", r'"a\u007f"', id="delete"),
    pytest.param("\u202egnp", r'"\u202egnp"', id="right to left"),
    pytest.param("\u2067x\u2069", r'"\u2067x\u2069"', id="isolates"),
    pytest.param("\x1b[31m\n", r'"\u001b[31m\n"', id="what JSON escapes anyway"),
    pytest.param("ünïcode 日本 \u2028", '"ünïcode 日本 \u2028"', id="text"),
]


@pytest.mark.parametrize(("text", "expected"), ESCAPED)
def test_json_is_shown_without_controls_and_means_the_same(text: str, expected: str) -> None:
    assert escaped(jsontext.dumps(text)) == expected
    assert json.loads(expected) == text


@patient
@given(st.text(controls | st.characters(exclude_categories=["Cs"])))
def test_escaped_json_means_the_same(text: str) -> None:
    assert json.loads(escaped(jsontext.dumps({text: [text]}))) == {text: [text]}


@pytest.mark.parametrize("text", ["[bold]x[/bold]", "[/]", "[link=http://evil]x", ":smile:"])
def test_a_cell_is_never_read_as_markup(text: str) -> None:
    out = io.StringIO()
    Console(file=out, width=80).print(cell(text))
    assert out.getvalue().strip() == text


def test_a_cell_is_safe_and_takes_anything() -> None:
    assert cell("\x1b[31mx").plain == "x"
    assert cell(5).plain == "5"


def test_a_failure_is_one_safe_line_and_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    failed = Failed("no \x1b[31mway")
    failed.show()
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "cwl-shipper: no way\n")
    assert failed.exit_code == 1
    assert isinstance(failed, click.ClickException)


def test_a_failure_can_be_shown_elsewhere() -> None:
    out = io.StringIO()
    Failed("no").show(out)
    assert out.getvalue() == "cwl-shipper: no\n"


def test_output_and_progress_are_apart(capsys: pytest.CaptureFixture[str]) -> None:
    console().print("result")
    progress_console().print("progress")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("result\n", "progress\n")


@pytest.mark.parametrize("made", [console, progress_console])
def test_no_text_is_read_as_markup(made: Callable[[], Console], capsys: pytest.CaptureFixture[str]) -> None:
    made().print("[bold]text[/bold] [/x]")
    assert "".join(capsys.readouterr()) == "[bold]text[/bold] [/x]\n"


def test_json_is_printed_in_one_safe_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"a": ["\x9b\n"]})
    assert capsys.readouterr().out == '{"a":["\\u009b\\n"]}\n'


def test_combined_options_are_in_their_order() -> None:
    command = click.command()(combined(click.option("--first"), click.option("--second"))(lambda **_: None))
    assert [param.name for param in command.params] == ["first", "second"]


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 letters"), (1, "1 letter"), (2, "2 letters"), (120_000, "120,000 letters")]
)
def test_things_are_counted_in_words(count: int, words: str) -> None:
    assert counted(count, "letter") == words


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        pytest.param("abc", "abc", id="short"),
        pytest.param("x" * 1_000_000, "xxx\u2026 (1,000,000 characters)", id="long"),
        pytest.param({"a": [{"b": "xxxx"}, 1, None]}, {"a": [{"b": "xxx\u2026 (4 characters)"}, 1, None]}, id="inside"),
    ],
)
def test_long_texts_are_shortened_and_say_how_long_they_were(value: object, shown: object) -> None:
    assert shortened(value, 3) == shown
