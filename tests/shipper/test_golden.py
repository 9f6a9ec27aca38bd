"""Payloads and the documents that come of them: as the AWS-generated function has them, and as profile `standard` does.

`pytest --update-golden tests/shipper/test_golden.py` writes what comes out now into tests/golden/standard; what it
changed there is to be reviewed like code.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shipper import bulk
from shipper.decode import decode_payload
from shipper.model import Control, Payload
from shipper.pipeline import transform
from shipper.settings import Settings
from tests.shipper.fakes import NOW_MS

GOLDEN = Path(__file__).parents[1] / "golden"
Case = dict[str, Any]
Line = dict[str, Any]


def cases(folder: str) -> dict[str, Case]:
    return {file.stem: json.loads(file.read_bytes()) for file in sorted((GOLDEN / folder).glob("*.json"))}


INCUMBENT = cases("incumbent")
STANDARD = cases("standard")
SETTINGS = Settings.for_profile("incumbent")
EXPECTED = {name: case["expect"]["bulk"] for name, case in INCUMBENT.items() if "bulk" in case["expect"]}
CLASHES = {"json_system_clash"}
"""Here the incumbent loses the record's own values; see the test of that."""


def made_of(payload: Any, settings: Settings) -> list[list[Line]]:
    """[action, source] of each document."""
    decoded = decode_payload(payload)
    assert isinstance(decoded, Payload | Control)
    if isinstance(decoded, Control):
        return []
    lines = bulk.encode(transform(decoded, settings, NOW_MS).documents).split(b"\n")[:-1]
    return [[json.loads(action), json.loads(source)] for action, source in zip(lines[::2], lines[1::2], strict=True)]


def with_events(payload: Line, **changes: Any) -> Line:
    """The payload with each of its events changed."""
    return {**payload, "logEvents": [{**event, **changes} for event in payload["logEvents"]]}


@pytest.mark.parametrize("name", EXPECTED)
def test_the_incumbent_profile_makes_the_documents_of_the_incumbent(name: str) -> None:
    made = made_of(INCUMBENT[name]["payload"], SETTINGS)
    expected = [[{"create": action["index"]}, source] for action, source in EXPECTED[name]]
    if name in CLASHES:
        made = [[action, {**source, "@fields": None}] for action, source in made]
        expected = [[action, {**source, "@fields": None}] for action, source in expected]
    assert made == expected


@pytest.mark.parametrize("name", sorted(name for name, case in INCUMBENT.items() if "control" in case["expect"]))
def test_what_the_incumbent_takes_for_a_control_message_makes_no_document(name: str) -> None:
    assert made_of(INCUMBENT[name]["payload"], SETTINGS) == []


def test_all_of_the_incumbents_cases_are_looked_at() -> None:
    known = {*EXPECTED, *(name for name, case in INCUMBENT.items() if "control" in case["expect"]), "ts_bad"}
    assert known == set(INCUMBENT)
    assert len(known) >= 44


def test_difference_the_action_is_create_and_has_no_type() -> None:
    ((action, _),) = made_of(INCUMBENT["plain_text"]["payload"], SETTINGS)
    assert action == {"create": {"_index": "cwl-2024.01.02", "_id": "37"}}


def test_difference_a_bad_time_does_not_fail_its_batch() -> None:
    (_, good), (action, bad) = made_of(INCUMBENT["ts_bad"]["payload"], SETTINGS)
    assert (good["@timestamp"], good["@message"]) == ("2024-01-02T03:04:05.678Z", "ok")
    assert "@shipper" not in good
    assert action["create"]["_index"] == "cwl-2024.01.02"
    assert bad == {
        **{key: good[key] for key in ("@owner", "@log_group", "@log_stream")},
        "@id": "2",
        "@message": "bad",
        "@timestamp": good["@timestamp"],
        "@fields": {"@timestamp": "soon"},
        "@shipper": {"fixed": ["clock"]},
    }


SYSTEM_FIELDS = {"@aws.account": "012345678901", "@aws.region": "eu-west-1"}


def test_difference_system_fields_alone_do_not_stop_the_parsing_of_json() -> None:
    payload = INCUMBENT["json_object"]["payload"]
    ((_, source),) = made_of(with_events(payload, extractedFields=SYSTEM_FIELDS), SETTINGS)
    ((_, expected),) = EXPECTED["json_object"]
    assert source == {**expected, **SYSTEM_FIELDS}


def test_difference_an_account_id_stays_a_string() -> None:
    payload = INCUMBENT["fields_plain"]["payload"]
    extracted = {**payload["logEvents"][0]["extractedFields"], **SYSTEM_FIELDS}
    ((_, source),) = made_of(with_events(payload, extractedFields=extracted), SETTINGS)
    ((_, expected),) = EXPECTED["fields_plain"]
    assert source == {**expected, **SYSTEM_FIELDS}


@pytest.mark.parametrize("name", CLASHES)
def test_difference_a_key_clash_keeps_the_loser(name: str) -> None:
    ((_, source),) = made_of(INCUMBENT[name]["payload"], SETTINGS)
    assert source["@fields"] == json.loads(INCUMBENT[name]["payload"]["logEvents"][0]["message"])


def standard(name: str, *, update: bool) -> Case:
    """The case; with `update`, its file holds what comes out now."""
    case = STANDARD[name]
    if update:
        settings = Settings.from_text(case["settings"]).checked(delivery=False)
        # In an order of their own: the order of keys means nothing, and is no change to review.
        case["documents"] = json.loads(json.dumps(made_of(case["payload"], settings), sort_keys=True))
        text = json.dumps(case, indent=1, ensure_ascii=False) + "\n"
        (GOLDEN / "standard" / f"{name}.json").write_text(text, "utf-8")
    return case


@pytest.mark.parametrize("name", STANDARD)
def test_the_standard_profile_makes_these_documents(name: str, pytestconfig: pytest.Config) -> None:
    case = standard(name, update=pytestconfig.getoption("update_golden"))
    settings = Settings.from_text(case["settings"]).checked(delivery=False)
    made = made_of(case["payload"], settings)
    # As text, which tells 1 from 1.0 and true.
    written, expected = (json.dumps(found, indent=1, sort_keys=True) for found in (made, case["documents"]))
    assert written == expected


@pytest.mark.parametrize("name", INCUMBENT)
def test_the_standard_profile_has_each_payload_of_the_incumbent(name: str) -> None:
    assert STANDARD[name]["payload"] == INCUMBENT[name]["payload"]
