"""Requests that can be told at a glance, without a parser: whole, and with nothing in them that their refusal
hangs on."""

from __future__ import annotations

import re

_HEAD = re.compile(
    rb"POST ([!->@-~]+) HTTP/1\.1\r\n((?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t -~\x80-\xff]*\r\n)*)\r\n"
)
"""RFC 9112, sections 3 and 5, to the letter: what one program reads so and another one otherwise is left to the
parser, which hangs up."""
_TELLING = re.compile(
    rb"(?m)^(content-length|transfer-encoding|connection|expect|upgrade|origin):[\t ]*([^\r]*?)[\t ]*\r$"
)
"""What says where a request ends, how its connection goes on, or how it is to be answered."""
_LENGTH = re.compile(rb"[0-9]{1,9}")


def address(data: bytes) -> bytes | None:
    """The path of a POST that is all of ``data``; ``None`` for whatever a parser had better look at: a part,
    several, another method, a page's request (its answer names the page), a connection that is to end, and
    all that is not written as the standard has it."""
    head = _HEAD.match(data)
    if head is None:
        return None
    told = _TELLING.findall(head[2].lower())
    says = dict(told)
    if len(says) != len(told) or says.pop(b"connection", b"keep-alive") != b"keep-alive":
        return None
    length = says.pop(b"content-length", b"")
    if says or not _LENGTH.fullmatch(length) or int(length) != len(data) - head.end():
        return None
    return head[1]
