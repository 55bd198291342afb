"""Requests that can be told at a glance, without a parser: whole, and with nothing in them that their refusal
hangs on."""

from __future__ import annotations

import re

_FIRST = re.compile(rb"POST ([^ ?]+) HTTP/1\.1\r\n")
_TELLING = re.compile(
    rb"\n(content-length|transfer-encoding|connection|expect|upgrade|origin)[ \t]*:[ \t]*([^\r\n]*)"
)
"""What says where a request ends, how its connection goes on, or how it is to be answered."""


def address(data: bytes) -> bytes | None:
    """The path of a POST that is all of ``data``; ``None`` for whatever a parser had better look at: a part,
    several, another method, a page's request (its answer names the page), a connection that is to end."""
    first, end = _FIRST.match(data), data.find(b"\r\n\r\n")
    if first is None or end < 0:
        return None
    told = _TELLING.findall(data[:end].lower())
    says = dict(told)
    if len(says) != len(told) or says.pop(b"connection", b"keep-alive") != b"keep-alive":
        return None
    length = says.pop(b"content-length", b"")
    if says or not length.isdigit() or int(length) != len(data) - end - 4:
        return None
    return first[1]
