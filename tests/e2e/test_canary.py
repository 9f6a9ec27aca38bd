"""The canary against the deployed chain: its line goes the whole way, and is found by the search that it makes."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from opensearchpy import OpenSearch

from shipper import canary
from shipper.aws.clock import SystemClock
from shipper.aws.log_stream import LogStream
from shipper.aws.search import Index
from shipper.aws.telemetry import Telemetry
from shipper.handlers.canary import Canary, run
from stacks.stages import LOG_GROUPS
from tests.e2e.conftest import Chain, wait
from tests.shipper.fakes import log_lines

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]


def test_a_line_of_each_group_is_found_again_by_its_mark(
    chain: Chain, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "test")
    groups = tuple(chain.stack.outputs["LogGroupPrefix"] + kind for kind in LOG_GROUPS)
    index = Index(chain.stack.engine.url, lambda: OpenSearch([chain.stack.engine.url]))
    stream, telemetry = LogStream(chain.client("logs"), canary.STREAM), Telemetry(f"canary-{uuid4()}", "INFO")
    wired, minute = Canary(groups, stream, index, telemetry), uuid4().hex

    def found() -> list[dict[str, Any]]:
        chain.search.indices.refresh(index="cwl-*", ignore_unavailable=True)
        return index.search({"query": {"match_phrase": {canary.FIELD: minute}}})[0]

    run(minute, wired, SystemClock())
    wait(lambda: len(found()) == len(groups))
    assert {hit["_source"]["@log_group"] for hit in found()} == set(groups)
    capsys.readouterr()

    run(uuid4().hex, wired, SystemClock())
    ages = {
        line["log_group"]: line["canary_age_ms"][0]
        for line in log_lines(capsys.readouterr().out)
        if "canary_age_ms" in line
    }
    assert set(ages) == set(groups)
