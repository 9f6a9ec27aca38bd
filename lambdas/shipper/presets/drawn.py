"""Objects and tables that a program prints over several lines: proven by the line that closes them."""

from __future__ import annotations

from shipper.presets.rows import DIGIT, HEAD, Row

_BORDER = r"\+[-=]+(?:\+[-=]+)*\+\s*$"

OBJECTS = (
    Row(("braces", "braces?"), r"\s+\S", "braces?", "  id: 's-4410',"),
    Row(("brackets", "brackets?"), r"\s+\S", "brackets?", '  "77-120-XL",'),
    Row(("braces?", "glued"), r"\}[\])}]*[;,]?\s*$", "drawn", "}"),
    Row(("brackets?",), r"\][\])}]*[;,]?\s*$", "drawn", "]"),
    # What another collector joined without its newlines.
    Row((HEAD,), r".*\{ {2,}\S", "glued", "session {  id: 's-4410',  user: null"),
    Row((HEAD,), r"(?!\s).*\{\s*$", "braces", "session {"),
    Row((HEAD,), r"\[\s*$", "brackets", "[", first="["),
)

TABLES = (
    Row((HEAD,), _BORDER, "table", "+-------+-----+", first="+"),
    Row(("timed", "logger.error"), _BORDER, "table?", "+-------+-----+"),
    Row(("table", "table?", "table.row?"), r"\|.*\|\s*$", "table.row?", "| mail  |  12 |"),
    Row(("table.row?",), _BORDER, "table", "+-------+-----+"),
    Row((HEAD,), r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", "timed", "2026-11-20 03:04:07 INFO table follows", first=DIGIT),
)
