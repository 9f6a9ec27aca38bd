"""What a row of a language table is, and the shapes that several tables share."""

from __future__ import annotations

import string
from dataclasses import dataclass

HEAD = ""
"""The state in which nothing is known: a line stands for itself."""

ORPHAN = "orphan"
"""The state before a line that must have continued a record whose first line is not at hand."""

LOGGED = ("logger.error", "logger.gap?")
"""The states below the log line of an error."""

SOLITARY = frozenset("0123456789{")
"""A line that begins so is never taken for the second of a record: most have a time in front, or are JSON."""


@dataclass(frozen=True, slots=True)
class Row:
    """`pattern` is matched from the start of a line (Python syntax, without its newline, no capturing groups).

    A state that ends in `?` is unproven: its line is held, and joined only if a later line leads to a proven state.
    `first` are the characters that such a line may begin with, where they are few: most rows of `HEAD` and `ORPHAN`
    are then not tried at all.
    """

    states: tuple[str, ...]
    pattern: str
    to: str
    example: str
    first: str = ""


SPACE = " \t"
DIGIT = string.digits
UPPER = string.ascii_uppercase
NAME = string.ascii_letters + "_$"
PATH = string.ascii_lowercase + "/.<(-"
MARK = string.punctuation + SPACE

BLANK = r"\s*$"
LEVEL = r"(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL|SEVERE)\b"
OWN_HEADER = (
    rf"\W{{0,3}}(?:\d{{1,4}}[-/:.]\d\d|{LEVEL})"
    r"|[IWEFD]\d{4} \d\d:|[A-Z], \[\d|[A-Z][a-z]{2} [ \d]\d[ ,]|\{"
)
"""How a line begins that a logger wrote as one of its own: a time, a level, JSON."""

THROWN = r"[\w$.]*(?:Exception|Error|Throwable)(?:\$\w+)?(?: \[\w+\])?(?::|\s*$|\s+at )"
"""The first line of a trace where its class's name says so."""

ANOTHER = (
    rf"(?:{OWN_HEADER}|{THROWN}|(?:[\w$]+\.)+[A-Z][\w$]*: |(?:trce|dbug|info|warn|fail|crit): "
    r"|Traceback |Exception in thread |Unhandled [Ee]xception|panic: |fatal error: |SIG[A-Z]+: |goroutine \d+ \["
    r"|thread '|PHP |\"[^\"]+\" #\d|\(node:\d+\) |(?:node:|file:///?|/)\S+:\d+\s*$)"
)
"""What begins so is another record, not a further line of a message."""
