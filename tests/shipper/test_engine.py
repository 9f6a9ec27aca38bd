"""Engines by their answer to `GET /`."""

from __future__ import annotations

from typing import Any

import pytest

from shipper.engine import SERVERLESS, Engine, Unsupported, engine_of


def root(number: str, distribution: str | None = "opensearch") -> dict[str, Any]:
    return {"version": {"number": number, **({"distribution": distribution} if distribution else {})}}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(root("3.7.0"), Engine("OpenSearch", (3, 7)), id="OpenSearch 3"),
        pytest.param(root("2.19.3"), Engine("OpenSearch", (2, 19)), id="OpenSearch 2"),
        pytest.param(root("1.3.20"), Engine("OpenSearch", (1, 3)), id="OpenSearch 1"),
        pytest.param(root("7.10.2", None), Engine("Elasticsearch", (7, 10)), id="Elasticsearch"),
    ],
)
def test_an_engine_is_known_by_its_version(answer: Any, expected: Engine) -> None:
    assert engine_of(answer) == expected


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        pytest.param(root("6.8.0", None), "Elasticsearch 6.8: upgrade it", id="Elasticsearch 6"),
        pytest.param(root("1.2.4"), "OpenSearch 1.2: upgrade it", id="the first OpenSearch"),
        pytest.param({"version": {"number": "soon"}}, "not as OpenSearch does", id="no number"),
        pytest.param({}, "not as OpenSearch does", id="no version"),
        pytest.param(None, "not as OpenSearch does", id="no JSON"),
    ],
)
def test_another_is_refused_with_what_to_do(answer: Any, message: str) -> None:
    with pytest.raises(Unsupported, match=message):
        engine_of(answer)


@pytest.mark.parametrize(
    ("engine", "plugins", "dashboards", "header"),
    [
        (Engine("OpenSearch", (1, 3)), "/_plugins", "/_dashboards", "osd-xsrf"),
        (Engine("Elasticsearch", (7, 10)), "/_opendistro", "/_plugin/kibana", "kbn-xsrf"),
    ],
    ids=str,
)
def test_plugins_are_where_the_kind_of_engine_has_them(
    engine: Engine, plugins: str, dashboards: str, header: str
) -> None:
    assert (engine.plugins, engine.dashboards, engine.dashboards_header) == (plugins, dashboards, header)


@pytest.mark.parametrize(
    ("engine", "kind"),
    [
        (Engine("OpenSearch", (2, 11)), "text"),
        (Engine("OpenSearch", (2, 12)), "match_only_text"),
        (Engine("OpenSearch", (3, 7)), "match_only_text"),
        (Engine("Elasticsearch", (7, 10)), "text"),
        # Documented nowhere for collections.
        (SERVERLESS, "text"),
    ],
    ids=str,
)
def test_words_have_the_smallest_mapping_that_the_engine_has(engine: Engine, kind: str) -> None:
    assert engine.text_type["type"] == kind


def test_a_collection_tells_no_version() -> None:
    assert str(SERVERLESS) == "OpenSearch Serverless"
    assert [engine.is_serverless for engine in (SERVERLESS, Engine("OpenSearch", (3, 7)))] == [True, False]
