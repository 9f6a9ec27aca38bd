"""Kubernetes metadata: made once for all events that have the same, and right again when it changes."""

from __future__ import annotations

import copy
import json
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper import jsontext
from shipper.metadata import MetadataReader
from shipper.model import NO_METADATA, Metadata
from shipper.redact import Redactor
from shipper.settings import DEFAULT_STRIP, Settings
from shipper.strip import Stripper
from tests.shipper.fakes import patient

STANDARD = Settings()
INCUMBENT = Settings.for_profile("incumbent")
POD = {"pod_name": "p-1", "namespace_name": "shop", "labels": {"app": "a"}}


def reader(settings: Settings = STANDARD, redactor: Redactor | None = None) -> MetadataReader:
    return MetadataReader(settings, Stripper(settings.strip, settings.keep), redactor)


def take(kubernetes: Any, settings: Settings = STANDARD, redactor: Redactor | None = None) -> Metadata:
    """The metadata of one event, whose other fields stay."""
    fields = {"log": "x", "kubernetes": copy.deepcopy(kubernetes)}
    made = reader(settings, redactor).take(fields)
    assert fields == {"log": "x"}
    assert json.loads(jsontext.dumps(made.written)) == made.fields
    return made


def test_events_with_the_same_metadata_share_it() -> None:
    one = reader()
    first, second = (one.take({"kubernetes": copy.deepcopy(POD)}) for _ in range(2))
    assert first is second
    assert first.fields == POD


def test_other_metadata_in_between_is_right_and_so_is_what_comes_after() -> None:
    one, other = reader(), {**POD, "pod_name": "p-2"}
    found = [one.take({"kubernetes": copy.deepcopy(pod)}).fields for pod in (POD, other, POD, {}, POD)]
    assert found == [POD, other, POD, {}, POD]


def test_an_event_without_any_has_none_and_changes_nothing_for_the_next() -> None:
    one = reader()
    first = one.take({"kubernetes": dict(POD)})
    assert one.take({"log": "x"}) is NO_METADATA
    assert one.take({"kubernetes": dict(POD)}) is first


@pytest.mark.parametrize("odd", [None, "x", 7, [], [POD]])
def test_what_is_no_object_stays_where_it_is(odd: Any) -> None:
    fields = {"kubernetes": odd}
    assert reader().take(fields) is NO_METADATA
    assert fields == {"kubernetes": odd}


def test_what_is_no_object_stays_without_its_secrets() -> None:
    fields: dict[str, Any] = {"kubernetes": ["password=x1"]}
    assert reader(redactor=Redactor()).take(fields) is NO_METADATA
    assert fields == {"kubernetes": ["password=[redacted:secret]"]}


@pytest.mark.parametrize("settings", [STANDARD, INCUMBENT], ids=["standard", "incumbent"])
def test_an_empty_object_is_one(settings: Settings) -> None:
    assert take({}, settings).fields == {}
    assert take({}, settings).written is not None


def test_the_events_own_object_is_never_changed() -> None:
    redactor = Redactor()
    raw = {"pod_id": "1", "labels": {"a.b": "c", "": "token=x"}, "namespace_labels": "jo@example.com", "n": 2**64 - 1}
    before = copy.deepcopy(raw)
    made = reader(redactor=redactor).take({"kubernetes": raw})
    assert raw == before
    assert made.fields != before


MADE: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any], tuple[str, ...]]] = {
    "nothing to do": (POD, POD, {}, ()),
    "dots in labels": (
        {"labels": {"app.kubernetes.io/name": "a", "app": "b"}, "namespace_labels": {"x.y": "z"}},
        {"labels": {"app_kubernetes_io/name": "a", "app": "b"}, "namespace_labels": {"x_y": "z"}},
        {},
        (),
    ),
    "labels of the same name without dots": (
        {"labels": {"a.b": "1", "a_b": "2", "a.b_2": "3"}},
        {"labels": {"a_b_2": "1", "a_b": "2", "a_b_2_2": "3"}},
        {},
        (),
    ),
    "dots elsewhere": ({"annotation": {"a.b": 1}}, {"annotation": {"a.b": 1}}, {}, ()),
    "labels that are a text": (
        {"labels": "a", "host": "h"},
        {"host": "h"},
        {"kubernetes.labels": "a"},
        ("kubernetes",),
    ),
    "labels that are a list or null": (
        {"labels": ["a"], "namespace_labels": None, "host": "h"},
        {"host": "h"},
        {"kubernetes.labels": ["a"], "kubernetes.namespace_labels": None},
        ("kubernetes",),
    ),
    "a key that is refused": ({"": 1}, {"_": 1}, {}, ("key",)),
    "a large number": ({"n": 2**64 - 1}, {"n": str(2**64 - 1)}, {}, ("number",)),
    "labels and a key": ({"labels": 1, "a..b": 2}, {"a__b": 2}, {"kubernetes.labels": 1}, ("key", "kubernetes")),
    "the engine's names further down": ({"_id": 1}, {"_id": 1}, {}, ()),
}


