"""The load of the storage benchmark is what Fluentd ships, and nothing that an index without a template refuses."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import pytest

from tests.bench import pods


def records(manifest: str, events: int) -> list[dict[str, Any]]:
    return [
        json.loads(event["message"]) for payload in pods.payloads(manifest, events) for event in payload["logEvents"]
    ]


@pytest.mark.parametrize("manifest", pods.MANIFESTS)
def test_the_load_is_the_same_at_each_run_and_no_event_is_there_twice(manifest: str) -> None:
    made = list(pods.payloads(manifest, 6_000))
    assert made == list(pods.payloads(manifest, 6_000))
    ids = [event["id"] for payload in made for event in payload["logEvents"]]
    assert len(set(ids)) == len(ids) >= 6_000


def test_sixty_pods_of_ten_services_take_turns() -> None:
    streams = [payload["logStream"] for payload in pods.payloads("daemonset", 6_000)]
    assert len(set(streams)) == len(streams) == 60
    assert len({stream.split("_")[-1].split("-")[0] for stream in streams}) == 10


def test_a_stack_trace_is_whole_in_one_manifest_and_in_pieces_without_newlines_in_the_other() -> None:
    line = pods.Line("stdout", "12:00 ERROR x\nExc: y\n\tat a\n\tat b\nCaused by: z\n\t... 2 more")
    pod = pods.Pod.of("orders", 0)
    whole, pieces = (pods.MANIFESTS[name](pod, line) for name in ("daemonset", "classic"))
    assert [record["message"] for record in whole] == [line.text]
    assert [record["log"] for record in pieces] == [
        "12:00 ERROR x",
        "Exc: y\tat a\tat b",
        "Caused by: z\t... 2 more",
    ]


def test_no_label_is_the_beginning_of_another_which_a_dynamic_mapping_would_refuse() -> None:
    labels = {name for record in records("classic", 1_000) for name in record["kubernetes"]["labels"]}
    assert len(labels) == 3
    assert [pair for pair in permutations(labels, 2) if pair[1].startswith(pair[0] + ".")] == []


@pytest.mark.parametrize("number", [0, 1], ids=["first", "second"])
def test_an_id_is_made_as_those_in_the_documentation_of_cloudwatch_logs(number: int) -> None:
    batch = 0x14D9B2A87F4665BA04F6AD62181
    assert int(pods.event_id(1_432_826_855_000, batch, number)) == (
        31953106606966983378809025079804211143289615424298221568 + number
    )
