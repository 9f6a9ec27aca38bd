from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from local import distribution
from local.errors import LocalError


def fake_maven(folder: Path, script: str) -> Path:
    folder.mkdir()
    program = folder / "mvn"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return folder


def test_it_is_fetched_once_and_readable_for_all(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "built.zip", "w") as archive:
        archive.writestr("opensearch-3.7.0/bin/opensearch", "#!/bin/sh")
        archive.writestr("opensearch-3.7.0/lib/a.jar", "")
    maven = fake_maven(tmp_path / "m", f'/bin/cp {tmp_path}/built.zip "${{5#-DoutputDirectory=}}/opensearch-3.7.0.zip"')
    cache = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    home = distribution.distribution({**cache, "PATH": str(maven)})
    assert home == tmp_path / "cache" / "cwl-shipper" / "opensearch-3.7.0"
    assert (home / "bin" / "opensearch").stat().st_mode & 0o777 == 0o755
    assert (home / "lib" / "a.jar").stat().st_mode & 0o777 == 0o644
    assert {path.name for path in home.parent.iterdir()} == {home.name, ".lock"}
    assert distribution.distribution({**cache, "PATH": ""}) == home


@pytest.mark.parametrize(
    ("script", "line"),
    [
        (None, "^ENGINE=opensearch needs Maven: install `mvn`"),
        (
            "echo '[INFO] x'; echo '[ERROR] it is offline'; exit 1",
            "mvn could not fetch org.opensearch.*: it is offline$",
        ),
        ("exit 7", "mvn could not fetch .*: status 7$"),
    ],
    ids=["no Maven", "a reason", "no reason"],
)
def test_what_is_missing_is_one_line(tmp_path: Path, script: str | None, line: str) -> None:
    path = str(fake_maven(tmp_path / "m", script)) if script else ""
    with pytest.raises(LocalError, match=line) as caught:
        distribution.distribution({"XDG_CACHE_HOME": str(tmp_path), "PATH": path})
    assert "\n" not in str(caught.value)


def test_a_lent_tree_is_the_same_files(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "file").write_text("x")
    assert (distribution.lend(tmp_path / "a", tmp_path / "b") / "file").samefile(tmp_path / "a" / "file")


def test_a_closed_folder_above_is_out_of_reach(tmp_path: Path) -> None:
    inner = tmp_path / "closed" / "inner"
    inner.mkdir(parents=True)
    inner.parent.chmod(0o700)
    assert not distribution.within_reach(inner)
