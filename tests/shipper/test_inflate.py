"""gzip in bounds: what comes out is what went in, or a refusal."""

from __future__ import annotations

import gzip
import tracemalloc

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper.inflate import NotGzip, TooLarge, inflate
from tests.shipper.fakes import patient

PACKED = gzip.compress(b"hello", mtime=0)


@hypothesis.settings(patient, max_examples=100)
@given(st.lists(st.binary(max_size=300), min_size=1, max_size=4))
def test_every_member_is_inflated(parts: list[bytes]) -> None:
    content = b"".join(parts)
    packed = b"".join(gzip.compress(part) for part in parts)
    assert inflate(packed, len(content)) == content
    if content:
        with pytest.raises(TooLarge, match=f"more than {len(content) - 1} bytes"):
            inflate(packed, len(content) - 1)


REFUSED = {
    "nothing": b"",
    "text": b"hello",
    "a header alone": PACKED[:10],
    "cut in its header": PACKED[:2],
    "cut in its data": PACKED[:-9],
    "cut in its checksum": PACKED[:-1],
    "a wrong checksum": PACKED[:-8] + bytes(4) + PACKED[-4:],
    "junk behind it": PACKED + b"junk",
    "a second member cut short": PACKED + PACKED[:-3],
}


@pytest.mark.parametrize("packed", REFUSED.values(), ids=REFUSED)
def test_what_is_no_whole_gzip_file_is_refused(packed: bytes) -> None:
    with pytest.raises(NotGzip, match=r"."):
        inflate(packed, 1_000)


def test_a_bomb_is_never_held_in_memory() -> None:
    bomb = gzip.compress(bytes(2**20)) * 50
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            inflate(bomb, 2**20)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 8 * 2**20


@hypothesis.settings(patient, max_examples=100)
@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_inflated_or_refused(data: bytes, behind_a_header: bool) -> None:
    with pytest.raises((NotGzip, TooLarge)):
        inflate(PACKED[:10] + data if behind_a_header else data, 1_000)
