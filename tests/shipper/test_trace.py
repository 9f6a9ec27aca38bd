"""One search by trace id has to find every service, however each of them writes it."""

from __future__ import annotations

from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper.trace import Trace, find, normal_id
from tests.shipper.fakes import patient

# Ids without "b3" in them, which would lead the search to any form.
T = "463ac35c9f6413ad48485a3953bb6124"
S = "00f067aa0ba902b7"
SHORT = "5f2c1a9be07d4431"

IDS: dict[str, tuple[Any, str]] = {
    "32 digits": (T, T),
    "16 digits": (SHORT, SHORT),
    "capitals": (T.upper(), T),
    "an X-Ray root": ("1-5759e988-bd862e3fe1be46a994272793", "5759e988bd862e3fe1be46a994272793"),
    "an X-Ray header": ("Self=1-0-0;Root=1-5759e988-bd862e3fe1be46a994272793", "5759e988bd862e3fe1be46a994272793"),
    "a traceparent": (f"00-{T}-{S}-01", T),
    "Datadog's decimal text": ("5208512171318403364", T[16:]),
    "Datadog's decimal number": (5208512171318403364, T[16:]),
    "a decimal that is padded": ("67667974448284343", "00f067aa0ba902b7"),
    "a decimal beyond 64 bits": ("99999999999999999999", ""),
    "all zeros": ("0" * 32, ""),
    "31 digits": (T[1:], ""),
    "not hexadecimal": ("g" * 32, ""),
    "an X-Ray root with a digit too few": ("1-5759e988-bd862e3fe1be46a99427279", ""),
    "empty": ("", ""),
    "null": (None, ""),
    "true": (True, ""),
    "a small number": (42, ""),
    "a fraction": (1.5, ""),
    "a list": ([T], ""),
}


@pytest.mark.parametrize(("value", "normal"), IDS.values(), ids=IDS)
def test_ids_come_out_in_one_spelling(value: Any, normal: str) -> None:
    assert normal_id(value) == normal


FIELDS: dict[str, tuple[dict[str, Any], Trace]] = {
    "Brave and Micrometer": ({"traceId": T, "spanId": S}, Trace(T, S)),
    "snake case": ({"trace_id": T, "span_id": S}, Trace(T, S)),
    "OpenTelemetry for Python": ({"otelTraceID": T, "otelSpanID": S}, Trace(T, S)),
    "OpenTelemetry's dots": ({"trace.id": T, "span.id": S}, Trace(T, S)),
    "OpenTelemetry's objects": ({"trace": {"id": T}, "span": {"id": S}}, Trace(T, S)),
    "Datadog": ({"dd.trace_id": "5208512171318403364", "dd.span_id": "67667974448284343"}, Trace(T[16:], S)),
    "Datadog's object": ({"dd": {"trace_id": "5208512171318403364"}}, Trace(T[16:])),
    "B3 headers": ({"X-B3-TraceId": T, "X-B3-SpanId": S}, Trace(T, S)),
    "a traceparent brings both": ({"traceparent": f"00-{T}-{S}-01"}, Trace(T, S)),
    "X-Ray": ({"xray_trace_id": "1-5759e988-bd862e3fe1be46a994272793"}, Trace("5759e988bd862e3fe1be46a994272793")),
    "a load balancer's header": (
        {"X-Amzn-Trace-Id": "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1"},
        Trace("5759e988bd862e3fe1be46a994272793"),
    ),
    "in the application's line": ({"log_processed": {"traceId": T, "level": "info"}}, Trace(T, level="INFO")),
    "in its MDC": ({"log_processed": {"mdc": {"traceId": T}}}, Trace(T)),
    "in a request's headers": ({"log_processed": {"req": {"headers": {"x-b3-traceid": T}}}}, Trace(T)),
    "not just anywhere": ({"order": {"traceId": T}}, Trace()),
    "not in a list": ({"traceId": [T]}, Trace()),
    "an unusable one gives way to the next": ({"traceId": "none", "trace_id": T}, Trace(T)),
    "zeros are no trace": ({"traceId": "0" * 32, "spanId": "0" * 16}, Trace()),
    "an id of another kind": ({"requestId": T, "id": T}, Trace()),
    "level": ({"level": "warning"}, Trace(level="WARN")),
    "severity": ({"severity": "CRITICAL"}, Trace(level="FATAL")),
    "pino's number": ({"level": 50}, Trace(level="ERROR")),
    "an object's level": ({"log": {"level": "Error"}}, Trace(level="ERROR")),
    "a level that nobody knows": ({"level": "loud"}, Trace()),
    "a number that is no level": ({"level": 7}, Trace()),
    "a level that is true": ({"level": True}, Trace()),
    "a level that is an object": ({"level": {"a": 1}}, Trace()),
    "a level that is a list": ({"level": ["info"]}, Trace()),
}


