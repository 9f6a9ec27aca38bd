"""Our Fluentd's configuration, as the tests look at it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from shipper.k8s.fluentd_conf import Section, parse

FLUENTD = Path(__file__).resolve().parents[2] / "k8s" / "base" / "fluentd"


def files(directory: Path = FLUENTD) -> dict[str, str]:
    """The files that the ConfigMap is made of, by name."""
    return {path.name: path.read_text("utf-8") for path in sorted(directory.iterdir())}


def read(texts: Mapping[str, str], name: str = "fluent.conf") -> Section:
    """The whole configuration that starts in `name`. Raises `ValueError` for what Fluentd takes in silence."""
    parsed = parse(texts, name)
    if faults := [*parsed.faults, *parsed.missing]:
        raise ValueError("; ".join(f"{fault.place.file}:{fault.place.line}: {fault.what}" for fault in faults))
    return parsed.root
