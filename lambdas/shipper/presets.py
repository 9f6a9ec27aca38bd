"""How stack traces look, as data: one row says that a line of this shape, in this state, leads to that state.

`multiline.py` walks the rows. `HEAD` rows say what a line begins that continues nothing; all others say what may
follow what. A shape must be unmistakable: a wrong join hides a log line, a missed one only splits a record. `example`
is a line of a log that the row is there for; a test holds the rows to their examples.
"""

from __future__ import annotations

from dataclasses import dataclass

HEAD = ""
"""The state in which nothing is known: a line stands for itself."""


@dataclass(frozen=True, slots=True)
class Row:
    """`pattern` is searched from the start of a line (Python syntax, without its newline)."""

    states: tuple[str, ...]
    pattern: str
    to: str
    example: str


_JAVA_CLASS = r"(?:[\w$]+\.)+[A-Z][\w$]*"
_JAVA_THROWN = r"(?:[\w$]+\.)+(?=[\w$]*(?:Exception|Error|Throwable))[A-Z][\w$]*(?::|\s*$)"
_JAVA_STATES = ("java.head", "java.frames")
_PY_TRACEBACK = r"Traceback \(most recent call last\):\s*$"
_PY_BETWEEN = (
    r"(?:During handling of the above exception, another exception occurred:"
    r"|The above exception was the direct cause of the following exception:)\s*$"
)
_PY_NOT_A_LOGGER = r"(?!(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL)\b)"
_BLANK = r"\s*$"

LOGGER = (
    # An error's own log line takes the one trace right below it, which has no header of its own.
    Row(
        (HEAD,),
        r"\W{0,3}\d{1,4}[-/:.]\d\d[-/:.\d].{0,80}?\b(?:ERROR|FATAL|SEVERE|CRITICAL)\b",
        "logger.error",
        "2026-11-20 03:04:07.287 ERROR [checkout,,] 1 --- [nio-8080-exec-3] c.s.CheckoutService : checkout failed",
    ),
    Row(("logger.error",), _BLANK, "logger.error", ""),
)

JAVA = (
    Row((HEAD, "logger.error"), _JAVA_THROWN, "java.head", "java.lang.IllegalStateException: no stock for 77-120"),
    Row((HEAD,), r'Exception in thread "', "java.head", 'Exception in thread "main" java.lang.Error: boom'),
    Row(
        (HEAD, "logger.error", *_JAVA_STATES),
        r"\s+at (?:[\w$.@/-]+/)?[\w$.<>]+\.[\w$<>]+\(.*\)",
        "java.frames",
        "\tat java.base/java.util.stream.ReferencePipeline.collect(ReferencePipeline.java:682) ~[na:na]",
    ),
    Row(
        (HEAD, *_JAVA_STATES),
        rf"\s*(?:Caused by|Suppressed|Wrapped by): {_JAVA_CLASS}(?::|\s*$)",
        "java.head",
        "Caused by: java.net.SocketTimeoutException: Read timed out",
    ),
    Row(
        _JAVA_STATES,
        r"\s+\.{3} \d+ (?:more|common frames omitted)\s*$",
        "java.frames",
        "\t... 23 more",
    ),
    Row(_JAVA_STATES, r"\s*\[CIRCULAR REFERENCE: ", "java.frames", "\t[CIRCULAR REFERENCE: java.lang.Error: a]"),
)

PYTHON = (
    Row((HEAD, "logger.error"), _PY_TRACEBACK, "python.trace", "Traceback (most recent call last):"),
    Row(("python.trace",), r"\s+\S", "python.trace", '  File "/app/main.py", line 12, in handler'),
    Row(
        ("python.trace",),
        _PY_NOT_A_LOGGER + r"(?:[^\W\d]\w*\.)*[^\W\d]\w*(?:: .*|:)?\s*$",
        "python.end",
        "ValueError: no order 42",
    ),
    Row(("python.end",), _BLANK, "python.gap", ""),
    Row(
        ("python.end", "python.gap"),
        _PY_BETWEEN,
        "python.between",
        "During handling of the above exception, another exception occurred:",
    ),
    Row(("python.between",), _BLANK, "python.between", ""),
    Row(("python.between",), _PY_TRACEBACK, "python.trace", "Traceback (most recent call last):"),
)

ROWS: tuple[Row, ...] = (*LOGGER, *JAVA, *PYTHON)
