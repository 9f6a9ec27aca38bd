"""How records of several lines look, as data: one row says that a line of this shape, in this state, leads to which.

`grammar.py` walks the rows, `multiline.py` joins. `HEAD` rows say what a line begins that continues nothing, `ORPHAN`
rows what it goes on whose head is missing; all others say what may follow what. A shape must be unmistakable: a wrong
join hides a log line, a missed one only splits a record. `example` is a line of a log that the row is there for; a
test holds the rows to their examples. Of the rows of one state the first that matches counts.
"""

from __future__ import annotations

from shipper.presets import at_frames, drawn, go, logger, native, python, scripts
from shipper.presets.rows import HEAD, ORPHAN, Row

__all__ = ["HEAD", "ORPHAN", "ROWS", "Row"]

ROWS: tuple[Row, ...] = (
    *drawn.OBJECTS,
    *go.ROWS,
    *go.RACE,
    *logger.ERRORS,
    *logger.JUL,
    *logger.CONSOLE,
    *logger.SPRING,
    *python.ROWS,
    *scripts.ROWS,
    *native.ROWS,
    *drawn.TABLES,
    *at_frames.ROWS,
)
