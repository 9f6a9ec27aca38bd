from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from shipper.cli.main import cli
from shipper.cost import PRICES, Workload

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "cost.md").read_text("utf-8")
SHOWN = re.findall(r"```sh\ncwl-shipper (cost .*?)\n```\n\n```\n(.*?)\n```", PAGE, re.DOTALL)


def cost(*args: str, columns: int = 100) -> Result:
    return CliRunner().invoke(cli, ["cost", *args], env={"COLUMNS": str(columns)})


@pytest.mark.parametrize(("words", "shown"), SHOWN, ids=[words for words, _ in SHOWN])
def test_the_page_shows_what_is_printed(words: str, shown: str) -> None:
    result = cost(*words.split()[1:])
    printed = [line.rstrip() for line in result.stdout.splitlines()]
    assert (result.exit_code, "\n".join(printed)) == (0, shown), "replace the block in docs/cost.md"


def test_the_page_has_the_examples() -> None:
    assert len(SHOWN) == PAGE.count("```sh\ncwl-shipper cost") == 2


def test_the_page_has_every_price() -> None:
    rows = {name: float(usd) for name, usd in re.findall(r"^\| `([\w.]+)` \| ([\d.]+) \|", PAGE, re.MULTILINE)}
    assert rows == {name: price.usd for name, price in PRICES.items()}


def test_json_has_the_bill_and_what_it_rests_on() -> None:
    found = json.loads(cost("--gb-per-day", "10", "--price", "logs_ingest=1", "--json").stdout)
    assert found["workload"] == asdict(Workload(gb_per_day=10))
    assert found["lines"][0] == {"item": "CloudWatch takes it in", "usd": 304.17, "how": "304 GB"}
    assert found["usd_per_month"] == pytest.approx(sum(line["usd"] for line in found["lines"]), abs=0.05)
    assert found["prices"]["logs_ingest"] == {"usd": 1.0, "per": "GB", "page": PRICES["logs_ingest"].page}
    assert {lever["saves_usd"] > 0 for lever in found["levers"]} == {True}


def test_options_are_the_workload_of_the_core() -> None:
    command = cli.commands["cost"]
    given = {str(param.name): param.default for param in command.params}
    defaults = asdict(Workload(gb_per_day=1))
    del defaults["gb_per_day"], defaults["indexed"]
    assert {name: given[name] for name in defaults} == defaults


def test_prices_come_from_a_file_and_single_ones_go_first(tmp_path: Path) -> None:
    file = tmp_path / "prices.json"
    file.write_text(json.dumps({"logs_ingest": 2, "x9.large.search": 1.5, "logs_storage": 9}))
    args = [
        "--gb-per-day",
        "1",
        "--prices",
        str(file),
        "--price",
        "logs_storage=0",
        "--instance-type",
        "x9.large.search",
    ]
    found = json.loads(cost(*args, "--json").stdout)
    usd = {line["item"]: line["usd"] for line in found["lines"]}
    assert usd["CloudWatch takes it in"] == pytest.approx(2 * 730 / 24, abs=0.01)
    assert (usd["CloudWatch keeps it"], usd["domain's nodes"]) == (0, 1_095)
    assert found["prices"]["x9.large.search"] == {"usd": 1.5}


def test_what_cannot_be_is_told() -> None:
    args = ("--gb-per-day", "30", "--instance-type", "t3.medium.search")
    result = cost(*args)
    assert result.exit_code == 0
    assert "Not possible: each node needs" in result.stderr
    assert json.loads(cost(*args, "--json").stdout)["problems"]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--price", "nonsense=1"], "no price nonsense"),
        (["--price", "logs_ingest=dear"], "'dear' is no price of logs_ingest"),
        (["--price", "logs_ingest"], "is no price of logs_ingest"),
        (["--price", "logs_ingest=-1"], "is no price"),
        (["--price", "logs_ingest=nan"], "is no price"),
        (["--instance-type", "x9.large.search"], "no price of x9.large.search"),
        (["--gb-per-day", "0"], "0"),
        (["--gb-per-day", "nan"], "is no number"),
        (["--index-days", "0"], "0"),
    ],
    ids=[
        "a name",
        "a word",
        "nothing",
        "less than nothing",
        "no number",
        "a type",
        "no logs",
        "logs that are no number",
        "no days",
    ],
)
def test_wrong_usage(args: list[str], said: str) -> None:
    result = cost("--gb-per-day", "10", *args)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())


@pytest.mark.parametrize("content", [None, "nonsense", "[1]"], ids=["no file", "no JSON", "no object"])
def test_a_file_that_cannot_be_used(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "prices.json"
    if content is not None:
        file.write_text(content)
    result = cost("--gb-per-day", "10", "--prices", str(file))
    assert (result.exit_code, result.stdout) == (1, "")
    assert str(file) in result.stderr


def test_it_fits_a_narrow_terminal() -> None:
    result = cost("--gb-per-day", "50", "--instance-type", "or2.large.search", "--masters", "3", columns=80)
    assert max(len(line.rstrip()) for line in result.stdout.splitlines()) <= 80
