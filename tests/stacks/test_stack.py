"""The stack of the app: its name, its protection, its outputs. Logical ids: test_log_shipping.py."""

from __future__ import annotations

import pytest

from stacks.stages import STAGES
from tests.stacks.built import built


@pytest.mark.parametrize("stage", STAGES)
def test_it_is_named_for_its_stage(stage: str) -> None:
    assert built(stage).stack.stack_name == f"cwl-shipper-{stage}"


@pytest.mark.parametrize(("stage", "protected"), [("local", False), ("dev", False), ("prod", True)])
def test_only_prod_is_protected(stage: str, protected: bool) -> None:
    assert built(stage).stack.termination_protection is protected


def test_its_outputs_are_those_of_the_shipping() -> None:
    assert set(built("dev").outputs) == set(built("dev").stack.shipping.outputs)


def test_it_makes_nothing_but_the_shipping_and_outputs() -> None:
    children = {child.node.id for child in built("dev").stack.node.children}
    known = {"Default", "CDKMetadata", "BootstrapVersion", "CheckBootstrapVersion"}
    assert children - set(built("dev").outputs) <= known
