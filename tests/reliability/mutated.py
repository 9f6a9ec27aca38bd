"""What cosmic-ray can change, and the sources after it: JSON in, JSON out, run by the Python that has cosmic-ray."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from cosmic_ray.ast import ast_nodes, get_ast  # type: ignore[import-not-found]
from cosmic_ray.ast.ast_query import ASTQuery  # type: ignore[import-not-found]
from cosmic_ray.mutating import mutate_code  # type: ignore[import-not-found]
from cosmic_ray.plugins import get_operator, operator_names  # type: ignore[import-not-found]


def places(files: Sequence[str], pointless: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Each place of each file that an operator changes, but for the operators that match a pattern."""
    names = [name for name in operator_names() if not any(re.fullmatch(pattern, name) for pattern in pointless)]
    for file in files:
        nodes = list(ast_nodes(get_ast(Path(file).read_text("utf-8"))))
        for name in names:
            found = [(node, start[0]) for node in nodes for start, _ in get_operator(name)().mutation_positions(node)]
            for nth, (node, line) in enumerate(found):
                where = ASTQuery(node).get_definition_name() or ""
                yield {"module": Path(file).stem, "where": where, "operator": name, "nth": nth, "line": line}


def sources(wanted: Sequence[tuple[str, str, int]]) -> Iterator[str]:
    """The source of each file after the operator has changed its nth place."""
    for file, operator, nth in wanted:
        yield mutate_code(Path(file).read_text("utf-8"), get_operator(operator)(), nth)


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    json.dump(list(places(**asked) if sys.argv[1] == "places" else sources(**asked)), sys.stdout)
