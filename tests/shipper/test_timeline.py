from __future__ import annotations

from typing import Any

import pytest

from shipper.timeline import Line, by_text, by_trace_id, forms, gap, lines, page, service

LONG, SHORT = "4bf92f3577b34da6a3ce929d0e0e4736", "a3ce929d0e0e4736"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(LONG, (LONG, SHORT), id="128 bits and the low 64 of them"),
        pytest.param(f" {LONG.upper()}\n", (LONG, SHORT), id="as it is copied"),
        pytest.param(SHORT, (SHORT,), id="64 bits"),
        pytest.param("11803532876627986230", (SHORT,), id="Datadog's decimal"),
        pytest.param("1-4bf92f35-77b34da6a3ce929d0e0e4736", (LONG, SHORT), id="X-Ray"),
        pytest.param(f"00-{LONG}-00f067aa0ba902b7-01", (LONG, SHORT), id="a traceparent"),
        pytest.param("O-550192", (), id="no trace id"),
        pytest.param("0" * 32, (), id="zero"),
        pytest.param("", (), id="nothing"),
    ],
)
def test_the_forms_of_an_id(text: str, expected: tuple[str, ...]) -> None:
    assert forms(text) == expected


def test_a_long_id_is_looked_for_exactly_and_a_short_one_also_as_the_end_of_a_long_one() -> None:
    long, short = (by_trace_id(forms(id_), None, None)["bool"]["should"] for id_ in (LONG, SHORT))
    assert long == [{"terms": {"@trace_id": [LONG, SHORT]}}]
    assert short == [{"terms": {"@trace_id": [SHORT]}}, {"wildcard": {"@trace_id": {"value": f"*{SHORT}"}}}]


@pytest.mark.parametrize(
    ("from_ms", "to_ms", "times"), [(1, None, {"gte": 1}), (None, 2, {"lt": 2}), (1, 2, {"gte": 1, "lt": 2})]
)
def test_a_time_narrows_the_search_down(from_ms: int | None, to_ms: int | None, times: dict[str, int]) -> None:
    query = by_text("order O-1", from_ms, to_ms)
    assert query["bool"]["filter"] == {"range": {"@timestamp": {**times, "format": "epoch_millis"}}}
    assert query["bool"]["must"] == by_text("order O-1", None, None)


def test_a_page_is_in_the_order_of_time() -> None:
    body = page({"match_all": {}}, 5)
    assert (body["size"], list(body["sort"][0])) == (5, ["@timestamp"])


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"kubernetes": {"container_name": "checkout", "labels": {"app": "shop"}}}, "checkout"),
        ({"kubernetes": {"labels": {"app": "shop"}}}, "shop"),
        ({"kubernetes": {"labels": {"app_kubernetes_io/name": "shop"}}, "@log_stream": "pod"}, "shop"),
        ({"kubernetes": {"container_name": 5}, "@log_stream": "pod"}, "pod"),
        ({"kubernetes": "text", "@log_stream": "pod"}, "pod"),
        ({}, ""),
    ],
)
def test_what_wrote_a_record(source: dict[str, Any], expected: str) -> None:
    assert service(source) == expected


def hit(id_: str, at: str, **source: Any) -> dict[str, Any]:
    return {"_id": id_, "_source": {"@timestamp": at, "@message": id_, **source}}


def test_lines_know_the_time_since_the_one_before() -> None:
    hits = [hit("a", "2026-11-24T12:00:00.000Z", **{"@level": "WARN"}), hit("b", "2026-11-24T12:00:01.250Z")]
    first, second = lines(hits)
    assert first == Line("a", "2026-11-24T12:00:00.000Z", None, "", "WARN", "a")
    assert second.gap_ms == 1_250
    (later,) = lines([hit("c", "2026-11-24T12:00:01.000Z")], before_ms=1_795_521_601_250)
    assert later.gap_ms == -250


@pytest.mark.parametrize(
    ("gap_ms", "words"),
    [
        (None, ""),
        (0, ""),
        (7, "+7 ms"),
        (-250, "-250 ms"),
        (1_249, "+1.2 s"),
        (99_999, "+100.0 s"),
        (100_000, "+1 min 40 s"),
        (3_599_000, "+59 min 59 s"),
        (3_600_000, "+1 h 0 min"),
        (90_000_000, "+25 h 0 min"),
    ],
)
def test_a_gap_in_words(gap_ms: int | None, words: str) -> None:
    assert gap(gap_ms) == words
