"""Manifests against the tables of known mistakes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from shipper.k8s.agents import Agent, Document, agents, items, kind
from shipper.k8s.delivery_rules import DELIVERY_RULES
from shipper.k8s.findings import Finding, Rule, Severity, findings
from shipper.k8s.fluent_bit_rules import FLUENT_BIT_RULES
from shipper.k8s.input_rules import INPUT_RULES
from shipper.k8s.joining_rules import JOINING_RULES
from shipper.k8s.pod_rules import DOCUMENT_RULES, POD_RULES

AGENT_RULES: tuple[Rule[Agent], ...] = (*INPUT_RULES, *JOINING_RULES, *DELIVERY_RULES, *POD_RULES, *FLUENT_BIT_RULES)
RULE_NAMES = (*(rule.name for rule in AGENT_RULES), *(rule.name for rule in DOCUMENT_RULES))

_ORDER = tuple(Severity)


def objects(documents: Sequence[Any]) -> list[Document]:
    """The Kubernetes objects in documents, those of a `List`, too; anything else is left out."""
    flat = []
    for document in items(list(documents)):
        flat += items(document.get("items")) if kind(document) == "List" else [document]
    return [document for document in flat if kind(document)]


def check(documents: Sequence[Any]) -> tuple[list[Agent], list[Finding]]:
    """Who ships logs in these documents, and what is wrong there, the worst first.

    The documents are as `yaml.BaseLoader` gives them, all scalars text.
    """
    known = objects(documents)
    found = agents(known)
    return found, sorted(_all(known, found), key=lambda finding: _ORDER.index(finding.severity))


def _all(documents: list[Document], found: list[Agent]) -> Iterator[Finding]:
    for agent in found:
        # What stands outside of all workers is in each of them, and is named once.
        yield from dict.fromkeys(finding for one in agent.by_worker() for finding in findings(AGENT_RULES, one))
    yield from findings(DOCUMENT_RULES, documents)
