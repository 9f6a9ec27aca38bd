from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from shipper import bulk
from shipper.cli.main import cli
from shipper.decode import decode_payload
from shipper.model import Payload
from shipper.pipeline import transform
from shipper.settings import Settings
from tests.shipper.fakes import NOW_MS, lambda_event, payload_of

CONTROL = {"messageType": "CONTROL_MESSAGE"}
POD_LINE = {"log": "GET /x 404", "stream": "stdout", "kubernetes": {"pod_id": "p", "labels": {"a.b/c": "d"}}}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("SHIPPER_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)


def ran(*args: str, stdin: str | bytes | None = None, **files: Any) -> Result:
    """`cwl-shipper transform` with these files, each a text or what becomes JSON."""
    for name, content in files.items():
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        Path(name).write_bytes(content.encode() if isinstance(content, str) else data)
    return CliRunner().invoke(cli, ["transform", *args], input=stdin)


def documents(result: Result) -> list[dict[str, Any]]:
    assert (result.exit_code, result.stderr) == (0, "")
    return [json.loads(line) for line in result.stdout.split("\n")[1::2]]


def messages(result: Result) -> list[str]:
    return [document["@message"] for document in documents(result)]


def lines_of(*values: Any) -> str:
    return "".join(json.dumps(value) + "\n" for value in values)


INPUTS = [
    pytest.param(lambda_event(payload_of("one", "two")), ["one", "two"], id="a Lambda event"),
    pytest.param(payload_of("one", "two"), ["one", "two"], id="a decoded payload"),
    pytest.param(json.dumps(payload_of("one"), indent=2), ["one"], id="a payload over many lines"),
    pytest.param(lines_of(payload_of("one"), payload_of("two")), ["one", "two"], id="JSON lines of payloads"),
    pytest.param(lines_of(lambda_event(payload_of("one")), payload_of("two")), ["one", "two"], id="JSON lines of both"),
    pytest.param("\n" + lines_of(payload_of("one")) + "\n\n" + lines_of(payload_of("two")), ["one", "two"], id="gaps"),
    pytest.param(payload_of("a\u2028b", "c\u0085d"), ["a\u2028b", "c\u0085d"], id="separators that are no newline"),
    pytest.param(
        "\n".join(json.dumps(payload_of(text), ensure_ascii=False) for text in ("a\u2028b", "c")),
        ["a\u2028b", "c"],
        id="separators in JSON lines",
    ),
    pytest.param(CONTROL, [], id="a control message"),
    pytest.param(lines_of(payload_of("one"), CONTROL), ["one"], id="a control message between payloads"),
]


@pytest.mark.parametrize(("content", "expected"), INPUTS)
@pytest.mark.parametrize("by_stdin", [False, True], ids=["file", "standard input"])
def test_every_form_of_input_is_read(content: Any, expected: list[str], by_stdin: bool) -> None:
    if by_stdin:
        text = content if isinstance(content, str) else json.dumps(content)
        assert messages(ran("-", stdin=text.encode())) == expected
    else:
        assert messages(ran("input", input=content)) == expected


def test_documents_come_in_the_order_of_the_files() -> None:
    result = ran("b", "-", "a", a=payload_of("from a"), b=payload_of("from b"), stdin=json.dumps(payload_of("between")))
    assert messages(result) == ["from b", "between", "from a"]


def test_the_output_is_the_bulk_body_that_would_be_sent() -> None:
    payload = decode_payload(payload_of("one", json.dumps(POD_LINE)))
    assert isinstance(payload, Payload)
    expected = bulk.encode(transform(payload, Settings(), NOW_MS).documents)
    result = ran("input", input=payload_of("one", json.dumps(POD_LINE)))
    assert result.stdout_bytes == expected
    assert json.loads(result.stdout.split("\n")[0]) == {"create": {"_index": "cwl-2026.11.24", "_id": "event-0"}}


def test_text_becomes_a_payload_of_its_lines() -> None:
    lines = "ERROR no\njava.lang.IllegalStateException: x\n\tat a.B.c(B.java:1)\nnext\n"
    result = ran("--text", "--log-group", "/g", "--log-stream", "s", "-", stdin=lines)
    found = documents(result)
    assert [document["@message"] for document in found][-1] == "next"
    assert "\n".join(document["@message"] for document in found) + "\n" == lines
    assert {(document["@log_group"], document["@log_stream"]) for document in found} == {("/g", "s")}
    assert found[0]["@id"] == "line-000001"


def test_text_that_is_not_utf8_is_mended() -> None:
    assert messages(ran("--text", "input", input=b"a\xffb\n")) == ["a\ufffdb"]


@pytest.mark.parametrize("where", ["option", "option with prefix", "environment"])
def test_a_setting_can_be_changed(monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    if where == "environment":
        monkeypatch.setenv("SHIPPER_STRIP", "stream")
    extra = {"option": ["--set", "strip=stream"], "option with prefix": ["--set", "SHIPPER_STRIP=stream"]}.get(
        where, []
    )
    (document,) = documents(ran(*extra, "input", input=payload_of(json.dumps(POD_LINE))))
    assert "stream" not in document
    assert document["kubernetes"]["pod_id"] == "p"


def test_a_profile_can_be_chosen_and_an_option_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIPPER_PROFILE", "standard")
    monkeypatch.setenv("SHIPPER_STRIP", "stream")
    (document,) = documents(
        ran("--profile", "incumbent", "--set", "strip=log", "input", input=payload_of(json.dumps(POD_LINE)))
    )
    assert document["@message"] == json.dumps(POD_LINE)
    assert "log" not in document
    assert document["stream"] == "stdout"


BAD_SETTINGS = [
    pytest.param(["--set", "join"], ["--set takes KEY=VALUE, not 'join'"], id="no value"),
    pytest.param(["--set", "colour=red"], ["colour: no such setting"], id="unknown"),
    pytest.param(
        ["--set", "join=maybe", "--set", "max_tries=many", "--set", "colour=red"],
        ["join: 'maybe'", "max_tries: 'many'", "colour: no such setting"],
        id="three that cannot be read",
    ),
    pytest.param(
        ["--set", "message=loud", "--set", "max_depth=99"], ["message: 'loud'", "max_depth: 99"], id="two out of range"
    ),
    pytest.param(["--profile", "nonsense"], ["'nonsense' is not one of"], id="unknown profile"),
    pytest.param(["--set", "profile=nonsense"], ["profile: 'nonsense'"], id="unknown profile as a setting"),
]


@pytest.mark.parametrize(("args", "named"), BAD_SETTINGS)
def test_bad_settings_are_wrong_usage_and_all_are_named(args: list[str], named: list[str]) -> None:
    result = ran(*args, "input", input=payload_of("x"))
    assert (result.exit_code, result.stdout) == (2, "")
    assert [text for text in named if text not in result.stderr] == []


def test_nothing_of_a_deployment_is_needed() -> None:
    assert messages(ran("input", input=payload_of("x"))) == ["x"]


UNREADABLE = [
    pytest.param("nowhere", {}, "nowhere: No such file or directory", id="no such file"),
    pytest.param("input", {"input": ""}, "input: not JSON", id="empty"),
    pytest.param("input", {"input": "hello"}, "input: not JSON", id="a line that is not JSON"),
    pytest.param("input", {"input": '{"a": NaN}'}, "input: not JSON", id="NaN"),
    pytest.param("input", {"input": "one\ntwo\n"}, "input:1: not JSON", id="lines that are not JSON"),
    pytest.param("input", {"input": b"\xff\xfe"}, "input: not JSON", id="no text"),
    pytest.param("input", {"input": json.dumps([[1], "a"], indent=1)[:-1]}, "input:1: not JSON", id="cut short"),
]


@pytest.mark.parametrize(("name", "files", "said"), UNREADABLE)
def test_an_unreadable_file_is_one_line_and_exit_code_1(name: str, files: dict[str, Any], said: str) -> None:
    result = ran(name, **files)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"cwl-shipper: {said}")
    assert result.stderr.count("\n") == 1


BAD_EVENTS = [{"awslogs": {"data": "%"}}, {"messageType": "NEWS"}, [], 5]


@pytest.mark.parametrize("bad", BAD_EVENTS)
def test_input_that_is_no_payload_is_said_and_the_rest_goes_on(bad: Any) -> None:
    result = ran("input", input=lines_of(payload_of("one"), bad, payload_of("two")))
    assert result.exit_code == 3
    assert [json.loads(line)["@message"] for line in result.stdout.split("\n")[1::2]] == ["one", "two"]
    assert result.stderr.startswith("cwl-shipper: input:2: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("bad", BAD_EVENTS)
def test_when_nothing_is_a_payload_it_has_failed(bad: Any) -> None:
    assert ran("input", input=bad).exit_code == 1
    assert ran("input", "other", input=bad, other=bad).exit_code == 1


@pytest.mark.parametrize(
    ("args", "files"),
    [
        pytest.param(
            ["input"], {"input": lines_of(payload_of("one")) + "{\n" + lines_of(payload_of("two"))}, id="line"
        ),
        pytest.param(["input"], {"input": "x\n{\n" + lines_of(payload_of("one"), payload_of("two"))}, id="first lines"),
        pytest.param(["a", "b", "c"], {"a": payload_of("one"), "b": "{", "c": payload_of("two")}, id="a file"),
        pytest.param(["a", "nowhere", "c"], {"a": payload_of("one"), "c": payload_of("two")}, id="no such file"),
    ],
)
def test_what_is_not_json_beside_what_is_good_is_partly_done(args: list[str], files: dict[str, Any]) -> None:
    result = ran(*args, **files)
    assert [json.loads(line)["@message"] for line in result.stdout.split("\n")[1::2]] == ["one", "two"]
    assert result.exit_code == 3


def test_every_line_that_is_not_json_is_named_once_there_is_one_that_is() -> None:
    result = ran("input", input="x\n" + lines_of(payload_of("one")) + "y\n")
    assert [line.partition(" not")[0] for line in result.stderr.splitlines()] == [
        "cwl-shipper: input:1:",
        "cwl-shipper: input:3:",
    ]


def test_text_files_that_cannot_be_read_are_said_and_the_rest_goes_on() -> None:
    result = ran("--text", "nowhere", "input", input="one\n")
    assert (result.exit_code, result.stderr) == (3, "cwl-shipper: nowhere: No such file or directory\n")
    assert '"@message":"one"' in result.stdout


def test_a_log_group_that_is_no_text_is_mended() -> None:
    (document,) = documents(ran("--text", "--log-group", "/g\udcff", "-", stdin="x\n"))
    assert document["@log_group"] == "/g?"


def test_explain_says_what_was_done_to_each_event() -> None:
    lines = [json.dumps(POD_LINE), "java.lang.IllegalStateException: no", "\tat a.B.c(B.java:1)"]
    result = ran("--explain", "--json", "input", input=payload_of(*lines))
    assert (result.exit_code, result.stderr) == (0, "")
    first, second, third = [json.loads(line) for line in result.stdout.splitlines()]
    assert first["event_id"] == first["document_id"] == "event-0"
    assert first["stripped"] == ["kubernetes.pod_id"]
    assert (second["events_in_document"], third["document_id"]) == (2, "event-1")
    assert second["index"] == "cwl-2026.11.24"


def test_explain_shows_a_table_and_no_documents() -> None:
    lines = ["java.lang.IllegalStateException: no", "\tat a.B.c(B.java:1)", "next"]
    result = ran("--explain", "input", input=payload_of(*lines))
    rows = [line.split() for line in result.stdout.splitlines()]
    assert rows[0] == ["event", "goes", "to", "joined", "stripped", "fixed", "level", "trace"]
    assert rows[1][:4] == ["event-0", "cwl-2026.11.24", "2", "events"]
    assert rows[2][:3] == ["event-1", "document", "event-0"]
    assert len(rows) == 4
    assert "@message" not in result.stdout


HOSTILE = ["\x1b[31mred", "\x1b]0;title\x07", "\x1b]8;;http://evil\x1b\\x", "a\rb\x7f", "\u009b31m", "\u202egnp"]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_control_sequences_never_reach_a_terminal(hostile: str) -> None:
    payload = payload_of(hostile, json.dumps({"level": hostile, "trace_id": hostile, "log": hostile}))
    payload["logEvents"][0]["id"] = hostile
    shown = ran("--explain", "input", input=payload)
    said = ran("input", input={"messageType": hostile})
    assert (shown.exit_code, said.exit_code) == (0, 1)
    for output in (shown.output, said.output):
        assert all(char.isprintable() or char == "\n" for char in output)


@pytest.mark.parametrize(
    "hostile",
    [
        *HOSTILE[:3],
        pytest.param(
            "\u009b31m",
        ),
    ],
)
def test_control_sequences_are_escaped_in_json(hostile: str) -> None:
    result = ran("input", input=payload_of(hostile))
    assert json.loads(result.stdout.split("\n")[1])["@message"] == hostile
    assert "\x1b" not in result.stdout
    assert "\u009b" not in result.stdout
