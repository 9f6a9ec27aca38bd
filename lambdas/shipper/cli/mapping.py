"""`cwl-shipper mapping`: the fields of a day's index, and the end of their growth for the rest of the day."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

import click
from rich.console import Console

from shipper import index_mapping
from shipper.aws.clock import SystemClock
from shipper.aws.search import Index
from shipper.cli import deployment
from shipper.cli.terminal import Failed, cell, console, counted, print_json, progress_console, writing_options
from shipper.document import INDEX_PREFIX
from shipper.repair import Repair
from shipper.times import iso

_MAX_FAMILIES = 5


@dataclass(frozen=True, slots=True)
class _Mapped:
    """An index with what `GET INDEX/_mapping` says of it; the engine refuses more than `limit` fields."""

    index: str
    body: dict[str, Any]
    limit: int


def _ours(_context: click.Context, _parameter: click.Parameter, names: Sequence[str]) -> Sequence[str]:
    # The rule of a replay's --index: no list, no pattern, nothing but logs.
    if problems := [problem for name in names for problem in Repair(index=name).problems()]:
        raise click.BadParameter("; ".join(problems))
    return names or (INDEX_PREFIX + iso(SystemClock().now_ms())[:10].replace("-", "."),)


def _indices(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.argument("indices", nargs=-1, metavar="[INDEX]...", callback=_ours)(command)


@click.command("show", short_help="Show how many fields an index has.")
@_indices
@deployment.options
@click.option("--json", "as_json", is_flag=True, help="JSON lines, one an index, with all objects.")
def show(indices: Sequence[str], stack: str, region: str | None, profile: str | None, as_json: bool) -> None:
    """Show how many fields an index has, how many it may have, and which objects hold most of them.

    Without INDEX it is today's (UTC).

    \b
    Examples:
      cwl-shipper mapping show
      cwl-shipper mapping show cwl-2026.11.24 cwl-2026.11.25 --json
    """
    with _opened(indices, stack, region, profile) as (_, found):
        for one in found:
            if as_json:
                print_json(_json(one))
            else:
                _print(one, console())


@click.command("freeze")
@_indices
@deployment.options
@click.option("--undo", is_flag=True, help="Let the index map new fields again, as before.")
@writing_options(dry_run="Say what would be changed, and change nothing.")
def freeze(
    indices: Sequence[str],
    stack: str,
    region: str | None,
    profile: str | None,
    undo: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Let a full index take new fields without mapping them.

    For a day on which field names explode (`Limit of total fields`): no document is refused for a new field any more.
    The field is shown with its document; a search finds it only by the words of the message. Fields that are mapped
    stay mapped, and the next day's index begins afresh. Without INDEX it is today's (UTC).

    \b
    Examples:
      cwl-shipper mapping freeze --dry-run
      cwl-shipper mapping freeze cwl-2026.11.25 --yes
      cwl-shipper mapping freeze --undo
    """
    verb, words = ("thaw", "new fields are mapped again") if undo else ("freeze", "new fields are kept and not mapped")
    body_of = index_mapping.thaw if undo else index_mapping.freeze
    plan, out = progress_console(), console()
    with _opened(indices, stack, region, profile) as (index, found):
        bodies = {one.index: body for one in found if (body := body_of(one.body))}
        for one in found:
            _print(one, plan)
            plan.print(f"  {verb} it: {words}" if one.index in bodies else f"  nothing to {verb}", soft_wrap=True)
        changing = {} if dry_run else bodies
        if changing and not yes:
            click.confirm(f"{verb.capitalize()} {counted(len(changing), 'mapping')}?", abort=True, err=True)
        for name, body in changing.items():
            index.put_mapping(name, body)
            (plan if as_json else out).print(f"{name}: {words}.", soft_wrap=True)
    if as_json:
        print_json({"dry_run": dry_run, verb: list(bodies)})
    elif not changing:
        out.print("Nothing was changed.")


@click.group("mapping", commands=[show, freeze])
def mapping() -> None:
    """See how many fields a day's index has, and stop their growth."""


@contextmanager
def _opened(
    indices: Sequence[str], stack: str, region: str | None, profile: str | None
) -> Iterator[tuple[Index, list[_Mapped]]]:
    """The domain's indices, and those asked for; what goes wrong inside is one line."""
    site = deployment.survey(stack, region, profile)
    with deployment.aws_errors(stack), deployment.search_errors():
        yield site.index, [_read(site.index, name) for name in dict.fromkeys(indices)]


def _read(index: Index, name: str) -> _Mapped:
    body = index.mapping(name)
    if body is None:
        raise Failed(f"there is no index {name}: name a day that has logs, like {INDEX_PREFIX}2026.11.24 (UTC)")
    return _Mapped(name, body, index.max_fields(name))


def _json(one: _Mapped) -> dict[str, Any]:
    objects = index_mapping.families(one.body)
    return {
        "index": one.index,
        "fields": sum(objects.values()),
        "limit": one.limit,
        "dynamic": index_mapping.dynamic(one.body),
        "objects": objects,
    }


def _print(one: _Mapped, out: Console) -> None:
    objects = index_mapping.families(one.body)
    count = sum(objects.values())
    out.print(cell(f"{one.index}  {count:,} of {one.limit:,} fields; {_new_fields(one, count)}"), style="bold")
    for path, many in islice(objects.items(), _MAX_FAMILIES):
        out.print(cell(f"{many:>8,}  in {path}" if path else f"{many:>8,}  at the top"), soft_wrap=True)


def _new_fields(one: _Mapped, count: int) -> str:
    """What becomes of a document with a new field, as far as the top decides it."""
    match index_mapping.dynamic(one.body)[""]:
        case "true":
            return "new ones are mapped" if count < one.limit else "full, new ones are refused"
        case "false":
            return "frozen, new ones are kept and not mapped"
        case other:
            return f"new ones by the rule {other}"
