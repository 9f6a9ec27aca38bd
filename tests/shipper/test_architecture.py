"""What holds for every module: the core is pure, importing only defines, each file has its test, the asset is small."""

from __future__ import annotations

import ast
import builtins
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import shipper

PACKAGE = Path(shipper.__path__[0])
TESTS = Path(__file__).parent
EDGES = {"aws", "handlers", "cli"}
FILES = sorted(PACKAGE.rglob("*.py"))
CORE = [file for file in FILES if file.relative_to(PACKAGE).parts[0] not in EDGES]

# Who imports one of these acts, or can tell what time it is, where it runs, what its environment says.
IMPURE = {
    *("boto3", "botocore", "opensearchpy", "aws_lambda_powertools", "requests", "requests_aws4auth", "urllib3"),
    *("click", "rich", "http", "socket", "ssl", "urllib.request", "subprocess", "threading", "asyncio", "signal"),
    *("os", "sys", "pathlib", "tempfile", "shutil", "logging", "time", "random", "secrets", "uuid"),
    *(f"shipper.{edge}" for edge in EDGES),
}
IMPURE_NAMES = {"now", "utcnow", "today", "environ", "getenv", "open", "print", "input"}

# What a module may call while it is imported, beside the package's own definitions and the methods of its constants.
AT_IMPORT = {
    *(
        "re.compile",
        "typing.TypeVar",
        "functools.cache",
        "functools.lru_cache",
        "dataclasses.dataclass",
        "dataclasses.field",
        "dataclasses.fields",
    ),
    *("click.group", "click.command", "click.argument", "click.option", "click.version_option"),
    *("click.Path", "click.Choice", "click.IntRange", "click.FloatRange"),
    *("frozenset", "set", "tuple", "list", "dict", "str", "range", "map", "zip", "enumerate", "sorted", "len", "chr"),
}


def name_of(file: Path) -> str:
    parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = [name_of(file) for file in FILES]


def imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """(name in the module, what it stands for, dotted) of each import, those in functions, too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield (alias.asname or alias.name.partition(".")[0]), alias.name
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield (alias.asname or alias.name), f"{node.module}.{alias.name}"


def impurities(tree: ast.Module) -> list[str]:
    """What a module of the core may not have."""
    found = [
        target
        for _, target in imported(tree)
        if any(target == name or target.startswith(name + ".") for name in IMPURE)
    ]
    for node in ast.walk(tree):
        name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
        if name in IMPURE_NAMES:
            found.append(name)
    return found


def executed(body: list[ast.stmt]) -> Iterator[ast.AST]:
    """All that runs when a module with this body is imported: statements, decorators, defaults, bodies of classes."""
    for statement in body:
        if isinstance(statement, ast.FunctionDef):
            defaults = [default for default in statement.args.kw_defaults if default]
            for part in (*statement.decorator_list, *statement.args.defaults, *defaults):
                yield from ast.walk(part)
        elif isinstance(statement, ast.ClassDef):
            for part in (*statement.decorator_list, *statement.bases):
                yield from ast.walk(part)
            yield from executed(statement.body)
        else:
            yield from ast.walk(statement)


DEFINING = (
    ast.Import,
    ast.ImportFrom,
    ast.FunctionDef,
    ast.ClassDef,
    ast.Assign,
    ast.AnnAssign,
    ast.AugAssign,
    ast.Pass,
)


def statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in body:
        yield statement
        if isinstance(statement, ast.ClassDef):
            yield from statements(statement.body)


def actions(tree: ast.Module) -> list[str]:
    """What an import of this module does beside defining."""
    outside = {name: target for name, target in imported(tree) if not target.startswith("shipper")}
    found = [
        ast.unparse(statement)
        for statement in statements(tree.body)
        if not isinstance(statement, DEFINING)
        and not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
    ]
    for node in executed(tree.body):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            root, dot, rest = called.partition(".")
            if root in outside:
                called = outside[root] + dot + rest
            elif dot or not hasattr(builtins, root):
                continue
            if called not in AT_IMPORT:
                found.append(called)
    return found


@pytest.mark.parametrize("file", CORE, ids=name_of)
def test_the_core_is_pure(file: Path) -> None:
    assert impurities(ast.parse(file.read_text())) == []


IMPURE_SOURCES = {
    "import boto3": ["boto3"],
    "def f():\n    import requests.auth": ["requests.auth"],
    "from requests_aws4auth import AWS4Auth": ["requests_aws4auth.AWS4Auth"],
    "from os import environ": ["os.environ"],
    "from datetime import datetime\nx = lambda: datetime.now()": ["now"],
    "from shipper.aws import clock": ["shipper.aws.clock"],
    "from shipper import cli": ["shipper.cli"],
    "from urllib.parse import urlsplit": [],
    "def f(): print(1)": ["print"],
}


@pytest.mark.parametrize(("source", "found"), IMPURE_SOURCES.items(), ids=IMPURE_SOURCES)
def test_what_is_not_pure_is_found(source: str, found: list[str]) -> None:
    assert impurities(ast.parse(source)) == found


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_a_module_only_defines(file: Path) -> None:
    assert actions(ast.parse(file.read_text())) == []


ACTING_SOURCES = {
    "import boto3\nsqs = boto3.client('sqs')": ["boto3.client"],
    "import os\nx = os.environ.get('x')": ["os.environ.get"],
    "from time import time as now\nx = [now()]": ["time.time"],
    "import re\nx = re.compile('x')": [],
    "x = open('x')": ["open"],
    "for x in ():\n    pass": ["for x in ():\n    pass"],
    "class A:\n    x = open('x')": ["open"],
    "class A:\n    if True:\n        x = 1": ["if True:\n    x = 1"],
    "import os\ndef f(x=os.getcwd()): ...": ["os.getcwd"],
    "import os\ndef f(*, x=os.getcwd()): ...": ["os.getcwd"],
    "import os\n@os.register_at_fork()\ndef f(): ...": ["os.register_at_fork"],
    "def f():\n    return open('x')": [],
    "def f(): ...\nf()": ["f()"],
}


@pytest.mark.parametrize(("source", "found"), ACTING_SOURCES.items(), ids=ACTING_SOURCES)
def test_what_acts_at_import_is_found(source: str, found: list[str]) -> None:
    assert actions(ast.parse(source)) == found


IMPORT_EACH = """
import importlib, os, sys

