from __future__ import annotations

import json

import pytest

from shipper import deadletter
from shipper.model import DeadLetter, Reason
from tests.shipper.cli.conftest import (
    Dlq,
    put,
    put_message,
    visible,
)
from tests.shipper.fakes import (
    REFUSED,
    SOURCE,
    LocalAws,
    doc,
)


def test_show_shows_a_letter_in_full_and_removes_nothing(aws: LocalAws, dlq: Dlq) -> None:
    id_ = put(aws, 1, 2, text="the log line")
    put(aws, 3, text="elsewhere")
    result = dlq("show", id_[:20])
    assert (result.exit_code, result.stderr) == (0, "")
    for text in (
        id_,
        REFUSED.type,
        "failed to parse field [n] of type [long]",
        "pod-1",
        '"@id": "id-2"',
        "the log line",
    ):
        assert text in result.stdout
    assert "elsewhere" not in result.stdout
    assert visible(aws) == 2


def test_show_by_reason_as_json(aws: LocalAws, dlq: Dlq) -> None:
    put(aws, 1)
    put(aws, 2, reason=Reason("other", "m"))
    shown = json.loads(dlq("show", "--reason", "other", "--json").stdout)
    assert (shown["reason"], shown["documents"], shown["attempts"]) == ("other", 1, 1)
    assert shown["content"] == [json.loads(doc(2).source)]


def test_show_shows_what_it_cannot_read_as_it_came(aws: LocalAws, dlq: Dlq) -> None:
    id_ = put_message(aws, "rubbish \x1b[31m")
    result = dlq("show", id_)
    assert "unreadable_letter" in result.stdout
    assert "rubbish" in result.stdout
    assert "\x1b" not in result.stdout


@pytest.mark.parametrize("args", [["nothing"], ["--reason", "nothing"]])
def test_show_of_what_is_not_there_is_one_line(aws: LocalAws, dlq: Dlq, args: list[str]) -> None:
    put(aws, 1)
    result = dlq("show", *args)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("cwl-shipper: no letter ")
    assert result.stderr.count("\n") == 1
    assert visible(aws) == 1


def test_show_says_what_is_wrong_what_helps_and_what_was_before(aws: LocalAws, dlq: Dlq) -> None:
    def letter(reason: Reason, at: str) -> DeadLetter:
        return deadletter.of_documents([doc(1)], reason, SOURCE, failed_at=at, attempts=1)

    before = letter(Reason("unreachable", "ConnectionError: refused"), "2026-11-20T00:00:00Z")
    (again,) = deadletter.again([letter(REFUSED, "2026-11-24T12:00:00Z")], before)
    put_message(aws, deadletter.pack(again))
    shown = " ".join(dlq("show", "--reason", REFUSED.type).stdout.split())
    assert "failed at 2026-11-24T12:00:00Z before 2026-11-20T00:00:00Z unreachable: ConnectionError: refused" in shown
    assert "what is wrong Field `n` is mapped as long, this record has something else." in shown
    assert "for example cwl-shipper dlq replay --reason mapper_parsing_exception --rename n=n_text" in shown
    advice = json.loads(dlq("show", "--reason", REFUSED.type, "--json").stdout)["advice"]
    assert advice["command"].endswith("--rename n=n_text")


def test_show_shows_a_few_documents_and_all_as_json(aws: LocalAws, dlq: Dlq) -> None:
    id_ = put(aws, *range(8), text="x" * 10_000)
    shown = dlq("show", id_).stdout
    assert shown.count('"@id"') == 5
    assert "and 3 documents more: --json has all of them." in shown
    assert "(10,000 characters)" in shown.replace("\n", "")
    assert len(json.loads(dlq("show", id_, "--json").stdout)["content"]) == 8
