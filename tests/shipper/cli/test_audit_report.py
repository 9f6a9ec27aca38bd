from __future__ import annotations

from collections import Counter

import pytest

from shipper.audit import MAX_NAMED, Event, Judged, Standing, Window
from shipper.cli.audit_report import Report, Sent, json_of, show
from shipper.model import Ledger, LogEvent
from tests.shipper.fakes import NOW_MS, SOURCE

WINDOW = Window(SOURCE, NOW_MS - 3_600_000, NOW_MS, NOW_MS)
EVENT = Event(LogEvent("id-1", NOW_MS - 1, "x"), "pod-1", 0)


def judged(count: int) -> Judged:
    return Judged(Counter({Standing.MISSING: count}), [[EVENT] * count], ["s"] * count, count)


def test_counts_are_of_all_and_names_are_bounded() -> None:
    report = Report()
    for _ in range(3):
        report.add(judged(MAX_NAMED // 2))
    found = json_of(report, WINDOW, None)
    assert (found["missing"], found["extra"]) == (MAX_NAMED * 3 // 2, MAX_NAMED * 3 // 2)
    assert len(found["missing_events"]) == len(found["extra_ids"]) == MAX_NAMED
    assert "sent" not in found


def test_what_was_sent_is_written_too() -> None:
    found = json_of(Report(), WINDOW, Sent(Ledger(received=3, indexed=3), taken=1, failed=2))
    assert (found["sent"]["indexed"], found["payloads_not_taken"]) == (3, 2)


@pytest.mark.parametrize(
    ("counts", "extra", "differ"),
    [
        ({}, 0, False),
        ({Standing.MISSING: 5}, 0, False),
        ({Standing.MISSING: 5}, 1, True),
        ({Standing.PRESENT: 1}, 1, False),
    ],
    ids=["nothing", "all missing", "all missing and strangers", "some there"],
)
def test_ids_that_differ_are_noticed(counts: dict[Standing, int], extra: int, differ: bool) -> None:
    assert Report(counts=Counter(counts), extra_count=extra).ids_differ is differ


def test_letters_that_were_not_looked_into_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report(retry_letters=2, hidden_letters=1, unreadable_letters=1)
    show(report, WINDOW)
    assert "The missing may be" not in capsys.readouterr().out
    report.add(judged(1))
    show(report, WINDOW)
    said = capsys.readouterr().out
    assert said.count("The missing may be in ") == 3
    assert "The missing may be in 2 letters in the retry queue." in said