@pytest.mark.parametrize(("fields", "trace"), FIELDS.values(), ids=FIELDS)
def test_fields_are_searched(fields: dict[str, Any], trace: Trace) -> None:
    assert find(fields, "") == trace


TEXTS: dict[str, tuple[str, Trace]] = {
    "Sleuth": (f"2026-11-20 03:04:05.138  INFO [checkout,{T},{S}] 1 --- x", Trace(T, S, "INFO")),
    "Sleuth with its export flag": (f"INFO [checkout,{SHORT},{S},true] x", Trace(SHORT, S, "INFO")),
    "Sleuth without a trace": ("INFO [checkout,,] x", Trace(level="INFO")),
    "Micrometer": (f"INFO 1 --- [main] [{T}-{S}] x", Trace(T, S, "INFO")),
    "W3C": (f'"GET / HTTP/1.1" 200 traceparent=00-{T}-{S}-01', Trace(T, S)),
    "W3C with zeros": (f"traceparent=00-{'0' * 32}-{S}-01", Trace()),
    "X-Ray": ("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=x", Trace("5759e988bd862e3fe1be46a994272793")),
    "B3 in one header": (f"b3: {T}-{S}-1", Trace(T, S)),
    "Jaeger": (f"uber-trace-id={T}:{S}:0:1", Trace(T, S)),
    "key=value": (f"WARN trace_id={T} span_id={S} slow", Trace(T, S, "WARN")),
    "MDC": (f"traceId={T}, spanId={S}", Trace(T, S)),
    "JSON-like": (f'x "traceId":"{T}" y', Trace(T)),
    "capitals": (f"trace_id={T.upper()}", Trace(T)),
    "33 digits": (f"trace_id={T}0", Trace()),
    "a commit": (f"deployed {T}", Trace()),
    "an order number": ("order 00-12345", Trace()),
    "only the first line counts": (f"hello\nERROR trace_id={T}", Trace()),
    "a level in .NET's form": ("fail: Shop.Checkout[0]", Trace(level="ERROR")),
    "a level within a word is none": ("INFORMATIONAL ERRORS", Trace()),
    "a level in small letters is a word": ("no error here", Trace()),
    "a level far to the right is a word": ("x" * 200 + " ERROR", Trace()),
    "nothing": ("", Trace()),
}


@pytest.mark.parametrize(("text", "trace"), TEXTS.values(), ids=TEXTS)
def test_text_is_searched(text: str, trace: Trace) -> None:
    assert find({}, text) == trace


@pytest.mark.xfail(strict=True, reason="_TEXT_HINT knows ids in brackets in small letters only")
@pytest.mark.parametrize("text", [f"[app,{T.upper()},{S.upper()}]", f"[{T.upper()}-{S.upper()}]"], ids=[",", "-"])
def test_ids_in_brackets_may_be_in_capitals(text: str) -> None:
    assert find({}, text) == Trace(T, S)


def test_fields_come_before_text() -> None:
    assert find({"traceId": T, "level": "info"}, f"ERROR trace_id={SHORT} span_id={S}") == Trace(T, "", "INFO")


@hypothesis.settings(patient, max_examples=100)
@given(st.integers(10**16, 2**64 - 1))
def test_a_decimal_id_is_the_hexadecimal_one(value: int) -> None:
    assert normal_id(value) == normal_id(str(value)) == normal_id(f"{value:016x}")


@hypothesis.settings(patient, max_examples=100)
@given(st.text(f"{T}-,:=[]Rot ER\n", max_size=120))
def test_any_text_gives_ids_in_that_spelling_or_none(text: str) -> None:
    found = find({}, text)
    assert normal_id(found.trace_id) == found.trace_id
    assert normal_id(found.span_id) == found.span_id
