from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from shipper import audit, jsontext
from shipper.audit import Standing, Window
from shipper.aws.subscriber import Function
from shipper.cli.audit_report import MAX_ERRORS
from shipper.cli.auditing import examine, send
from shipper.model import Ledger
from tests.shipper.cli.site import SOURCE, PlayedSite, play
from tests.shipper.fakes import local_aws


@pytest.fixture
def site() -> Iterator[PlayedSite]:
    with local_aws() as aws:
        yield play(aws)


def window() -> Window:
    now_ms = int(time.time() * 1000)
    return Window(replace(SOURCE, log_stream=""), now_ms - 3_600_000, now_ms, now_ms)


def test_memory_is_bounded_by_slices_and_the_payloads_go_to_a_file(
    site: PlayedSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "MAX_SLICE_EVENTS", 10)
    site.write(*map(str, range(35)))
    with tempfile.TemporaryFile() as spool:
        report = examine(site.site, window(), "", spool)
        assert report.counts == {Standing.MISSING: 35}
        assert report.packed == 4
        sent = send(Function(site.function, "subscriber"), report.packed, spool)
        assert sent.ledger == Ledger(received=35, indexed=35)
        spool.truncate(0)
        spool.seek(0)
        assert examine(site.site, window(), "", spool).counts == {Standing.PRESENT: 35}
        assert spool.tell() == 0


def test_the_letters_are_read_once_and_only_where_something_is_missing(
    site: PlayedSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "MAX_SLICE_EVENTS", 2)
    passes: list[Any] = []
    real = site.site.found.inbox.runs

    def runs(**options: Any) -> Any:
        passes.append(options)
        return real(**options)

    monkeypatch.setattr(type(site.site.found.inbox), "runs", lambda _, **options: runs(**options))
    site.write("a", "b", "c", "d")
    site.bury_all()
    with tempfile.TemporaryFile() as spool:
        assert examine(site.site, window(), "", spool).counts == {Standing.WAITING: 4}
        assert len(passes) == 1
        site.index_all()
        assert examine(site.site, window(), "", spool).counts == {Standing.PRESENT: 4}
        assert len(passes) == 1


def test_what_fails_is_counted_and_the_rest_goes_on(site: PlayedSite) -> None:
    site.function.error = "no rights"
    with tempfile.TemporaryFile() as spool:
        for _ in range(MAX_ERRORS + 1):
            spool.write(jsontext.dumps({"awslogs": {}}) + b"\n")
        sent = send(Function(site.function, "subscriber"), MAX_ERRORS + 1, spool)
    assert (sent.failed, sent.taken, len(sent.errors)) == (MAX_ERRORS + 1, 0, MAX_ERRORS)