def forget():
    for name in [name for name in sys.modules if name.partition(".")[0] == "shipper"]:
        del sys.modules[name]

def refuse(event, args):
    if event.startswith(("socket.", "subprocess.", "os.system", "os.remove", "os.mkdir", "shutil.")):
        raise RuntimeError(f"{event} {args}")
    if event == "open" and not str(args[0]).endswith((".py", ".pyc")) and ".pyc." not in str(args[0]):
        raise RuntimeError(f"open {args}")

class NoEnvironment(dict):
    def refuse(self, *args):
        if args[:1] not in [("LANGUAGE",), ("LC_ALL",), ("LC_MESSAGES",), ("LANG",)]:  # gettext, for click's own texts
            raise RuntimeError(f"environment {args}")
    __getitem__ = __contains__ = __iter__ = get = items = keys = refuse

names = sys.argv[1:]
for name in names:  # what others do when they are imported is theirs
    importlib.import_module(name)
sys.addaudithook(refuse)
os.environ = NoEnvironment()
for name in names:
    forget()
    importlib.import_module(name)
print(len(names))
"""


def python(code: str, *args: str) -> str:
    """What a fresh interpreter without any environment says."""
    command = [sys.executable, "-c", code, *args]
    ran = subprocess.run(command, env={"PYTHONPATH": str(PACKAGE.parent)}, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout.strip()


def test_every_module_can_be_imported_alone_and_touches_nothing() -> None:
    assert python(IMPORT_EACH, *MODULES) == str(len(MODULES))


ACTS = {
    "socket": "import socket; socket.socket()",
    "file": "open('/dev/null')",
    "environment": "import os; os.environ.get('x')",
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_a_module_that_touches_something_is_found(tmp_path: Path, act: str) -> None:
    (tmp_path / "shipper").mkdir()
    (tmp_path / "shipper" / "__init__.py").touch()
    (tmp_path / "shipper" / "bad.py").write_text(f"import sys\nif sys.argv.pop() == 'second': {act}\n")
    script = IMPORT_EACH.replace("sys.argv[1:]", "['shipper.bad']")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); sys.argv += ['second', 'first']\n{script}"
    ran = subprocess.run([sys.executable, "-c", code], env={}, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert ran.stderr.splitlines()[-1].startswith("RuntimeError: ")


def mirrors(file: Path) -> list[Path]:
    """Where the tests of a module may be: in its mirror, or in that of the package of tables that it belongs to."""
    folder = TESTS / file.relative_to(PACKAGE).parent
    found = [folder / f"test_{file.name}"]
    return found if folder.name in EDGES | {TESTS.name} else [*found, folder.with_name(f"test_{folder.name}.py")]


@pytest.mark.parametrize("file", [file for file in FILES if file.name != "__init__.py"], ids=name_of)
def test_a_module_has_its_tests(file: Path) -> None:
    assert [mirror for mirror in mirrors(file) if mirror.is_file()]


HANDLERS = [name for name in MODULES if name.startswith("shipper.handlers.")]
LOADED = """
import importlib, sys
from importlib.metadata import packages_distributions
for name in sys.argv[1:]:
    importlib.import_module(name)
owners = packages_distributions()
roots = {name.partition(".")[0] for name in sys.modules}
print(*sorted({owner for root in roots for owner in owners.get(root, ())}))
"""


def pinned() -> set[str]:
    lines = (PACKAGE.parent / "requirements.txt").read_text().splitlines()
    return {line.partition("==")[0].lower().replace("_", "-") for line in lines if line and not line.startswith("#")}


def loaded(*modules: str) -> set[str]:
    """The distributions that come into a fresh interpreter with these modules."""
    found = set(python(LOADED, *modules).split()) - set(python(LOADED).split())
    return {name.lower().replace("_", "-") for name in found} - {"cwl-shipper"}


@pytest.mark.parametrize("handler", HANDLERS)
def test_a_handler_loads_only_what_is_in_the_asset(handler: str) -> None:
    """Neither the SDK, which only a failure needs, nor anything of the command line, the stack or the tests.

    botocore, of which only the exceptions are loaded, comes with the runtime.
    """
    assert loaded(handler) - pinned() <= {"botocore"}


def test_all_that_is_in_the_asset_is_loaded_by_a_handler() -> None:
    assert pinned() - loaded(*HANDLERS) == set()
