"""Header lines: nothing that could begin another header gets in, and none is longer than mail allows."""

from __future__ import annotations

import re
from base64 import b64encode

_FORBIDDEN = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\x80-\x9f\u2028\u2029\ud800-\udfff]")
_NAME = re.compile(r"[!-9;-~]{1,76}", re.ASCII)
WIDTH = 76
"""Characters that a line should not exceed."""
LONGEST = 998
"""Characters that a line must not exceed."""


class BadHeader(ValueError):
    """It cannot stand in a header. ``code`` is that of the refusal."""

    def __init__(self, code: str, reason: str) -> None:
        self.code, self.reason = code, reason
        super().__init__(reason)


def checked(name: str, value: str) -> str:
    """The value, if it is one line of characters.

    Raises:
        BadHeader: it has a line break of any kind, a control sign, or half of a character.
    """
    found = _FORBIDDEN.search(value)
    if found:
        raise BadHeader(
            "email.header_injection",
            f"{name} has the sign U+{ord(found[0]):04X}, which no header may hold.",
        )
    return value


def checked_name(name: str) -> str:
    """The name of a header.

    Raises:
        BadHeader: it is none.
    """
    if not _NAME.fullmatch(name):
        raise BadHeader("email.header_injection", f"{name[:40]!r} is no name of a header.")
    return name


def line(name: str, value: str) -> str:
    """``Name: value`` for people to read, folded, without the line break at the end; other than ASCII is encoded.

    Raises:
        BadHeader: see ``checked``; or a word is too long for a line.
    """
    checked(name, value)
    if value.isascii():
        return structured(name, value.replace("\t", " "))
    return f"{name}: {encoded_words(value, len(name) + 2)}"


def structured(name: str, value: str) -> str:
    """``Name: value`` for programs to read: folded at spaces only, as it is otherwise.

    Raises:
        BadHeader: see ``checked``; or a word is too long for a line.
    """
    checked(name, value)
    whole = f"{name}: {value}"
    if len(whole) <= WIDTH:
        return whole
    lines, current = [], ""
    for word in whole.split(" "):
        if current.strip() and len(current) + 1 + len(word) > WIDTH and word:
            lines.append(current)
            current = f" {word}"
        else:
            current = f"{current} {word}" if current else word
    lines.append(current)
    if any(len(each.encode()) > LONGEST for each in lines):
        raise BadHeader("email.header_too_long", f"{name} has a word too long for one line.")
    return "\r\n".join(lines)


def encoded_words(text: str, taken: int) -> str:
    """Other letters than ASCII as encoded words (RFC 2047), folded; no word parts a character.

    Args:
        text: What is to be said.
        taken: Characters that stand on the first line before it.
    """
    words, data, room = [], b"", _word_bytes(taken)
    for each in text:
        more = each.encode()
        if len(data) + len(more) > room:
            words.append(data)
            data, room = b"", _word_bytes(1)
        data += more
    words.append(data)
    return "\r\n ".join(f"=?utf-8?B?{b64encode(each).decode()}?=" for each in words)


def _word_bytes(taken: int) -> int:
    """How many bytes fit into one encoded word on a line where ``taken`` characters stand already."""
    return max((min(75, WIDTH - taken) - 12) // 4 * 3, 6)
