"""How text is written into bytes."""

from __future__ import annotations


def is_utf16(start: bytes) -> bool:
    """Whether bytes that begin so are text in UTF-16: by its mark, or as half of the first sign is 0."""
    return start[:2] in (b"\xff\xfe", b"\xfe\xff") or start[:2].count(0) == 1
