"""`make demo`: the main job from a pod's log line to a search hit, for real, every step checked.

python -m local.demo            run and end everything
python -m local.demo --keep     leave it running; `make stop` ends it
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import boto3
import click
from opensearchpy import OpenSearch
from opensearchpy.exceptions import NotFoundError
from rich.console import Console
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from local import story
from local.children import LocalError, record
from local.run import ENV_FILE, LEFT_RUNNING, STACK, Run, deployed, signals_as_exit, write_env
from shipper.cli.terminal import safe

_ARRIVES_WITHIN_S = 60.0
_SHOWN_HITS = 5


class MissingError(Exception):
    """Something that the demo promises did not come; the message says what."""


class Demo:
    """The steps of the demo on one run."""

    def __init__(self, run: Run, console: Console) -> None:
        self._run = run
        self._out = console
        aws = {"endpoint_url": run.cloud.url, "region_name": "us-east-1"}
        self._logs = boto3.client("logs", aws_access_key_id="test", aws_secret_access_key="test", **aws)  # noqa: S106
        self._search = OpenSearch([run.engine.url])
        self._put_events = 0
        self._now_ms = int(time.time() * 1000)
        self._events = [*story.sampled(self._now_ms), story.order_placed(self._now_ms)]
        # An engine of the user's own may hold logs of earlier demos.
        first_ms = min(event.timestamp_ms for event in self._events)
        self._ours = {"range": {"@timestamp": {"gte": first_ms, "format": "epoch_millis"}}}

    def play(self) -> None:
        """Every step. Raises `MissingError` at the first that does not hold."""
        self._log_lines()
        self._find_404()
        self._find_stack_trace()
        self._follow_trace()
        self._count_indices()
        self._refuse_repair_replay()
        self._show_ledger()

    def _log_lines(self) -> None:
        for group, stream, batch in story.put_calls(self._events):
            self._put(group, stream, batch)
        expected = len(self._events)
        self._out.print(f"\n{expected} events written with PutLogEvents into application, dataplane and host")
        with self._out.status("waiting for them in OpenSearch"):
            self._wait(lambda: self._ledger()["received"] >= expected, f"only part of {expected} events were received")
        joined = self._ledger()["joined"]
        self._wait(lambda: self._count() == expected - joined, "not every event became a document")

    def _find_404(self) -> None:
        hits = self._query({"query_string": {"query": "404"}}, size=_SHOWN_HITS)
        self._heading("search: 404", f"{hits['total']['value']} hits")
        for hit in hits["hits"]:
            source = hit["_source"]
            pod = source.get("kubernetes", {}).get("pod_name", source["@log_stream"])
            self._out.print(self._line(pod, source["@message"]))
        self._check(hits["total"]["value"] > 0, "the search for 404 found nothing")

    def _find_stack_trace(self) -> None:
        hits = self._query({"match_phrase": {"@message": "cart C-4 is locked"}})
        self._check(hits["total"]["value"] == 1, f"the stack trace is {hits['total']['value']} documents, not one")
        source = hits["hits"][0]["_source"]
        self._heading("one Java stack trace, one document", f"{source.get('@lines', 1)} events joined")
        self._out.print(Panel(Text(safe(source["@message"])), expand=False))
        whole = story.TRACE_HEAD in source["@message"] and source["@message"].rstrip().endswith("... 3 more")
        self._check(whole, "the stack trace is not whole")

    def _follow_trace(self) -> None:
        hits = self._query({"match_phrase": {"@trace_id": story.TRACE_ID}}, size=50, sort="@timestamp")
        services = {hit["_source"]["kubernetes"]["container_name"] for hit in hits["hits"]}
        self._heading(f"one trace id, {len(services)} services", f"@trace_id: {story.TRACE_ID}")
        shown: set[str] = set()
        for hit in hits["hits"]:
            source = hit["_source"]
            name = source["kubernetes"]["container_name"]
            if name not in shown:
                shown.add(name)
                self._out.print(self._line(f"{source['@timestamp'][11:]} {name}", source["@message"]))
        self._check(len(services) >= 3, f"the trace id leads through {len(services)} services, not three")

    def _count_indices(self) -> None:
        indices = self._search.cat.indices(index="cwl-*", format="json")
        self._heading("documents per index")
        for index in sorted(indices, key=lambda index: str(index["index"])):
            self._out.print(f"  {index['index']}  {index['docs.count']:>6}")
        groups = {
            name: self._search.count(index="cwl-*", body={"query": self._term("@log_group", self._group(name))})[
                "count"
            ]
            for name in ("application", "dataplane", "host")
        }
        self._out.print("  " + ", ".join(f"{name} {count}" for name, count in groups.items()), style="dim")
        self._check(bool(indices) and all(groups.values()), f"a log group has no documents: {groups}")

    def _refuse_repair_replay(self) -> None:
        event = story.order_refused(self._now_ms)
        before = self._count()
        self._put(event.group, event.stream, [event])
        self._heading("one record that the engine refuses", "to the dead-letter queue, with its reason")
        self._wait(lambda: self._ledger()["dead_lettered"] == 1, "the refused record is not in the dead-letter queue")
        self._shipper("dlq", "ls")
        self._shipper("dlq", "show", "--reason", "mapper_parsing_exception")
        self._shipper("dlq", "replay", "--rename", f"{story.CLASHING_FIELD}={story.CLASHING_FIELD}_id", "--yes")
        self._wait(lambda: self._count() == before + 1, "the repaired record is not in the index")
        left = self._shipper("dlq", "ls", "--json", show=False)
        self._check(not left.strip(), f"the dead-letter queue is not empty: {left}")

    def _show_ledger(self) -> None:
        ledger = self._ledger()
        self._heading("the ledger", "every event, exactly once")
        table = Table(box=None, header_style="dim")
        for term in ledger:
            table.add_column(term.replace("_", "-"), justify="right")
        table.add_row(*(str(count) for count in ledger.values()))
        self._out.print(table)
        received = ledger.pop("received")
        self._check(received == self._put_events, f"{self._put_events} events written, {received} received")
        self._check(received == sum(ledger.values()), "the ledger does not balance")
        # The dead letter was replayed, so it is in the index too.
        documents = ledger["indexed"] + ledger["dead_lettered"]
        self._check(self._count() == documents, f"{documents} documents expected, {self._count()} are there")

    def _put(self, group: str, stream: str, events: Iterable[story.Event]) -> None:
        name = self._group(group)
        entries = [{"timestamp": event.timestamp_ms, "message": event.message} for event in events]
        if not self._logs.describe_log_streams(logGroupName=name, logStreamNamePrefix=stream)["logStreams"]:
            self._logs.create_log_stream(logGroupName=name, logStreamName=stream)
        self._logs.put_log_events(logGroupName=name, logStreamName=stream, logEvents=entries)
        self._put_events += len(entries)

    def _group(self, kind: str) -> str:
        return self._run.outputs["LogGroupPrefix"] + kind

    def _ledger(self) -> dict[str, int]:
        """The sum of what the subscriber wrote into its own log."""
        pages = self._logs.get_paginator("filter_log_events").paginate(
            logGroupName=self._run.outputs["SubscriberLogGroup"]
        )
        total: dict[str, int] = dict.fromkeys(
            ("received", "indexed", "duplicate", "joined", "filtered", "requeued", "dead_lettered"), 0
        )
        for page in pages:
            for event in page["events"]:
                if '"ledger":{' in event["message"]:
                    for term, count in json.loads(event["message"])["ledger"].items():
                        total[term] += count
        return total

    def _count(self, query: dict[str, Any] | None = None) -> int:
        try:
            self._search.indices.refresh(index="cwl-*")
            return int(self._query(query or {"match_all": {}}, size=0)["total"]["value"])
        except NotFoundError:
            return 0

    def _query(self, query: dict[str, Any], *, size: int = 10, sort: str | None = None) -> Any:
        body: dict[str, Any] = {
            "query": {"bool": {"must": [query], "filter": [self._ours]}},
            "size": size,
            "track_total_hits": True,
        }
        if sort:
            body["sort"] = [sort]
        return self._search.search(index="cwl-*", body=body)["hits"]

    def _shipper(self, *arguments: str, show: bool = True) -> str:
        """Run the command line as a person would, and show what it says."""
        program = str(Path(sys.executable).parent / "cwl-shipper")
        if show:
            self._out.print(f"\n$ cwl-shipper {' '.join(arguments)}", style="bold", markup=False, highlight=False)
        env = {**os.environ, **self._run.environment(), "COLUMNS": str(min(self._out.width, 120))}
        done = subprocess.run([program, *arguments], env=env, capture_output=True, text=True, check=False)  # noqa: S603
        if show:
            self._out.print(Text(done.stdout.rstrip()))
        if done.returncode:
            raise MissingError(f"cwl-shipper {arguments[0]} {arguments[1]} failed: {done.stderr.strip()}")
        return done.stdout

    def _wait(self, reached: Callable[[], bool], otherwise: str) -> None:
        deadline = time.monotonic() + _ARRIVES_WITHIN_S
        while not reached():
            if time.monotonic() > deadline:
                raise MissingError(otherwise)
            time.sleep(0.2)

    @staticmethod
    def _check(holds: bool, otherwise: str) -> None:
        if not holds:
            raise MissingError(otherwise)

    def _heading(self, what: str, more: str = "") -> None:
        self._out.print()
        self._out.print(Rule(Text.assemble((what, "bold"), f"  {more}" if more else ""), align="left", style="dim"))

    def _line(self, who: str, message: str) -> Text:
        text = Text.assemble((f"  {safe(who)}  ", "cyan"), safe(message.split("\n", maxsplit=1)[0]))
        text.truncate(self._out.width, overflow="ellipsis")
        return text


@click.command(help=__doc__)
@click.option("--keep", is_flag=True, help="Leave everything running when done.")
def main(keep: bool) -> None:
    """Run the demo; exits with 1 and one line where something is missing."""
    console = Console(highlight=False)
    began = time.monotonic()

    def say(what: str) -> None:
        console.print(f"[dim]{time.monotonic() - began:5.1f} s[/]  {what}", soft_wrap=True)

    with signals_as_exit():
        try:
            with deployed(os.environ, say, keep=lambda: keep) as run:
                say("deployed")
                Demo(run, console).play()
                if keep:
                    _leave(run, console)
        except (LocalError, MissingError) as error:
            sys.exit(f"cwl-shipper: {error}")
        except KeyboardInterrupt:
            sys.exit("cwl-shipper: interrupted; everything that was started has been ended")
    say("done, all checked")


def _leave(run: Run, console: Console) -> None:
    record(LEFT_RUNNING, run.identities())
    write_env(run)
    console.print(f"\nLeft running: OpenSearch {run.engine.url}, AWS {run.cloud.url}, stack {STACK}")
    console.print(f"  source {ENV_FILE.relative_to(Path.cwd())}", soft_wrap=True)
    console.print("  cwl-shipper dlq ls; aws logs describe-log-groups; make stop")


if __name__ == "__main__":
    main()