@pytest.mark.parametrize(("kubernetes", "fields", "aside", "fixed"), MADE.values(), ids=MADE)
def test_it_is_mended(
    kubernetes: dict[str, Any], fields: dict[str, Any], aside: dict[str, Any], fixed: tuple[str, ...]
) -> None:
    made = take(kubernetes)
    assert (made.fields, made.aside, made.fixed) == (fields, aside, fixed)


def levels(count: int, innermost: Any) -> Any:
    value = innermost
    for _ in range(count):
        value = {"a": value}
    return value


def test_what_is_too_deep_becomes_text() -> None:
    assert take(levels(18, 1)).fields == levels(18, 1)
    assert take(levels(18, {"b": 1})).fields == levels(18, '{"b":1}')
    assert take(levels(1, {"b": 1}), STANDARD.with_values(max_depth=2)).fields == {"a": '{"b":1}'}


def test_its_fields_are_counted() -> None:
    assert take(POD).field_count == 4
    assert take({"labels": "x", "": {"b": 1}}).field_count == 2


def test_too_many_fields_go_aside_the_largest_first() -> None:
    labels = {f"label-{number}": "x" for number in range(30)}
    made = take({"host": "h", "labels": labels}, STANDARD.with_values(max_fields=20))
    assert (made.fields, made.field_count) == ({"host": "h"}, 1)
    assert (made.aside, made.fixed) == ({"kubernetes.labels": labels}, ("fields",))


def test_what_is_stripped_is_told_with_its_size() -> None:
    made = take({**POD, "pod_id": "1", "annotations": {"a": "b"}})
    assert made.fields == POD
    assert made.stripped == ("kubernetes.pod_id", "kubernetes.annotations")
    assert made.stripped_bytes == len('"pod_id":"1",') + len('"annotations":{"a":"b"},')


def test_stripped_whole_there_is_none_but_it_is_told() -> None:
    fields = {"log": "x", "kubernetes": dict(POD)}
    made = reader(STANDARD.with_values(strip=("kubernetes",))).take(fields)
    assert (fields, made.fields, made.written) == ({"log": "x"}, {}, None)
    assert made.stripped == ("kubernetes",)
    assert made.stripped_bytes == len('"kubernetes":') + len(jsontext.dumps(POD)) + len(",")


def test_secrets_are_taken_out() -> None:
    made = take({"labels": {"owner": "jo@example.com", "db_password": "x1"}}, redactor=Redactor())
    assert made.fields == {"labels": {"owner": "[redacted:email]", "db_password": "[redacted:secret]"}}


def test_the_incumbent_has_it_as_received() -> None:
    kubernetes = {"pod_id": "1", "labels": {"a.b": "c"}, "namespace_labels": "x", "": 1, "n": 2**64 - 1}
    made = take(kubernetes, INCUMBENT)
    assert (made.fields, made.aside, made.fixed, made.stripped, made.stripped_bytes) == (kubernetes, {}, (), (), 0)


values = st.none() | st.integers(0, 9) | st.text("a.@=", max_size=4) | st.lists(st.integers(0, 9), max_size=2)
keys = st.sampled_from(["labels", "namespace_labels", "host", "pod_id", "annotations", "a.b", "a", ""])
pods = st.dictionaries(keys, values | st.dictionaries(st.text("a._", max_size=3), values, max_size=3), max_size=5)


@hypothesis.settings(patient, max_examples=200)
@given(st.lists(pods, max_size=6), st.sampled_from([STANDARD, INCUMBENT]))
def test_what_came_before_makes_no_difference(found: list[dict[str, Any]], settings: Settings) -> None:
    one = reader(settings)
    for pod in found:
        fields, alone = {"kubernetes": copy.deepcopy(pod)}, {"kubernetes": copy.deepcopy(pod)}
        made, fresh = one.take(fields), reader(settings).take(alone)
        assert made._replace(written=None) == fresh._replace(written=None)
        assert jsontext.dumps(made.written) == jsontext.dumps(fresh.written)


def test_the_paths_of_the_default_are_those_of_the_metadata() -> None:
    raw = {path.removeprefix("kubernetes."): "x" for path in DEFAULT_STRIP if path.startswith("kubernetes.")}
    assert take({**raw, "host": "h"}).fields == {"host": "h"}
