from __future__ import annotations

import shlex
from typing import Any

import pytest

from shipper.cli.cures import CURES, advice
from shipper.model import Reason

MAPPING = "mapper_parsing_exception"
LONG = Reason(MAPPING, "failed to parse field [n] of type [long] in document with id '4'.", 400, "n")
OBJECT = "object mapping for [o] tried to parse field [o] as object, but found a concrete value"

# What the engine says is what OpenSearch 3.7 and 2.19 were seen to say.
ADVICE = [
    pytest.param(
        LONG,
        [{"n": {"a": 1}}],
        "Field `n` is mapped as long, this record has an object.",
        "cwl-shipper dlq replay --reason mapper_parsing_exception --rename n=n_text",
        id="an object for a number",
    ),
    pytest.param(
        Reason(MAPPING, "failed to parse field [s] of type [text] in document with id '8'.", 400, "s"),
        [{"s": {"a": 1}}],
        "Field `s` is mapped as text, this record has an object.",
        "--to-string s",
        id="an object for a text",
    ),
    pytest.param(LONG, [{"n": "abc"}], "Field `n` is mapped as long, this record has text.", "--rename", id="text"),
    pytest.param(LONG, [{}, {"n": [1]}], "this record has a list", "--rename", id="in the second document"),
    pytest.param(LONG, [{"n": None}], "this record has null", "--rename", id="null"),
    pytest.param(LONG, [{"n": True}], "this record has a boolean", "--rename", id="a boolean"),
    pytest.param(LONG, ["no object"], "this record has something else", "--rename", id="no document"),
    pytest.param(
        Reason(MAPPING, OBJECT, 400, "o"),
        [{"o": 5}],
        "mapped as an object, this record has a number",
        "--rename o=",
        id="a number for an object",
    ),
    pytest.param(
        Reason("strict_dynamic_mapping_exception", "mapping set to strict", 400, "order"),
        [{"log_processed": {"order": "O-1"}}],
        "`log_processed.order` is one; here it is text",
        "--drop log_processed.order",
        id="a new field, named by its last part",
    ),
    pytest.param(
        Reason("illegal_argument_exception", "Limit of total fields [1000] has been exceeded", 400),
        [{"@timestamp": "2026-11-24T12:00:00.000Z"}],
        "The index has its 1000 fields already",
        "cwl-shipper mapping freeze cwl-2026.11.24 && cwl-shipper dlq replay --reason illegal_argument_exception",
        id="too many fields",
    ),
    pytest.param(
        Reason("illegal_argument_exception", "Limit of total fields [1000] has been exceeded", 400),
        [],
        "The index has its 1000 fields already",
        "cwl-shipper mapping freeze && cwl-shipper dlq replay",
        id="too many fields of an unknown day",
    ),
    pytest.param(
        Reason("illegal_argument_exception", 'Document contains at least one immense term in field="k"', 400, "k"),
        [{"k": "x"}],
        "32,766 bytes",
        "--drop k",
        id="an immense term",
    ),
    pytest.param(
        Reason("illegal_argument_exception", "mapper [m] cannot be changed from type [long] to [text]", 400, "m"),
        [{"m": "x"}],
        "`m` is in the index with another type, this record has text",
        "--rename m=m_other",
        id="another type",
    ),
    pytest.param(
        Reason("illegal_argument_exception", "The depth of the field has exceeded the allowed limit of [20]", 400),
        [],
        "deeper than the engine takes",
        "--to-string",
        id="too deep",
    ),
    pytest.param(Reason(MAPPING, "field name cannot be an empty string", 400), [], "a name that", "", id="no name"),
    pytest.param(
        Reason("index_closed_exception", "closed", 400),
        [{"@timestamp": "2026-11-24T12:00:00.000Z"}],
        "closed",
        "--index cwl-2026.11.24-late",
        id="a closed index",
    ),
    pytest.param(Reason("rejected_execution_exception", "m", 429), [], "too much to do", "--rate 100", id="too busy"),
    pytest.param(Reason("lambda_failure", "RetriesExhausted"), [], "Lambda gave up", "dlq replay", id="Lambda"),
    pytest.param(Reason("s3_test_event", "m"), [], "Nothing is missing", "dlq replay", id="S3"),
    pytest.param(Reason("bad_gzip", "m"), [], "no payload of CloudWatch Logs", "", id="no payload"),
    pytest.param(Reason("unreadable_letter", "m"), [], "no letter of ours", "", id="unreadable"),
    pytest.param(Reason("never_seen", "m", 400), [], "has refused the document", "dlq replay", id="anything else"),
]


@pytest.mark.parametrize(("reason", "documents", "words", "command"), ADVICE)
def test_a_reason_in_words_and_what_helps(reason: Reason, documents: list[Any], words: str, command: str) -> None:
    advised = advice(reason, documents)
    assert words in advised.words
    assert command in advised.command
    assert bool(command) is bool(advised.command)
    assert advised.cure


def test_a_reason_without_a_field_makes_no_command_that_needs_one() -> None:
    advised = advice(Reason(MAPPING, "failed to parse field [] of type [long]", 400), [{"n": 1}])
    assert advised.command == ""
    assert "(unnamed)" in advised.words


def test_a_field_with_a_hostile_name_cannot_end_the_command() -> None:
    field = "x; rm -rf {} `id` 'y"
    advised = advice(Reason(MAPPING, "failed to parse field [x] of type [long]", 400, field), [])
    assert shlex.split(advised.command)[-1] == f"{field}={field}_text"


def test_a_hostile_time_cannot_end_the_command_that_comes_first() -> None:
    reason = Reason("illegal_argument_exception", "Limit of total fields [1000] has been exceeded", 400)
    command = advice(reason, [{"@timestamp": ";rm -rf /;"}]).command
    assert shlex.split(command)[:4] == ["cwl-shipper", "mapping", "freeze", "cwl-;rm .rf /;"]


def test_the_last_cure_fits_everything() -> None:
    assert (CURES[-1].type, CURES[-1].says) == ("", "")
