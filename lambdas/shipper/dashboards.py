"""What a person finds in Dashboards after the first deploy: an index pattern, searches, and one dashboard.

Saved objects as lines of JSON, in the form of the versions that every later one migrates from
(https://docs.opensearch.org/latest/dashboards/management/saved-objects/).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from shipper.document import INDEX_PATTERN

_PATTERN = "cwl"
_ERRORS = "@level: (ERROR or FATAL)"
_SERVICE = "kubernetes.container_name"
_INDEX_REF = "kibanaSavedObjectMeta.searchSourceJSON.index"
_MIGRATED = {"index-pattern": "7.6.0", "search": "7.9.3", "visualization": "7.10.0", "dashboard": "7.9.3"}
_BOUNDARY = "cwl-shipper-saved-objects"
FORM = f"multipart/form-data; boundary={_BOUNDARY}"
"""Content type of `import_form`."""

_Panel = tuple[str, tuple[int, int, int, int]]
_PANELS: tuple[_Panel, ...] = (
    # x, y, width, height, of a screen that is 48 wide
    ("cwl-volume", (0, 0, 32, 12)),
    ("cwl-freshness", (32, 0, 16, 12)),
    ("cwl-levels", (0, 12, 16, 12)),
    ("cwl-namespaces", (16, 12, 16, 12)),
    ("cwl-errors-by-service", (32, 12, 16, 12)),
    ("cwl-errors", (0, 24, 48, 18)),
)


def saved_objects() -> list[dict[str, Any]]:
    """Every object, those that others refer to first."""
    count = _agg(1, "count", "metric")
    by_time = _agg(2, "date_histogram", "segment", field="@timestamp", interval="auto", min_doc_count=1)
    errors_of = _agg(3, "terms", "group", field="@level", size=6, order="desc", orderBy="1")
    newest = _agg(1, "max", "metric", field="@timestamp", customLabel="newest")
    return [
        _object("index-pattern", _PATTERN, {"title": INDEX_PATTERN, "timeFieldName": "@timestamp"}),
        _search("cwl-errors", "Logs: errors", _ERRORS, ["@level", _SERVICE, "@message"]),
        _search("cwl-404", "Logs: 404", "404", [_SERVICE, "@message"]),
        # To follow one: put its id in the place of the star.
        _search(
            "cwl-trace", "Logs: one trace", "@trace_id: *", [_SERVICE, "@trace_id", "@message"], newest_first=False
        ),
        _search(
            "cwl-repaired",
            "Logs: repaired and unmapped",
            "@shipper.fixed: * or @shipper.error.type: *",
            ["@shipper.fixed", "@shipper.error.field", "@shipper.error.reason", "@message"],
        ),
        _visualization("cwl-volume", "Logs: volume by level", "histogram", [count, by_time, errors_of], _AXES),
        _visualization("cwl-levels", "Logs: levels", "pie", [count, _terms("@level")], {"isDonut": True}),
        _visualization("cwl-namespaces", "Logs: top namespaces", "table", [count, _rows("kubernetes.namespace_name")]),
        _visualization(
            "cwl-errors-by-service", "Logs: errors by service", "table", [count, _rows(_SERVICE)], query=_ERRORS
        ),
        _visualization("cwl-freshness", "Logs: newest by log group", "table", [newest, _rows("@log_group")]),
        _dashboard("cwl", "Logs", _PANELS),
    ]


def import_form() -> bytes:
    """Body of `POST .../api/saved_objects/_import`: one file in a form, whose name has to end in .ndjson."""
    lines = "".join(json.dumps(saved) + "\n" for saved in saved_objects())
    head = 'Content-Disposition: form-data; name="file"; filename="cwl.ndjson"\r\nContent-Type: application/ndjson'
    return f"--{_BOUNDARY}\r\n{head}\r\n\r\n{lines}\r\n--{_BOUNDARY}--\r\n".encode()


def _object(
    kind: str, id_: str, attributes: Mapping[str, Any], references: Sequence[dict[str, str]] = ()
) -> dict[str, Any]:
    return {
        "type": kind,
        "id": id_,
        "attributes": dict(attributes),
        "references": list(references),
        "migrationVersion": {kind: _MIGRATED[kind]},
    }


def _source(query: str, *, of_index: bool = True) -> dict[str, Any]:
    source: dict[str, Any] = {"query": {"query": query, "language": "kuery"}, "filter": []}
    if of_index:
        source["indexRefName"] = _INDEX_REF
    return {"kibanaSavedObjectMeta": {"searchSourceJSON": json.dumps(source)}}


def _of_pattern() -> list[dict[str, str]]:
    return [{"name": _INDEX_REF, "type": "index-pattern", "id": _PATTERN}]


def _search(id_: str, title: str, query: str, columns: Sequence[str], *, newest_first: bool = True) -> dict[str, Any]:
    sort = [["@timestamp", "desc" if newest_first else "asc"]]
    attributes = {"title": title, "columns": list(columns), "sort": sort, "version": 1, **_source(query)}
    return _object("search", id_, attributes, _of_pattern())


def _visualization(
    id_: str, title: str, kind: str, aggs: Sequence[dict[str, Any]], params: Mapping[str, Any] = {}, query: str = ""
) -> dict[str, Any]:
    state = {"title": title, "type": kind, "params": {"type": kind, "addTooltip": True, **params}, "aggs": list(aggs)}
    attributes = {"title": title, "visState": json.dumps(state), "uiStateJSON": "{}", "version": 1, **_source(query)}
    return _object("visualization", id_, attributes, _of_pattern())


def _dashboard(id_: str, title: str, panels: Sequence[_Panel]) -> dict[str, Any]:
    described = [
        {
            "version": "2.19.0",
            "panelIndex": str(at),
            "gridData": {"x": x, "y": y, "w": w, "h": h, "i": str(at)},
            "embeddableConfig": {},
            "panelRefName": f"panel_{at}",
        }
        for at, (_, (x, y, w, h)) in enumerate(panels)
    ]
    kinds = {"cwl-errors": "search"}
    references = [
        {"name": f"panel_{at}", "type": kinds.get(shown, "visualization"), "id": shown}
        for at, (shown, _) in enumerate(panels)
    ]
    attributes = {
        "title": title,
        "version": 1,
        "timeRestore": False,
        "optionsJSON": json.dumps({"useMargins": True, "hidePanelTitles": False}),
        "panelsJSON": json.dumps(described),
        **_source("", of_index=False),
    }
    return _object("dashboard", id_, attributes, references)


def _agg(number: int, kind: str, schema: str, **params: Any) -> dict[str, Any]:
    return {"id": str(number), "enabled": True, "type": kind, "schema": schema, "params": params}


def _terms(field: str, schema: str = "segment") -> dict[str, Any]:
    return _agg(2, "terms", schema, field=field, size=10, order="desc", orderBy="1")


def _rows(field: str) -> dict[str, Any]:
    return _terms(field, "bucket")


_AXES: dict[str, Any] = {
    "addLegend": True,
    "legendPosition": "right",
    "categoryAxes": [
        {
            "id": "CategoryAxis-1",
            "type": "category",
            "position": "bottom",
            "show": True,
            "scale": {"type": "linear"},
            "labels": {"show": True, "filter": True, "truncate": 100},
            "title": {},
        }
    ],
    "valueAxes": [
        {
            "id": "ValueAxis-1",
            "name": "LeftAxis-1",
            "type": "value",
            "position": "left",
            "show": True,
            "scale": {"type": "linear", "mode": "normal"},
            "labels": {"show": True, "rotate": 0, "filter": False, "truncate": 100},
            "title": {"text": "logs"},
        }
    ],
    "seriesParams": [
        {
            "show": True,
            "type": "histogram",
            "mode": "stacked",
            "data": {"label": "logs", "id": "1"},
            "valueAxis": "ValueAxis-1",
        }
    ],
}
