"""Our configuration against the one that a real Fluentd ran when the samples were recorded (samples/recommended.conf).

That run had no wrong join and lost nothing. So every plugin of it is here, with the same parameters and in the same
order, but for differences that are named, each with its reason.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from shipper.k8s.fluentd_conf import Section, parse, resolved
from tests.k8s.conf import files, read

MEASURED = Path(__file__).parent / "samples" / "recommended.conf"

Plugins = dict[str, dict[str, str]]
"""By their ids, in the order of the text: kind, pattern, and every parameter by its path."""

REGION = "the region of the log groups is a setting of its own: EKS sets AWS_REGION to the cluster's"
DIFFERENCES: dict[tuple[str, str], str] = {
    ("in_containers", "exclude_path"): "pods of these names in other namespaces are somebody's applications",
    ("in_containers", "pos_file_compaction_interval"): "the positions of deleted files are forgotten",
    ("kube_metadata", "stats_interval"): "its counters would be most of Fluentd's own log",
    ("shape", "record/logtag"): "moved from cap, which the journal now shares and which knows no logtag",
    ("cap", "record/logtag"): "moved to shape",
    ("cap", "record/message"): "a line that did not parse is a message, too",
    ("cap", "remove_keys"): "and not stored twice",
    ("out_application", "region"): REGION,
    ("out_dataplane", "region"): REGION,
    ("out_host", "region"): REGION,
    ("in_metrics", "source"): "Prometheus and the probes ask here; the measured run had none",
    ("in_output_metrics", "source"): "the same",
}
WAYS: dict[str, list[str]] = {
    "@containers": [],
    "@journal": ["cap"],  # journal entries are bounded, too
}
"""Where events come in, and the filters that ours has at the end of their way in addition."""


def _flat(section: Section, path: str = "") -> dict[str, str]:
    """Every parameter without its quotes, by the sections that it is in."""
    found = {path + key: section.text(key) for key in section.parameters if key != "@id"}
    for inner in section.sections:
        found |= _flat(inner, f"{path}{inner.name}{inner.argument}/")
    return found


def _plugins(root: Section) -> Plugins:
    named = [each for each in root.walk() if "@id" in each.parameters]
    return {each.text("@id"): {each.name: each.argument, **_flat(each)} for each in named}


def _way(root: Section, name: str) -> list[str]:
    """The filters from a label on, as long as everything is handed on to one more."""
    labels = {label.argument: label for label in root.all("label")}
    found = []
    while name:
        found += [each.text("@id") for each in labels[name].all("filter")]
        name = labels[name].all("match")[-1].text("@label")
    return found


THEIRS = parse({"fluent.conf": resolved(MEASURED.read_text("utf-8"), {})}, "fluent.conf").root
OURS = read(files())


@pytest.mark.parametrize("plugin", [*_plugins(OURS)])
def test_a_plugin_differs_only_where_it_is_meant(plugin: str) -> None:
    theirs, ours = _plugins(THEIRS).get(plugin), _plugins(OURS)[plugin]
    if theirs is None:
        assert (plugin, next(iter(ours))) in DIFFERENCES
        return
    differing = {key for key in theirs.keys() | ours.keys() if theirs.get(key) != ours.get(key)}
    assert differing == {key for name, key in DIFFERENCES if name == plugin}


def test_no_plugin_of_the_measured_run_is_missing() -> None:
    assert set(_plugins(THEIRS)) <= set(_plugins(OURS))
    assert len(_plugins(THEIRS)) > 20


@pytest.mark.parametrize(("label", "more"), WAYS.items(), ids=WAYS)
def test_filters_come_in_the_same_order(label: str, more: list[str]) -> None:
    assert _way(OURS, label) == [*_way(THEIRS, label), *more]


def test_a_difference_is_seen() -> None:
    texts = files()
    texts["concat.conf"] = texts["concat.conf"].replace('separator "\\n"', 'separator ""')
    changed = _plugins(read(texts))
    assert [name for name, plugin in changed.items() if plugin != _plugins(OURS)[name]] == [
        *("join_formats", "join_py_intro", "join_py_trace", "join_py_chain", "join_frames", "join_node", "join_logger")
    ]
