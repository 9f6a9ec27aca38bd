"""A night on call: many refused documents, the template is fixed, two replays at once are killed again and again."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from local import story
from shipper import deadletter
from shipper.aws.inbox import Inbox
from shipper.model import DeadLetter, Document, Reason, Source
from tests.e2e.conftest import Chain, wait

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

COUNT = int(os.environ.get("SOAK_LETTERS", "1000"))
KILLS = 5
FIELD = "soak_order"
REASON = Reason("strict_dynamic_mapping_exception", f"dynamic introduction of [{FIELD}]", 400, FIELD)
OLD_MS = 9 * 86_400_000
HOLD_S = 3


def strict(day_ms: int) -> tuple[str, dict[str, Any]]:
    """(index, body) of a day whose template knows no such field."""
    _, body = story.strict_day(day_ms)
    return f"cwl-{datetime.fromtimestamp(day_ms // 1000, UTC):%Y.%m.%d}", body


def letters(count: int, index: str, day_ms: int) -> Iterator[DeadLetter]:
    """Refused documents, one a letter, as the subscriber makes them."""
    stamp = f"{datetime.fromtimestamp(day_ms // 1000, UTC):%Y-%m-%dT%H:%M:%S.000Z}"
    source = Source("000000000000", "/aws/containerinsights/demo/application", "soak")
    for _ in range(count):
        id_ = f"soak-{uuid.uuid4().hex}"
        fields = {"@id": id_, "@timestamp": stamp, "@message": "late", "log_processed": {FIELD: id_}}
        document = Document(index, id_, json.dumps(fields).encode(), stamp, (id_,))
        yield deadletter.of_documents([document], REASON, source, failed_at=stamp, attempts=1)


def indexed(chain: Chain, index: str) -> int:
    chain.search.indices.refresh(index=index)
    return int(chain.search.count(index=index)["count"])


def killed_at(chain: Chain, index: str, count: int, *arguments: str) -> bool:
    """Let two operators do the same, and end both by SIGKILL once so many documents are there.

    False where both were done before, as when all letters are hidden for now.
    """
    program = Path(sys.executable).parent / "cwl-shipper"
    env, quiet = chain.stack.environment(os.environ), subprocess.DEVNULL
    both = [subprocess.Popen([program, *arguments], env=env, stdout=quiet, stderr=quiet) for _ in range(2)]
    reached = False
    while not reached and any(child.poll() is None for child in both):
        reached = indexed(chain, index) >= count
    at_work = any(child.poll() is None for child in both)
    for child in both:
        child.kill()
        child.wait()
    return at_work


def waiting(chain: Chain) -> list[dict[str, Any]]:
    """The groups of what is still in the queue."""
    groups = chain.shipper("dlq", "ls", "--json", "--field", FIELD).splitlines()
    return [json.loads(group) for group in groups]


def settled(chain: Chain, inbox: Inbox) -> bool:
    """Replay until nothing is left; what a killed run had in hand comes back by and by."""
    replay = ("dlq", "replay", "--yes", "--field", FIELD, "--hold", str(HOLD_S))
    chain.shipper(*replay)
    return not waiting(chain) and inbox.depth()[1] == 0


def test_a_replay_killed_at_many_points_leaves_each_document_once(chain: Chain) -> None:
    """Row 52. The count is that of `make soak-letters`, a tenth of it otherwise."""
    day_ms = int(time.time() * 1000) - OLD_MS
    index, body = strict(day_ms)
    chain.search.indices.create(index=index, body=body)
    through_the_chain = 50
    lines = [json.dumps({"message": json.dumps({FIELD: str(number)})}) for number in range(through_the_chain)]
    stream = chain.put("application", lines, at_ms=day_ms)
    inbox = Inbox(chain.client("sqs"), chain.stack.outputs["DeadLetterQueueUrl"])
    made = list(letters(COUNT - through_the_chain, index, day_ms))
    inbox.put(deadletter.pack(letter) for letter in made)
    wait(lambda: sum(group["documents"] for group in waiting(chain)) == COUNT)
    assert chain.found(stream) == []

    chain.search.indices.put_mapping(
        index=index, body={"properties": {"log_processed": {"properties": {FIELD: {"type": "keyword"}}}}}
    )
    chance = random.Random(52)
    replay = ("dlq", "replay", "--yes", "--field", FIELD, "--hold", str(HOLD_S))
    kills = 0
    while sum(inbox.depth()) and kills < KILLS:
        kills += killed_at(chain, index, indexed(chain, index) + chance.randrange(1, COUNT // (2 * KILLS)), *replay)
    assert kills > 1
    wait(lambda: settled(chain, inbox))

    chain.search.indices.refresh(index=index)
    query = {"query": {"exists": {"field": f"log_processed.{FIELD}"}}, "size": 10_000, "track_total_hits": True}
    hits = chain.search.search(index="cwl-*", body={**query, "_source": False})["hits"]
    assert hits["total"]["value"] == COUNT
    ids = {hit["_id"] for hit in hits["hits"]}
    assert len(ids) == COUNT
    assert ids >= {document.id for letter in made for document in deadletter.documents_in(letter)}
