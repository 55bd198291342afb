"""Half characters: clients that cut a text in the middle of an emoji send one half of it."""

from __future__ import annotations

import re

_ESCAPES = re.compile(
    rb"\\\\"  # a backslash that is text: what follows is no escape
    rb"|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # both halves
    rb"|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"  # one alone
)


def without_halves(body: bytes) -> bytes:
    """JSON with U+FFFD in the place of each lone surrogate: no UTF-8 can hold those."""
    return _ESCAPES.sub(lambda found: b"\\ufffd" if found[1] else found[0], body)
