"""Python's traces: https://docs.python.org/3/library/traceback.html."""

from __future__ import annotations

from shipper.presets.rows import ANOTHER, BLANK, HEAD, LEVEL, LOGGED, NAME, ORPHAN, PATH, SPACE, Row

_TRACEBACK = r"Traceback \(most recent call last\):(?:\s*$|  File \")"
_GROUP = r"\s*\+ Exception Group Traceback \(most recent call last\):"
_BETWEEN = (
    r"(?:During handling of the above exception, another exception occurred:"
    r"|The above exception was the direct cause of the following exception:)\s*$"
)
_NAME = r"(?:(?:[^\W\d]\w*\.)+[^\W\d]\w*|[A-Z]\w*)"
_ENDS = ("python.end", "python.announced", "python.group", "python.note?")

ROWS = (
    Row(
        (HEAD, *LOGGED, "python.between", "python.remote", "python.announcement"),
        _TRACEBACK,
        "python.trace",
        "Traceback (most recent call last):",
        first="T",
    ),
    Row(
        (HEAD, *LOGGED, "python.between"),
        _GROUP,
        "python.group",
        "  + Exception Group Traceback (most recent call last):",
        first=SPACE + "+",
    ),
    Row((HEAD,), r'  File "[^"]+", line \d+\s*$', "python.trace", '  File "/app/main.py", line 7', first=SPACE),
    Row(
        (ORPHAN,),
        r'  File "[^"]+", line \d+, in ',
        "python.trace",
        '  File "/app/main.py", line 12, in handler',
        first=SPACE,
    ),
    Row(("python.trace",), r"\s+\S", "python.trace", "    raise ValueError(order)"),
    Row(
        ("python.trace",),
        rf"(?!{LEVEL}){_NAME}: .*:\s*$",
        "python.announced",
        "ValueError: amount must be positive:",
    ),
    Row(("python.trace",), rf"(?!{LEVEL}){_NAME}(?:: .*|:)?\s*$", "python.end", "ValueError: no order 42"),
    Row(("python.announced",), r"(?!\s*\+ Exception Group |  File \")\s+\S", "python.announced", "  got -8800"),
    Row(("python.group",), r"\s+(?:\||\+-)", "python.group", "    | ValueError: 1"),
    Row(
        (ORPHAN,),
        r"\s+\+-\+?-{10,} \d+ -{10,}",
        "python.group",
        "  +-+---------------- 1 ----------------",
        first=SPACE,
    ),
    # What stands between two chained exceptions is the first one's: notes, further lines of its message.
    Row(
        _ENDS,
        _BETWEEN,
        "python.between",
        "During handling of the above exception, another exception occurred:",
    ),
    Row(("python.between",), BLANK, "python.between", ""),
    # A process pool prints the worker's trace in quotes.
    Row(
        (HEAD, *LOGGED),
        r"(?:\w+\.)+_?RemoteTraceback:\s*$",
        "python.remote",
        "concurrent.futures.process._RemoteTraceback: ",
        first=NAME,
    ),
    Row(("python.remote",), r'"""\s*$', "python.remote", '"""'),
    Row(
        _ENDS,
        rf"(?!{ANOTHER}|\s*\+ Exception Group)",
        "python.note?",
        "while loading order 42",
    ),
    # Lines that announce a trace.
    Row(
        (HEAD,),
        r"(?:Exception in thread \S+ \(.*\):|Exception in thread Thread-\d+:|Exception ignored in: .*|Process [\w-]+:"
        r"|Task exception was never retrieved|--- Logging error ---)\s*$",
        "python.announcement",
        "Exception in thread Thread-1 (run):",
        first="EPT-",
    ),
    Row(
        ("python.announcement", *LOGGED),
        r"future: <\w*(?:Task|Future)",
        "python.announcement",
        "future: <Task finished name='Task-881' coro=<Settler.run() done>>",
    ),
    Row(
        (HEAD,),
        r"[^\s:]+:\d+: \w*Warning: ",
        "python.warning",
        "/app/payments/fx.py:12: DeprecationWarning: datetime.datetime.utcnow() is deprecated",
        first=PATH,
    ),
    Row(("python.warning",), r"  \S", "python.warned", "  now = datetime.utcnow()"),
)
