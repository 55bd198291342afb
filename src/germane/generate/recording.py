"""Who looked at what while a template was rendered: from it come *used* and the claims."""

from __future__ import annotations

import re
from unicodedata import category

from germane.domain.content import Claim

OPEN, MIDDLE, CLOSE = "\ue000", "\ue001", "\ue002"
"""Around each value that data gave, in a rendered text: OPEN number MIDDLE value CLOSE."""
_MARK = re.compile(f"{OPEN}(\\d+){MIDDLE}|{CLOSE}")
_PRIVATE = re.compile("[\ue000-\ue0ff\x00-\x08\x0b-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""What no value may bring in: our own marks, control characters, and those that turn text around."""
_GUARDED = str.maketrans(
    {"*": "\ue010", "[": "\ue011", "]": "\ue012", "(": "\ue013", ")": "\ue014", "-": "\ue015",
     "\n": " ", "\r": " ", "\t": " "}
)  # fmt: skip
_UNGUARDED = dict(zip(map(chr, range(0xE010, 0xE016)), "*[]()-", strict=True))
_GUARDS = re.compile("[\ue010-\ue015]")


def clean(text: str) -> str:
    """A text from data without what could pass for something else than text."""
    return _PRIVATE.sub("", text)


def blank(text: str) -> bool:
    """Whether nothing of a text can be seen: spaces and signs without a shape (U+200B and its like)."""
    return not text.strip() or (
        not text.isascii() and all(x.isspace() or category(x) in ("Cf", "Cc", "Mn") for x in text)
    )


def guarded(text: str) -> str:
    """A value that no mark-up can be read from: it stays on its line, and its signs are only signs."""
    return text.translate(_GUARDED)


def plain(text: str) -> str:
    """A rendered text without marks, its values as they were."""
    if text.isascii():
        return text
    return _GUARDS.sub(lambda found: _UNGUARDED[found[0]], _MARK.sub("", text))


def numbers(text: str) -> list[int]:
    """Which values stand in a piece of rendered text."""
    return [int(found[1]) for found in _MARK.finditer(text) if found[1]]


class Recorder:
    """What one field of one slot looked at."""

    def __init__(self) -> None:
        self.values: list[frozenset[str]] = []
        """Number of a value in the text -> names that it rests on."""
        self.always: set[str] = set()
        """Names that conditions and loops looked at: the whole text rests on them."""
        self.signals: dict[str, tuple[str, ...]] = {}
        """Name -> signals behind it."""
        self.claims: list[Claim] = []
        self.items: set[str] = set()
        """Ids of the items that were looked at."""
        self._open: set[str] | None = None
        self._claimed: list[tuple[str, str, str | float | bool | None]] = []

    def saw(self, name: str, signals: tuple[str, ...] = ()) -> None:
        """A name was looked up and had a value."""
        (self.always if self._open is None else self._open).add(name)
        if signals:
            self.signals[name] = signals

    def claim(self, item_id: str, field: str, value: str | float | bool | None) -> None:
        """Something of an item was looked up: it is claimed, with the words that are made of it."""
        self.items.add(item_id)
        if self._open is None:
            self.claims.append(Claim(item_id, field, value, ""))
        else:
            self._claimed.append((item_id, field, value))

    def begin(self) -> None:
        """An expression that is put out begins."""
        self._open, self._claimed = set(), []

    def end(self, text: str) -> str:
        """It ends with this text; the text between its marks."""
        names = self._open or set()
        for number in numbers(text):  # a text that was captured brings what it rests on
            names |= self.values[number]
        said = clean(plain(text))
        self.claims += [Claim(*each, shown=said) for each in self._claimed]
        self._open, self._claimed = None, []
        self.values.append(frozenset(names))
        return f"{OPEN}{len(self.values) - 1}{MIDDLE}{guarded(said)}{CLOSE}"
