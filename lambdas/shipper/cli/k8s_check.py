"""`cwl-shipper k8s check`: manifests of Fluentd or Fluent Bit against the known mistakes."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any

import click
import yaml
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from shipper.cli.terminal import PARTLY_DONE, Failed, cell, console, counted, print_json
from shipper.k8s.agents import Agent
from shipper.k8s.check import RULE_NAMES
from shipper.k8s.check import check as checked
from shipper.k8s.findings import Finding, Severity, Spot

_STYLES = {
    Severity.LOSS: "bold red",
    Severity.BROKEN: "yellow",
    Severity.OPERATIONS: "cyan",
    Severity.NOTE: "dim",
}
_SUFFIXES = frozenset({".yaml", ".yml", ".json"})
_KUSTOMIZATIONS = frozenset({"kustomization.yaml", "kustomization.yml", "Kustomization"})


@click.command("check", short_help="Find known mistakes in manifests of Fluentd or Fluent Bit.")
@click.argument("paths", nargs=-1, metavar="[PATH|-]...", type=click.Path(exists=True, allow_dash=True))
@click.option(
    "--ignore",
    multiple=True,
    metavar="RULE",
    type=click.Choice(RULE_NAMES),
    help="Leave out a rule, by its name; repeatable.",
)
@click.option("--json", "as_json", is_flag=True, help="JSON lines, one a finding.")
def check(paths: Sequence[str], ignore: Sequence[str], as_json: bool) -> None:
    """Find known mistakes in manifests of Fluentd (or Fluent Bit, in its classic form) on EKS.

    PATH is a YAML file as it is applied, or a folder of such files; - or nothing is standard input. Nothing is sent
    and no cluster is asked. A note is no mistake and does not count.

    Exit codes: 0 nothing found, 3 something found, 1 failed, 2 wrong usage.

    \b
    Examples:
      kubectl kustomize k8s/overlays/eks-pod-identity | cwl-shipper k8s check
      kubectl -n logging get daemonset,configmap -o yaml | cwl-shipper k8s check
      cwl-shipper k8s check --ignore no-priority fluentd.yaml
    """
    if not paths and sys.stdin.isatty():
        raise click.UsageError("give a PATH, or pipe manifests in")
    documents = [document for path in paths or ("-",) for document in _documents(path)]
    agents, everything = checked(documents)
    if not agents:
        raise Failed("there is no Fluentd and no Fluent Bit in what was read")
    found = [finding for finding in everything if finding.rule not in ignore]
    if as_json:
        for finding in found:
            print_json(_json(finding))
    else:
        _print(agents, found)
    if any(finding.severity is not Severity.NOTE for finding in found):
        sys.exit(PARTLY_DONE)


def _documents(path: str) -> Iterator[Any]:
    if path == "-":
        yield from _parsed("standard input", sys.stdin.buffer.read())
        return
    for file in _files(Path(path)):
        try:
            content = file.read_bytes()
        except OSError as error:
            raise Failed(f"{file}: {error.strerror or error}") from None
        yield from _parsed(str(file), content)


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.rglob("*") if file.is_file())
    for file in files:
        if file.name in _KUSTOMIZATIONS:
            raise Failed(f"{file} is not rendered: `kubectl kustomize {file.parent} | cwl-shipper k8s check`")
    return [file for file in files if file.suffix in _SUFFIXES]


def _parsed(name: str, content: bytes) -> list[Any]:
    """The documents. `BaseLoader` makes text of every scalar and no object of any tag."""
    try:
        return list(yaml.load_all(content, Loader=yaml.BaseLoader))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise Failed(f"{name}{where}: not YAML; a template is rendered first (helm template)") from None
    except (RecursionError, ValueError):
        raise Failed(f"{name}: not YAML that a manifest would have") from None


def _json(finding: Finding) -> dict[str, Any]:
    row = asdict(finding)
    return {"severity": row.pop("severity").name.lower(), **row.pop("spot"), **row}


def _print(agents: Sequence[Agent], found: Sequence[Finding]) -> None:
    out = console()
    for severity, same in groupby(found, key=lambda finding: finding.severity):
        out.print(Text(severity.value, style=_STYLES[severity]))
        by_rule: dict[str, list[Finding]] = {}
        for finding in same:
            by_rule.setdefault(finding.rule, []).append(finding)
        for rule, group in by_rule.items():
            _print_rule(out, rule, group)
    for agent in agents:
        out.print(cell(f"checked: {', '.join(agent.titles)}"), style="dim")
    counts = Counter(finding.severity for finding in found)
    said = ", ".join(f"{severity.value} {counts[severity]}" for severity in Severity if severity in counts)
    mistakes = len(found) - counts[Severity.NOTE]
    out.print(f"{counted(mistakes, 'finding')}{': ' if said else ''}{said}", style="bold")


def _print_rule(out: Console, rule: str, group: Sequence[Finding]) -> None:
    """A rule once, with all its places. A link is one word, however narrow the terminal is."""
    out.print(f"  {rule}", style="bold")
    said = cell("\n".join(dict.fromkeys(_where(finding.spot) for finding in group)))
    said.append(f"\n{group[0].wrong}")
    said.append(f"\nfix: {group[0].helps}", style="green")
    out.print(Padding(said, (0, 0, 0, 4)))
    out.print(f"    {group[0].link}", style="dim", soft_wrap=True)


def _where(spot: Spot) -> str:
    line = f"{spot.file}:{spot.line}" if spot.file else ""
    return "  ".join(filter(None, (spot.object, line, spot.at)))
