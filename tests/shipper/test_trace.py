"""One search by trace id has to find every service, however each of them writes it."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper.expand import json_in
from shipper.trace import Trace, find, normal_id
from tests.growth import assert_grows_with_size
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
    "a UUID": ("7d3a9b10-56c1-4f3e-9a70-3f1d2c4b5a69", ""),
    "a commit": ("9fceb02d0ae598e95dc970b74767f19372d61af8", ""),
    "an order number": ("4211070031", ""),
    "a traceparent of a later version": (f"cc-{T}-{S}-01-what", T),
    "a traceparent of the invalid version": (f"ff-{T}-{S}-01", ""),
    "X-Ray's pair of its SDK for Java": (
        "1-5759e988-bd862e3fe1be46a994272793@" + S,
        "5759e988bd862e3fe1be46a994272793",
    ),
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
    "a load balancer's header with the parent": (
        {"x-amzn-trace-id": f"Self=1-1-2;Root=1-5759e988-bd862e3fe1be46a994272793;Parent={S};Sampled=1"},
        Trace("5759e988bd862e3fe1be46a994272793", S),
    ),
    "X-Ray's MDC": (
        {"AWS-XRAY-TRACE-ID": f"1-5759e988-bd862e3fe1be46a994272793@{S}"},
        Trace("5759e988bd862e3fe1be46a994272793", S),
    ),
    "Datadog's 128 bits": ({"dd.trace_id": T, "dd.span_id": "67667974448284343"}, Trace(T, S)),
    "Datadog's 16 digits are decimal": ({"dd": {"trace_id": "1234567890123456"}}, Trace("000462d53c8abac0")),
    "Datadog without a trace": ({"dd.trace_id": "0", "dd.span_id": 0}, Trace()),
    "a B3 header": ({"headers": {"b3": f"{T}-{S}-1-{SHORT}"}}, Trace(T, S)),
    "a B3 header that only denies": ({"headers": {"b3": "0"}}, Trace()),
    "Jaeger's header": ({"headers": {"uber-trace-id": f"{T}:{S}:0:1"}}, Trace(T, S)),
    "Jaeger's header, escaped and without its zeros": (
        {"headers": {"Uber-Trace-Id": "63ac35c9f6413ad4%3Af067aa0ba902b7%3A0%3A1"}},
        Trace("63ac35c9f6413ad4", S),
    ),
    ".NET's scopes": ({"log_processed": {"Scopes": [{"Message": "x"}, {"TraceId": T, "SpanId": S}]}}, Trace(T, S)),
    "in capitals": ({"TRACE_ID": T.upper(), "SPAN_ID": S.upper()}, Trace(T, S)),
    "a traceparent that is none": ({"traceparent": "-"}, Trace()),
    "a traceparent that is a list": ({"traceparent": [f"00-{T}-{S}-01"], "b3": None, "x-amzn-trace-id": 1}, Trace()),
    "the outer one first": ({"log_processed": {"traceId": SHORT}, "traceId": T}, Trace(T)),
    "not too deep": ({"log": {"log": {"log": {"log": {"log": {"traceId": T}}}}}}, Trace()),
    "in the application's line": ({"log_processed": {"traceId": T, "level": "info"}}, Trace(T, level="INFO")),
    "in its MDC": ({"log_processed": {"mdc": {"traceId": T}}}, Trace(T)),
    "in a request's headers": ({"log_processed": {"req": {"headers": {"x-b3-traceid": T}}}}, Trace(T)),
    "not just anywhere": ({"order": {"traceId": T}}, Trace()),
    "not in a list": ({"traceId": [T]}, Trace()),
    "an unusable one gives way to the next": ({"traceId": "none", "trace_id": T}, Trace(T)),
    "Serilog's compact format": (
        {"log_processed": {"@t": "2026-11-20T03:04:05Z", "@mt": "x", "@l": "Warning", "@tr": T, "@sp": S}},
        Trace(T, S, "WARN"),
    ),
    "a span alone": ({"spanId": S}, Trace("", S)),
    "zeros are no trace": ({"traceId": "0" * 32, "spanId": "0" * 16}, Trace()),
    "an id of another kind": ({"requestId": T, "id": T}, Trace()),
    "level": ({"level": "warning"}, Trace(level="WARN")),
    "severity": ({"severity": "CRITICAL"}, Trace(level="FATAL")),
    "pino's number": ({"level": 50}, Trace(level="ERROR")),
    "an object's level": ({"log": {"level": "Error"}}, Trace(level="ERROR")),
    "a level as .NET writes it": ({"log_processed": {"LogLevel": "Information"}}, Trace(level="INFO")),
    "slog's level in between": ({"level": "INFO+2"}, Trace(level="INFO")),
    "Java's own levels": ({"level": "FINER"}, Trace(level="TRACE")),
    "a padded level": ({"level": " WARN "}, Trace(level="WARN")),
    "a number as text": ({"level": "40"}, Trace(level="WARN")),
    "Python's number": ({"levelno": 40}, Trace(level="ERROR")),
    "OpenTelemetry's number": ({"severityNumber": 13}, Trace(level="WARN")),
    "the journal's priority": ({"PRIORITY": "3"}, Trace(level="ERROR")),
    "the journal's priority through Fluentd": ({"priority": "6"}, Trace(level="INFO")),
    "a priority of another kind": ({"priority": 1}, Trace()),
    "a priority out of range": ({"priority": "42"}, Trace()),
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
    "brackets in capitals": (f"[app,{T.upper()},{S.upper()}]", Trace(T, S)),
    "a pair in capitals": (f"[{T.upper()}-{S.upper()}]", Trace(T, S)),
    "brackets without a name": (f"x [{T}, {S}] y", Trace(T, S)),
    "two short ids in brackets": (f"ids [{SHORT},{S}]", Trace()),
    "X-Ray with its parent": (
        f"Root=1-5759e988-bd862e3fe1be46a994272793;Parent={S};Sampled=1",
        Trace("5759e988bd862e3fe1be46a994272793", S),
    ),
    "X-Ray's SDK for Java": (
        f"AWS-XRAY-TRACE-ID: 1-5759e988-bd862e3fe1be46a994272793@{S} x",
        Trace("5759e988bd862e3fe1be46a994272793"),
    ),
    "Datadog": ("[dd.env= dd.trace_id=5208512171318403364 dd.span_id=67667974448284343] x", Trace(T[16:], S)),
    "Datadog's 16 digits": ("dd.trace_id=1234567890123456 x", Trace("000462d53c8abac0")),
    "Datadog without a trace": ("dd.trace_id=0 dd.span_id=0 x", Trace()),
    "OpenTelemetry in syslog": (f'[opentelemetry trace_id="{T}" span_id="{S}"]', Trace(T, S)),
    "a label": (f"trace id {T}", Trace(T)),
    "the span first": (f"span_id={S} trace_id={T}", Trace(T, S)),
    "Jaeger without its zeros": ("uber-trace-id: 63ac35c9f6413ad4:f067aa0ba902b7:0:1", Trace("63ac35c9f6413ad4", S)),
    "a word that ends the same": (f"backtrace_id={T}", Trace()),
    "a UUID": ("request 7d3a9b10-56c1-4f3e-9a70-3f1d2c4b5a69 trace_id=7d3a9b10-56c1-4f3e-9a70-3f1d2c4b5a69", Trace()),
    "a UUID without dashes": ("request 7d3a9b1056c14f3e9a703f1d2c4b5a69", Trace()),
    "a list of hashes": (f"layers [{SHORT}, {S}, {SHORT}]", Trace()),
    "hashes with dashes": (f"sha256-{T}{T}, image-{SHORT}, {T},{S}", Trace()),
    "a pod's name": ("pod checkout-6d9f8b7c54-hj7rl, order 4211-0000111122223333", Trace()),
    "beyond the bound": ("x" * 8_200 + f" trace_id={T}", Trace()),
}


@pytest.mark.parametrize(("text", "trace"), TEXTS.values(), ids=TEXTS)
def test_text_is_searched(text: str, trace: Trace) -> None:
    assert find({}, text) == trace


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


LEVELS: dict[str, tuple[str, str]] = {
    "Logback": ("2026-11-20 03:04:05.138 [nio-8080-exec-4] WARN  c.shop.X - slow", "WARN"),
    "log4j": ("12:00:01.123 main ERROR StatusLogger x", "ERROR"),
    "SLF4J simple": ("[main] ERROR com.shop.X - x", "ERROR"),
    "Python": ("2026-11-20 03:04:05,138 - shop.orders - CRITICAL - x", "FATAL"),
    "Python without dashes": ("2026-11-20 03:04:05,138 root ERROR x", "ERROR"),
    "Python's default": ("WARNING:root:x", "WARN"),
    "uvicorn": ("INFO:     Started server process [1]", "INFO"),
    "gunicorn": ("[2026-11-20 03:04:05 +0000] [1] [INFO] Starting gunicorn", "INFO"),
    "Celery": ("[2026-11-20 03:04:05,138: DEBUG/MainProcess] x", "DEBUG"),
    "klog": ("I1120 03:04:05.123456       1 server.go:1] x", "INFO"),
    "klog's error": ("E1120 03:04:05.123456       1 server.go:1] x", "ERROR"),
    ".NET": ("crit: Shop.Checkout[0]", "FATAL"),
    "Serilog": ("[03:04:05 WRN] x", "WARN"),
    "NLog": ("2026-11-20 03:04:05.1234|TRACE|Shop|x", "TRACE"),
    "nginx": ("2026/11/20 03:04:05 [error] 29#29: *1 connect() failed", "ERROR"),
    "nginx's notice": ("2026/11/20 03:04:05 [notice] 1#1: start worker processes", "INFO"),
    "Apache": ("[Fri Nov 20 03:04:05.123456 2026] [core:warn] [pid 1] x", "WARN"),
    "Envoy": ("[2026-11-20 03:04:05.123][1][warning][main] x", "WARN"),
    "Fluent Bit": ("[2026/11/20 03:04:05] [ info] [fluent bit] x", "INFO"),
    "logfmt": ('time="2026-11-20T03:04:05Z" level=warning msg="an ERROR"', "WARN"),
    "slog": ("time=2026-11-20T03:04:05Z level=ERROR msg=x", "ERROR"),
    "logfmt without a known level": ("level=loud msg=x", ""),
    "zap": ("2026-11-20T03:04:05.123Z\tinfo\tmain.go:1\tx", "INFO"),
    "JSON that was left as text": ('{"ts":1,"level":"error","msg":"x"}', "ERROR"),
    "Ruby": ("F, [2026-11-20T03:04:05.123456 #1] FATAL -- : x", "FATAL"),
    "PostgreSQL": ("2026-11-20 03:04:05.123 UTC [1] LOG:  ready", "INFO"),
    "Monolog": ("[2026-11-20T03:04:05+00:00] app.ERROR: x", "ERROR"),
    "PHP": ("PHP Fatal error:  Uncaught x", "FATAL"),
    "Rust in colours": ("\x1b[2m2026-11-20T03:04:05Z\x1b[0m \x1b[32m INFO\x1b[0m shop: x", "INFO"),
    "Logrus in colours": ("\x1b[33mWARN\x1b[0m[0001] x", "WARN"),
    "Go's panic": ("panic: runtime error: index out of range", "FATAL"),
    "syslog": ("Nov 20 03:04:05 host app[1]: ERROR x", "ERROR"),
    "a sentence": ("no error found", ""),
    "a sentence in capitals": ("the job returned ERROR for order 42", ""),
    "a sentence after a number": ("payment 42 failed with ERROR code 7", ""),
    "a sentence after a time": ("2026-11-20 03:04:05 we got no ERROR today", ""),
    "a sentence of one word": ("no ERROR", ""),
    "a sentence with brackets": ("see the docs [info] there", ""),
    "a sentence with an assignment": ("set the level=debug for more", ""),
    "a sentence with a colon": ("Log level: info", ""),
    "a flag of a command": ("started with --log-level=debug", ""),
    "a note": ("Note: this is no log level", ""),
    "a count": ("errors: 0", ""),
    "the HTTP method": ('10.0.0.1 - - [20/Nov/2026:03:04:05 +0000] "TRACE / HTTP/1.1" 405', ""),
    "the HTTP method first": ("TRACE / 405 1ms", ""),
    "a path": ("10.0.0.1 GET /ERROR 404", ""),
    "a quotation": ('10.0.0.1 "it said ERROR" 200', ""),
    "a quotation without a sentence": ('10.0.0.1 "GET /a ERROR HTTP/1.1" 200', ""),
    "a title": ("The Server ERROR", ""),
    "a variable": ("ERROR_CODE=5", ""),
    "a compound": ("ERROR-prone code", ""),
}


@pytest.mark.parametrize(("text", "level"), LEVELS.values(), ids=LEVELS)
def test_a_level_stands_in_a_header(text: str, level: str) -> None:
    assert find({}, text).level == level


def test_a_level_in_the_text_comes_before_the_journals_priority() -> None:
    assert find({"PRIORITY": "6"}, "E1120 03:04:05.123456    1 kubelet.go:1] x").level == "ERROR"


SAMPLES = Path(__file__).parent / "samples" / "11-trace-ids"
LONG, LOW = "4bf92f3577b34da6a3ce929d0e0e4736", "a3ce929d0e0e4736"
CHECKOUT, PAYMENTS, GATEWAY = "b7ad6b7169203331", "53995c3f42cd8ad8", "00f067aa0ba902b7"
FOUND_IN_SAMPLES: dict[str, Trace] = {
    "POST /carts/C-1/checkout": Trace(LONG, CHECKOUT, "INFO"),
    "older form with the export flag": Trace(LOW, CHECKOUT, "INFO"),
    "no trace is active": Trace(level="INFO"),
    "nor here": Trace(level="INFO"),
    "MDC in brackets": Trace(LONG, CHECKOUT, "DEBUG"),
    "MDC bare": Trace(LONG, CHECKOUT, "DEBUG"),
    "pair with a dash": Trace(LONG, CHECKOUT, "DEBUG"),
    "single header": Trace(LONG, CHECKOUT, "INFO"),
    "not sampled, no ids": Trace(level="INFO"),
    "X-B3-TraceId: ": Trace(LOW, CHECKOUT, "INFO"),
    "with a trace\n": Trace(LONG, CHECKOUT, "ERROR"),
    " traceparent=00-4bf9": Trace(LONG, GATEWAY),
    "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent": Trace(LONG, PAYMENTS),
    "traceparent=-": Trace(),
    "traceparent=00-00000000": Trace(),
    "sku=1 traceparent": Trace(LONG, PAYMENTS),
    '"traceID":"4BF9': Trace(LONG, PAYMENTS, "INFO"),
    '"trace":{"id"': Trace(LONG, PAYMENTS, "INFO"),
    '"not ids"': Trace(level="INFO"),
    '"authorize","trace_id"': Trace(LONG, PAYMENTS, "INFO"),
    '"otelTraceID"': Trace(LONG, PAYMENTS, "INFO"),
    '"dd":{': Trace(LOW, f"{6022251911923895000:x}", "INFO"),
    '"dd.trace_id"': Trace(LOW, f"{6022251911923895000:x}", "INFO"),
    "[trace_id=": Trace(LONG, PAYMENTS, "INFO"),
    '"traceparent":"': Trace(LONG, PAYMENTS, "INFO"),
    '"x-amzn-trace-id":"Self': Trace(LONG, "", "INFO"),
    '"xray_trace_id"': Trace(LONG, "", "INFO"),
    "uber-trace-id: ": Trace(LONG, GATEWAY),
    "- quoted": Trace(LONG),
    "correlation-id=": Trace(),
}


def sampled() -> list[tuple[dict[str, Any], str]]:
    """(fields, text) of each event as the pipeline hands them over, with JSON lines expanded."""
    events = []
    for line in (SAMPLES / "recommended.jsonl").read_text(encoding="utf-8").split("\n")[:-1]:
        fields = json.loads(json.loads(line)["message"])
        text = fields.pop("message")
        if own := json_in(text) if text.startswith("{") else None:
            fields["log_processed"] = own
        events.append((fields, text))
    return events


def expected_of(text: str) -> Trace:
    """The one row of the table that the text belongs to."""
    (trace,) = [trace for part, trace in FOUND_IN_SAMPLES.items() if part in text]
    return trace


def test_every_line_of_the_samples_gives_its_ids_and_no_other() -> None:
    events = sampled()
    assert len(events) == len(FOUND_IN_SAMPLES) == len(json.loads((SAMPLES / "expected.json").read_text("utf-8")))
    assert [find(fields, text) for fields, text in events] == [expected_of(text) for _, text in events]


@pytest.mark.parametrize("seed", range(5))
def test_nothing_is_carried_over_from_one_record_to_the_next(seed: int) -> None:
    events = sampled()
    random.Random(seed).shuffle(events)
    assert [find(fields, text) for fields, text in events] == [expected_of(text) for _, text in events]


HOSTILE = {
    "hexadecimal": "0123456789abcdef" * 62_500,
    "commas": f",{S}" * 60_000,
    "dashes": f"-{S}" * 60_000,
    "brackets": "[" * 1_000_000,
    "names": "trace_id=" * 111_000,
    "versions": "00-" * 333_000,
    "levels": "XERROR" * 166_000,
    "letters": "a" * 1_000_000,
    "spaces": " " * 1_000_000,
    "roots": "Root=1-" * 142_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_megabyte_on_one_line_costs_no_time(text: str) -> None:
    assert find({}, text) == Trace()
    assert_grows_with_size(lambda some: find({}, some), text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.sampled_from([T, S, "info", "3", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["traceId", "b3", "level", "dd", "trace", "id", "Scopes", "log"]), inner)
    ),
    max_leaves=10,
)


@hypothesis.settings(patient, max_examples=200)
@given(
    st.dictionaries(st.sampled_from(["trace", "dd", "level", "log", "span", "b3", "priority", "Scopes"]), json_values)
)
def test_fields_of_any_shape_are_taken(fields: dict[str, Any]) -> None:
    found = find(fields, "")
    assert normal_id(found.trace_id) == found.trace_id
    assert found.level in {"", "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"}
