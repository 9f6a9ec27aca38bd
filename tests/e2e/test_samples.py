"""What a real Fluentd sent goes through the deployed chain: every event, and as the core makes it."""

from __future__ import annotations

import json

import pytest

from shipper.model import Payload
from shipper.pipeline import transform
from stacks.stages import STAGES
from tests.e2e.conftest import Chain
from tests.shipper.fakes import NOW_MS
from tests.shipper.test_samples import CASES, payloads

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

LEFT_OUT = {"13-mixed-large": "its 4,071 events take long", "14-slow-writer": "its pauses are in the events' times"}


def _texts(payload: Payload) -> list[str]:
    """What the documents of a log stream say."""
    documents = transform(payload, STAGES["local"].settings, NOW_MS).documents
    return [json.loads(document.source)["@message"] for document in documents]


def test_what_fluentd_sent_is_found(chain: Chain) -> None:
    """One log stream after the other: several at once would each wait for a function's start."""
    groups = set()
    for case in sorted(set(CASES) - set(LEFT_OUT)):
        for payload in payloads(case, "recommended"):
            group = payload.source.log_group.rpartition("/")[2]
            groups.add(group)
            expected = _texts(payload)
            found = chain.wait_found(chain.put(group, [event.message for event in payload.events]), len(expected))
            assert [document["@message"] for document in found] == expected, case
            assert sum(document.get("@lines", 1) for document in found) == len(payload.events), case
    assert groups == {"application", "dataplane", "host"}
