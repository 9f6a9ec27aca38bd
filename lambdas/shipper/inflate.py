"""gzip, inflated within a bound: a few kilobytes can stand for gigabytes."""

from __future__ import annotations

from isal import isal_zlib
from isal.isal_zlib import IsalError

_GZIP_WBITS = 31


class NotGzip(ValueError):
    """The data is no gzip file, or not a whole one."""


class TooLarge(ValueError):
    """The data inflates to more than its bound."""


def inflate(packed: bytes, max_bytes: int) -> bytes:
    """Inflate every member of a gzip file, never holding more than `max_bytes` of output.

    Raises `NotGzip` and `TooLarge`.
    """
    parts: list[bytes] = []
    room = max_bytes
    while packed:
        member = isal_zlib.decompressobj(wbits=_GZIP_WBITS)
        try:
            part = member.decompress(packed, max_length=room + 1)
        except IsalError as error:  # type: ignore[misc] # its stub calls the class an instance
            raise NotGzip(f"not gzip: {error}") from None
        room -= len(part)
        if room < 0:
            raise TooLarge(f"inflates to more than {max_bytes} bytes")
        if not member.eof:
            raise NotGzip("the gzip data is cut short")
        parts.append(part)
        packed = member.unused_data
    if not parts:
        raise NotGzip("the gzip data is empty")
    return b"".join(parts)
