"""`cwl-shipper transform`: payloads in, bulk NDJSON out, nothing sent."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from shipper import bulk, jsontext
from shipper.aws.clock import SystemClock
from shipper.cli.terminal import PARTLY_DONE, cell, console, escaped, print_json, safe
from shipper.decode import decode, decode_payload
from shipper.explain import Explanation, explain
from shipper.model import Control, LogEvent, Payload, Reason, Rejected, Source
from shipper.pipeline import transform as to_documents
from shipper.settings import ENV_PREFIX, PROFILES, Settings, SettingsError, env_texts

_NOT_JSON = "not_json"
_GROUP = "/aws/containerinsights/demo/application"


@dataclass(frozen=True, slots=True)
class _Input:
    """One thing to transform and where it stands."""

    where: str
    content: Payload | Control | Rejected

    @property
    def is_json(self) -> bool:
        return not (isinstance(self.content, Rejected) and self.content.reason.type == _NOT_JSON)


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(dir_okay=False, allow_dash=True), metavar="FILE...")
@click.option("--profile", type=click.Choice(list(PROFILES)), help="Named set of settings.")
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="Change one setting; repeatable.")
@click.option("--explain", "explaining", is_flag=True, help="Say for each event what was joined, stripped, fixed.")
@click.option("--text", is_flag=True, help="FILE holds plain log lines, not JSON: a payload is made of them.")
@click.option("--log-group", default=_GROUP, show_default=True, metavar="NAME", help="With --text: the log group.")
@click.option("--log-stream", default="text", show_default=True, metavar="NAME", help="With --text: the log stream.")
@click.option("--json", "as_json", is_flag=True, help="With --explain: JSON lines.")
def transform(
    files: Sequence[str],
    profile: str | None,
    assignments: Sequence[str],
    explaining: bool,
    text: bool,
    log_group: str,
    log_stream: str,
    as_json: bool,
) -> None:
    """Turn payloads into bulk NDJSON on standard output. Nothing is sent.

    FILE holds a Lambda event {"awslogs": {"data": ...}}, a decoded payload, or JSON lines of either; - is standard
    input. Settings come from the SHIPPER_* variables, --profile and --set.

    Exit codes: 0 done; 3 some of it could not be read; 1 nothing could; 2 wrong usage.

    \b
    Examples:
      cwl-shipper transform payload.json
      cwl-shipper transform --explain --set join=false payload.json
      kubectl logs my-pod | cwl-shipper transform --text -
    """
    settings = _settings(profile, assignments)
    now_ms = SystemClock().now_ms()
    failed = done = 0
    for item in _text_inputs(files, log_group, log_stream, now_ms) if text else _json_inputs(files, settings):
        match item.content:
            case Rejected(reason):
                click.echo(f"cwl-shipper: {safe(item.where)}: {safe(reason.message)}", err=True)
                failed += 1
                continue
            case Control():
                pass
            case payload if explaining:
                _show_explanations(explain(payload, settings, now_ms), as_json)
            case payload:
                click.echo(escaped(bulk.encode(to_documents(payload, settings, now_ms).documents)), nl=False)
        done += 1
    if failed:
        sys.exit(PARTLY_DONE if done else 1)


def _settings(profile: str | None, assignments: Sequence[str]) -> Settings:
    texts = env_texts(os.environ)
    if profile:
        texts["profile"] = profile
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        if not equals:
            raise click.UsageError(f"--set takes KEY=VALUE, not {assignment!r}")
        texts[key.strip().removeprefix(ENV_PREFIX).lower()] = value
    try:
        return Settings.checked_text(texts, delivery=False)
    except SettingsError as error:
        raise click.UsageError(str(error)) from None


def _read(file: str) -> bytes | _Input:
    """What the file holds, or what is wrong with it."""
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        return _Input(file, Rejected(Reason("unreadable_file", error.strerror or str(error))))


def _json_inputs(files: Iterable[str], settings: Settings) -> Iterator[_Input]:
    for file in files:
        content = _read(file)
        if isinstance(content, _Input):
            yield content
            continue
        whole = _parsed(file, content, settings)
        lines = [(number, line) for number, line in enumerate(content.split(b"\n"), 1) if line.strip()]
        if whole.is_json or len(lines) < 2:
            yield whole
        else:
            yield from _line_inputs(file, lines, settings)


def _line_inputs(file: str, lines: Iterable[tuple[int, bytes]], settings: Settings) -> Iterator[_Input]:
    """JSON lines, each on its own; of a file where no line is a JSON object one fault says it all."""
    faults: list[_Input] = []
    found = False
    for number, line in lines:
        item = _parsed(f"{file}:{number}", line, settings)
        found = found or (item.is_json and line.lstrip().startswith(b"{"))
        faults.append(item)
        if found:
            yield from faults
            faults.clear()
    yield from faults[:1]


def _parsed(where: str, content: bytes, settings: Settings) -> _Input:
    try:
        return _Input(where, _payload(jsontext.loads(content), settings))
    except ValueError as error:
        return _Input(where, Rejected(Reason(_NOT_JSON, f"not JSON, and plain log lines need --text: {error}")))


def _payload(value: Any, settings: Settings) -> Payload | Control | Rejected:
    if isinstance(value, dict) and "awslogs" in value:
        return decode(value, max_decoded_bytes=settings.max_decoded_bytes)
    return decode_payload(value)


def _text_inputs(files: Iterable[str], log_group: str, log_stream: str, now_ms: int) -> Iterator[_Input]:
    # What the shell hands over need not be text; JSON must.
    source = Source("", *(name.encode(errors="replace").decode() for name in (log_group, log_stream)))
    for file in files:
        content = _read(file)
        if isinstance(content, _Input):
            yield content
            continue
        lines = content.decode("utf-8", "replace").removesuffix("\n").split("\n")
        events = tuple(LogEvent(f"line-{number:06d}", now_ms, line) for number, line in enumerate(lines, 1))
        yield _Input(file, Payload(source, events))


def _show_explanations(explanations: Sequence[Explanation], as_json: bool) -> None:
    if as_json:
        for explanation in explanations:
            print_json(asdict(explanation))
        return
    table = Table("event", "goes to", "joined", "stripped", "fixed", "level", "trace", box=None, pad_edge=False)
    for explanation in explanations:
        table.add_row(*(cell(text) for text in _explanation_row(explanation)))
    console().print(table)


def _explanation_row(explanation: Explanation) -> list[str]:
    goes_to = explanation.index or "left out"
    if explanation.document_id not in ("", explanation.event_id):
        goes_to = f"document {explanation.document_id}"
    joined = f"{explanation.events_in_document} events" if explanation.events_in_document > 1 else "-"
    return [
        explanation.event_id,
        goes_to,
        joined + (f", part {explanation.part}" if explanation.part else ""),
        ", ".join(explanation.stripped) or "-",
        ", ".join(explanation.fixed) or "-",
        explanation.level or "-",
        explanation.trace_id or "-",
    ]
