from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from shipper.cli.main import cli
from tests.shipper.cli.conftest import HOSTILE
from tests.shipper.k8s.manifest import GOOD, changed
from tests.shipper.k8s.old_forms import CLASSIC

MEMORY = changed(("          @type file\n", "          @type memory\n"))


def check(*args: str, stdin: str = "", width: int = 80) -> Result:
    return CliRunner().invoke(cli, ["k8s", "check", *args], input=stdin, env={"COLUMNS": str(width)})


def rows(result: Result) -> list[dict[str, object]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.parametrize(
    ("manifest", "code"),
    [
        pytest.param(GOOD, 0, id="no mistake"),
        pytest.param(GOOD.replace("role-arn", "other"), 0, id="a note"),
        pytest.param(MEMORY, 3, id="a mistake"),
        pytest.param("a: b", 1, id="no agent"),
        pytest.param("", 1, id="nothing"),
        pytest.param("{{ .Values.image }}: {", 1, id="a template"),
    ],
)
def test_exit_codes(manifest: str, code: int) -> None:
    assert check(stdin=manifest).exit_code == check("-", stdin=manifest).exit_code == code


def test_wrong_usage() -> None:
    assert check("no such file").exit_code == check("--ignore", "no-such-rule", stdin=GOOD).exit_code == 2


def test_the_help_says_which_form_of_fluent_bits_is_read() -> None:
    assert "Fluent Bit, in its classic form" in " ".join(check("--help").stdout.split())


def test_a_terminal_that_gives_nothing_is_wrong_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda _: True, raising=False)
    result = check()
    assert result.exit_code == 2
    assert "give a PATH" in result.stderr


def test_a_page_for_a_person() -> None:
    assert check(stdin=MEMORY).stdout.splitlines() == [
        "loses logs",
        "  memory-buffer",
        "    ConfigMap logging/conf-0123456789  fluent.conf:34  <buffer> memory".ljust(80),
        "    what is not sent yet is in memory: a crash loses it, and the position file".ljust(80),
        "    has passed it".ljust(80),
        "    fix: @type file, with a path on a hostPath".ljust(80),
        "    https://docs.fluentd.org/configuration/buffer-section",
        "checked: DaemonSet logging/fluentd, ConfigMap logging/conf-0123456789",
        "1 finding: loses logs 1",
    ]


def test_all_is_well() -> None:
    assert check(stdin=GOOD).stdout.splitlines()[-1] == "0 findings"


def test_lines_for_a_program() -> None:
    (row,) = rows(check("--json", stdin=MEMORY))
    assert {key: row[key] for key in ("rule", "severity", "object", "file", "line", "at")} == {
        "rule": "memory-buffer",
        "severity": "loss",
        "object": "ConfigMap logging/conf-0123456789",
        "file": "fluent.conf",
        "line": 34,
        "at": "<buffer> memory",
    }
    assert list(row)[-3:] == ["wrong", "helps", "link"]


@pytest.mark.parametrize("width", [80, 120])
def test_nothing_but_a_link_is_wider_than_the_terminal(width: int) -> None:
    lines = check(stdin=CLASSIC, width=width).stdout.splitlines()
    assert [line for line in lines if len(line) > width and not line.strip().startswith("https://")] == []


def test_a_rule_that_is_ignored_does_not_count() -> None:
    result = check("--ignore", "memory-buffer", stdin=MEMORY)
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "0 findings")


def test_files_and_folders_are_one_manifest(tmp_path: Path) -> None:
    *rest, pod = MEMORY.split("---\n")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "conf.yaml").write_text("---\n".join(rest))
    (tmp_path / "deep" / "notes.txt").write_text("{")
    (tmp_path / "pod.yml").write_text(pod)
    found = rows(check("--json", str(tmp_path)))
    assert [row["rule"] for row in found] == ["memory-buffer"]
    assert found == rows(check("--json", str(tmp_path / "deep"), str(tmp_path / "pod.yml")))
    assert found == rows(check("--json", str(tmp_path / "deep"), "-", stdin=pod))


def test_a_folder_that_is_not_rendered_says_how(tmp_path: Path) -> None:
    (tmp_path / "kustomization.yaml").touch()
    result = check(str(tmp_path))
    assert result.exit_code == 1
    assert f"kubectl kustomize {tmp_path} | cwl-shipper k8s check" in result.stderr


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "a.yaml").touch()
    monkeypatch.setattr(Path, "read_bytes", refused)
    result = check(str(tmp_path))
    assert (result.exit_code, result.stderr) == (1, f"cwl-shipper: {tmp_path}/a.yaml: Permission denied\n")


BOMBS = {
    "a thing that a tag makes": "!!python/object/apply:os.system ['touch here']",
    "lists in lists": "[" * 3_000,
    "blocks in blocks": "\n".join(f"{' ' * at}a:" for at in range(3_000)),
    "one list many times": "a0: &a0 [x]\n" + "".join(f"a{at + 1}: &a{at + 1} [*a{at}, *a{at}]\n" for at in range(40)),
    "an object in itself": "kind: List\nitems: &a [*a, {kind: DaemonSet, spec: *a}]",
    "an alias of nothing": "a: *b",
    "bytes": "\x00\x01",
    "a merge": "<<: &a {a: b}",
    "a scalar of another type": "kind: !!int x",
    "keys that are lists": "? [a]\n: b",
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_hostile_yaml_is_one_line_of_error(bomb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = check(stdin=bomb)
    assert (result.exit_code, len(result.stderr.splitlines()), result.stdout) == (1, 1, "")
    assert isinstance(result.exception, SystemExit)
    assert list(tmp_path.iterdir()) == []


def test_hostile_text_steers_no_terminal() -> None:
    data = {HOSTILE: f"<match {HOSTILE}>", "a.conf": "<source>\n@type tail\n</source>"}
    manifest = json.dumps({"kind": "ConfigMap", "metadata": {"name": HOSTILE}, "data": data})
    for args in ([], ["--json"]):
        result = check(*args, stdin=manifest)
        assert result.exit_code == 3
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(result.output)
