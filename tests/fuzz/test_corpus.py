"""What a fuzzer has found so far, as ordinary tests; `make fuzz` looks for more."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS

CORPUS = Path(__file__).parent / "corpus"


@pytest.mark.parametrize("name", TARGETS)
def test_no_input_of_the_corpus_breaks_a_target(name: str) -> None:
    inputs = sorted((CORPUS / name).iterdir())
    assert inputs
    for file in inputs:
        try:
            TARGETS[name](file.read_bytes())
        except Exception as error:
            error.add_note(f"with {file}")
            raise


@pytest.mark.parametrize("name", TARGETS)
def test_no_input_is_there_twice_or_large(name: str) -> None:
    inputs = [file.read_bytes() for file in (CORPUS / name).iterdir()]
    assert len(set(inputs)) == len(inputs)
    assert max(map(len, inputs)) <= 4_096
