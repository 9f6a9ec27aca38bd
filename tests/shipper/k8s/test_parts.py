from __future__ import annotations

import pytest

from shipper.k8s.fluentd_conf import Section, parse
from shipper.k8s.parts import buffer, container_tails, joins_lines, joins_parts, outputs, parsers, reached, seconds


def root(text: str) -> Section:
    return parse({"a": text}, "a").root


@pytest.mark.parametrize(
    ("value", "found_s"),
    [("10", 10), ("10s", 10), ("1m", 60), ("0.5h", 1800), ("2d", 172_800), ("", None), ("soon", None), ("1 s", 1)],
)
def test_durations(value: str, found_s: float | None) -> None:
    assert seconds(value) == found_s


@pytest.mark.parametrize(
    ("path", "is_one"),
    [
        ("/var/log/containers/*.log", True),
        ("/var/log/pods/*/*/*.log", True),
        ("/var/lib/docker/containers/*/*.log", True),
        ("/var/log/messages", False),
    ],
)
def test_files_of_containers(path: str, is_one: bool) -> None:
    tails = container_tails(root(f"<source>\n@type tail\npath {path}\n</source>\n<source>\n@type systemd\n</source>"))
    assert bool(tails) is is_one


def test_a_line_is_parsed_in_one_way_or_in_several() -> None:
    one, several, old = root(
        "<source>\n<parse>\n@type cri\n</parse>\n</source>\n"
        "<source>\n<parse>\n<pattern>\nformat a\n</pattern>\n<pattern>\nformat b\n</pattern>\n</parse>\n</source>\n"
        "<source>\nformat json\n</source>"
    ).sections
    assert [[parser.name for parser in parsers(source)] for source in (one, several, old)] == [
        ["parse"],
        ["pattern", "pattern"],
        ["source"],
    ]


@pytest.mark.parametrize(
    ("text", "parts", "lines"),
    [
        ("use_partial_cri_logtag true", True, False),
        ("partial_key logtag", True, False),
        ("partial_key other", False, False),
        ("multiline_start_regexp /a/", False, True),
        ("n_lines 3", False, True),
    ],
)
def test_what_a_concat_joins(text: str, parts: bool, lines: bool) -> None:
    assert (joins_parts(root(text)), joins_lines(root(text))) == (parts, lines)


def test_outputs_are_what_sends_away_or_has_a_buffer() -> None:
    said = "".join(
        f"<match {name}>\n@type {name}\n{more}</match>\n"
        for name, more in {
            "relabel": "",
            "cloudwatch_logs": "",
            "elasticsearch_dynamic": "",
            "house_made": "<buffer>\n</buffer>\n",
            "detect_exceptions": "<buffer>\n</buffer>\n",
            "copy": "<store>\n@type s3\n</store>\n",
        }.items()
    )
    found = [output.type for output in outputs(root(said))]
    assert found == ["cloudwatch_logs", "elasticsearch_dynamic", "house_made", "s3"]


def test_a_buffer_in_old_names_is_one_in_todays() -> None:
    output = root("buffer_type file\nbuffer_path /a\ndisable_retry_limit true\n<buffer>\npath /b\n</buffer>")
    assert buffer(output).parameters == {"@type": "file", "path": "/b", "retry_forever": "true"}


def test_an_event_comes_by_these_labels() -> None:
    conf = root(
        "<source>\n@label @a\n</source>\n<label @a>\n<filter>\ntimeout_label @b\n</filter>\n</label>\n"
        "<label @b>\n<match>\n@label @gone\n</match>\n</label>\n<label @c>\n</label>"
    )
    assert [label.argument for label in reached(conf, conf.all("source"))] == ["@a", "@b"]


def test_an_event_without_a_label_comes_by_the_top_level() -> None:
    conf = root("<source>\n</source>\n<match>\n@label @a\n</match>\n<label @a>\n</label>\n<label @b>\n</label>")
    assert [place.name for place in reached(conf, conf.all("source"))] == ["ROOT", "label"]
