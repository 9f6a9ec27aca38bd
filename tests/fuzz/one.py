"""One target under libFuzzer: `python -m tests.fuzz.one TARGET FLAG... FOLDER...`."""

from __future__ import annotations

import sys

import atheris  # type: ignore[import-untyped]  # of an environment of its own

with atheris.instrument_imports(include=["shipper"]):
    from tests.fuzz.targets import TARGETS

if __name__ == "__main__":
    _, name, *arguments = sys.argv
    # To merge it runs itself again, by a shell.
    program = f"{sys.executable} -m tests.fuzz.one {name}"
    atheris.Setup([program, *arguments], TARGETS[name])
    atheris.Fuzz()
