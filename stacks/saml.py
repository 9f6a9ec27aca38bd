"""The metadata of a SAML identity provider, as a file that the provider gives out."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

# https://docs.aws.amazon.com/opensearch-service/latest/APIReference/API_SAMLIdp.html
_MOST_CHARS = 1_048_576
_ENTITY_CHARS = range(8, 513)
_ENTITY = "{urn:oasis:names:tc:SAML:2.0:metadata}EntityDescriptor"


class Metadata(NamedTuple):
    """What the domain has to know of its provider."""

    entity_id: str
    content: str


def read(path: str) -> Metadata:
    """The metadata in a file; a relative path is one from the folder of the app. Raises `ValueError`."""
    try:
        content = Path(path).read_text("utf-8")
        root = ET.fromstring(content)  # noqa: S314 - the operator's own file
    except OSError as error:
        raise ValueError(f"{path!r} cannot be read: {error.strerror}") from error
    except (ET.ParseError, UnicodeDecodeError) as error:
        raise ValueError(f"{path!r} is no XML: {error}") from error
    if root.tag != _ENTITY:
        raise ValueError(f"{path!r} does not describe one SAML entity")
    entity_id = root.get("entityID", "")
    if len(entity_id) not in _ENTITY_CHARS or len(content) > _MOST_CHARS:
        raise ValueError(f"{path!r} is refused: an entityID has 8 to 512 characters, the whole at most {_MOST_CHARS}")
    return Metadata(entity_id, content)
