"""The steps of the demo on a deployed run: what a user came for, each step shown and checked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from opensearchpy import OpenSearch
from opensearchpy.exceptions import NotFoundError
from rich.console import Console
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from local import story
from local.stack import Deployed
from shipper.cli.terminal import safe
from shipper.model import Ledger

_ARRIVES_WITHIN_S = 120.0
_SHOWN_HITS = 5
_GROUPS = ("application", "dataplane", "host")


class Missing(Exception):
    """Something that the demo promises did not come; the message says what."""


class Demo:
    """The steps, in order, on one deployed run."""

    def __init__(self, deployed: Deployed, console: Console) -> None:
        self._deployed = deployed
        self._out = console
        self._logs = deployed.aws.client("logs")
        self._search = OpenSearch([deployed.engine.url])
        self._put_events = 0
        self._now_ms = int(time.time() * 1000)
        self._events = [*story.sampled(self._now_ms), story.order_placed(self._now_ms)]

    def play(self) -> None:
        """Every step. Raises `Missing` at the first that does not hold."""
        self._log_lines()
        self._find_404()
        self._find_stack_trace()
        self._follow_trace()
        self._count_indices()
        self._rescue()
        self._refuse_repair_replay()
        self._outage()
        self._show_ledger()

    def _log_lines(self) -> None:
        expected = len(self._events)
        with self._out.status("writing events and waiting for them in OpenSearch"):
            for group, stream, batch in story.put_calls(self._events):
                self._put(group, stream, batch)
                # One stream after the other: whose value comes first makes the mapping of a field, and two of the
                # applications do not agree whether `level` is a number.
                self._wait(self._all_received, f"only part of {self._put_events} events were received")
        self._out.print(f"\n{expected} events written with PutLogEvents into {', '.join(_GROUPS)}")
        joined = self._ledger().joined
        self._wait(lambda: self._count() == expected - joined, "not every event became a document")

    def _all_received(self) -> bool:
        return self._ledger().received >= self._put_events

    def _find_404(self) -> None:
        hits = self._query({"query_string": {"query": "404"}}, size=_SHOWN_HITS)
        self._heading("search: 404", f"{hits['total']['value']} hits")
        for hit in hits["hits"]:
            source = hit["_source"]
            pod = source.get("kubernetes", {}).get("pod_name", source["@log_stream"])
            self._out.print(self._line(pod, source["@message"]))
        self._check(hits["total"]["value"] > 0, "the search for 404 found nothing")

    def _find_stack_trace(self) -> None:
        hits = self._query({"match_phrase": {"@message": story.TRACE_PHRASE}})
        self._check(hits["total"]["value"] == 1, f"the stack trace is {hits['total']['value']} documents, not one")
        source = hits["hits"][0]["_source"]
        self._heading("one Java stack trace, one document", f"{source.get('@lines', 1)} events joined")
        self._out.print(Panel(Text(safe(source["@message"])), expand=False))
        whole = story.TRACE_HEAD in source["@message"] and source["@message"].rstrip().endswith(story.TRACE_END)
        self._check(whole, "the stack trace is not whole")

    def _follow_trace(self) -> None:
        hits = self._query({"match_phrase": {"@trace_id": story.TRACE_ID}}, size=50, sort="@timestamp")
        first_of: dict[str, dict[str, Any]] = {}
        for hit in hits["hits"]:
            first_of.setdefault(hit["_source"]["kubernetes"]["container_name"], hit["_source"])
        self._heading(f"one trace id, {len(first_of)} services", f"@trace_id: {story.TRACE_ID}")
        for name, source in first_of.items():
            self._out.print(self._line(f"{source['@timestamp'][11:]} {name}", source["@message"]))
        self._check(len(first_of) >= 3, f"the trace id leads through {len(first_of)} services, not three")

    def _count_indices(self) -> None:
        self._heading("documents per index")
        hits = self._query({"match_all": {}}, size=len(self._events))["hits"]
        for index, count in sorted(Counter(hit["_index"] for hit in hits).items()):
            self._out.print(f"  {index}  {count:>6}")
        groups = Counter(hit["_source"]["@log_group"].rpartition("/")[2] for hit in hits)
        self._out.print("  " + ", ".join(f"{name} {groups[name]}" for name in _GROUPS), style="dim")
        self._check(all(groups[name] for name in _GROUPS), f"a log group has no documents: {dict(groups)}")

    def _rescue(self) -> None:
        event = story.order_cancelled(self._now_ms)
        self._put(event.group, event.stream, [event])
        self._heading("one record that does not fit the mapping", "indexed, its fields set aside")
        self._wait(lambda: bool(self._found("order cancelled by customer")), "the record is not in the index")
        (source,) = self._found("order cancelled by customer")
        self._out.print(self._line("@message", source["@message"]))
        error = source.get("@shipper", {}).get("error", {})
        self._out.print(self._line("@shipper.error", f"{error.get('field')}: {error.get('reason')}"))
        self._check(error.get("field") == story.CLASHING_FIELD, "the record does not say what was wrong with it")

    def _refuse_repair_replay(self) -> None:
        event = story.order_of_old(self._now_ms)
        index, body = story.strict_day(self._now_ms)
        if not self._search.indices.exists(index=index):
            self._search.indices.create(index=index, body=body)
        before = self._count()
        self._put(event.group, event.stream, [event])
        self._heading("one record that is refused for good", "dead-lettered with its reason")
        self._wait(lambda: self._ledger().dead_lettered == 1, "the refused record is not in the dead-letter queue")
        self._shipper("dlq", "ls")
        self._shipper("dlq", "show", "--reason", "strict_dynamic_mapping_exception")
        self._shipper("dlq", "replay", "--drop", story.CLASHING_FIELD, "--yes")
        self._wait(lambda: self._count() == before + 1, "the repaired record is not in the index")
        left = self._shipper("dlq", "ls", "--json", show=False)
        self._check(not left.strip(), f"the dead-letter queue is not empty: {left}")

    def _outage(self) -> None:
        events = story.during_outage(self._now_ms)
        half = len(events) // 2
        self._heading("the domain goes away in a stream of logs", f"{len(events)} events")
        self._put(events[0].group, events[0].stream, events[:half])
        self._wait(self._all_received, "the first half did not arrive")
        self._deployed.domain_goes()
        self._put(events[0].group, events[0].stream, events[half:])
        self._wait(lambda: self._ledger().requeued >= len(events) - half, "what could not be sent was not queued")
        self._out.print(f"  away   {len(self._found(story.OUTAGE_PHRASE))} in the index, {half} in the retry queue")
        self._deployed.domain_comes()
        self._wait(lambda: len(self._found(story.OUTAGE_PHRASE)) >= len(events), "the outage did not heal")
        found = self._found(story.OUTAGE_PHRASE)
        self._out.print(f"  back   {len(found)} in the index, by themselves")
        texts = [source["log_processed"]["msg"] for source in found]
        self._check(len(set(texts)) == len(texts) == len(events), f"{len(found)} documents of {len(events)} events")

    def _found(self, phrase: str) -> list[dict[str, Any]]:
        """The documents with this phrase."""
        self._search.indices.refresh(index="cwl-*")
        hits = self._query({"match_phrase": {"@message": phrase}}, size=100)["hits"]
        return [hit["_source"] for hit in hits]

    def _show_ledger(self) -> None:
        ledger = self._ledger()
        self._heading("the ledger", "every event, exactly once")
        table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 1))
        for term in ledger.terms():
            table.add_column(term.replace("_", "-"), justify="right")
        table.add_row(*(str(count) for count in ledger.terms().values()))
        self._out.print(table)
        ledger.assert_balanced()
        self._check(
            ledger.received == self._put_events, f"{self._put_events} events written, {ledger.received} received"
        )
        # The dead letter was replayed and the queue is empty, so all of it is in the index too.
        documents = ledger.indexed + ledger.dead_lettered + ledger.requeued
        self._check(self._count() == documents, f"{documents} documents expected, {self._count()} are there")

    def _put(self, group: str, stream: str, events: Iterable[story.Event]) -> None:
        name = self._deployed.outputs["LogGroupPrefix"] + group
        entries = [{"timestamp": event.timestamp_ms, "message": event.message} for event in events]
        if not self._logs.describe_log_streams(logGroupName=name, logStreamNamePrefix=stream)["logStreams"]:
            self._logs.create_log_stream(logGroupName=name, logStreamName=stream)
        self._logs.put_log_events(logGroupName=name, logStreamName=stream, logEvents=entries)
        self._put_events += len(entries)

    def _ledger(self) -> Ledger:
        """The sum of what the subscriber wrote into its own log."""
        total = Ledger()
        pages = self._logs.get_paginator("filter_log_events").paginate(
            logGroupName=self._deployed.outputs["SubscriberLogGroup"]
        )
        for page in pages:
            for event in page["events"]:
                if '"ledger":{' in event["message"]:
                    total += Ledger(**json.loads(event["message"])["ledger"])
        return total

    def _count(self) -> int:
        try:
            self._search.indices.refresh(index="cwl-*")
            return int(self._query({"match_all": {}}, size=0)["total"]["value"])
        except NotFoundError:
            return 0

    def _query(self, query: dict[str, Any], *, size: int = 10, sort: str | None = None) -> Any:
        """Hits among the documents of this run's log groups: an engine of the user's own may hold others."""
        groups = [self._deployed.outputs["LogGroupPrefix"] + name for name in _GROUPS]
        ours = [{"match_phrase": {"@log_group": group}} for group in groups]
        body: dict[str, Any] = {
            "query": {"bool": {"must": [query], "filter": [{"bool": {"should": ours}}]}},
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
        env = {**self._deployed.environment(os.environ), "COLUMNS": str(min(self._out.width, 120))}
        done = subprocess.run([program, *arguments], env=env, capture_output=True, text=True, check=False)  # noqa: S603
        if show:
            self._out.print(Text(done.stdout.rstrip()))
        if done.returncode:
            raise Missing(f"cwl-shipper {arguments[0]} {arguments[1]} failed: {done.stderr.strip()}")
        return done.stdout

    def _wait(self, reached: Callable[[], bool], otherwise: str) -> None:
        deadline = time.monotonic() + _ARRIVES_WITHIN_S
        while not reached():
            if time.monotonic() > deadline:
                raise Missing(otherwise)
            time.sleep(0.2)

    @staticmethod
    def _check(holds: bool, otherwise: str) -> None:
        if not holds:
            raise Missing(otherwise)

    def _heading(self, what: str, more: str = "") -> None:
        self._out.print()
        self._out.print(Rule(Text.assemble((what, "bold"), f"  {more}" if more else ""), align="left", style="dim"))

    def _line(self, who: str, message: str) -> Text:
        text = Text.assemble((f"  {safe(who)}  ", "cyan"), safe(message.split("\n", maxsplit=1)[0]))
        text.truncate(self._out.width, overflow="ellipsis")
        return text
