"""Each sabotage still has something to change; `make sabotage` runs them."""

from __future__ import annotations

import pytest

from tests.reliability.sabotage import ROOT, SABOTAGES, Sabotage


@pytest.mark.parametrize("sabotage", SABOTAGES.values(), ids=SABOTAGES)
def test_what_is_changed_is_in_the_code(sabotage: Sabotage) -> None:
    code = (ROOT / "lambdas" / "shipper" / sabotage.file).read_text("utf-8")
    assert sabotage.before in code
