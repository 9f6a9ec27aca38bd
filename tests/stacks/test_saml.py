"""The metadata of an identity provider: what is read of it, and what is said of a file that is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from stacks import saml

ENTITY = '<m:EntityDescriptor xmlns:m="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{}">{}</m:EntityDescriptor>'


def _file(folder: Path, content: bytes) -> str:
    path = folder / "idp.xml"
    path.write_bytes(content)
    return str(path)


def test_the_entity_is_that_of_the_file(tmp_path: Path) -> None:
    content = ENTITY.format("https://idp.example.com", "é")
    assert saml.read(_file(tmp_path, content.encode())) == ("https://idp.example.com", content)


def test_a_relative_path_is_one_of_the_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The CDK starts an app in the app's folder, also one that only imports these constructs."""
    _file(tmp_path, ENTITY.format("https://idp.example.com", "").encode())
    monkeypatch.chdir(tmp_path)
    assert saml.read("idp.xml").entity_id == "https://idp.example.com"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"<a", "is no XML: ", id="not XML"),
        pytest.param(b"\xff\xfe\x00", "is no XML: ", id="not text"),
        pytest.param(b"<EntityDescriptor entityID='https://x'/>", "does not describe one SAML entity", id="no SAML"),
        pytest.param(ENTITY.format("short", "").encode(), "is refused: an entityID has 8", id="entity too short"),
        pytest.param(ENTITY.format("x" * 513, "").encode(), "is refused: an entityID has 8", id="entity too long"),
        pytest.param(ENTITY.format("x" * 8, " " * 1_048_576).encode(), "at most 1048576", id="too large"),
    ],
)
def test_a_file_that_is_none_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = _file(tmp_path, content)
    with pytest.raises(ValueError, match=message) as failure:
        saml.read(path)
    assert str(failure.value).startswith(repr(path))


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(ValueError, match=r"^'no/such\.xml' cannot be read: No such file or directory$"):
        saml.read("no/such.xml")
