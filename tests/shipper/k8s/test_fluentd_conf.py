from __future__ import annotations

import pytest

from shipper.k8s.fluentd_conf import Place, Section, by_worker, looks_so, main_files, parse, resolved


def only(text: str) -> Section:
    """What a text without a fault says."""
    parsed = parse({"a.conf": text}, "a.conf")
    assert (parsed.faults, parsed.missing) == ((), ())
    return parsed.root


@pytest.mark.parametrize(
    ("line", "value"),
    [
        pytest.param("key a b", "a b", id="bare"),
        pytest.param("key\ta", "a", id="a tab before it"),
        pytest.param("  key    a  ", "a", id="blanks around it"),
        pytest.param("key a # why", "a", id="a comment behind it"),
        pytest.param("key a#b", "a#b", id="a hash in it"),
        pytest.param('key "a # b" # why', '"a # b"', id="a hash in quotes"),
        pytest.param(r'key "a \" b" # why', r'"a \" b"', id="a quote in quotes"),
        pytest.param("key 'a # b'", "'a # b'", id="a hash in single quotes"),
        pytest.param('key ["a", "b # c"]', '["a", "b # c"]', id="a list"),
        pytest.param('key ["a",\n  "b ] c"\n]', '["a",\n  "b ] c"\n]', id="a list of several lines"),
        pytest.param("key [it's] # why", "[it's]", id="an apostrophe in a list"),
        pytest.param('key {"a": {"b": 1},\n "c": "}"}', '{"a": {"b": 1},\n "c": "}"}', id="an object of several lines"),
        pytest.param('key "a\nb"', '"a\nb"', id="text of several lines"),
        pytest.param("key [a-z", "[a-z", id="a bracket that never closes"),
        pytest.param('key "a', '"a', id="a quote that never closes"),
        pytest.param("key", "", id="nothing"),
        pytest.param(r"key /\A<a> [b]/", r"/\A<a> [b]/", id="a regexp"),
    ],
)
def test_a_value_is_read_as_it_is_written(line: str, value: str) -> None:
    root = only(f"{line}\nnext 1")
    assert root.parameters == {"key": value, "next": "1"}


def test_sections_are_in_each_other() -> None:
    root = only("<label @a> # why\n  <match a.** b>\n    @type x\n  </match> # end\n</label>\n# <match>\n")
    (match,) = root.only("label").sections
    assert (match.argument, match.type) == ("a.** b", "x")
    assert [section.name for section in root.walk()] == ["ROOT", "label", "match"]


WORKERS: dict[str, tuple[str, list[list[str]]]] = {
    "none": ("", [[]]),
    "one": ("0", [["0"]]),
    "two": ("0 1", [["0"], ["1"]]),
    "two that run the same": ("0-1", [["0-1"]]),
    "some of a span": ("0-9 3-4", [["0-9"], ["0-9", "3-4"]]),
    "spans over each other": ("0-1 1-2", [["0-1"], ["0-1", "1-2"], ["1-2"]]),
    "the same one twice": ("0 0", [["0", "0"]]),
    "no number": ("x 3", [["x"], ["x", "3"]]),
    "none left": ("3-1", [["3-1"]]),
}


@pytest.mark.parametrize(("arguments", "expected"), WORKERS.values(), ids=WORKERS)
def test_a_worker_runs_what_is_its_own_and_what_is_of_all(arguments: str, expected: list[list[str]]) -> None:
    workers = "".join(f"<worker {each}>\n<own {each}>\n</own>\n</worker>\n" for each in arguments.split())
    found = by_worker(only(f"<system>\n</system>\n{workers}<match>\n</match>"))
    assert all((root.sections[0].name, root.sections[-1].name) == ("system", "match") for root in found)
    runs = [[section.argument for section in root.sections[1:-1]] for root in found]
    assert sorted({tuple(each) for each in runs}) == sorted(map(tuple, expected))


def test_more_workers_than_a_node_has_are_looked_at_as_one() -> None:
    (root,) = by_worker(only("".join(f"<worker {n}>\n<source>\n</source>\n</worker>\n" for n in range(300))))
    assert [section.name for section in root.sections] == ["source"] * 300


def test_a_place_is_a_line_of_a_file() -> None:
    parsed = parse({"a.conf": "\n<match>\n  @include b.conf\n</match>", "b.conf": "# why\n@type x\n"}, "a.conf")
    match = parsed.root.only("match")
    assert match.place == Place("a.conf", 2)
    assert match.places == {"@type": Place("b.conf", 2)}


