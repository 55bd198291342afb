"""Gzip, bounded in what comes out."""

from __future__ import annotations

import zlib

from germane.domain.errors import BadRequest, TooLarge

MEMBERS = 256
"""What is left is copied for each."""


def gunzip(body: bytes, limit: int) -> bytes:
    """Inflate at most ``limit`` bytes: all members, one after the other.

    Raises:
        TooLarge: more would come out.
        BadRequest: it is not whole, intact gzip.
    """
    out, left, members = b"", body, 0
    while left or not members:
        inflater = zlib.decompressobj(wbits=31)
        try:
            out += inflater.decompress(left, limit + 1 - len(out))
        except zlib.error:
            raise BadRequest(
                "The body is not valid gzip.", hint="Check Content-Encoding."
            ) from None
        if len(out) > limit:
            raise TooLarge(f"The body inflates to more than {limit:,} bytes.")
        if not inflater.eof:
            raise BadRequest("The gzip body is cut short.")
        left, members = (
            inflater.unused_data.lstrip(b"\0"),
            members + 1,
        )  # it may be filled up with zeros
        if left and members == MEMBERS:
            raise BadRequest(f"The gzip body has more than {MEMBERS} members.")
    return out
