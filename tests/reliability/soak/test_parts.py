"""What of a soak can be seen without one: the schedule, the writers' lines, the audits' windows, the picture."""

from __future__ import annotations

import json
import random
from collections import Counter
from itertools import islice, pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from matplotlib import rc_context

from tests.reliability.soak.ending import Verdict, windows
from tests.reliability.soak.faults import Happened
from tests.reliability.soak.gauges import Sample
from tests.reliability.soak.plot import draw
from tests.reliability.soak.schedule import OF_THE_ENGINE, OF_THE_FUNCTIONS, Kind, schedule
from tests.reliability.soak.writers import WORD, lines


@pytest.mark.parametrize("seconds", [60.0, 600.0])
@pytest.mark.parametrize("kinds", [OF_THE_ENGINE, OF_THE_FUNCTIONS], ids=["engine", "functions"])
def test_each_kind_of_fault_happens_alone_and_in_time(seconds: float, kinds: tuple[Kind, ...]) -> None:
    faults = schedule(7, seconds, kinds)
    count = Counter(fault.kind for fault in faults)
    assert set(count) == set(kinds)
    assert max(count.values()) - min(count.values()) <= 1
    assert all(before.at_s + before.for_s < after.at_s for before, after in pairwise(faults))
    assert faults[-1].at_s + faults[-1].for_s < seconds


def test_a_seed_gives_the_same_faults_again_and_another_gives_others() -> None:
    assert schedule(7, 600, OF_THE_ENGINE) == schedule(7, 600, OF_THE_ENGINE)
    assert schedule(7, 600, OF_THE_ENGINE) != schedule(8, 600, OF_THE_ENGINE)


def test_each_line_has_a_word_of_its_own_and_the_odd_keys_of_now() -> None:
    odd: dict[str, object] = {}
    stream = lines(random.Random(7), 3, lambda: odd)
    some = list(islice(stream, 200))
    assert [WORD.findall(message) for _, message in some] == [[word] for word, _ in some]
    assert len({word for word, _ in some}) == 200
    odd["shape_1"] = "round"
    while "shape_1" not in (message := next(stream)[1]):  # the trace that was begun goes on
        assert "\\tat " in message
    assert json.loads(json.loads(next(stream)[1])["message"])["shape_1"] == "round"


@pytest.mark.parametrize(
    "times_ms",
    [
        pytest.param([], id="nothing"),
        pytest.param([5], id="one"),
        pytest.param(list(range(0, 600_000, 50)), id="ten minutes of twenty a second"),
        pytest.param(sorted([*range(0, 900_000, 60), *range(0, 900_000, 77)]), id="some at the same time"),
    ],
)
def test_the_windows_hold_each_event_once_and_no_audit_reads_too_much(times_ms: list[int]) -> None:
    found = list(windows(times_ms))
    assert sum(from_ms <= ms < to_ms for from_ms, to_ms in found for ms in times_ms) == len(times_ms)
    for from_ms, to_ms in found:
        assert sum(from_ms - 300_000 <= ms < to_ms for ms in times_ms) <= 10_000


@pytest.mark.parametrize(
    ("audit", "is_good"),
    [
        pytest.param({"present": 2, "joined": 1}, True, id="all there"),
        pytest.param({"present": 2, "missing": 1}, False, id="one missing"),
        pytest.param({"present": 2}, False, id="one not looked at"),
        pytest.param({"present": 2, "joined": 1, "extra": 1}, False, id="one too many"),
    ],
)
def test_a_verdict_is_good_only_where_the_audit_finds_each_line(audit: dict[str, int], is_good: bool) -> None:
    assert Verdict(3, Counter(audit)).is_good is is_good


def test_a_verdict_is_not_good_where_it_did_not_heal() -> None:
    assert not Verdict(trouble="the retry queue is not empty").is_good


@pytest.mark.parametrize("found", ["missing", "doubled", "strange"])
def test_a_verdict_is_good_only_where_each_word_is_there_once(found: str) -> None:
    assert not Verdict(**{found: ["soak_1_1"]}).is_good  # type: ignore[arg-type]


def test_the_picture_names_each_kind_of_fault(tmp_path: Path) -> None:
    samples = [Sample(float(at), 50 * at, 40 * at, 0.5 * at, at, at, 0) for at in range(1, 30)]
    happened = [Happened(kind, 2.0 * number, 2.0 * number + 1) for number, kind in enumerate(Kind)]
    with rc_context({"svg.fonttype": "none"}):  # text stays text
        draw(samples, happened, "1,500 lines & <nothing> missing", tmp_path / "soak.svg")
    words = {element.text for element in ET.parse(tmp_path / "soak.svg").iter() if element.tag.endswith("text")}
    assert {"1,500 lines & <nothing> missing", *(f"{kind.value}, 1\u00d7" for kind in Kind)} <= words
