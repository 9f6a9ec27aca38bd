from __future__ import annotations

import tracemalloc
from dataclasses import replace

from shipper import deadletter
from shipper.aws.inbox import Message
from shipper.cli.groups import MAX_GROUPS, Groups
from shipper.cli.letters import Entry
from shipper.model import DeadLetter, Reason
from tests.shipper.fakes import REFUSED, SOURCE, doc


def entry(letter: DeadLetter, *, in_bucket: bool = False, form: str = "documents") -> Entry:
    return Entry(Message("m", "receipt", ""), letter, form, in_bucket)


def letter(*numbers: int, reason: Reason = REFUSED, at: str = "2026") -> DeadLetter:
    return deadletter.of_documents([doc(n) for n in numbers], reason, SOURCE, failed_at=at, attempts=1)


def test_groups_are_by_reason_field_log_group_and_form_the_largest_first() -> None:
    groups = Groups()
    for one in (
        entry(letter(1, at="2026-11-02")),
        entry(letter(2, 3, at="2026-11-01"), in_bucket=True),
        entry(replace(letter(4), source=replace(SOURCE, log_group="/other"))),
        entry(letter(5, reason=replace(REFUSED, field="m"))),
        entry(letter(6), form="payload"),
        entry(letter(*range(9), reason=Reason("other", "m"))),
    ):
        groups.add(one)
    names = ("reason", "field", "log_group", "form", "documents", "letters", "in_bucket")
    assert [tuple(row[name] for name in names) for row in groups.rows()] == [
        ("other", "", SOURCE.log_group, "documents", 9, 1, 0),
        (REFUSED.type, "n", SOURCE.log_group, "documents", 3, 2, 1),
        (REFUSED.type, "m", SOURCE.log_group, "documents", 1, 1, 0),
        (REFUSED.type, "n", SOURCE.log_group, "payload", 1, 1, 0),
        (REFUSED.type, "n", "/other", "documents", 1, 1, 0),
    ]
    assert (groups.rows()[1]["first_failed_at"], groups.rows()[1]["last_failed_at"]) == ("2026-11-01", "2026-11-02")


def test_the_last_time_is_that_of_the_last_failure() -> None:
    groups = Groups()
    groups.add(entry(replace(letter(1, at="2026-11-01"), failed_at="2026-11-09")))
    (row,) = groups.rows()
    assert (row["first_failed_at"], row["last_failed_at"]) == ("2026-11-01", "2026-11-09")


def test_nothing_is_no_groups() -> None:
    assert Groups().rows() == []


def test_a_field_a_letter_takes_bounded_memory_and_is_counted() -> None:
    groups = Groups()
    tracemalloc.start()
    for number in range(20_000):
        groups.add(entry(letter(1, reason=replace(REFUSED, field=f"{number}" * 100))))
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    rows = groups.rows()
    assert len(rows) == MAX_GROUPS + 1
    assert (rows[0]["reason"], rows[0]["letters"]) == ("other reasons", 20_000 - MAX_GROUPS)
    assert peak_bytes < 5_000_000
