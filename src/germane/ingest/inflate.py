"""Gzip, bounded in what comes out."""

from __future__ import annotations

import zlib

from germane.domain.errors import BadRequest, TooLarge


def gunzip(body: bytes, limit: int) -> bytes:
    """Inflate at most ``limit`` bytes.

    Raises:
        TooLarge: more would come out.
        BadRequest: it is not whole, intact gzip.
    """
    inflater = zlib.decompressobj(wbits=31)
    try:
        out = inflater.decompress(body, limit + 1)
    except zlib.error:
        raise BadRequest("The body is not valid gzip.", hint="Check Content-Encoding.") from None
    if len(out) > limit:
        raise TooLarge(f"The body inflates to more than {limit:,} bytes.")
    if not inflater.eof:
        raise BadRequest("The gzip body is cut short.")
    return out
