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
from shipper.cli.terminal import PARTLY_DONE, Failed, cell, console, safe
from shipper.decode import decode, decode_payload
from shipper.explain import Explanation, explain
from shipper.model import Control, LogEvent, Payload, Rejected, Source
from shipper.pipeline import transform as to_documents
from shipper.settings import ENV_PREFIX, PROFILES, Settings, SettingsError


@dataclass(frozen=True, slots=True)
class _Input:
    """One thing to transform and where it stands."""

    where: str
    content: Payload | Control | Rejected


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(dir_okay=False, allow_dash=True), metavar="FILE...")
@click.option("--profile", type=click.Choice(list(PROFILES)), help="Named set of settings.")
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="Change one setting; repeatable.")
@click.option("--explain", "explaining", is_flag=True, help="Say for each event what was joined, stripped, fixed.")
@click.option("--text", is_flag=True, help="FILEs are plain log lines; a payload is made of them.")
@click.option("--log-group", default="/aws/containerinsights/demo/application", help="With --text: the log group.")
@click.option("--log-stream", default="text", help="With --text: the log stream.")
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
                click.echo(f"cwl-shipper: {item.where}: {reason.type}: {safe(reason.message)}", err=True)
                failed += 1
                continue
            case Control():
                pass
            case payload if explaining:
                _show_explanations(explain(payload, settings, now_ms), as_json)
            case payload:
                click.echo(bulk.encode(to_documents(payload, settings, now_ms).documents), nl=False)
        done += 1
    if failed:
        sys.exit(PARTLY_DONE if done else 1)


def _settings(profile: str | None, assignments: Sequence[str]) -> Settings:
    texts = {
        name.removeprefix(ENV_PREFIX).lower(): value
        for name, value in os.environ.items()
        if name.startswith(ENV_PREFIX)
    }
    if profile:
        texts["profile"] = profile
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        if not equals:
            raise click.UsageError(f"--set takes KEY=VALUE, not {assignment!r}")
        texts[key.strip().removeprefix(ENV_PREFIX).lower()] = value
    try:
        return Settings.from_text(texts).checked(delivery=False)
    except SettingsError as error:
        raise click.UsageError(str(error)) from None


def _read(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise Failed(f"{file}: {error.strerror}") from None


def _json_inputs(files: Iterable[str], settings: Settings) -> Iterator[_Input]:
    for file in files:
        content = _read(file)
        try:
            yield _Input(file, _payload(jsontext.loads(content), settings))
            continue
        except ValueError as error:
            whole_file_fault = str(error)
        lines = [(number, line) for number, line in enumerate(content.split(b"\n"), 1) if line.strip()]
        if len(lines) < 2:
            raise Failed(f"{file}: not JSON: {whole_file_fault}")
        for number, line in lines:
            yield _line_input(f"{file}:{number}", line, settings)


def _line_input(where: str, line: bytes, settings: Settings) -> _Input:
    try:
        return _Input(where, _payload(jsontext.loads(line), settings))
    except ValueError as error:
        raise Failed(f"{where}: not JSON: {error}") from None


def _payload(value: Any, settings: Settings) -> Payload | Control | Rejected:
    if isinstance(value, dict) and "awslogs" in value:
        return decode(value, max_decoded_bytes=settings.max_decoded_bytes)
    return decode_payload(value)


def _text_inputs(files: Iterable[str], log_group: str, log_stream: str, now_ms: int) -> Iterator[_Input]:
    source = Source("", log_group, log_stream)
    for file in files:
        lines = _read(file).decode("utf-8", "replace").removesuffix("\n").split("\n")
        events = tuple(LogEvent(f"line-{number:06d}", now_ms, line) for number, line in enumerate(lines, 1))
        yield _Input(file, Payload(source, events))


def _show_explanations(explanations: Sequence[Explanation], as_json: bool) -> None:
    if as_json:
        for explanation in explanations:
            click.echo(jsontext.dumps(asdict(explanation)))
        return
    table = Table("event", "goes to", "joined", "stripped", "fixed", "level", "trace", box=None, pad_edge=False)
    for explanation in explanations:
        table.add_row(*(cell(text) for text in _explanation_row(explanation)))
    console().print(table)


def _explanation_row(explanation: Explanation) -> list[str]:
    own = explanation.document_id == explanation.event_id
    joined = f"{explanation.events_in_document} events" if explanation.events_in_document > 1 else "-"
    return [
        explanation.event_id,
        explanation.index if own else f"document {explanation.document_id}",
        joined + (f", part {explanation.part}" if explanation.part else ""),
        ", ".join(explanation.stripped) or "-",
        ", ".join(explanation.fixed) or "-",
        explanation.level or "-",
        explanation.trace_id or "-",
    ]
