from __future__ import annotations

from dataclasses import replace

import click
import pytest
from click.testing import CliRunner

from shipper import deadletter
from shipper.aws.inbox import Message
from shipper.cli import filters
from shipper.cli.filters import EVERYTHING, Filter
from shipper.cli.letters import Entry
from tests.shipper.fakes import REFUSED, SOURCE, doc

LETTER = deadletter.of_documents([doc(1)], REFUSED, SOURCE, failed_at="2026-11-20T00:00:00Z", attempts=1)
ENTRY = Entry(Message("5f2c-1", "receipt", ""), LETTER, "documents")

FILTERS = [
    pytest.param(EVERYTHING, True, id="everything"),
    pytest.param(Filter(letter_id="5f2c"), True, id="the beginning of its id"),
    pytest.param(Filter(letter_id="c-1"), False, id="the end of its id"),
    pytest.param(Filter(reason=REFUSED.type), True, id="its reason"),
    pytest.param(Filter(reason="mapper"), False, id="a part of its reason"),
    pytest.param(Filter(field="n"), True, id="its field"),
    pytest.param(Filter(field="m"), False, id="another field"),
    pytest.param(Filter(log_group=SOURCE.log_group), True, id="its log group"),
    pytest.param(Filter(log_group="*/application"), True, id="a pattern of its log group"),
    pytest.param(Filter(log_group="application"), False, id="a part of its log group"),
    pytest.param(Filter(since="2026-11-20T00:00:00Z"), True, id="since just then"),
    pytest.param(Filter(since="2026-11-20T00:00:01Z"), False, id="since a second later"),
    pytest.param(Filter(reason=REFUSED.type, field="m"), False, id="one of two"),
]


@pytest.mark.parametrize(("chosen", "matches"), FILTERS)
def test_a_letter_is_taken_if_all_fits(chosen: Filter, matches: bool) -> None:
    assert chosen.matches(ENTRY) is matches


def test_since_looks_at_the_last_failure() -> None:
    again = replace(ENTRY, letter=replace(LETTER, failed_at="2026-11-24T12:00:00.123Z"))
    assert Filter(since="2026-11-24T12:00:00Z").matches(again)


def test_a_filter_says_what_it_takes_and_never_steers_a_terminal() -> None:
    assert EVERYTHING.words == "all letters"
    chosen = Filter("5f", "type", "n\x1b[31m", "*/app", "2026")
    assert chosen.words == "letters with id 5f, reason type, field n, log group */app, since 2026"


@click.command
@filters.options
def shown(chosen: Filter) -> None:
    click.echo(chosen.since)


@pytest.mark.parametrize(
    ("args", "since"), [([], ""), (["--since", "2026-11-24T12:00"], "2026-11-24T12:00:00Z")], ids=["none", "a time"]
)
def test_since_is_a_time(args: list[str], since: str) -> None:
    assert CliRunner().invoke(shown, args).stdout == since + "\n"
