"""The worst mistakes with Fluent Bit, in its classic form."""

from __future__ import annotations

from collections.abc import Iterator

from shipper.k8s.agents import Agent
from shipper.k8s.findings import Rule, Severity, Spot
from shipper.k8s.fluentd_conf import Section
from shipper.k8s.parts import CONTAINER_LOGS, where

_TAIL = "https://docs.fluentbit.io/manual/data-pipeline/inputs/tail"
_STORAGE = "https://docs.fluentbit.io/manual/administration/buffering-and-storage"
_RETRIES = "https://docs.fluentbit.io/manual/administration/scheduling-and-retries"

_LOCAL = frozenset({"", "stdout", "null", "counter", "file", "prometheus_exporter"})


def _tails(root: Section) -> list[Section]:
    found = [one for one in root.all("[input]") if one.text("name").lower() == "tail"]
    return [one for one in found if CONTAINER_LOGS.search(one.text("path"))]


def _reads_cri(tail: Section, key: str) -> bool:
    return "cri" in tail.text(key).lower()


def _positions(agent: Agent) -> Iterator[Spot]:
    for tail in _tails(agent.root):
        place = tail.text("db")
        mount = agent.workload.mount_of(place) if agent.workload else None
        if not place or (agent.workload and not (mount and mount.survives)):
            yield agent.spot(tail, "db" if place else "")


def _gives_up(output: Section) -> bool:
    endless = output.text("retry_limit").lower() in {"false", "no_limits"}
    return output.text("name").lower() not in _LOCAL and not endless


FLUENT_BIT_RULES: tuple[Rule[Agent], ...] = (
    Rule(
        "bit-no-cri",
        Severity.BROKEN,
        where(_tails, lambda tail: not (_reads_cri(tail, "multiline.parser") or _reads_cri(tail, "parser"))),
        "containerd writes CRI text: time, stream and tag stay in front of each message, and parts of long lines apart",
        "multiline.parser docker, cri",
        _TAIL,
    ),
    Rule(
        "bit-split-lines",
        Severity.BROKEN,
        where(_tails, lambda tail: _reads_cri(tail, "parser") and not _reads_cri(tail, "multiline.parser"), "parser"),
        "containerd splits lines at 16 KiB, and a parser alone joins no parts",
        "multiline.parser cri instead of parser",
        _TAIL,
    ),
    Rule(
        "bit-memory",
        Severity.LOSS,
        where(_tails, lambda tail: tail.text("storage.type").lower() != "filesystem"),
        "what is not sent yet is in memory: a crash loses it",
        "storage.type filesystem, with storage.path on a hostPath",
        _STORAGE,
    ),
    Rule(
        "bit-no-position",
        Severity.LOSS,
        _positions,
        "positions are on no hostPath that can be written: a new pod skips logs or sends them again",
        "DB, on a hostPath of its own",
        _TAIL,
    ),
    Rule(
        "bit-gives-up",
        Severity.LOSS,
        where(lambda root: root.all("[output]"), _gives_up),
        "after one retry (by default) a chunk is thrown away",
        "Retry_Limit no_limits, with storage.total_limit_size as the bound",
        _RETRIES,
    ),
)