@pytest.mark.parametrize(
    ("written", "is_true"),
    [
        ("key true", True),
        ("key yes", True),
        ('key "true"', True),
        ("key", True),
        ("key false", False),
        ("other", False),
    ],
)
def test_what_fluentd_takes_for_true(written: str, is_true: bool) -> None:
    assert only(written).is_true("key") is is_true


@pytest.mark.parametrize(("value", "text"), [('"a"', "a"), ("'a'", "a"), ("a", "a"), ('""', ""), ("it's", "it's")])
def test_a_value_without_its_quotes(value: str, text: str) -> None:
    assert only(f"key {value}").text("key", "default") == text
    assert only("").text("key", "default") == "default"


def test_the_plugin_by_its_old_key() -> None:
    assert (only("type x").type, only("@type y").type, only("").type) == ("x", "y", "")


@pytest.mark.parametrize(
    "include",
    ["@include b.conf", "include b.conf", "@include /fluentd/etc/b.conf", "@include *.conf", '@include "conf.d/b.*"'],
)
def test_an_include_is_found_by_the_last_part_of_its_path(include: str) -> None:
    texts = {"a.conf": f"<match>\n{include}\n</match>", "b.conf": "@type x"}
    assert parse(texts, "a.conf").root.only("match").type == "x"
    assert main_files(texts) == ["a.conf"]


FAULTS = {
    "an open section": ("<label @a>\n<match>\n</match>", Place("a.conf", 1), "<label> is not closed"),
    "crossed sections": ("<label @a>\n</match>", Place("a.conf", 2), "</match> closes <label>"),
    "an end of nothing": ("</match>\n<a>\n</a>", Place("a.conf", 1), "</match> closes <ROOT>"),
    "a parameter twice": ("<a>\nb 1\nb 2\n</a>", Place("a.conf", 3), "<a > has b twice"),
}


@pytest.mark.parametrize(("text", "place", "what"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_found_and_the_rest_is_read(text: str, place: Place, what: str) -> None:
    (fault,) = parse({"a.conf": f"{text}\nafter 1"}, "a.conf").faults
    assert (fault.place, fault.what) == (place, what)


def test_an_include_of_nothing_is_missing() -> None:
    parsed = parse({"a.conf": "@include b.conf"}, "a.conf")
    assert [(fault.place.line, fault.what) for fault in parsed.missing] == [(1, "@include b.conf: no such file")]
    assert parsed.faults == ()


def test_a_file_that_includes_itself_comes_to_an_end() -> None:
    assert parse({"a.conf": "@include a.conf"}, "a.conf").missing
    assert parse({"a": "@include b", "b": "@include a"}, *main_files({"a": "@include b", "b": "@include a"})).missing


def test_includes_that_multiply_come_to_an_end() -> None:
    texts = {f"{at}": f"@include {at + 1}\n" * 3 for at in range(100)} | {"100": ""}
    assert parse(texts, "0").faults[0].what == "@include goes on and on"


def test_sections_in_sections_for_ever_come_to_an_end() -> None:
    root = parse({"a.conf": "<a>\n" * 20_000}, "a.conf").root
    assert sum(1 for _ in root.walk()) == 20_001


def test_files_that_nobody_includes_are_where_to_begin() -> None:
    assert main_files({"b.conf": "", "fluent.conf": "@include b.conf", "c.conf": "@include"}) == [
        "fluent.conf",
        "c.conf",
    ]
    assert main_files({}) == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("\"#{ENV['A'] || 'x'}\"", '"known"'),
        ('"#{ENV["A"]}"', '"known"'),
        ("\"#{ENV.fetch('A')}/b\"", '"known/b"'),
        ("\"#{ENV['B'] || 'x'}\"", '"x"'),
        ("\"#{ENV['B']}\"", "\"#{ENV['B']}\""),
        ('"#{Socket.gethostname}"', '"#{Socket.gethostname}"'),
    ],
)
def test_variables_that_are_known_are_put_in_their_place(text: str, value: str) -> None:
    assert resolved(text, {"A": "known"}) == value


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("# x\n  <source>\n", True),
        ("@include a.conf", True),
        ("<match **>", True),
        ("[INPUT]\n  Name tail", False),
        ("<html>", False),
        ("source", False),
    ],
)
def test_a_configuration_is_known_by_its_look(text: str, is_one: bool) -> None:
    assert looks_so(text) is is_one
